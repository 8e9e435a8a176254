//! S3: the policies of the buckets of patch policies.

use super::{Parameters, Question, part};
use crate::refusal::Refusal;
use crate::render::Body;
use crate::store::{Account, text};

const FILE: &str = "s3-get-bucket-policy.json";

pub(super) fn answer<'a>(question: &Question<'a>, account: &'a Account, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    let bucket = parameters.text("Bucket").unwrap_or_default();
    let policies = account.global.get(FILE).and_then(|file| file.get("BucketPolicies"));
    let Some(kept) = policies.and_then(|policies| policies.get(bucket)) else {
        question.stop_at_gap()?;
        return Err(question.missing(None));
    };
    match text(kept, "Policy") {
        Some(policy) => Ok(vec![part("Policy", serde_json::Value::from(policy))]),
        None => Err(Refusal::new("NoSuchBucketPolicy", 404, "The bucket policy does not exist")),
    }
}
