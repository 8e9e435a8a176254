//! The changes that mend what the rules found. They are proposed and printed; nothing here touches an account.

mod change;
mod propose;

pub use change::{Change, Origin, Placement};
pub use propose::{Patient, changes};
