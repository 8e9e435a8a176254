//! The truth table of network verdicts, the rows that concern one VPC (those of several are in hub). A row is a few words: topology, target, verdict, code.
//!
//! The numbers never change: docs/reachability.md and the names of assumptions go by them. Expectations are thought out from AWS's documentation, never copied from the output.

mod endpoints;
mod gateways;
mod laws;
mod names;
mod network_acls;
mod routes;
mod security_groups;

use patch_preflight::network::Target;
use patch_preflight::network::Verdict::{self, Blocked, NotNeeded, Partial, Reachable, Unknown};

use crate::topology::{Topology, base};

/// The row's number, its topology, the target, the verdict, and the codes that must be among the blockers (or the unknowns).
pub(crate) type Row = (&'static str, Topology, Target, Verdict, &'static [&'static str]);

pub(crate) fn check(rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for (number, topology, target, verdict, codes) in rows {
        let path = topology.path(target);
        let said: Vec<&str> = path
            .blockers
            .iter()
            .map(|blocker| blocker.code.as_str())
            .chain(path.unknowns.iter().map(|unknown| unknown.code.as_str()))
            .collect();
        let missing: Vec<_> = codes.iter().filter(|code| !said.contains(code)).collect();
        if path.verdict != verdict || !missing.is_empty() {
            wrong.push(format!(
                "row {number} {target:?}: {:?}, expected {verdict:?}; codes {said:?}, expected {codes:?}\n{path:#?}",
                path.verdict
            ));
        }
        // Whatever fails says why, and whatever works blames nobody.
        match path.verdict {
            Blocked | Partial if path.blockers.is_empty() => {
                wrong.push(format!("row {number} {target:?} fails and blames nobody\n{path:#?}"));
            }
            Unknown if path.unknowns.is_empty() => {
                wrong.push(format!("row {number} {target:?} is unknown and does not say why\n{path:#?}"));
            }
            Reachable | NotNeeded if !path.blockers.is_empty() => {
                wrong.push(format!("row {number} {target:?} works and blames\n{path:#?}"));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn eps() -> Topology {
    base().endpoints()
}

fn full() -> Topology {
    eps().gateway_endpoint("rtb-main")
}
