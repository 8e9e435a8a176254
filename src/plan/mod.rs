//! The changes that mend what the rules found. They are proposed and printed; nothing here touches an account.

mod acl;
mod apply;
mod change;
mod commands;
mod home;
mod propose;
mod verify;

pub use change::{Change, Group, Origin, Placement};
pub use propose::{Patient, changes};
pub use verify::{Before, Proof, Verifier, Whom};
