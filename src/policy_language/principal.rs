//! Who asks, and whom the `Principal` and `NotPrincipal` elements name.
//!
//! Sources: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>.

use super::answer::{About, Answer};

/// Who sends the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A session of a role. The role's ARN has its path; the session's name is, for an instance, the instance's id.
    Role {
        arn: String,
        session: Option<String>,
    },
    /// A session of some role of the account; which role it is, is not known.
    SomeRole {
        account: String,
    },
    User {
        arn: String,
    },
    /// `ec2.amazonaws.com`
    Service(String),
    /// An unsigned request.
    Anonymous,
}

/// One entry of a `Principal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Everyone,
    /// An account's id, or the ARN of an account, role, session or user.
    Aws(String),
    Service(String),
    Federated,
    CanonicalUser,
}

impl Name {
    /// The account that an entry names, by its id or by the ARN of its root.
    fn account(&self) -> Option<&str> {
        let Self::Aws(named) = self else { return None };
        let is_id = named.len() == 12 && named.chars().all(|c| c.is_ascii_digit());
        let of_root = || named.strip_suffix(":root").filter(|arn| arn.starts_with("arn:")).and_then(|arn| arn.split(':').nth(4));
        if is_id { Some(named) } else { of_root() }
    }

    pub(super) fn is_account(&self) -> bool {
        self.account().is_some()
    }
}

/// By which of its names a principal is meant. That decides which implicit denies of other policies still count
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    /// As the session or user that it is, or as one of everybody.
    pub(super) directly: Answer,
    /// As the role that the session is of.
    pub(super) as_role: Answer,
    /// As a member of its account, to which the right is only delegated.
    pub(super) as_account: Answer,
}

impl Principal {
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Role { arn, .. } | Self::User { arn } => arn.split(':').nth(4).filter(|account| !account.is_empty()),
            Self::SomeRole { account } => Some(account),
            Self::Service(_) | Self::Anonymous => None,
        }
    }

    /// Whether the principal has policies of its own: identity-based ones, a boundary, service control policies of its account.
    pub(super) fn has_policies(&self) -> bool {
        matches!(self, Self::Role { .. } | Self::SomeRole { .. } | Self::User { .. })
    }

    /// By which names the element means the principal.
    pub(super) fn reached_by(&self, names: &[Name]) -> Reach {
        let mut reach = Reach::nobody();
        for name in names {
            let next = self.reached_by_one(name);
            reach = Reach {
                directly: reach.directly.or(next.directly),
                as_role: reach.as_role.or(next.as_role),
                as_account: reach.as_account.or(next.as_account),
            };
        }
        reach
    }

    /// Whether `NotPrincipal` exempts the principal. AWS asks for the account's ARN beside the role's or user's, and leaves open what
    /// happens when only some of them are there.
    pub(super) fn is_exempt(&self, names: &[Name]) -> Answer {
        let reach = self.reached_by(names);
        let is_exempt = match self {
            _ if names.contains(&Name::Everyone) => Answer::Yes,
            Self::Role { .. } | Self::SomeRole { .. } => reach.as_role.clone().and(reach.as_account.clone()),
            Self::User { .. } => reach.directly.clone().and(reach.as_account.clone()),
            Self::Service(_) | Self::Anonymous => reach.directly.clone(),
        };
        if is_exempt == Answer::Yes {
            return Answer::Yes;
        }
        match reach.any() {
            Answer::No => Answer::No,
            Answer::Yes => {
                Answer::unknown(About::Undocumented("whom NotPrincipal exempts when it does not name both the principal and its account"))
            }
            unknown @ Answer::Unknown(_) => unknown,
        }
    }

    fn reached_by_one(&self, name: &Name) -> Reach {
        let nobody = Reach::nobody();
        match (name, self) {
            (Name::Everyone, _) => Reach { directly: Answer::Yes, ..nobody },
            (Name::Aws(_), Self::Role { .. } | Self::SomeRole { .. } | Self::User { .. }) if let Some(account) = name.account() => {
                Reach { as_account: Answer::from(self.account() == Some(account)), ..nobody }
            }
            (Name::Aws(named), Self::Role { .. } | Self::SomeRole { .. } | Self::User { .. }) => self.reached_by_arn(named),
            (Name::Service(named), Self::Service(service)) if named.contains(['*', '?']) => {
                Reach { directly: Answer::unknown(About::Unreadable(format!("the service {named} for {service}"))), ..nobody }
            }
            (Name::Service(named), Self::Service(service)) => Reach { directly: Answer::from(named == service), ..nobody },
            (Name::CanonicalUser, Self::Role { .. } | Self::SomeRole { .. } | Self::User { .. }) => {
                Reach { as_account: Answer::unknown(About::Request("the canonical user id of the principal's account")), ..nobody }
            }
            _ => nobody,
        }
    }

    fn reached_by_arn(&self, named: &str) -> Reach {
        let nobody = Reach::nobody();
        if named.contains(['*', '?']) {
            return Reach { directly: Answer::unknown(About::Unreadable(format!("the principal {named}"))), ..nobody };
        }
        match self {
            Self::Role { arn, .. } if arn == named => Reach { as_role: Answer::Yes, ..nobody },
            Self::Role { arn, session } => {
                let named_session = session_prefix(arn).and_then(|prefix| named.strip_prefix(prefix.as_str()));
                let directly = match (named_session, session) {
                    (None, _) => Answer::No,
                    (Some(named), Some(session)) => Answer::from(named == session),
                    (Some(_), None) => Answer::unknown(About::Request("the name of the role's session")),
                };
                Reach { directly, ..nobody }
            }
            Self::SomeRole { account } => {
                let mut parts = named.splitn(6, ':').skip(4);
                let is_of_account = parts.next() == Some(account);
                let kind = parts.next().and_then(|rest| rest.split('/').next()).filter(|_| is_of_account);
                let perhaps = || Answer::unknown(About::Request("which role asks"));
                match kind {
                    Some("role") => Reach { as_role: perhaps(), ..nobody },
                    Some("assumed-role") => Reach { directly: perhaps(), ..nobody },
                    _ => nobody,
                }
            }
            Self::User { arn } => Reach { directly: Answer::from(arn == named), ..nobody },
            Self::Service(_) | Self::Anonymous => nobody,
        }
    }
}

/// `arn:aws:sts::<account>:assumed-role/<name>/`: the ARN of a session does not have the role's path.
fn session_prefix(role: &str) -> Option<String> {
    let mut parts = role.splitn(6, ':');
    let (_, partition, _, _, account, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let name = rest.strip_prefix("role/")?.rsplit('/').next()?;
    Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/"))
}

impl Reach {
    pub(super) fn nobody() -> Self {
        Self { directly: Answer::No, as_role: Answer::No, as_account: Answer::No }
    }

    pub(super) fn directly(directly: Answer) -> Self {
        Self { directly, ..Self::nobody() }
    }

    pub(super) fn any(&self) -> Answer {
        self.directly.clone().or(self.as_role.clone()).or(self.as_account.clone())
    }

    /// Changes each of the three alike.
    pub(super) fn map(self, change: impl Fn(Answer) -> Answer) -> Self {
        Self { directly: change(self.directly), as_role: change(self.as_role), as_account: change(self.as_account) }
    }
}
