//! AWS's policy language: may this principal do this action on this resource, as far as the policies and the request are known?
//!
//! The answer has three values. A condition key, a policy or a part of a resource's name that is not known makes it [`Verdict::Unknown`] only
//! when the answer hangs on it, and then says so. What AWS does not document counts as not known. Nothing here asks AWS.
//!
//! Sources: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html> and the pages of the elements under
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>. Why no library: `docs/decisions/0004-policy-evaluation.md`.

mod answer;
mod compare;
mod condition;
mod context;
mod document;
mod evaluate;
mod managed;
mod pattern;
mod principal;
mod statement;
mod variable;

pub use answer::{About, Doubt, PolicyKind, StatementId};
pub use context::{Context, KeyValue};
pub use document::{Effect, Policy};
pub use evaluate::{Decision, Layers, Policies, Reason, Verdict, evaluate};
pub use managed::{ManagedPolicies, ManagedPolicy};
pub use principal::Principal;
pub use statement::{Request, Resource};
