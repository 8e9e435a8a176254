//! `patch-preflight permissions`.

use std::fmt::Write as _;

use super::arguments::{PermissionsArguments, PermissionsKind};
use super::{Failure, output};
use crate::exit::Exit;
use crate::permissions::{ACTIONS, Scope, policy_json, stack_set_template};

pub(crate) fn run(arguments: &PermissionsArguments) -> Result<Exit, Failure> {
    let text = match arguments.kind {
        PermissionsKind::Member => policy_json(Scope::Member),
        PermissionsKind::Management => policy_json(Scope::Management),
        PermissionsKind::StackSet => stack_set_template(),
        PermissionsKind::List => {
            let mut list = String::new();
            for action in ACTIONS {
                let _ = writeln!(list, "{:<52} {}", action.name, action.why);
            }
            list
        }
    };
    output::print(text.trim_end().as_bytes())?;
    output::print(b"\n")
}
