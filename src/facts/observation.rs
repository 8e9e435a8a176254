//! What was seen at work, held against the model: a fresh sign of life proves a path, and a contradiction is told with what may explain it.
//!
//! An observation never changes a path's verdict (decision 11 of docs/reachability.md); readiness takes it into account.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::Region;
use crate::model::is_word;
use crate::model::known::Known;
use crate::network::{Authorization, Blocker, Path, Place, Target, Verdict};
use crate::snapshot::ssm::InstanceInformation;

/// How a note begins that tells of an instance at work where the model sees no way.
pub const MODEL_MISMATCH: &str = "MODEL_MISMATCH";

/// What was seen of one instance shortly before the snapshot.
#[derive(Debug, Clone, Default)]
pub(super) struct Observation {
    proofs: Vec<Proof>,
    /// Whether the model agrees with what was seen; `None` where nothing was, or the model does not know.
    pub(super) agrees: Option<bool>,
    /// In whole sentences.
    pub(super) notes: Vec<String>,
}

/// A path that was used with success.
#[derive(Debug, Clone)]
struct Proof {
    target: Target,
    /// A sentence without its full stop.
    seen: String,
}

impl Proof {
    /// Whether a policy on the path surely refuses what was seen to succeed: an agent that is online has reported, an open channel was opened, and a
    /// patch operation has read everything that it reads.
    fn contradicts_refusal(&self, path: &Path) -> bool {
        let Authorization::Denied { actions, .. } = &path.authorization else { return false };
        match self.target {
            Target::Ssm => actions.contains("ssm:UpdateInstanceInformation"),
            Target::SsmMessages => actions.contains("ssmmessages:OpenControlChannel"),
            Target::Ec2Messages => false,
            Target::S3 | Target::Repository => true,
        }
    }
}

/// What a proof says of one path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proven<'o> {
    pub(super) seen: &'o str,
    /// Whether what the policies on the way refuse was not refused.
    pub(super) is_refused_by_nobody: bool,
}

impl Observation {
    /// Whether a patch operation came to its end, which has read from S3.
    pub(super) fn has_run(&self) -> bool {
        self.proofs.iter().any(|proof| proof.target == Target::S3)
    }

    /// How it was seen that a path works, if it was. That some connections do says nothing of a path that works for a part of them.
    pub(super) fn proof_of(&self, path: &Path) -> Option<Proven<'_>> {
        let proof = self.proofs.iter().find(|proof| proof.target == path.target)?;
        let is_refused_by_nobody = proof.contradicts_refusal(path) || matches!(path.target, Target::S3 | Target::Repository);
        let says_more =
            matches!(path.verdict, Verdict::Blocked | Verdict::Unknown) || (is_refused_by_nobody && path.verdict == Verdict::Reachable);
        says_more.then_some(Proven { seen: &proof.seen, is_refused_by_nobody })
    }

    /// `s3` and `repository` are the verdicts over all names of S3 and of repositories that every run needs.
    pub(super) fn of(seen: &Seen<'_>, paths: &[Arc<Path>], s3: &Path, repository: &Path) -> Self {
        let mut observation = Self { proofs: seen.proofs(), ..Self::default() };
        let path_to = |target: Target| paths.iter().find(|path| path.target == target);
        for proof in &observation.proofs {
            let path = match proof.target {
                Target::S3 => Some(s3),
                Target::Repository => Some(repository),
                service => path_to(service).map(Arc::as_ref),
            };
            match path.map(|path| (path, path.verdict)) {
                Some((path, verdict)) if verdict == Verdict::Blocked || proof.contradicts_refusal(path) => {
                    observation.agrees = Some(false);
                    observation.notes.push(mismatch(proof, path, seen));
                }
                Some((_, Verdict::Reachable)) => observation.agrees = observation.agrees.or(Some(true)),
                _ => {}
            }
        }
        let open = |target: Target| path_to(target).filter(|path| path.verdict == Verdict::Reachable);
        if let (true, Some(messages)) = (seen.is_running, open(Target::SsmMessages)) {
            observation.notes.extend(open(Target::Ssm).and_then(|_| seen.cause_beside_the_network()));
            observation.notes.extend(seen.closed_channel(messages));
        }
        observation
    }
}

/// Where observations come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'s> {
    pub(super) region: &'s Region<'s>,
    pub(super) instance: &'s str,
    pub(super) is_running: bool,
    pub(super) node: &'s Known<Option<&'s InstanceInformation>>,
    pub(super) captured_at: Option<Timestamp>,
    /// Whether a patch operation fails where the repositories that were judged do not answer.
    pub(super) needs_repositories: bool,
}

/// Whether a patch operation fails where a repository does not answer. Amazon Linux 2023 passes over it (`skip_if_unavailable`, see
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-prerequisites.html>), apt goes on with the lists that it has, and zypper without a
/// repository that it cannot refresh.
/// `system` is in Patch Manager's words.
pub(super) fn fails_without_repositories(system: &str) -> bool {
    !["AMAZON_LINUX_2023", "DEBIAN", "RASPBIAN", "SUSE", "UBUNTU"].contains(&system)
}

impl Seen<'_> {
    fn proofs(&self) -> Vec<Proof> {
        let mut proofs = Vec::new();
        // A stopped instance proves nothing about now.
        if !self.is_running {
            return proofs;
        }
        // It was asked with the rest of the snapshot, and is as fresh.
        if self.is_channel("connected") {
            proofs.push(Proof { target: Target::SsmMessages, seen: "the agent's message channel was open at the scan".to_owned() });
        }
        let Some(captured_at) = self.captured_at else { return proofs };
        if self.node.known().copied().flatten().is_some_and(|node| is_fresh(node, captured_at)) {
            proofs.push(Proof { target: Target::Ssm, seen: "the agent was online just before the scan".to_owned() });
        }
        let states = self.region.files.patch_states.iter().flat_map(|file| &file.instance_patch_states);
        let operation = states.into_iter().filter(|state| state.instance_id.as_deref() == Some(self.instance)).find_map(|state| {
            let word =
                state.operation.as_deref().filter(|word| ["Scan", "Install"].iter().any(|known| word.eq_ignore_ascii_case(known)))?;
            // One that failed may have failed for want of what it should have reached.
            if state.failed_count != Some(0) {
                return None;
            }
            let ended_at = state.operation_end_time.as_deref()?;
            let ended: Timestamp = ended_at.parse().ok()?;
            (ended <= captured_at && captured_at.checked_sub(RECENT).is_ok_and(|oldest| ended >= oldest)).then_some((word, ended_at))
        });
        if let Some((word, ended_at)) = operation {
            let proven = [Target::S3].into_iter().chain(self.needs_repositories.then_some(Target::Repository));
            proofs.extend(proven.map(|target| Proof { target, seen: format!("a patch operation ({word}) came to its end at {ended_at}") }));
        }
        proofs
    }

    /// What AWS says of the channel for messages. Words that are not known here say nothing.
    fn is_channel(&self, word: &str) -> bool {
        let status = self.region.files.connection_statuses.as_ref().and_then(|file| file.connection_statuses.get(self.instance));
        is_word(status.and_then(|status| status.status.as_ref()), word)
    }

    /// An agent that reports, and whose messages take another way or none.
    fn closed_channel(&self, messages: &Path) -> Option<String> {
        let is_online = self.node.known().copied().flatten().is_some_and(|node| is_word(node.ping_status.as_ref(), "Online"));
        // Older agents have no such channel: <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-prerequisites.html>
        (is_online && self.is_channel("notconnected")).then(|| {
            format!(
                "The agent reports, but its message channel is closed, and the model finds the way of {} to {} open. Likeliest first: 1. the \
                 agent uses ec2messages instead, because its role does not allow ssmmessages or because it is older than 2.3.68.0; 2. the \
                 policy of an endpoint for ssmmessages refuses it; 3. a proxy on the way does not let WebSockets through; 4. the firewall of \
                 the operating system is closed.",
                self.instance, messages.host
            )
        })
    }

    /// An agent that does not report although its paths work has another trouble.
    fn cause_beside_the_network(&self) -> Option<String> {
        let node = self.node.known()?;
        let what = match node {
            None => "The instance never registered",
            Some(node) if is_word(node.ping_status.as_ref(), "ConnectionLost") || is_word(node.ping_status.as_ref(), "Inactive") => {
                "The agent has stopped reporting"
            }
            Some(_) => return None,
        };
        Some(format!(
            "{what}, and the model finds its way to Systems Manager open: look at the role (instance profile or Default Host Management \
             Configuration), at the agent (installed, running, its log), at the metadata service and at the firewall of the operating system."
        ))
    }
}

/// Policies scan daily.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// Whether the agent was online shortly before the snapshot: it reports every five minutes, so two reports and a margin.
fn is_fresh(node: &InstanceInformation, captured_at: Timestamp) -> bool {
    let ping = node.last_ping_date_time.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let oldest = captured_at.checked_sub(SignedDuration::from_mins(15));
    // A scan of many accounts goes on after its capture time was written down.
    let newest = captured_at.checked_add(SignedDuration::from_hours(6));
    is_word(node.ping_status.as_ref(), "Online")
        && ping.is_some_and(|ping| oldest.is_ok_and(|oldest| ping >= oldest) && newest.is_ok_and(|newest| ping <= newest))
}

/// The contradiction, with what may explain it, likeliest first.
fn mismatch(proof: &Proof, path: &Path, seen: &Seen<'_>) -> String {
    let is_of_group = |blocker: &&Blocker| matches!(blocker.place, Place::InstanceEgress { .. } | Place::EndpointIngress { .. });
    let mut causes = vec![
        "a proxy is configured on the instance (for the agent in /etc/systemd/system/amazon-ssm-agent.service.d/override.conf, or in the registry)"
            .to_owned(),
        "the network was changed between what was seen and the snapshot".to_owned(),
    ];
    if matches!(proof.target, Target::Ssm | Target::SsmMessages) && path.blockers.iter().any(|blocker| is_of_group(&blocker)) {
        causes.push(
            "a connection from before a security group was changed is still open: tracked connections outlive the rule, so restart the agent \
             and look again"
                .to_owned(),
        );
    }
    causes.push("there is a hop that no API shows".to_owned());
    causes.push("the agent is configured with an endpoint of its own (amazon-ssm-agent.json)".to_owned());
    causes.push("the model is wrong: report it, with the snapshot".to_owned());
    let causes: Vec<String> = causes.iter().zip(1..).map(|(cause, number)| format!("{number}. {cause}")).collect();
    let blocked_by = match (&path.authorization, path.blockers.first()) {
        (_, Some(blocker)) => format!(" ({} of {})", blocker.code.as_str(), blocker.resource),
        (Authorization::Denied { endpoint, .. }, None) => format!(" (the policy of {endpoint})"),
        _ => String::new(),
    };
    format!(
        "{MODEL_MISMATCH}: {}, though the model says that {} of {} is blocked{blocked_by}. Likeliest first: {}.",
        proof.seen,
        path.host,
        seen.instance,
        causes.join("; ")
    )
}
