//! A planned patch policy, as the user writes it: YAML, strict, or what `aws ssm-quicksetup get-configuration-manager` prints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use serde_saphyr::Spanned;

use super::words::{Check, account_id, baseline_id, instance_id, is_whole_number, must, region_name, share, unique};
use super::{Baseline, Baselines, Deployment, Nodes, Origin, Policy, Schedule, Unit, import, yaml};

/// A file that is no patch policy; the fault of whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("{file} is no patch policy: {problem}")]
    Malformed { file: String, problem: String },
    #[error("{file} holds no patch policy: none of its configuration definitions is of type AWSQuickSetupType-PatchPolicy")]
    NoPatchPolicy { file: String },
    #[error("two files plan a patch policy {name:?}: give each its own name")]
    NotUnique { name: String },
    #[error("{file}: after: there is no patch policy {after:?}{}", hint(.after, .known.iter().map(String::as_str)))]
    NoSuchPolicy { file: String, after: String, known: Vec<String> },
    #[error("{file}: after: {}", circle(.names))]
    Circle { file: String, names: Vec<String> },
    #[error("{file}: targets: {problem}")]
    Target { file: String, problem: String },
}

fn circle(names: &[String]) -> String {
    match names {
        [only] => format!("{only:?} cannot come after itself"),
        _ => format!("the policies come after each other in a circle: {}", names.join(", which comes after ")),
    }
}

/// The most similar of some words, as a hint.
pub(super) fn hint<'n>(word: &str, known: impl Iterator<Item = &'n str>) -> String {
    match known.map(|known| (strsim::osa_distance(word, known), known)).min() {
        Some((distance, known)) if distance <= word.len().max(3) / 2 => format!("; did you mean {known:?}?"),
        _ => String::new(),
    }
}

/// Reads the policies of one file. Units are as written; nobody has looked for them yet.
///
/// # Errors
/// When the text is neither; the error names the place.
pub fn parse(text: &str, file: &str) -> Result<Vec<Policy>, PolicyError> {
    // A byte order mark is no part of the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if import::is_meant(text) {
        return import::policies(text, file);
    }
    let malformed = |problem: String| PolicyError::Malformed { file: file.to_owned(), problem };
    if import::is_printed_as_yaml(text) {
        return Err(malformed(format!("it is what the AWS CLI prints as YAML: {}", import::REMEDY)));
    }
    let planned: PlannedPolicy = serde_saphyr::from_str(text)
        .map_err(|error| malformed(format!("{}{}", yaml::shown(&error, file), did_you_mean(&error.to_string()))))?;
    Ok(vec![planned.policy(file)])
}

/// The error names the members that there are: the nearest of them is probably meant.
fn did_you_mean(error: &str) -> String {
    let Some((_, told)) = error.split_once("unknown field `") else { return String::new() };
    let Some((written, known)) = told.lines().next().unwrap_or_default().split_once("`, expected ") else { return String::new() };
    let names = known.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !["", "one", "of", "or"].contains(word));
    hint(written, names)
}

/// The JSON Schema of the file, generated from its types.
///
/// # Errors
/// Only if the schema cannot be written as JSON, which would be a bug.
pub fn json_schema() -> Result<String, serde_json::Error> {
    let mut schema = schemars::schema_for!(PlannedPolicy);
    schema.insert("title".to_owned(), "patch-preflight planned patch policy".into());
    serde_json::to_string_pretty(&schema).map(|text| text + "\n")
}

/// A planned patch policy: one environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlannedPolicy {
    /// Unique among the files of a scan. A policy of this name that exists already is taken to be replaced.
    name: PolicyName,
    /// The names of the policies that are to have a patch before this one, such as `[test]`.
    #[serde(default)]
    after: Vec<String>,
    targets: Targets,
    /// By Patch Manager's word for the operating system, such as `AMAZON_LINUX_2023`. Without it AWS's own baselines hold for all; with it, a
    /// system that is missing has none.
    #[serde(default)]
    baselines: Option<BTreeMap<OperatingSystem, PlannedBaseline>>,
    /// The Region whose patch baselines the policy takes, in the account that deploys it.
    #[serde(default)]
    baseline_region: Option<RegionName>,
    #[serde(default)]
    schedule: PlannedSchedule,
    #[serde(default)]
    rate_control: RateControl,
    /// Quick Setup's "Add required IAM policies to existing instance profiles attached to your instances" (`IsPolicyAttachAllowed`). Without it:
    /// as in the existing policy that this one replaces, and otherwise AWS's default, `false`.
    #[serde(default)]
    attach_policies: Option<bool>,
}

/// Who is targeted: every node of the accounts and Regions, or those with a tag, of a resource group, or of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenTargets")]
struct Targets(WrittenTargets);

/// Who is targeted: every node of the accounts and Regions, or those with a tag, of a resource group, or of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Targets")]
struct WrittenTargets {
    /// With all that is below them: ids (`ou-…`, `r-…`) or paths of names, `/` for the whole organization.
    #[serde(default)]
    organizational_units: Vec<String>,
    /// Accounts, each with a configuration of its own. The management account is reached this way only.
    #[serde(default)]
    accounts: Vec<AccountId>,
    regions: Vec<RegionName>,
    #[serde(default)]
    tag: Option<Tag>,
    /// In a single account only.
    #[serde(default)]
    resource_group: Option<GroupName>,
    /// Chosen by hand, 25 at most.
    #[serde(default)]
    instances: Option<Vec<InstanceId>>,
}

impl TryFrom<WrittenTargets> for Targets {
    type Error = String;

    fn try_from(written: WrittenTargets) -> Result<Self, String> {
        if written.organizational_units.is_empty() && written.accounts.is_empty() {
            return Err("targets need organizational_units or accounts; the whole organization is organizational_units: [/]".to_owned());
        }
        if written.regions.is_empty() {
            return Err("targets need at least one Region".to_owned());
        }
        let ways = [written.tag.is_some(), written.resource_group.is_some(), written.instances.is_some()];
        if ways.into_iter().filter(|chosen| *chosen).count() > 1 {
            return Err("choose by one of tag, resource_group and instances: Quick Setup does not combine them".to_owned());
        }
        if written.instances.as_ref().is_some_and(Vec::is_empty) {
            return Err("instances is empty: name at least one, or leave it out to choose every node".to_owned());
        }
        Ok(Self(written))
    }
}

/// A tag that nodes must have, with its value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Tag {
    key: TagKey,
    value: String,
}

/// `{}` is AWS's own baseline. One that is still to be made has `approve_after_days` and no `id`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "WrittenBaseline")]
struct PlannedBaseline(WrittenBaseline);

/// `{}` is AWS's own baseline. One that is still to be made has `approve_after_days` and no `id`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PlannedBaseline")]
struct WrittenBaseline {
    /// `pb-…`, an ARN, or `default` for AWS's own.
    #[serde(default)]
    id: Option<BaselineId>,
    /// Days from a patch's release to its approval. AWS does not let `DEBIAN` and `UBUNTU` wait.
    #[serde(default, deserialize_with = "whole_days")]
    #[schemars(range(max = 360))]
    approve_after_days: Option<u16>,
}

impl TryFrom<WrittenBaseline> for PlannedBaseline {
    type Error = String;

    fn try_from(written: WrittenBaseline) -> Result<Self, String> {
        if written.id.as_ref().is_some_and(BaselineId::is_default) && written.approve_after_days.is_some() {
            return Err("AWS's own baseline has its own approve_after_days: name one of yours by its id, or leave id out for one that is still to be made".to_owned());
        }
        Ok(Self(written))
    }
}

/// The longest that a rule of a baseline lets a patch wait.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchRule.html>
const MOST_DAYS: u16 = 360;

/// Days, in digits alone. As a number the library would take `'7'`, `0x10` and `1_0` too, which the schema or other readers of YAML do not.
fn whole_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let Some(written) = Option::<Spanned<String>>::deserialize(deserializer)? else { return Ok(None) };
    let text = written.value.as_str();
    // What stands in quotes takes more room than it says.
    let is_plain = u64::try_from(text.len()).is_ok_and(|length| length == written.defined.span().len());
    if !(is_plain && is_whole_number(text)) {
        return Err(de::Error::custom("a whole number is expected, without quotes and not below 0"));
    }
    let days = text.parse().ok().filter(|days: &u16| *days <= MOST_DAYS);
    days.map(Some).ok_or_else(|| de::Error::custom(format!("approve_after_days is at most {MOST_DAYS}")))
}

/// When the policy runs, in UTC: `cron(0 2 ? * SUN *)` or `rate(7 days)`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlannedSchedule {
    /// Quick Setup's default is every day at 01:00.
    #[serde(default)]
    scan: Option<WrittenSchedule>,
    /// Without it the policy scans only, and installs nothing.
    #[serde(default)]
    install: Option<WrittenSchedule>,
}

/// How many nodes of an account and Region at a time, and how many may fail before the rest is left out.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RateControl {
    #[serde(default)]
    concurrency: Option<Concurrency>,
    #[serde(default)]
    error_threshold: Option<ErrorThreshold>,
}

/// Declares a text that is checked where it is read, so that the error shows its place.
macro_rules! checked {
    ($($(#[$meta:meta])* $name:ident($pattern:literal): $check:expr;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
        struct $name(#[schemars(regex(pattern = $pattern))] String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let check: Check = $check;
                check(&text).map_err(de::Error::custom)?;
                Ok(Self(text))
            }
        }
    )*};
}

/// The systems that patch baselines are for.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchBaselineIdentity.html>
const OPERATING_SYSTEMS: [&str; 15] = [
    "ALMA_LINUX",
    "AMAZON_LINUX",
    "AMAZON_LINUX_2",
    "AMAZON_LINUX_2022",
    "AMAZON_LINUX_2023",
    "CENTOS",
    "DEBIAN",
    "MACOS",
    "ORACLE_LINUX",
    "RASPBIAN",
    "REDHAT_ENTERPRISE_LINUX",
    "ROCKY_LINUX",
    "SUSE",
    "UBUNTU",
    "WINDOWS",
];

checked! {
    PolicyName(r"\S"): |text| must(!text.trim().is_empty(), || "a policy needs a name".to_owned());
    AccountId(r"^\d{12}$"): |text| account_id(text).map_err(|problem| problem + ", in quotes");
    RegionName(r"^[a-z]+(-[a-z]+)+-\d+$"): region_name;
    InstanceId(r"^i-[0-9a-f]+$"): instance_id;
    OperatingSystem(r"^[A-Z][A-Z0-9_]+$"): |text| must(OPERATING_SYSTEMS.contains(&text), || {
        format!("there is no operating system {text:?} in Patch Manager{}", hint(text, OPERATING_SYSTEMS.into_iter()))
    });
    /// `default`, `pb-…`, or an ARN.
    BaselineId(r"^(default|(arn:.*/)?pb-[0-9a-f]+)$"): baseline_id;
    WrittenSchedule(r"^(cron|rate)\(.+\)$"): |text| Schedule::plan(text).map(|_| ()).map_err(|error| error.to_string());
    /// A number of nodes from 1, or a percentage from 1% to 100%.
    Concurrency(r"^([1-9]\d{0,6}|[1-9]\d?%|100%)$"): |text| share(text, 1);
    /// A number of nodes, or a percentage up to 100%.
    ErrorThreshold(r"^(0|[1-9]\d{0,6}|[1-9]?\d%|100%)$"): |text| share(text, 0);
    TagKey(r"^.{1,128}$"): |text| must((1..=128).contains(&text.chars().count()), || "a tag's key has 1 to 128 characters".to_owned());
    GroupName(r"\S"): |text| must(!text.trim().is_empty(), || "a resource group needs its name".to_owned());
}

impl BaselineId {
    fn is_default(&self) -> bool {
        self.0 == "default"
    }
}

impl PlannedPolicy {
    fn policy(self, file: &str) -> Policy {
        let Targets(targets) = self.targets;
        let nodes = match (targets.tag, targets.resource_group, targets.instances) {
            (Some(tag), _, _) => Nodes::Tag { key: tag.key.0, value: tag.value },
            (_, Some(GroupName(name)), _) => Nodes::ResourceGroup(name),
            (_, _, Some(ids)) => Nodes::Instances(unique(ids.into_iter().map(|InstanceId(id)| id))),
            (None, None, None) => Nodes::All,
        };
        let schedule = |written: Option<WrittenSchedule>| written.and_then(|WrittenSchedule(text)| Schedule::parse(&text).ok());
        let baselines = |written: BTreeMap<OperatingSystem, PlannedBaseline>| {
            let each = written.into_iter().map(|(OperatingSystem(system), PlannedBaseline(written))| (system, written.baseline()));
            Baselines::Chosen(each.collect())
        };
        Policy {
            name: self.name.0,
            origin: Origin::Planned { file: file.to_owned() },
            after: unique(self.after),
            units: unique(targets.organizational_units).into_iter().map(|written| Unit { written, id: None }).collect(),
            accounts: unique(targets.accounts.into_iter().map(|AccountId(id)| id)),
            regions: unique(targets.regions.into_iter().map(|RegionName(name)| name)),
            nodes,
            baselines: self.baselines.map_or(Baselines::OfAws, baselines),
            baseline_region: self.baseline_region.map(|RegionName(name)| name),
            scan: schedule(self.schedule.scan),
            install: schedule(self.schedule.install),
            concurrency: self.rate_control.concurrency.map(|Concurrency(share)| share),
            error_threshold: self.rate_control.error_threshold.map(|ErrorThreshold(share)| share),
            attaches: self.attach_policies,
            configuration: None,
            deployment: Deployment::default(),
        }
    }
}

impl WrittenBaseline {
    fn baseline(self) -> Baseline {
        let is_of_aws = self.id.as_ref().map_or(self.approve_after_days.is_none(), BaselineId::is_default);
        let id = self.id.filter(|id| !id.is_default()).map(|BaselineId(id)| id);
        Baseline { id, is_of_aws, approve_after_days: self.approve_after_days, ..Baseline::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::policy::{Delay, Nodes};

    const LEAST: &str = "name: test\ntargets: {organizational_units: [/Test], regions: [eu-central-1]}\n";

    #[test]
    fn a_policy_is_read() {
        let whole = format!(
            "{LEAST}after: [lab]\nbaselines:\n  WINDOWS: {{id: pb-0123456789abcdef0, approve_after_days: 3}}\n  UBUNTU: {{}}\n  SUSE: {{approve_after_days: 2}}\n\
             schedule: {{install: cron(0 2 ? * SAT *)}}\nrate_control: {{concurrency: '10%', error_threshold: '2'}}\n"
        );
        let policies = parse(&whole, "test.yaml").unwrap();
        let [policy] = policies.as_slice() else { panic!("{policies:?}") };
        assert_eq!((policy.name.as_str(), policy.after.as_slice(), &policy.nodes), ("test", ["lab".to_owned()].as_slice(), &Nodes::All));
        let delay = |system| policy.baseline(system).map(|baseline| (baseline.is_of_aws, baseline.delay(system)));
        assert_eq!(delay("WINDOWS"), Some((false, Delay::Days(3))));
        assert_eq!(delay("UBUNTU"), Some((true, Delay::Days(0))));
        assert_eq!(delay("SUSE"), Some((false, Delay::Days(2))));
        assert_eq!(delay("DEBIAN"), None);
        assert_eq!(policy.error_threshold.as_deref(), Some("2"));
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_place() {
        let cases = [
            ("name: test\ntarget: {}\n", "did you mean \"targets\"?"),
            ("name: test\ntargets: {regions: [eu-central-1]}\n", "organizational_units: [/]"),
            ("name: test\ntargets: {accounts: ['123'], regions: [eu-central-1]}\n", "twelve digits"),
            ("name: test\ntargets: {organizational_units: [/], regions: []}\n", "at least one Region"),
            ("name: test\ntargets: {organizational_units: [/], regions: [Frankfurt]}\n", "is no Region"),
            (
                "name: test\ntargets: {organizational_units: [/], regions: [eu-west-1], tag: {key: a, value: b}, instances: [i-1]}\n",
                "does not combine",
            ),
            (&format!("{LEAST}schedule: {{install: cron(0 2 * SUN *)}}\n"), "it has 5 fields"),
            (&format!("{LEAST}baselines: {{WINDOW: {{}}}}\n"), "did you mean \"WINDOWS\"?"),
            (&format!("{LEAST}baselines: {{WINDOWS: {{id: default, approve_after_days: 3}}}}\n"), "its own approve_after_days"),
            (&format!("{LEAST}rate_control: {{concurrency: many}}\n"), "neither a number of nodes nor a percentage"),
            (&format!("{LEAST}name: again\n"), "name stands here a second time: leave one of them"),
            (&format!("{LEAST}---\n{LEAST}"), "give each its own file"),
            (&LEAST.replace("name: test", "name:"), "a value is missing"),
            (&format!("{LEAST}baselines: {{WINDOWS: {{approve_after_days: -1}}}}\n"), "a whole number is expected"),
            (&format!("{LEAST}baselines: {{WINDOWS: {{approve_after_days: '7'}}}}\n"), "a whole number is expected, without quotes"),
            (&format!("{LEAST}baselines: {{WINDOWS: {{approve_after_days: 0x10}}}}\n"), "a whole number is expected"),
            (&format!("{LEAST}baselines: {{WINDOWS: {{approve_after_days: 1_0}}}}\n"), "a whole number is expected"),
            (&format!("{LEAST}baselines: {{WINDOWS: {{approve_after_days: 07}}}}\n"), "a whole number is expected"),
            (&format!("{LEAST}baselines: {{WINDOWS: {{approve_after_days: 7.5}}}}\n"), "a whole number is expected"),
            (&format!("{LEAST}baselines: {{WINDOWS: {{approve_after_days: 361}}}}\n"), "approve_after_days is at most 360"),
            (
                &format!("{LEAST}baselines: {{WINDOWS: {{approve_after_days: 99999999999999999999}}}}\n"),
                "approve_after_days is at most 360",
            ),
            (&format!("{LEAST}baselines: {{WINDOWS: {{id: pb-XYZ}}}}\n"), "\"pb-XYZ\" is no patch baseline"),
            (&format!("{LEAST}attach_policies: perhaps\n"), "true or false is expected"),
            ("name: test\ntargets: everything\n", "a mapping (member: value) is expected"),
            ("name: test\ntargets: {accounts: '123456789012', regions: [eu-central-1]}\n", "a list ([one, another]) is expected"),
            ("name: [a]\ntargets: {organizational_units: [/], regions: [eu-central-1]}\n", "a single value is expected"),
            ("- name: test\n", "a mapping (member: value) is expected"),
            ("", "empty"),
            (&format!("{LEAST}rate_control: {{concurrency: '0'}}\n"), "write '1' or more"),
            (&format!("{LEAST}rate_control: {{error_threshold: '500%'}}\n"), "'0%' to '100%'"),
            (&format!("{LEAST}rate_control: {{error_threshold: '99999999'}}\n"), "neither a number"),
            (&format!("{LEAST}rate_control: {{error_threshold: '05'}}\n"), "neither a number"),
            (&format!("{LEAST}schedule: {{install: cron(0 2 1 DEC ? *)}}\n"), "write * for the month"),
            (&format!("{LEAST}schedule: {{install: rate(29 minutes)}}\n"), "30 minutes"),
            (&format!("{LEAST}schedule: {{install: cron(0 2 * * * *)}}\n"), "write ? for the day of the month or the day of the week"),
            (&LEAST.replace('}', ", instances: []}"), "instances is empty"),
            (&LEAST.replace('}', ", instances: [i-XYZ]}"), "\"i-XYZ\" is no instance id"),
            (&LEAST.replace('}', ", instances: [i-]}"), "\"i-\" is no instance id"),
            (&LEAST.replace("eu-central-1", "EU-central-1"), "\"EU-central-1\" is no Region"),
            (&LEAST.replace('}', ", resource_group: ''}"), "a resource group needs its name"),
            (&LEAST.replace('}', ", tag: {key: '', value: x}}"), "1 to 128 characters"),
            ("{\"Name\": \"x\", \"ConfigurationDefinitions\": []}", "holds no patch policy"),
            ("{\"Name\": ", "EOF"),
            ("{\"Name\": ", "--output json"),
            ("{}", "holds no patch policy"),
            ("\u{feff}{\"Name\": \"x\", \"ConfigurationDefinitions\": []}", "holds no patch policy"),
            ("{\"name\": \"test\", \"target\": {}}", "did you mean \"targets\"?"),
            ("{name: test, target: {}}", "did you mean \"targets\"?"),
            ("ConfigurationDefinitions:\n- Type: AWSQuickSetupType-PatchPolicy\n", "--output json"),
            ("ManagerArn: arn:aws:ssm-quicksetup:us-east-1:111111111111:configuration-manager/1\nName: x\n", "--output json"),
        ];
        for (text, told) in cases {
            let error = parse(text, "plans/test.yaml").unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("plans/test.yaml"), "{text}\n{error}");
        }
        // What is just allowed.
        let allowed = [
            "rate_control: {concurrency: '1', error_threshold: '0'}",
            "rate_control: {concurrency: '100%', error_threshold: '0%'}",
            "schedule: {install: rate(30 minutes)}",
            "baselines: {WINDOWS: {approve_after_days: 0}}",
            "baselines: {WINDOWS: {approve_after_days: 360 }}",
            "baselines:\n  WINDOWS:\n    approve_after_days: 7  # a week",
            "baselines: {WINDOWS: {approve_after_days: &days 7}, SUSE: {approve_after_days: *days }}",
            "baselines: {WINDOWS: {approve_after_days: }}",
            "baselines: {WINDOWS: {id: 'arn:aws:ssm:eu-central-1:111111111111:patchbaseline/pb-0123456789abcdef0'}}",
        ];
        for line in allowed {
            assert!(parse(&format!("{LEAST}{line}\n"), "test.yaml").is_ok(), "{line}");
        }
        for line in ["schedule: {install: weekly}", "baselines: {WINDOWS: {approve_after_days: '7'}}"] {
            let shown = parse(&format!("{LEAST}{line}\n"), "test.yaml").unwrap_err().to_string();
            assert!(shown.contains("test.yaml:3") && shown.contains('^'), "the place is shown: {shown}");
        }
    }

    #[test]
    fn a_plan_may_be_json() {
        let json = r#"{"name": "test", "targets": {"organizational_units": ["/Test"], "regions": ["eu-central-1"]}}"#;
        let flow = "{name: test, targets: {organizational_units: [/Test], regions: [eu-central-1]}}";
        let expected = parse(LEAST, "test.yaml").unwrap();
        for text in [json, flow, &format!("\n {json}\n"), &format!("\u{feff}{json}"), &format!("\u{feff}{LEAST}")] {
            assert_eq!(parse(text, "test.yaml").unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_stands_twice_counts_once() {
        let doubled = "name: test\nafter: [b, a, b]\ntargets:\n  organizational_units: [/B, /A, /B]\n  regions: [us-east-1, eu-central-1, us-east-1]\n  \
                       accounts: ['222222222222', '111111111111', '222222222222']\n  instances: [i-2, i-1, i-2]\n";
        let policies = parse(doubled, "test.yaml").unwrap();
        let [policy] = policies.as_slice() else { panic!("{policies:?}") };
        assert_eq!(policy.after, ["b", "a"]);
        assert_eq!(policy.units.iter().map(|unit| unit.written.as_str()).collect::<Vec<_>>(), ["/B", "/A"]);
        assert_eq!(policy.accounts, ["222222222222", "111111111111"]);
        assert_eq!(policy.regions, ["us-east-1", "eu-central-1"]);
        assert_eq!(policy.nodes, Nodes::Instances(vec!["i-2".to_owned(), "i-1".to_owned()]));
    }
}
