//! Which answers hang on the user's word: each instance is judged once more without each assumption, and what comes out otherwise hung on it.

use std::mem::discriminant;

use super::Assessed;
use crate::model::Assumptions;

/// Marks the instances whose answers hang on an assumption, and tells of each assumption how many there are.
///
/// # Errors
/// Those of `judge`.
pub fn mark<E>(
    assessed: &mut [Assessed],
    assumptions: &Assumptions,
    judge: impl Fn(&Assumptions) -> Result<Vec<Assessed>, E>,
) -> Result<Vec<String>, E> {
    let mut told = Vec::new();
    for assumption in assumptions {
        let note = format!("Assumed (--assume {assumption}): {}.", assumption.meaning());
        let others = assumptions.iter().filter(|other| *other != assumption).cloned().collect();
        let otherwise = judge(&others)?;
        let mut hanging = 0_usize;
        for (own, _) in assessed.iter_mut().zip(&otherwise).filter(|(own, other)| is_judged_otherwise(own, other)) {
            own.learned.notes.push(note.clone());
            hanging += 1;
        }
        told.push(match hanging {
            0 => format!("{note} No instance would be judged otherwise without it."),
            1 => format!("{note} Without it 1 instance would be judged otherwise."),
            many => format!("{note} Without it {many} instances would be judged otherwise."),
        });
    }
    Ok(told)
}

/// Whether a verdict differs; the words in which it is told are none.
fn is_judged_otherwise(own: &Assessed, other: &Assessed) -> bool {
    let findings = |assessed: &Assessed| {
        let found = assessed.findings.iter().map(|found| (found.rule_id.clone(), found.resource.clone(), found.severity, found.status));
        found.collect::<Vec<_>>()
    };
    let paths = |assessed: &Assessed| {
        let judged = assessed.learned.paths.iter();
        judged.map(|path| (path.host.clone(), path.port, path.verdict, discriminant(&path.authorization))).collect::<Vec<_>>()
    };
    let reaches = |assessed: &Assessed| assessed.learned.reaches.iter().map(discriminant).collect::<Vec<_>>();
    own.readiness != other.readiness
        || own.excluded_because.is_some() != other.excluded_because.is_some()
        || findings(own) != findings(other)
        || paths(own) != paths(other)
        || reaches(own) != reaches(other)
}
