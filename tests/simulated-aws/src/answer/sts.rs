//! STS: who asks, and the roles of other accounts.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Parameters, Question, part};
use crate::credentials::{Credentials, Session};
use crate::refusal::{Refusal, Trouble};
use crate::render::Body;
use crate::session_policy;

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const SHORTEST_SESSION: i64 = 900;
const LONGEST_SESSION: i64 = 43_200;
/// A role that is assumed with another role's credentials.
const LONGEST_CHAINED_SESSION: i64 = 3_600;
const LONGEST_POLICY: usize = 2_048;

pub(super) fn answer<'a>(question: &Question<'a>, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    match question.call.operation.name.as_str() {
        "GetCallerIdentity" => Ok(caller(question)),
        "AssumeRole" => assume_role(question, parameters),
        _ => Err(question.refuse(Trouble::UnknownOperation, "")),
    }
}

fn caller<'a>(question: &Question<'a>) -> Body<'a> {
    vec![
        part("UserId", Value::from("AIDASIMULATEDUSERID00")),
        part("Account", Value::from(question.identity.account.as_str())),
        part("Arn", Value::from(arn(question))),
    ]
}

pub(super) fn arn(question: &Question<'_>) -> String {
    let (partition, account) = (question.store.partition(), &question.identity.account);
    match &question.identity.session {
        Some(session) => format!("arn:{partition}:sts::{account}:assumed-role/{}/{}", session.role, session.name),
        None if *account == question.store.caller() => {
            question.store.caller_arn().map_or_else(|| format!("arn:{partition}:iam::{account}:user/simulated"), str::to_owned)
        }
        None => format!("arn:{partition}:iam::{account}:user/simulated"),
    }
}

fn assume_role<'a>(question: &Question<'a>, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    let trust = &question.weather.trust;
    let role_arn = parameters.text("RoleArn").unwrap_or_default();
    let denied = || {
        let message = format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}", arn(question));
        question.refuse(Trouble::AccessDenied, message)
    };
    let invalid = |what: &str| question.refuse(Trouble::BadParameter, what);
    let [_, partition, "iam", "", account, resource] = role_arn.splitn(6, ':').collect::<Vec<_>>()[..] else {
        return Err(invalid(&format!("{role_arn} is invalid")));
    };
    let role = resource.strip_prefix("role/").ok_or_else(|| invalid(&format!("{role_arn} is invalid")))?;
    let name = parameters.text("RoleSessionName").ok_or_else(|| invalid("RoleSessionName is missing"))?;
    let is_legal = |name: &str| (2..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if !is_legal(name) {
        return Err(invalid("1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint"));
    }
    let policy = parameters.text("Policy").map(session_policy).transpose()?;
    let longest = if question.identity.session.is_some() { LONGEST_CHAINED_SESSION } else { LONGEST_SESSION };
    let duration = parameters.number("DurationSeconds").unwrap_or(LONGEST_CHAINED_SESSION);
    if !(SHORTEST_SESSION..=longest).contains(&duration) {
        return Err(invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
    }
    if let Some(refusal) = question.store.gap(account, None, "sts:AssumeRole") {
        return Err(refusal);
    }
    let is_known = question.store.accounts.contains_key(account) && partition == question.store.partition();
    let is_role = trust.roles.as_ref().is_none_or(|roles| roles.iter().any(|known| known == role));
    let external_id = parameters.text("ExternalId");
    let is_told = trust.external_id.as_deref().is_none_or(|expected| external_id == Some(expected));
    if !is_known || !is_role || !is_told || trust.refusing_accounts.iter().any(|refusing| refusing == account) {
        return Err(denied());
    }
    let session = Session {
        account: account.to_owned(),
        role: role.rsplit('/').next().unwrap_or(role).to_owned(),
        name: name.to_owned(),
        expires: question.now + trust.session_seconds.unwrap_or(duration),
        policy,
    };
    let given = Credentials::of_session(&session);
    let expiration = Timestamp::from_second(session.expires).unwrap_or_default().to_string();
    let assumed = format!("arn:{partition}:sts::{account}:assumed-role/{}/{name}", session.role);
    Ok(vec![
        part(
            "Credentials",
            json!({
                "AccessKeyId": given.access_key_id, "SecretAccessKey": given.secret_access_key,
                "SessionToken": given.session_token, "Expiration": expiration,
            }),
        ),
        part("AssumedRoleUser", json!({"AssumedRoleId": format!("AROASIMULATEDROLEID00:{name}"), "Arn": assumed})),
    ])
}

fn session_policy(document: &str) -> Result<Value, Refusal> {
    let malformed = |what: &str| Refusal::new("MalformedPolicyDocument", 400, what);
    if document.len() > LONGEST_POLICY {
        return Err(malformed(&format!("The policy is longer than {LONGEST_POLICY} characters.")));
    }
    let policy = serde_json::from_str(document).map_err(|_| malformed("This policy contains invalid Json"))?;
    match session_policy::trouble(&policy) {
        Some(trouble) => Err(malformed(&format!("The policy cannot be used: {trouble}."))),
        None => Ok(policy),
    }
}
