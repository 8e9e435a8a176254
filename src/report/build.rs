//! Puts the report together from what was judged and what could not be read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::fixes::FixPlan;
use super::policies;
use super::types::{
    Account, AccountCounts, AccountStatus, Agent, Agreement, Authorization, AuthorizationVerdict, Blocker, Counts, Finding, FindingStatus,
    Gap, Hop, Instance, OsCounts, OuCounts, Path, Platform, Readiness, RegionCounts, Report, RuleCounts, SCHEMA_VERSION, Summary, Tool,
};
use crate::assess::{Assessed, AssessedPolicy, Found};
use crate::plan::Verifier;
use crate::snapshot::Gap as SnapshotGap;

/// What the report says beside the instances.
#[derive(Debug, Clone)]
pub struct Frame {
    pub version: String,
    pub rules_digest: String,
    pub captured_at: Option<String>,
    pub accounts: Vec<Account>,
    /// In the order of each instance's reaches.
    pub policies: Vec<AssessedPolicy>,
    pub gaps: Vec<SnapshotGap>,
    pub notes: Vec<String>,
}

/// Builds the report.
pub fn build(frame: Frame, assessed: &[Assessed], verifier: &Verifier<'_>) -> Report {
    let mut plan = FixPlan::new(verifier);
    let mut instances = Vec::new();
    let mut findings = Vec::new();
    for each in assessed {
        let mut ids = Vec::new();
        for found in &each.findings {
            let fixes = plan.add(each, found);
            let finding = finding(each, found, fixes);
            ids.push(finding.id.clone());
            findings.push(finding);
        }
        ids.sort();
        instances.push(instance(each, &frame.policies, ids));
    }
    findings.sort_by(|left, right| left.id.cmp(&right.id));
    let is_whole = !frame.gaps.iter().any(SnapshotGap::leaves_something_unread);
    let mut gaps: Vec<Gap> = frame.gaps.into_iter().map(gap).collect();
    gaps.sort();
    gaps.dedup();
    let complete =
        is_whole && frame.accounts.iter().all(|account| matches!(account.status, AccountStatus::Scanned | AccountStatus::Skipped));
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "patch-preflight".to_owned(), version: frame.version, rules_digest: frame.rules_digest },
        captured_at: frame.captured_at,
        complete,
        summary: summary(assessed, &frame.accounts),
        accounts: frame.accounts,
        instances,
        findings,
        fixes: plan.finish(assessed),
        policies: frame.policies.iter().map(policies::policy).collect(),
        gaps,
        notes: frame.notes,
    }
}

/// A short stable id: the first 16 hexadecimal digits of the parts' SHA-256.
pub(super) fn stable_id(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest.iter().take(8).fold(String::new(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
}

fn finding(assessed: &Assessed, found: &Found, fixes: Vec<String>) -> Finding {
    let place = format!("{}/{}/{}", assessed.account_id, assessed.region, assessed.instance_id);
    Finding {
        id: stable_id(&[&found.rule_id, &place, &found.resource]),
        rule_id: found.rule_id.clone(),
        severity: found.severity,
        status: found.status,
        account_id: assessed.account_id.clone(),
        region: assessed.region.clone(),
        instance_id: assessed.instance_id.clone(),
        resource: found.resource.clone(),
        message: found.message.clone(),
        evidence: found.evidence.clone(),
        fixes,
        muted: None,
    }
}

fn gap(gap: SnapshotGap) -> Gap {
    Gap { account_id: gap.account_id, region: gap.region, operation: gap.operation, reason: gap.reason, message: gap.message }
}

fn instance(assessed: &Assessed, all: &[AssessedPolicy], findings: Vec<String>) -> Instance {
    let facts = &assessed.learned.facts;
    let platform = &assessed.learned.platform;
    // What is out of scope has no paths to tell of.
    let told = if assessed.readiness == Readiness::Excluded { &[][..] } else { assessed.learned.paths.as_slice() };
    let mut notes: Vec<String> = told.iter().flat_map(|path| path.notes.iter().cloned()).collect();
    notes.extend(assessed.learned.notes.iter().cloned());
    notes.sort();
    notes.dedup();
    Instance {
        account_id: assessed.account_id.clone(),
        region: assessed.region.clone(),
        instance_id: assessed.instance_id.clone(),
        arn: facts.instance.arn.clone(),
        name: facts.instance.name.clone(),
        state: facts.instance.state.known().map_or("unknown", |state| state.as_str()).to_owned(),
        platform: Platform {
            os: platform.os.as_ref().map(ToString::to_string),
            version: platform.version.clone(),
            architecture: platform.architecture.clone(),
            source: facts.platform.source,
        },
        agent: Agent {
            managed: facts.agent.is_registered.known().copied(),
            ping: facts.agent.ping.known().copied(),
            version: facts.agent.version.known().cloned(),
            last_ping_at: assessed.learned.last_ping_at.clone(),
        },
        readiness: assessed.readiness,
        excluded_because: assessed.excluded_because.clone(),
        paths: told.iter().map(|each| path(each)).collect(),
        findings,
        policies: policies::of_instance(assessed, all),
        notes,
    }
}

fn path(path: &crate::network::Path) -> Path {
    let blocker = |blocker: &crate::network::Blocker| Blocker {
        code: blocker.code.as_str().to_owned(),
        resource: blocker.resource.clone(),
        detail: blocker.told(),
    };
    let hop = |hop: &crate::network::Hop| Hop {
        resource: hop.resource.clone(),
        kind: hop.kind,
        decision: hop.decision,
        because: hop.because.clone(),
        way: hop.way.clone(),
    };
    Path {
        target: path.target,
        host: path.host.clone(),
        port: path.port,
        verdict: path.verdict,
        via: path.via,
        blockers: path.blockers.iter().map(blocker).collect(),
        unknowns: path.unknowns.clone(),
        hops: path.hops.iter().map(hop).collect(),
        notes: path.notes.clone(),
        authorization: authorization(&path.authorization),
    }
}

fn authorization(authorization: &crate::network::Authorization) -> Authorization {
    use crate::network::Authorization as Judged;
    match authorization {
        Judged::Allowed => Authorization::default(),
        Judged::Denied { endpoint, because, .. } => Authorization {
            verdict: AuthorizationVerdict::Denied,
            endpoint: Some(endpoint.clone()),
            because: Some(because.clone()),
            unknowns: Vec::new(),
        },
        Judged::Unknown(why) => Authorization { verdict: AuthorizationVerdict::Unknown, unknowns: why.clone(), ..Authorization::default() },
    }
}

impl Counts {
    fn add(&mut self, assessed: &Assessed) {
        self.instances += 1;
        *match assessed.readiness {
            Readiness::Ready => &mut self.ready,
            Readiness::NotReady => &mut self.not_ready,
            Readiness::Unknown => &mut self.unknown,
            Readiness::Excluded => &mut self.excluded,
        } += 1;
        self.managed += u64::from(assessed.learned.facts.agent.is_registered.is(&true));
        self.unmanaged += u64::from(assessed.learned.facts.agent.is_registered.is(&false));
    }
}

fn summary(assessed: &[Assessed], accounts: &[Account]) -> Summary {
    let mut all = Counts::default();
    let mut by_account: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut by_region: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut by_ou: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut by_system: BTreeMap<(Option<&str>, Option<&str>), Counts> = BTreeMap::new();
    let mut by_rule: BTreeMap<&str, RuleCounts> = BTreeMap::new();
    let mut agreement = Agreement::default();
    let ou_of: BTreeMap<&str, &str> = accounts.iter().map(|account| (account.id.as_str(), account.ou_path.as_str())).collect();
    for each in assessed {
        all.add(each);
        by_account.entry(&each.account_id).or_default().add(each);
        by_region.entry(&each.region).or_default().add(each);
        by_ou.entry(ou_of.get(each.account_id.as_str()).copied().unwrap_or_default()).or_default().add(each);
        let platform = &each.learned.platform;
        by_system.entry((platform.os.as_deref(), platform.version.as_deref())).or_default().add(each);
        match each.learned.agrees {
            Some(true) => agreement.agree += 1,
            Some(false) => agreement.mismatch += 1,
            None => {}
        }
        for found in &each.findings {
            let counts = by_rule.entry(&found.rule_id).or_insert_with(|| RuleCounts {
                rule_id: found.rule_id.clone(),
                severity: found.severity,
                title: found.title.clone(),
                fail: 0,
                unknown: 0,
            });
            match found.status {
                FindingStatus::Fail => counts.fail += 1,
                FindingStatus::Unknown => counts.unknown += 1,
            }
        }
    }
    Summary {
        instances: all.instances,
        ready: all.ready,
        not_ready: all.not_ready,
        unknown: all.unknown,
        excluded: all.excluded,
        managed: all.managed,
        unmanaged: all.unmanaged,
        by_account: by_account.into_iter().map(|(id, counts)| AccountCounts { account_id: id.to_owned(), counts }).collect(),
        by_region: by_region.into_iter().map(|(region, counts)| RegionCounts { region: region.to_owned(), counts }).collect(),
        by_ou: by_ou.into_iter().map(|(ou_path, counts)| OuCounts { ou_path: ou_path.to_owned(), counts }).collect(),
        by_os: by_system
            .into_iter()
            .map(|((os, version), counts)| OsCounts { os: os.map(str::to_owned), version: version.map(str::to_owned), counts })
            .collect(),
        by_rule: by_rule.into_values().collect(),
        agreement,
    }
}
