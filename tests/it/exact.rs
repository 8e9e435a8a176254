//! Rows that hold everything a path says of itself: the verdict, who blocks it in the order in which they are named, and what is not known. A row of
//! `truth_table::check` holds that a code is among them; these hold that no other is.

use patch_preflight::network::Target;
use patch_preflight::network::Verdict;

use crate::topology::Topology;

/// The row's name, its topology, the target, the verdict, the codes of the blockers in order, and those of the unknowns.
pub(crate) type Row = (&'static str, Topology, Target, Verdict, &'static [&'static str], &'static [&'static str]);

pub(crate) fn check(rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for (name, topology, target, verdict, blockers, unknowns) in rows {
        let path = topology.path(target);
        let blamed: Vec<&str> = path.blockers.iter().map(|blocker| blocker.code.as_str()).collect();
        let unknown: Vec<&str> = path.unknowns.iter().map(|unknown| unknown.code.as_str()).collect();
        if (path.verdict, blamed.as_slice(), unknown.as_slice()) != (verdict, blockers, unknowns) {
            wrong.push(format!(
                "{name}: {:?} {blamed:?} {unknown:?}, expected {verdict:?} {blockers:?} {unknowns:?}\n{path:#?}",
                path.verdict
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
