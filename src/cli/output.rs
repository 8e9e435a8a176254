//! Writes to stdout and files. A closed pipe on stdout ends quietly.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::Context as _;

use super::Failure;
use super::arguments::{ColorChoice, Global, Output};
use crate::exit::Exit;
use crate::report::types::Report;
use crate::report::{self, Look};

/// Prints bytes to stdout.
pub(crate) fn print(bytes: &[u8]) -> Result<Exit, Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::usage(anyhow::Error::new(error).context("cannot write to stdout")))
        }
        _ => Ok(Exit::Clean),
    }
}

/// A remark for the person at the terminal.
pub(crate) fn remark(global: &Global, text: &str) {
    if !global.quiet {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// Checks that no two formats go to stdout, or to one file, and that each file can be written, before anything is looked at.
pub(crate) fn check(outputs: &[Output]) -> Result<(), Failure> {
    for (position, output) in outputs.iter().enumerate() {
        if outputs.iter().skip(position + 1).any(|other| other.file == output.file) {
            let place = output.file.as_ref().map_or_else(|| "stdout".to_owned(), |file| file.display().to_string());
            return Err(Failure::usage(anyhow::anyhow!(
                "two outputs go to {place}: give each its own file, as in --output json=report.json"
            )));
        }
        if let Some(file) = &output.file {
            can_write(file)?;
        }
    }
    Ok(())
}

fn can_write(file: &Path) -> Result<(), Failure> {
    let is_new = std::fs::symlink_metadata(file).is_err();
    // Pipes, devices and links are left for the end.
    if !is_new && !std::fs::metadata(file).is_ok_and(|found| found.is_file() || found.is_dir()) {
        return Ok(());
    }
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(file);
    opened.with_context(|| format!("cannot write {}", file.display())).map_err(Failure::usage)?;
    if is_new {
        // It may as well stay: it is written in the end.
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

/// Writes the report in every format asked for.
pub(crate) fn write(report: &Report, outputs: &[Output], wide: bool, global: &Global) -> Result<(), Failure> {
    let table = [Output { format: report::Format::Table, file: None }];
    let mut written = Ok(());
    for output in if outputs.is_empty() { &table } else { outputs } {
        let look = look(output.file.is_none(), wide, global);
        let text = report::render(report, output.format, look).map_err(Failure::usage)?;
        let one = match &output.file {
            Some(file) => save(file, text.as_bytes()),
            None => print(text.as_bytes()).map(drop),
        };
        // One that fails is no reason to lose the others.
        written = written.and(one);
    }
    written
}

fn save(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display())).map_err(Failure::usage)
}

fn look(is_stdout: bool, wide: bool, global: &Global) -> Look {
    const USUAL_WIDTH: u16 = 120;
    let is_terminal = is_stdout && std::io::stdout().is_terminal();
    let forbids_color =
        std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let color = match global.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => is_terminal && !forbids_color,
    };
    let of_terminal = if is_terminal { comfy_table::Table::new().width() } else { None };
    let of_environment = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns >= 40);
    Look { width: of_terminal.or(of_environment).unwrap_or(USUAL_WIDTH), color, wide }
}
