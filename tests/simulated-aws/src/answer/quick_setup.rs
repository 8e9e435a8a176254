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
            let stand_in = serde_json::json!([{"ManagerArn": format!("arn:aws:ssm-quicksetup:us-east-1:{}:configuration-manager/simulated", question.identity.account)}]);
            return if fails_later { Ok(vec![part("ConfigurationManagersList", stand_in)]) } else { Err(question.missing(None)) };
        };
        let listed = managers.iter().map(|manager| {
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
