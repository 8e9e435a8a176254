//! Where patches come from: every host and port that is needed, under each of the ways in which it may be.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::goal::Goal;
use super::verdict::{Authorization, Path, Target, Verdict, Via};
use crate::model::known::Unknown;

/// What an instance takes its patches from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// Exactly one of these is true; which one is not known when there are several.
    Known(Vec<Alternative>),
    Unknown(Vec<Unknown>),
    /// It takes no patches from any host, and why.
    NotNeeded(String),
}

/// One of the ways in which an instance may get its patches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// What would settle that it is this one; `None` where it is the only one.
    pub doubt: Option<Unknown>,
    /// All are needed.
    pub wanted: Vec<Wanted>,
}

/// One port of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub goal: Goal,
    /// What would settle whether it is needed, where it only may be.
    pub perhaps: Option<Unknown>,
}

/// The paths to every host and port, each once, and the one verdict over all of them.
pub(super) fn judge(sources: &Sources, mut path_to: impl FnMut(&Goal) -> Arc<Path>) -> (Vec<Arc<Path>>, Path) {
    match sources {
        Sources::Unknown(why) => (Vec::new(), Path { unknowns: why.clone(), ..whole(Verdict::Unknown) }),
        Sources::NotNeeded(why) => (Vec::new(), Path { notes: vec![why.clone()], ..whole(Verdict::NotNeeded) }),
        Sources::Known(alternatives) => {
            let mut goals: Vec<&Goal> = Vec::new();
            let mut paths: Vec<Arc<Path>> = Vec::new();
            let mut judged = Vec::new();
            for alternative in alternatives {
                let mut own = Vec::new();
                for wanted in &alternative.wanted {
                    let known = goals.iter().position(|goal| **goal == wanted.goal);
                    let index = known.unwrap_or(paths.len());
                    if known.is_none() {
                        goals.push(&wanted.goal);
                        paths.push(path_to(&wanted.goal));
                    }
                    own.extend(paths.get(index).map(|path| (wanted, Path::clone(path))));
                }
                judged.push(over_hosts(alternative, own));
            }
            // A port that only may be needed is no sure failure.
            let perhaps: Vec<&Wanted> =
                alternatives.iter().flat_map(|each| &each.wanted).filter(|wanted| wanted.perhaps.is_some()).collect();
            for (path, goal) in paths.iter_mut().zip(&goals) {
                if let Some(wanted) = perhaps.iter().find(|wanted| wanted.goal == **goal) {
                    soften(Arc::make_mut(path), wanted);
                }
            }
            (paths, over_alternatives(judged))
        }
    }
}

/// The paths to what is all needed, and the one verdict over them.
pub(super) fn judge_all(wanted: Vec<Wanted>, path_to: impl FnMut(&Goal) -> Arc<Path>) -> (Vec<Arc<Path>>, Path) {
    judge(&Sources::Known(vec![Alternative { doubt: None, wanted }]), path_to)
}

fn whole(verdict: Verdict) -> Path {
    Path {
        target: Target::Repository,
        host: "the package repositories".to_owned(),
        port: 443,
        verdict,
        via: Via::None,
        blockers: Vec::new(),
        unknowns: Vec::new(),
        hops: Vec::new(),
        authorization: Authorization::Allowed,
        notes: Vec::new(),
    }
}

fn soften(path: &mut Path, wanted: &Wanted) {
    if let Authorization::Denied { .. } = path.authorization {
        path.authorization = Authorization::Unknown(wanted.perhaps.iter().cloned().collect());
    }
    if matches!(path.verdict, Verdict::Blocked | Verdict::Partial) {
        path.verdict = Verdict::Unknown;
        path.unknowns.extend(wanted.perhaps.clone());
    }
}

/// All of the hosts are needed: the one that fails most decides.
fn over_hosts(alternative: &Alternative, own: Vec<(&Wanted, Path)>) -> (Option<Unknown>, Path) {
    let rank = |verdict: Verdict| match verdict {
        Verdict::Blocked => 0,
        Verdict::Unknown => 1,
        Verdict::Partial => 2,
        Verdict::Reachable | Verdict::NotNeeded => 3,
    };
    let mut softened: Vec<Path> = Vec::new();
    for (wanted, mut path) in own {
        if wanted.perhaps.is_some() {
            soften(&mut path, wanted);
        }
        softened.push(path);
    }
    let failing: Vec<Path> = softened.iter().filter(|path| matches!(path.verdict, Verdict::Blocked | Verdict::Partial)).cloned().collect();
    // One that surely refuses is enough; one that is only perhaps needed refuses nothing for sure.
    let authorization = softened.iter().fold(Authorization::Allowed, |sum, path| sum.and(path.authorization.clone()));
    let Some(mut worst) = softened.into_iter().min_by_key(|path| rank(path.verdict)) else {
        let why = Unknown::new("repository_unknown", "the package repositories", "look on the instance where it takes patches from");
        return (alternative.doubt.clone(), Path { unknowns: vec![why], ..whole(Verdict::Unknown) });
    };
    if matches!(worst.verdict, Verdict::Blocked | Verdict::Partial) {
        worst.blockers = distinct(failing.into_iter().flat_map(|path| path.blockers));
    }
    worst.authorization = authorization;
    (alternative.doubt.clone(), worst)
}

/// Alternatives that agree decide.
fn over_alternatives(judged: Vec<(Option<Unknown>, Path)>) -> Path {
    let verdicts: BTreeSet<Verdict> = judged.iter().map(|(_, path)| path.verdict).collect();
    if verdicts.len() == 1 {
        let all: Vec<Path> = judged.iter().map(|(_, path)| path.clone()).collect();
        let blockers = distinct(all.iter().flat_map(|path| path.blockers.clone()));
        let unknowns: BTreeSet<Unknown> = all.iter().flat_map(|path| path.unknowns.clone()).collect();
        let authorization = of_alternatives(&all);
        if let Some(first) = all.into_iter().next() {
            return Path { authorization, blockers, unknowns: unknowns.into_iter().collect(), ..first };
        }
    }
    let doubts = judged.iter().filter_map(|(doubt, _)| doubt.clone());
    let unknowns: BTreeSet<Unknown> = doubts.chain(judged.iter().flat_map(|(_, path)| path.unknowns.clone())).collect();
    let mut unknowns: Vec<Unknown> = unknowns.into_iter().collect();
    if unknowns.is_empty() {
        unknowns.push(Unknown::new("repository_unknown", "the package repositories", "look on the instance where it takes patches from"));
    }
    let hops = judged.into_iter().find(|(_, path)| path.verdict != Verdict::Reachable).map(|(_, path)| path.hops).unwrap_or_default();
    Path { unknowns, hops, ..whole(Verdict::Unknown) }
}

/// Where one alternative is refused and another is not, it is not known.
fn of_alternatives(all: &[Path]) -> Authorization {
    let is_denied = |path: &&Path| matches!(path.authorization, Authorization::Denied { .. });
    let together = all.iter().fold(Authorization::Allowed, |sum, path| sum.and(path.authorization.clone()));
    match together {
        Authorization::Denied { endpoint, because, .. } if all.iter().filter(is_denied).count() < all.len() => {
            let settled_by = format!("look on the instance where it takes patches from: by one way {endpoint} is passed, and {because}");
            Authorization::Unknown(vec![Unknown::new("endpoint_policy", endpoint, settled_by)])
        }
        together => together,
    }
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    for item in items {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    all
}
