//! What is wrong with a policy as a whole.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::baseline::{Listing, WITHOUT_DELAY};
use super::deployment::is_of_deployment;
use super::order::{Premature, premature};
use super::target::spans_accounts;
use super::{Baseline, MOST_DEPLOYMENTS, MOST_INSTANCES, Nodes, Policies, Policy, listed};
use crate::model::Estate;

/// Something wrong with a policy, or not known about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Public: it never changes meaning.
    pub code: &'static str,
    /// Some nodes that the policy means are not patched by it.
    pub is_error: bool,
    pub is_known: bool,
    /// A whole sentence without a full stop.
    pub message: String,
}

/// What was seen of the instances that a policy targets.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub targeted: usize,
    /// Those of which it is not known whether they are targeted.
    pub doubtful: usize,
    /// How many run each operating system, in Patch Manager's words.
    pub systems: BTreeMap<String, usize>,
    /// How many run `CentOS` Stream.
    pub on_centos_stream: usize,
    /// Instances of the management account that the policy means and no policy reaches.
    pub passed_over: usize,
    /// By account and Region where it is not seen to be deployed: how many it targets there, and whether it surely is not.
    pub undeployed: BTreeMap<(String, String), (usize, bool)>,
    /// By account and Region: the managed nodes among them, and how many of those will fail.
    pub runs: BTreeMap<(String, String), (usize, usize)>,
}

/// The problems of one of the policies. `seen` is in the order of the policies, `instances` are all that were seen.
pub fn problems(
    estate: &Estate<'_>,
    policies: &Policies,
    position: usize,
    seen: &[Seen],
    instances: &BTreeSet<&str>,
    today: Date,
) -> Vec<Problem> {
    let (Some(policy), Some(own)) = (policies.all.get(position), seen.get(position)) else { return Vec::new() };
    let mut found = Found(Vec::new());
    found.limits(policies, policy, own);
    found.hand_chosen(estate, policy, instances);
    found.deployment(policy, own);
    found.schedules(policy, today);
    if policy.is_planned() && own.targeted + own.doubtful == 0 && found.0.is_empty() {
        found.warning("nothing_targeted", "it targets none of the instances that were scanned".to_owned());
    }
    found.baselines(policy, own);
    for (system, number) in own.systems.iter().filter(|(system, _)| policy.baseline(system).is_none()) {
        found.error("no_baseline", format!("it has no patch baseline for {system}, which {number} of its instances run"));
    }
    for after in &policy.after {
        let earlier = policies.all.iter().zip(seen).find(|(earlier, _)| earlier.name == *after);
        if let Some((earlier, theirs)) = earlier {
            found.order((earlier, theirs), (policy, own), today);
        }
    }
    found.threshold(policy, own);
    let mut found = found.0;
    found.sort();
    found.dedup();
    found
}

struct Found(Vec<Problem>);

impl Found {
    fn error(&mut self, code: &'static str, message: String) {
        self.0.push(Problem { code, is_error: true, is_known: true, message });
    }

    fn warning(&mut self, code: &'static str, message: String) {
        self.0.push(Problem { code, is_error: false, is_known: true, message });
    }

    fn unknown(&mut self, code: &'static str, message: String) {
        self.0.push(Problem { code, is_error: false, is_known: false, message });
    }

    fn limits(&mut self, policies: &Policies, policy: &Policy, own: &Seen) {
        let landscape = &policies.landscape;
        match &policy.nodes {
            Nodes::Instances(ids) if ids.len() > MOST_INSTANCES => self.error(
                "too_many_instances",
                format!("{} instances are chosen by hand, and Quick Setup takes {MOST_INSTANCES}: choose by tag", ids.len()),
            ),
            Nodes::ResourceGroup(name) if spans_accounts(policy) => self.error(
                "resource_group_of_many_accounts",
                format!("resource group {name} can be chosen for a single account only: choose by tag"),
            ),
            _ => {}
        }
        let number = *landscape.deployments(policy).start();
        if number > MOST_DEPLOYMENTS {
            self.error(
                "too_many_deployments",
                format!(
                    "{number} deployments (accounts times Regions) are more than the {MOST_DEPLOYMENTS} of Quick Setup: split the policy"
                ),
            );
        }
        let unsupported: Vec<String> =
            policy.regions.iter().filter(|region| !landscape.supported_regions.contains(region)).cloned().collect();
        if !unsupported.is_empty() {
            let them = listed(&unsupported);
            self.error(
                "region_not_supported",
                format!("Quick Setup deploys no patch policy to {them}: use a maintenance window or a State Manager association there"),
            );
        }
        if own.passed_over > 0 {
            let account = landscape.management_account.as_deref().unwrap_or_default();
            let number = own.passed_over;
            self.error(
                "management_account_skipped",
                format!("a policy for organizational units is not deployed to the management account, so {number} of its instances are missed: give account {account} a configuration of its own"),
            );
        }
    }

    fn schedules(&mut self, policy: &Policy, today: Date) {
        let schedules = [("scan", &policy.scan), ("install", &policy.install)];
        for (what, schedule) in schedules.into_iter().filter_map(|(what, schedule)| Some((what, schedule.as_ref()?))) {
            if schedule.is_over(today) {
                self.error("schedule_is_over", format!("its schedule to {what}, {}, never runs again", schedule.text));
            }
        }
    }

    fn hand_chosen(&mut self, estate: &Estate<'_>, policy: &Policy, instances: &BTreeSet<&str>) {
        let (Nodes::Instances(ids), true) = (&policy.nodes, policy.is_planned()) else { return };
        let missing: Vec<String> = ids.iter().filter(|id| !instances.contains(id.as_str())).cloned().collect();
        if missing.is_empty() {
            return;
        }
        let them = listed(&missing);
        let was_read =
            |account: &String, region: &String| estate.region(account, region).is_some_and(|seen| seen.files.instances.is_some());
        let is_whole =
            policy.units.is_empty() && policy.accounts.iter().all(|account| policy.regions.iter().all(|region| was_read(account, region)));
        if is_whole {
            self.warning("instance_not_found", format!("{them}, chosen by hand, is in none of its accounts and Regions"));
        } else {
            self.unknown("instance_not_found", format!("{them}, chosen by hand, is not among the instances that were scanned"));
        }
    }

    /// What an existing policy's deployment lacks.
    fn deployment(&mut self, policy: &Policy, own: &Seen) {
        for failure in &policy.deployment.failures {
            let word = |word: &Option<String>| word.clone().unwrap_or_default();
            let (of, status, message) = (word(&failure.status_type), word(&failure.status), word(&failure.status_message));
            let message = if message.is_empty() { message } else { format!(" ({message})") };
            let told = format!("Quick Setup says of it: {of} {status}{message}: mend what failed there, and deploy it again");
            if is_of_deployment(failure) { self.error("deployment_failed", told) } else { self.warning("deployment_failed", told) }
        }
        let at = |is_certain: bool| {
            let here = own.undeployed.iter().filter(move |(_, (_, certain))| *certain == is_certain);
            let places: Vec<String> = here.clone().map(|((account, region), _)| format!("{account} {region}")).collect();
            let number: usize = here.map(|(_, (number, _))| number).sum();
            (!places.is_empty()).then(|| format!("{}, where {number} of its instances are", listed(&places)))
        };
        let code = "policy_not_deployed";
        if let Some(places) = at(true) {
            self.error(code, format!("it is not deployed to {places}: State Manager has none of its associations there"));
        }
        if let Some(places) = at(false) {
            let settled_by = "look at its deployments in Quick Setup: no association there is known to be its own";
            self.unknown(code, format!("it is not known whether it is deployed to {places}: {settled_by}"));
        }
    }

    fn baselines(&mut self, policy: &Policy, own: &Seen) {
        for (system, baseline) in policy.baselines.chosen() {
            let id = baseline.id.as_deref().unwrap_or_default();
            if WITHOUT_DELAY.contains(&system.as_str()) && baseline.approve_after_days.is_some_and(|days| days > 0) {
                self.warning(
                    "approval_delay_ignored",
                    format!("patches for {system} do not wait: Patch Manager knows no approval delay for it"),
                );
            }
            match &baseline.listing {
                Listing::Exists if baseline.is_of_aws || baseline.id.is_none() => {}
                Listing::Exists => self.approvals(&format!("patch baseline {id} for {system}"), system, baseline, own),
                Listing::Missing(why) => {
                    self.error("baseline_not_found", format!("there is no patch baseline {id} for {system} where it is looked for: {why}"));
                }
                Listing::ForAnother(other) => {
                    self.error("baseline_for_another_system", format!("patch baseline {id} is for {other}, and not for {system}"));
                }
                Listing::Unknown(why) => {
                    let settled_by = &why.settled_by;
                    self.unknown(
                        "baseline_not_found",
                        format!("it is not known whether patch baseline {id} for {system} exists: {settled_by}"),
                    );
                }
            }
        }
    }

    /// What is wrong with what an existing baseline of the user's own approves.
    fn approvals(&mut self, it: &str, system: &str, baseline: &Baseline, own: &Seen) {
        let Some(approvals) = &baseline.approvals else {
            self.unknown("baseline_not_read", format!("it is not known what {it} approves: scan with ssm:GetPatchBaseline allowed"));
            return;
        };
        if approvals.approve_nothing() {
            self.error(
                "baseline_approves_nothing",
                format!("{it} has no approval rule and no approved patch, so that nothing is installed: give it a rule"),
            );
            return;
        }
        if let Some(day) = approvals.last_day() {
            self.warning("approves_up_to_a_date", format!("the rules of {it} approve no patch that is released after {day}"));
        }
        // Its default repositories have no update notices.
        // <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-prerequisites.html>
        let number = own.on_centos_stream;
        if system == "CENTOS" && number > 0 && !approvals.take_nonsecurity() {
            self.error(
                "nothing_for_centos_stream",
                format!("{it} leaves nonsecurity updates out, and finds nothing on CentOS Stream, which {number} of its instances run: set EnableNonSecurity in its rules"),
            );
        }
        let (Some(planned), Some((least, most))) = (baseline.approve_after_days, approvals.days_of_rules()) else { return };
        if !WITHOUT_DELAY.contains(&system) && (least, most) != (planned, planned) {
            let days = if least == most { format!("{least}") } else { format!("{least} to {most}") };
            self.warning(
                "approval_delay_differs",
                format!("{it} approves after {days} days, and the plan says {planned}: what it says now is what is judged"),
            );
        }
    }

    /// Whether this policy brings a patch before the earlier one has.
    fn order(&mut self, earlier: (&Policy, &Seen), later: (&Policy, &Seen), today: Date) {
        let name = &earlier.0.name;
        let mut untested = Vec::new();
        let mut by_answer: Vec<(Result<Premature, &'static str>, Vec<String>)> = Vec::new();
        for system in later.1.systems.keys() {
            let Some(after) = later.0.baseline(system) else { continue };
            let Some(before) = earlier.0.baseline(system).filter(|_| earlier.1.systems.contains_key(system)) else {
                untested.push(system.clone());
                continue;
            };
            let answer =
                premature((earlier.0.install.as_ref(), before.delay(system)), (later.0.install.as_ref(), after.delay(system)), today);
            let Some(answer) = answer else { continue };
            match by_answer.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, systems)) => systems.push(system.clone()),
                None => by_answer.push((answer, vec![system.clone()])),
            }
        }
        if !untested.is_empty() && later.0.install.is_some() {
            let them = listed(&untested);
            self.warning("untested_system", format!("{name} patches no {them}, so its patches come untested"));
        }
        for (answer, systems) in by_answer {
            let them = listed(&systems);
            let code = "before_earlier_environment";
            match answer {
                Ok(why) => self.warning(code, format!("{them} can get a patch before {name} has had it: {}", reason(name, &why))),
                Err(why) => self.unknown(code, format!("it is not known whether {them} can get a patch before {name} has had it: {why}")),
            }
        }
    }

    /// State Manager stops when more nodes than the threshold have failed.
    /// <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-state-manager-targets-and-rate-controls.html>
    fn threshold(&mut self, policy: &Policy, own: &Seen) {
        let Some(threshold) = &policy.error_threshold else { return };
        for ((account, region), (nodes, failing)) in &own.runs {
            let allowed = match threshold.strip_suffix('%') {
                Some(share) => share.parse::<usize>().ok().map(|share| nodes.saturating_mul(share) / 100),
                None => threshold.parse().ok(),
            };
            if allowed.is_some_and(|allowed| *failing > allowed) {
                self.warning(
                    "error_threshold",
                    format!("{failing} of {nodes} nodes in {account} {region} will fail, which is beyond the error threshold of {threshold}: State Manager may leave the rest out"),
                );
            }
        }
    }
}

fn reason(earlier: &str, why: &Premature) -> String {
    match why {
        Premature::NeverInstalled => format!("{earlier} only scans"),
        Premature::NeverApproved => format!("the patch baseline of {earlier} approves nothing"),
        Premature::ApprovedTooSoon { earlier_days, later_days } => {
            format!("its baseline approves after {later_days} days, and that of {earlier} after {earlier_days}")
        }
        Premature::NoRunBetween { at: Some(at), days } => {
            format!("in the {days} days before its run of {at}, by which it approves later, {earlier} does not run")
        }
        Premature::NoRunBetween { at: None, days } => {
            format!("{earlier} may go without a run for longer than the {days} days by which it approves later")
        }
    }
}
