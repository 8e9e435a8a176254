//! The hops of a path as they follow one another: one after the other, and side by side where the addresses part.

use crate::report::types::Hop;

/// What the addresses of a part have in common, and then each part of them by itself.
#[derive(Debug)]
pub(super) struct Chain<'r> {
    pub(super) hops: Vec<&'r Hop>,
    /// By the name of the addresses.
    pub(super) ways: Vec<(&'r str, Chain<'r>)>,
}

impl<'r> Chain<'r> {
    pub(super) fn of(hops: &'r [Hop]) -> Self {
        Self::below(hops.iter().collect(), 0)
    }

    /// The hops of one part, `depth` partings down.
    fn below(hops: Vec<&'r Hop>, depth: usize) -> Self {
        let mut own = Vec::new();
        let mut parts: Vec<(&'r str, Vec<&'r Hop>)> = Vec::new();
        for hop in hops {
            match hop.way.get(depth) {
                None => own.push(hop),
                Some(way) => match parts.iter_mut().find(|(name, _)| name == way) {
                    Some((_, part)) => part.push(hop),
                    None => parts.push((way, vec![hop])),
                },
            }
        }
        Self { hops: own, ways: parts.into_iter().map(|(way, part)| (way, Self::below(part, depth + 1))).collect() }
    }
}
