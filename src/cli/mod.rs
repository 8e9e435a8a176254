//! The command line. Only the report goes to stdout; errors are printed in one place, here.

mod arguments;
mod collect;
mod explain;
mod judge;
mod output;
mod permissions;
#[cfg(feature = "aws")]
mod progress;
mod rules;
mod scan;
mod source;

use std::io::Write as _;

use clap::{CommandFactory as _, Parser as _};

use crate::exit::Exit;
use arguments::{Arguments, Command, SchemaKind};

/// An error with the exit code that it means.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Usage, error: error.into() }
    }

    #[cfg(feature = "aws")]
    pub(crate) fn nothing(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Nothing, error: error.into() }
    }
}

/// Runs the program on the process's own arguments.
pub fn run() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let is_help = !error.use_stderr();
            // A closed pipe is no error.
            let _ = error.print();
            return if is_help { Exit::Clean } else { Exit::Usage };
        }
    };
    match dispatch(arguments) {
        Ok(exit) => exit,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "error: {:#}", failure.error);
            failure.exit
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Scan(scan) => scan::run(&scan, &arguments.global),
        Command::Collect(collect) => collect::run(&collect, &arguments.global),
        Command::Explain(explain) => explain::run(&explain),
        Command::Rules(rules) => rules::run(&rules),
        Command::Permissions(permissions) => permissions::run(&permissions),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "patch-preflight", &mut script);
            output::print(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page).map_err(Failure::usage)?;
            output::print(&page)
        }
        Command::Schema { of } => {
            let schema = match of {
                SchemaKind::Report => crate::report::json_schema(),
                SchemaKind::PatchPolicy => crate::policy::json_schema(),
            };
            output::print(schema.map_err(Failure::usage)?.as_bytes())
        }
    }
}
