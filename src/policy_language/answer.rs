//! Yes, no, or unknown together with everything that the answer hangs on.

use std::collections::BTreeSet;
use std::fmt;

use super::document::NOT_COLLECTED;

/// Kleene's three values. The reasons of an unknown are a set, so the order of statements and policies cannot show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    Unknown(BTreeSet<Doubt>),
}

/// One thing that is not known, and the statement whose match hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// `None` when a whole kind of policies or the request itself is not known.
    pub statement: Option<StatementId>,
    pub about: About,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A condition key whose value in the request is not known; `why` is what the context says, and may be empty.
    ConditionKey { key: String, why: String },
    /// A part of a policy that is not the policy language, or newer than this program.
    Unreadable(String),
    /// The resource is known only as this pattern, and its instances fare differently.
    Resource(String),
    /// A fact of the request that is not known: the session's name, the account of the resource.
    Request(&'static str),
    /// Policies of this kind apply, but were not collected; the text says why.
    NotCollected(PolicyKind, String),
    /// AWS does not document what happens here.
    Undocumented(&'static str),
}

/// Where a policy comes from, and so what its statements do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    Identity,
    PermissionsBoundary,
    Session,
    ServiceControl,
    ResourceControl,
    Resource,
    Endpoint,
}

/// A statement as a person finds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementId {
    pub kind: PolicyKind,
    /// The name or ARN that the policy was given.
    pub policy: String,
    /// The `Sid`, or `#2` for the second statement when it has none.
    pub statement: String,
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl Answer {
    pub(super) fn unknown(about: About) -> Self {
        Self::Unknown(BTreeSet::from([Doubt { statement: None, about }]))
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, rest) | (rest, Self::Yes) => rest,
            (Self::Unknown(mut doubts), Self::Unknown(more)) => {
                doubts.extend(more);
                Self::Unknown(doubts)
            }
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.negate().and(other.negate()).negate()
    }

    pub(super) fn negate(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }

    pub(super) fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        answers.into_iter().fold(Self::Yes, Self::and)
    }

    pub(super) fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        answers.into_iter().fold(Self::No, Self::or)
    }

    /// What both say, when it is not known which of them holds.
    pub(super) fn either(self, other: Self, about: About) -> Self {
        match (self, other) {
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            (one, two) => Self::unknown(about).and(one.unless_decided()).and(two.unless_decided()),
        }
    }

    /// The doubts of an unknown, and nothing of the rest.
    fn unless_decided(self) -> Self {
        if matches!(self, Self::Unknown(_)) { self } else { Self::Yes }
    }

    /// Says of each doubt which statement it is in.
    pub(super) fn within(self, statement: &StatementId) -> Self {
        let Self::Unknown(doubts) = self else { return self };
        let placed = doubts.into_iter().map(|doubt| Doubt { statement: doubt.statement.or_else(|| Some(statement.clone())), ..doubt });
        Self::Unknown(placed.collect())
    }
}

impl Doubt {
    /// The policy whose document would settle it, if that was not collected.
    pub fn missing_document(&self) -> Option<&str> {
        match (&self.about, &self.statement) {
            (About::Unreadable(what), Some(statement)) if what == NOT_COLLECTED => Some(&statement.policy),
            _ => None,
        }
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Identity => "identity-based policy",
            Self::PermissionsBoundary => "permissions boundary",
            Self::Session => "session policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::Resource => "resource-based policy",
            Self::Endpoint => "endpoint policy",
        })
    }
}

impl fmt::Display for StatementId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "statement {} of {} {}", self.statement, self.kind, self.policy)
    }
}

impl fmt::Display for About {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConditionKey { key, why } if why.is_empty() => write!(out, "the value of {key} is not known"),
            Self::ConditionKey { key, why } => write!(out, "the value of {key} is not known: {why}"),
            Self::Unreadable(what) => write!(out, "{what} cannot be read as policy language"),
            Self::Resource(pattern) => write!(out, "it matches some resources of the form {pattern}, but not surely this one"),
            Self::Request(what) => write!(out, "{what} is not known"),
            Self::NotCollected(kind, why) => write!(out, "the {kind} is not known: {why}"),
            Self::Undocumented(what) => write!(out, "AWS does not document {what}"),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.statement {
            Some(statement) => write!(out, "{statement}: {}", self.about),
            None => write!(out, "{}", self.about),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{About, Answer};

    #[test]
    fn answers_combine_as_kleene_says() {
        let unknown = || Answer::unknown(About::Request("x"));
        let (yes, no) = (Answer::Yes, Answer::No);
        for (one, two, and, or) in [
            (yes.clone(), yes.clone(), yes.clone(), yes.clone()),
            (yes.clone(), no.clone(), no.clone(), yes.clone()),
            (yes.clone(), unknown(), unknown(), yes.clone()),
            (no.clone(), no.clone(), no.clone(), no.clone()),
            (no.clone(), unknown(), no.clone(), unknown()),
            (unknown(), unknown(), unknown(), unknown()),
        ] {
            assert_eq!(one.clone().and(two.clone()), and);
            assert_eq!(two.clone().and(one.clone()), and);
            assert_eq!(one.clone().or(two.clone()), or);
            assert_eq!(two.or(one), or);
        }
        assert_eq!(unknown().negate(), unknown());
    }
}
