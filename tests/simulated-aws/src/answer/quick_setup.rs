//! Quick Setup: the configuration managers of the management account.

use serde_json::{Map, Value};

use super::{Parameters, Question, items, part};
use crate::refusal::{Refusal, Trouble};
use crate::render::Body;
use crate::store::{Account, text};

const FILE: &str = "ssm-quicksetup-get-configuration-manager.json";

pub(super) fn answer<'a>(question: &Question<'a>, account: &'a Account, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    question.stop_at_gap()?;
    let managers = items(account.global.get(FILE), "ConfigurationManagers");
    if question.call.operation.name == "ListConfigurationManagers" {
        let Some(managers) = managers else {
            // A manager that could not be read was listed before.
            let fails_later = question.store.gap(&question.identity.account, None, "ssm-quicksetup:GetConfigurationManager").is_some();
            let arn = format!("arn:aws:ssm-quicksetup:{}:{}:configuration-manager/simulated", question.region, question.identity.account);
            let stand_in = serde_json::json!([{"ManagerArn": arn}]);
            return if fails_later { Ok(vec![part("ConfigurationManagersList", stand_in)]) } else { Err(question.missing(None)) };
        };
        // Each Region lists what was made there.
        let is_here = |manager: &&Value| text(manager, "ManagerArn").and_then(|arn| arn.split(':').nth(3)) == Some(question.region);
        let listed = managers.iter().filter(is_here).map(|manager| {
            let kept = ["ManagerArn", "Name", "Description", "StatusSummaries"];
            Value::Object(kept.iter().filter_map(|name| Some(((*name).to_owned(), manager.get(*name)?.clone()))).collect::<Map<_, _>>())
        });
        return Ok(vec![part("ConfigurationManagersList", Value::Array(listed.collect()))]);
    }
    let arn = parameters.text("ManagerArn").unwrap_or_default();
    let managers = managers.ok_or_else(|| question.missing(None))?;
    let found = managers.iter().find(|manager| text(manager, "ManagerArn") == Some(arn));
    let found = found.and_then(Value::as_object).ok_or_else(|| question.refuse(Trouble::NotFound, ""))?;
    Ok(found.iter().map(|(name, value)| (name.as_str().into(), value.into())).collect())
}
