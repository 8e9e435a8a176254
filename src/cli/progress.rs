//! How far a scan is, on stderr: a line that moves on a terminal, whole lines with `--verbose`, else nothing.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::arguments::Global;
use crate::aws::{Event, Progress};

/// The state of a scan in one line.
pub(crate) struct Bar {
    line: ProgressBar,
    is_verbose: bool,
    seen: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    accounts: usize,
    accounts_done: usize,
    regions: BTreeMap<String, usize>,
    regions_done: usize,
    instances: usize,
    throttles: usize,
    gaps: usize,
}

impl Bar {
    pub(crate) fn new(global: &Global) -> Self {
        let shows = std::io::stderr().is_terminal() && !global.quiet && !global.verbose;
        let target = if shows { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let line = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
            line.set_style(style);
        }
        line.enable_steady_tick(std::time::Duration::from_millis(200));
        Self { line, is_verbose: global.verbose, seen: Mutex::new(Counts::default()) }
    }

    pub(crate) fn finish(&self) {
        self.line.finish_and_clear();
    }

    fn tell(&self, text: &str) {
        if self.is_verbose {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}

impl Progress for Bar {
    fn event(&self, event: Event) {
        let Ok(mut seen) = self.seen.lock() else { return };
        match event {
            Event::AccountsFound { scanned, skipped } => {
                seen.accounts = scanned;
                self.tell(&format!("{scanned} accounts to look at, {skipped} left out"));
            }
            Event::RegionsFound { account_id, regions } => {
                seen.regions.insert(account_id, regions);
            }
            Event::RegionDone { account_id, region, instances } => {
                seen.regions_done += 1;
                seen.instances += instances;
                self.tell(&format!("{account_id} {region}: {instances} instances"));
            }
            Event::AccountDone { account_id } => {
                seen.accounts_done += 1;
                self.tell(&format!("{account_id}: done"));
            }
            Event::Followed { account_id, region } => {
                self.tell(&format!("{account_id} {region}: its network, for others that depend on it"));
            }
            Event::Throttled { operation } => {
                seen.throttles += 1;
                self.tell(&format!("{operation}: AWS asks to slow down"));
            }
            Event::Gap(gap) => {
                seen.gaps += 1;
                self.tell(&format!(
                    "{} {}: {} ({})",
                    gap.account_id,
                    gap.region.as_deref().unwrap_or("-"),
                    gap.operation,
                    gap.reason.as_str()
                ));
            }
            Event::Interrupted => self.tell("interrupted: nothing more is asked"),
        }
        let regions: usize = seen.regions.values().sum();
        self.line.set_message(format!(
            "{}/{} accounts · {}/{regions} Regions · {} instances · {} throttles · {} gaps",
            seen.accounts_done, seen.accounts, seen.regions_done, seen.instances, seen.throttles, seen.gaps
        ));
    }
}
