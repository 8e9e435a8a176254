//! What AWS answers: how each operation draws on the files of the snapshot.

mod iam;
mod organizations;
mod quick_setup;
mod region;
mod s3;
mod sts;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::credentials::Identity;
use crate::paging::{self, Place};
use crate::refusal::{Refusal, Trouble};
use crate::render::{Body, Part};
use crate::request::Call;
use crate::session_policy;
use crate::store::{Account, Store};
use crate::weather::Weather;

/// Everything that an answer depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub store: &'a Store,
    pub weather: &'a Weather,
    pub call: &'a Call<'a>,
    pub identity: &'a Identity,
    /// The Region that the request was signed for.
    pub region: &'a str,
    /// The page that the request's token asks for.
    pub place: Place,
    /// Whether the token of the next page is this page's.
    pub repeats_token: bool,
    /// Seconds since 1970.
    pub now: i64,
}

/// The answer's members, cut to the page that was asked for.
pub(crate) fn answer<'a>(question: &Question<'a>) -> Result<Body<'a>, Refusal> {
    if question.identity.session.as_ref().is_some_and(|session| session.expires <= question.now) {
        return Err(question.refuse(Trouble::ExpiredToken, ""));
    }
    question.stop_at_session_policy()?;
    let Some(account) = question.store.accounts.get(&question.identity.account) else {
        return Err(question.refuse(Trouble::BadCredentials, ""));
    };
    let parameters = Parameters { given: &question.call.input, taken: RefCell::default() };
    let body = match question.call.service.name.as_str() {
        "sts" => sts::answer(question, &parameters),
        "organizations" => organizations::answer(question, &parameters),
        "iam" => iam::answer(question, account, &parameters),
        "s3" => s3::answer(question, account, &parameters),
        "ssm-quicksetup" => quick_setup::answer(question, account, &parameters),
        _ => region::answer(question, account, &parameters),
    }?;
    let body = match &question.call.operation.pages {
        Some(pages) => paging::cut(question, pages, &parameters, body)?,
        None => body,
    };
    match parameters.left() {
        Some(name) => Err(question
            .refuse(Trouble::BadParameter, format!("The simulated AWS does not honour the parameter {name} of {}.", question.name()))),
        None => Ok(body),
    }
}

impl Question<'_> {
    /// As IAM writes it: `ec2:DescribeVpcs`.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.call.service.name, self.call.operation.name)
    }

    pub(crate) fn refuse(&self, trouble: Trouble, message: impl Into<String>) -> Refusal {
        Refusal::of(&self.call.service.name, trouble, message)
    }

    /// Why there is no file: what the manifest says, or else that it may not be read.
    fn missing(&self, region: Option<&str>) -> Refusal {
        let name = self.name();
        let gap = self.store.gap(&self.identity.account, region, &name);
        gap.unwrap_or_else(|| self.refuse(Trouble::AccessDenied, format!("The snapshot does not hold what {name} told.")))
    }

    /// Stops at an operation that the session's policy does not let pass, whatever the role may do.
    fn stop_at_session_policy(&self) -> Result<(), Refusal> {
        // <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>: no permission is needed for it.
        const FREE: &str = "sts:GetCallerIdentity";
        let policy = self.identity.session.as_ref().and_then(|session| session.policy.as_ref());
        let name = self.name();
        if name == FREE || policy.is_none_or(|policy| session_policy::allows(policy, &name)) {
            return Ok(());
        }
        let message =
            format!("User: {} is not authorized to perform: {name} because no session policy allows the {name} action", sts::arn(self));
        Err(self.refuse(Trouble::AccessDenied, message))
    }

    /// Stops at an operation of which the manifest says that it gave no answer for the account as a whole.
    fn stop_at_gap(&self) -> Result<(), Refusal> {
        self.store.gap(&self.identity.account, None, &self.name()).map_or(Ok(()), Err)
    }
}

/// The input, and what of it was honoured.
#[derive(Debug)]
pub(crate) struct Parameters<'a> {
    given: &'a Map<String, Value>,
    taken: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Parameters<'a> {
    pub(crate) fn take(&self, name: &str) -> Option<&'a Value> {
        let (name, value) = self.given.get_key_value(name)?;
        self.taken.borrow_mut().insert(name);
        Some(value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.take(name)?.as_str()
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.take(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The words of a list.
    pub(crate) fn words(&self, name: &str) -> Option<Vec<&'a str>> {
        Some(self.take(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }

    /// A whole number, also where the protocol sends it as text.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        let value = self.take(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// The first parameter that nobody honoured and that asks for something.
    fn left(&self) -> Option<&'a str> {
        let asks = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        let taken = self.taken.borrow();
        self.given.iter().find(|(name, value)| asks(value) && !taken.contains(name.as_str())).map(|(name, _)| name.as_str())
    }
}

/// One member of an answer.
fn part<'a>(name: &'static str, value: impl Into<Part<'a>>) -> (Cow<'a, str>, Part<'a>) {
    (Cow::Borrowed(name), value.into())
}

/// A member that is a list, by reference.
fn list<'a>(name: &'static str, items: impl IntoIterator<Item = &'a Value>) -> (Cow<'a, str>, Part<'a>) {
    (Cow::Borrowed(name), Part::List(items.into_iter().collect()))
}

/// The items of a file's list.
fn items<'a>(files: Option<&'a Value>, member: &str) -> Option<&'a [Value]> {
    files?.get(member)?.as_array().map(Vec::as_slice)
}

fn is_on(account: &Account, region: &str) -> bool {
    account.regions.contains_key(region)
}
