//! A rule's file: one YAML document, strict.

use serde::Deserialize;

use crate::network::Target;
use crate::report::types::Severity;

/// What makes the change that a rule asks for; see `plan::changes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixGenerator {
    /// Everything that blocks the rule's target.
    NetworkPath,
    /// The missing or dead route to the rule's target.
    NetworkRoute,
    /// The security group of the instance that keeps the traffic to the rule's target in.
    NetworkEgress,
    /// The policy of the endpoint that refuses the rule's target.
    EndpointPolicy,
    InstanceProfile,
    /// What the role lacks for the agent.
    RolePermissions,
    /// What the role lacks for the bucket of a patch policy.
    PatchPolicyAccess,
    MetadataEndpoint,
    AgentUpdate,
    AgentRegistration,
    OsUpgrade,
    OtherTooling,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    /// What is broken, as a sentence.
    pub(super) title: String,
    /// What is asked, as a clause: "whether the instance can reach Systems Manager".
    pub(super) question: String,
    pub(super) severity: Severity,
    pub(super) since: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    #[serde(default)]
    pub(super) when: Option<String>,
    pub(super) fail_if: String,
    /// The path of the fact that names what to change.
    #[serde(default)]
    pub(super) resource: Option<String>,
    pub(super) message: String,
    pub(super) why: String,
    #[serde(default)]
    pub(super) fix: Option<FixGenerator>,
    /// The path that the rule judges.
    #[serde(default)]
    pub(super) target: Option<Target>,
    pub(super) fix_words: String,
    pub(super) false_positives: String,
    pub(super) references: Vec<String>,
    pub(super) cases: Vec<Case>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// Laid over a healthy instance.
    #[serde(default)]
    pub(super) given: Option<serde_json::Value>,
    /// The paths of facts that are not known.
    #[serde(default)]
    pub(super) unknown: Vec<String>,
    pub(super) expect: Expectation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expectation {
    Fail,
    Pass,
    Unknown,
    Skip,
}

/// A message with facts in it: `{instance.id} cannot reach {paths.ssm.host}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Fact(String),
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (path, after) = after
                .split_once('}')
                .ok_or_else(|| format!("the brace before {:?} is never closed", after.chars().take(20).collect::<String>()))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Fact(path.trim().to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| if let Part::Fact(path) = part { Some(path.as_str()) } else { None })
    }

    pub(super) fn render(&self, facts: &serde_json::Value) -> String {
        let show = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Fact(path) => match look_up(facts, path) {
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => "(unknown)".to_owned(),
            },
        };
        self.0.iter().map(show).collect()
    }
}

/// A fact by its dotted path.
pub(super) fn look_up<'f>(facts: &'f serde_json::Value, path: &str) -> Option<&'f serde_json::Value> {
    path.split('.').try_fold(facts, |value, name| value.get(name))
}
