//! One statement against one request.

use super::answer::{About, Answer, PolicyKind, StatementId};
use super::condition::Condition;
use super::context::Context;
use super::document::Effect;
use super::pattern::{Fit, Token, fit, lower_case, tokens};
use super::principal::{Name, Principal, Reach};
use super::variable::{Reading, fill};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `s3:GetObject`; in any case, as AWS reads actions.
    pub action: &'a str,
    pub resource: Resource<'a>,
    pub principal: &'a Principal,
    /// The account that owns the resource; `None` when it is not known.
    pub resource_account: Option<&'a str>,
    /// The condition keys. Nothing is added to them: `aws:PrincipalArn` and the like are for the caller to say.
    pub context: &'a Context,
}

/// On what. An action without resource-level permissions is asked on `Exact("*")`, which only policies for every resource match.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    Exact(&'a str),
    /// One resource of which not the whole name is known: `*` stands for the unknown parts, `?` for one unknown character.
    /// An answer is given only when it holds for every resource of that form.
    Pattern(&'a str),
}

/// A statement as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The `Sid`, or `#` and the number.
    pub(super) label: String,
    /// `None` when it could not be read: the statement may do either.
    pub(super) effect: Option<Effect>,
    pub(super) actions: Option<Listed<String>>,
    pub(super) resources: Option<Listed<String>>,
    pub(super) principals: Option<Listed<Name>>,
    pub(super) conditions: Vec<Condition>,
    /// What could not be read. The statement then matches at most maybe.
    pub(super) unreadable: Vec<String>,
}

/// `Action` or `NotAction`, and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed<T> {
    pub(super) is_negated: bool,
    pub(super) items: Vec<T>,
}

impl Statement {
    /// Whether the statement is about the request, and by which name it means the principal.
    pub(super) fn matches(&self, id: &StatementId, has_variables: bool, request: &Request<'_>, has_boundary: &Answer) -> Reach {
        let what = self.covers_action(request.action);
        if what == Answer::No {
            return Reach::nobody();
        }
        let what = what.and(self.covers_resource(id.kind, has_variables, request));
        let what = what.and(Answer::all(self.conditions.iter().map(|condition| condition.holds(has_variables, request.context))));
        let what = what.and(Answer::all(self.unreadable.iter().map(|part| Answer::unknown(About::Unreadable(part.clone())))));
        self.covers_principal(id.kind, request.principal, has_boundary).map(|who| who.and(what.clone()).within(id))
    }

    /// Actions know no case and no variables
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>).
    fn covers_action(&self, action: &str) -> Answer {
        let Some(actions) = &self.actions else { return Answer::Yes };
        let action = lower_case(&tokens(action, false));
        let matches = |pattern: &String| fit(&lower_case(&tokens(pattern, true)), &action) == Fit::Surely;
        Answer::from(actions.items.iter().any(matches) != actions.is_negated)
    }

    /// A resource-based policy may leave its own resource away, as trust policies do.
    fn covers_resource(&self, kind: PolicyKind, has_variables: bool, request: &Request<'_>) -> Answer {
        let Some(resources) = &self.resources else {
            let is_implied = matches!(kind, PolicyKind::Resource | PolicyKind::Endpoint) || !self.unreadable.is_empty();
            return if is_implied { Answer::Yes } else { Answer::unknown(About::Unreadable("a statement without a resource".to_owned())) };
        };
        let asked = request.resource.tokens();
        let reading = Reading { has_wildcards: true, has_variables };
        let matches = |pattern: &String| match fill(&complete_arn(pattern), reading, request.context) {
            Some(filled) => filled.matches(&asked, false),
            None => Answer::No,
        };
        let answer = Answer::any(resources.items.iter().map(matches));
        if resources.is_negated { answer.negate() } else { answer }
    }

    fn covers_principal(&self, kind: PolicyKind, principal: &Principal, has_boundary: &Answer) -> Reach {
        let names_principals = matches!(kind, PolicyKind::Resource | PolicyKind::ResourceControl | PolicyKind::Endpoint);
        match &self.principals {
            None if !names_principals || !self.unreadable.is_empty() => Reach::directly(Answer::Yes),
            Some(listed) if names_principals && !listed.is_negated => principal.reached_by(&listed.items),
            Some(listed) if names_principals && self.effect == Some(Effect::Deny) => {
                let reaches = principal.is_exempt(&listed.items).negate();
                // "Will always deny any IAM principal that has a permissions boundary", whoever is named.
                let bounded = if principal.has_policies() { has_boundary.clone() } else { Answer::No };
                Reach::directly(reaches.or(bounded))
            }
            _ => Reach::directly(Answer::unknown(About::Unreadable(format!("the principal element in a {kind}")))),
        }
    }
}

impl Resource<'_> {
    fn tokens(self) -> Vec<Token> {
        match self {
            Self::Exact(arn) => tokens(arn, false),
            Self::Pattern(pattern) => tokens(pattern, true),
        }
    }
}

/// AWS fills an ARN of fewer than six parts up with wildcards
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>).
fn complete_arn(pattern: &str) -> String {
    let missing = if pattern.starts_with("arn:") { 5_usize.saturating_sub(pattern.matches(':').count()) } else { 0 };
    format!("{pattern}{}", ":*".repeat(missing))
}
