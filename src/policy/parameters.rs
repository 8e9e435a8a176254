//! The parameters of a Quick Setup configuration of type patch policy.
//! <https://docs.aws.amazon.com/quick-setup/latest/APIReference/API_ConfigurationDefinitionInput.html>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::words::{must, unique};
use super::{Baseline, Baselines, Configuration, Deployment, Nodes, Origin, Policy, Schedule, Unit};
use crate::snapshot::global::{ConfigurationDefinition, ConfigurationManager};

/// The patch policies of a configuration manager. Whose it is stands in its ARN; without one it is taken for that of the account in which it was
/// collected.
pub(super) fn policies(manager: &ConfigurationManager, collected_in: Option<&str>) -> Vec<Policy> {
    let definitions = manager.configuration_definitions.iter().filter(|definition| definition.is_patch_policy());
    definitions.map(|definition| policy(manager, definition, collected_in)).collect()
}

/// How many characters of a long text an error shows.
const BEGINNING: usize = 60;

/// What Quick Setup itself cannot hold, and what is not understood where it holds it: in a file of the user's both are mistakes.
pub(super) fn check(definition: &ConfigurationDefinition) -> Result<(), String> {
    if let Some(operation) = said(definition, "ConfigurationOptionsPatchOperation") {
        must(["Scan", "ScanAndInstall"].iter().any(|known| operation.eq_ignore_ascii_case(known)), || {
            format!("ConfigurationOptionsPatchOperation: {operation:?} is neither Scan nor ScanAndInstall")
        })?;
    }
    if let Some(text) = said(definition, "SelectedPatchBaselines") {
        selected(text).map_err(|error| {
            let beginning: String = text.chars().take(BEGINNING).collect();
            format!(
                "SelectedPatchBaselines: what begins with {beginning:?} is no JSON of patch baselines, such as \
                 {{\"WINDOWS\": {{\"value\": \"pb-0123456789abcdef0\", \"label\": \"ours\"}}}}: {error}"
            )
        })?;
    }
    Ok(())
}

/// What a parameter says. What is not chosen is absent or empty.
fn said<'d>(definition: &'d ConfigurationDefinition, name: &str) -> Option<&'d str> {
    definition.parameters.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn policy(manager: &ConfigurationManager, definition: &ConfigurationDefinition, collected_in: Option<&str>) -> Policy {
    let text = |name: &str| said(definition, name);
    let list = |name: &str| -> Vec<String> {
        let values = text(name).unwrap_or_default().split(',').map(str::trim);
        unique(values.filter(|value| !value.is_empty()).map(str::to_owned))
    };
    let manager_arn = manager.manager_arn.clone().unwrap_or_default();
    let owner = manager.account().or(collected_in).map(str::to_owned);
    let home = manager.region().map(str::to_owned);
    let name = text("PatchPolicyName").or(manager.name.as_deref()).unwrap_or(&manager_arn);
    let units: Vec<String> = list("TargetOrganizationalUnits");
    let installs = text("ConfigurationOptionsPatchOperation").is_some_and(|operation| operation.eq_ignore_ascii_case("ScanAndInstall"));
    Policy {
        name: name.to_owned(),
        after: Vec::new(),
        units: units.iter().map(|id| Unit { written: id.clone(), id: Some(id.clone()) }).collect(),
        // One of both is required.
        accounts: list("TargetAccounts"),
        regions: list("TargetRegions"),
        nodes: nodes(&text, &list, definition.parameters.contains_key("TargetTagValue"), !units.is_empty()),
        baselines: baselines(text("PatchBaselineUseDefault"), text("SelectedPatchBaselines")),
        baseline_region: text("PatchBaselineRegion").map(str::to_owned),
        scan: text("ConfigurationOptionsScanValue").map(Schedule::of_aws),
        install: text("ConfigurationOptionsInstallValue").filter(|_| installs).map(Schedule::of_aws),
        concurrency: text("RateControlConcurrency").map(str::to_owned),
        error_threshold: text("RateControlErrorThreshold").map(str::to_owned),
        // AWS's default.
        attaches: Some(text("IsPolicyAttachAllowed").is_some_and(|word| word.eq_ignore_ascii_case("true"))),
        configuration: owner.map(|owner| Configuration { id: definition.id.clone().filter(|id| !id.is_empty()), owner, home }),
        deployment: Deployment::of(&manager.status_summaries),
        origin: Origin::QuickSetup { manager: manager_arn.clone() },
    }
}

/// The tag's value may be empty, but not missing. A policy for organizational units may leave the type out.
fn nodes<'t>(
    text: &impl Fn(&str) -> Option<&'t str>,
    list: &impl Fn(&str) -> Vec<String>,
    has_tag_value: bool,
    is_for_units: bool,
) -> Nodes {
    let tag = |key: &str| {
        let tag = || Nodes::Tag { key: key.to_owned(), value: text("TargetTagValue").unwrap_or_default().to_owned() };
        if has_tag_value { tag() } else { Nodes::Unknown { member: "TargetTagValue" } }
    };
    match (text("TargetType"), text("TargetTagKey"), text("ResourceGroupName"), list("TargetInstances")) {
        (Some("*"), ..) => Nodes::All,
        (Some("Tags") | None, Some(key), ..) => tag(key),
        (Some("Tags"), None, ..) => Nodes::Unknown { member: "TargetTagKey" },
        (Some("ResourceGroups"), _, Some(name), _) => Nodes::ResourceGroup(name.to_owned()),
        (Some("ResourceGroups"), ..) => Nodes::Unknown { member: "ResourceGroupName" },
        (Some("InstanceIds"), .., ids) if !ids.is_empty() => Nodes::Instances(ids),
        (Some("InstanceIds"), ..) => Nodes::Unknown { member: "TargetInstances" },
        (None, _, None, ids) if is_for_units && ids.is_empty() => Nodes::All,
        _ => Nodes::Unknown { member: "TargetType" },
    }
}

#[derive(Deserialize)]
struct Selected {
    value: String,
    label: Option<String>,
}

/// The patch baselines by operating system.
fn selected(text: &str) -> Result<BTreeMap<String, Selected>, serde_json::Error> {
    serde_json::from_str(text)
}

fn baselines(use_default: Option<&str>, written: Option<&str>) -> Baselines {
    let are_of_aws = use_default.is_some_and(|word| ["default", "true"].iter().any(|yes| word.eq_ignore_ascii_case(yes)));
    let Some(chosen) = written.and_then(|text| selected(text).ok()) else {
        return Baselines::Unknown;
    };
    let baseline = |chosen: Selected| {
        let is_of_aws = are_of_aws || chosen.label.as_deref().is_some_and(|label| label.starts_with("AWS-"));
        Baseline { id: Some(chosen.value), is_of_aws, ..Baseline::default() }
    };
    Baselines::Chosen(chosen.into_iter().map(|(system, chosen)| (system, baseline(chosen))).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Nodes, policies};
    use crate::policy::{Baselines, Configuration, Delay};
    use crate::snapshot::global::ConfigurationManager;

    fn manager(parameters: &serde_json::Value) -> ConfigurationManager {
        serde_json::from_value(serde_json::json!({
            "ManagerArn": "arn:aws:ssm-quicksetup:us-east-1:111111111111:configuration-manager/7cac1a1b",
            "Name": "the manager",
            "ConfigurationDefinitions": [
                {"Type": "AWSQuickSetupType-PatchPolicy", "Id": "dv2gb", "Parameters": parameters},
                {"Type": "AWSQuickSetupType-SSMHostMgmt", "Parameters": {}},
            ],
        }))
        .unwrap()
    }

    #[test]
    fn a_policy_for_organizational_units() {
        let selected = serde_json::json!({
            "AMAZON_LINUX_2023": {"value": "arn:aws:ssm:us-east-1:075727635805:patchbaseline/pb-05c9c9bf778d4c4d0", "label": "AWS-AmazonLinux2023DefaultPatchBaseline", "disabled": false},
            "WINDOWS": {"value": "pb-0123456789abcdef0", "label": "ours", "disabled": false},
        });
        let read = policies(
            &manager(&serde_json::json!({
                "PatchPolicyName": "prod", "TargetOrganizationalUnits": "ou-ab12-1, ou-ab12-2", "TargetRegions": "eu-central-1,us-east-1",
                "TargetAccounts": "", "TargetType": "Tags", "TargetTagKey": "Patch", "TargetTagValue": "yes", "ResourceGroupName": "",
                "PatchBaselineUseDefault": "custom", "SelectedPatchBaselines": selected.to_string(), "PatchBaselineRegion": "us-east-1",
                "ConfigurationOptionsPatchOperation": "ScanAndInstall", "ConfigurationOptionsScanValue": "cron(0 1 * * ? *)",
                "ConfigurationOptionsInstallValue": "cron(0 2 ? * SAT#1 *)", "RateControlConcurrency": "10%", "RateControlErrorThreshold": "2", "IsPolicyAttachAllowed": "True",
            })),
            None,
        );
        let [policy] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(policy.name, "prod");
        let configuration = Configuration { id: Some("dv2gb".into()), owner: "111111111111".into(), home: Some("us-east-1".into()) };
        assert_eq!((policy.configuration.as_ref(), policy.attaches), (Some(&configuration), Some(true)));
        assert_eq!(policy.units.iter().map(|unit| unit.written.as_str()).collect::<Vec<_>>(), ["ou-ab12-1", "ou-ab12-2"]);
        assert!(policy.accounts.is_empty());
        assert_eq!(policy.regions, ["eu-central-1", "us-east-1"]);
        assert_eq!(policy.nodes, Nodes::Tag { key: "Patch".into(), value: "yes".into() });
        assert_eq!(policy.install.as_ref().map(|install| install.text.as_str()), Some("cron(0 2 ? * SAT#1 *)"));
        assert_eq!(policy.baseline("AMAZON_LINUX_2023").map(|baseline| baseline.delay("AMAZON_LINUX_2023")), Some(Delay::Days(7)));
        assert_eq!(policy.baseline("WINDOWS").map(|baseline| baseline.delay("WINDOWS")), Some(Delay::Unknown));
        assert_eq!(policy.baseline("DEBIAN"), None);
    }

    #[test]
    fn a_local_policy_scans_unless_told() {
        let read = policies(
            &manager(&serde_json::json!({
                "TargetRegions": "us-east-1", "TargetAccounts": "111111111111", "TargetType": "InstanceIds", "TargetInstances": "i-1,i-2",
                "ConfigurationOptionsInstallValue": "cron(0 2 ? * SUN *)",
            })),
            Some("222222222222"),
        );
        let [policy] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(policy.name, "the manager");
        assert_eq!(policy.accounts, ["111111111111"]);
        assert_eq!(policy.nodes, Nodes::Instances(vec!["i-1".into(), "i-2".into()]));
        assert_eq!((policy.install.as_ref(), &policy.baselines), (None, &Baselines::Unknown));
        assert_eq!(policy.configuration.as_ref().map(|made| made.owner.as_str()), Some("111111111111"));
        assert_eq!(policy.attaches, Some(false));
    }

    #[test]
    fn a_manager_without_its_arn_is_of_the_account_in_which_it_was_collected() {
        let bare = ConfigurationManager { manager_arn: None, ..manager(&serde_json::json!({"TargetRegions": "us-east-1"})) };
        let owner = |collected_in| {
            let read = policies(&bare, collected_in);
            read.first().and_then(|policy| policy.configuration.clone()).map(|made| made.owner)
        };
        assert_eq!(owner(Some("222222222222")).as_deref(), Some("222222222222"));
        assert_eq!(owner(None), None);
    }

    #[test]
    fn what_stands_twice_counts_once() {
        let read = policies(
            &manager(&json!({
                "TargetOrganizationalUnits": "ou-2,ou-1,ou-2", "TargetAccounts": "222222222222, 111111111111,222222222222",
                "TargetRegions": "us-east-1,eu-central-1,us-east-1", "TargetType": "InstanceIds", "TargetInstances": "i-2,i-1,i-2",
            })),
            None,
        );
        let [policy] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(policy.units.iter().map(|unit| unit.written.as_str()).collect::<Vec<_>>(), ["ou-2", "ou-1"]);
        assert_eq!(policy.accounts, ["222222222222", "111111111111"]);
        assert_eq!(policy.regions, ["us-east-1", "eu-central-1"]);
        assert_eq!(policy.nodes, Nodes::Instances(vec!["i-2".into(), "i-1".into()]));
    }

    #[test]
    fn what_quick_setup_holds_is_never_an_error() {
        let read = policies(
            &manager(&json!({
                "TargetAccounts": "123", "TargetRegions": "Frankfurt", "TargetType": "InstanceIds", "TargetInstances": "web-01",
                "ConfigurationOptionsPatchOperation": "Install", "SelectedPatchBaselines": "ours",
                "ConfigurationOptionsScanValue": "cron(0 2 * * * *)",
            })),
            None,
        );
        let [policy] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(policy.accounts, ["123"]);
        assert_eq!(policy.regions, ["Frankfurt"]);
        assert_eq!((&policy.nodes, &policy.baselines), (&Nodes::Instances(vec!["web-01".into()]), &Baselines::Unknown));
        assert_eq!(policy.scan.as_ref().map(|scan| scan.text.as_str()), Some("cron(0 2 * * * *)"));
    }

    #[test]
    fn who_is_meant_is_not_guessed() {
        let unknown = |member| Nodes::Unknown { member };
        let tag = |value: &str| Nodes::Tag { key: "Patch".into(), value: value.into() };
        let units = "TargetOrganizationalUnits";
        let cases = [
            (json!({"TargetType": "*"}), Nodes::All),
            (json!({"TargetType": "Tags", "TargetTagKey": "Patch", "TargetTagValue": "yes"}), tag("yes")),
            (json!({"TargetType": "Tags", "TargetTagKey": "Patch", "TargetTagValue": ""}), tag("")),
            (json!({"TargetType": "Tags", "TargetTagKey": "Patch"}), unknown("TargetTagValue")),
            (json!({"TargetType": "Tags", "TargetTagValue": "yes"}), unknown("TargetTagKey")),
            (json!({"TargetTagKey": "Patch", "TargetTagValue": "yes"}), tag("yes")),
            (json!({"TargetType": "ResourceGroups", "ResourceGroupName": "web"}), Nodes::ResourceGroup("web".into())),
            (json!({"TargetType": "ResourceGroups", "ResourceGroupName": ""}), unknown("ResourceGroupName")),
            (json!({"TargetType": "InstanceIds", "TargetInstances": "i-1"}), Nodes::Instances(vec!["i-1".into()])),
            (json!({"TargetType": "InstanceIds"}), unknown("TargetInstances")),
            (json!({"TargetType": "Everything"}), unknown("TargetType")),
            (json!({}), unknown("TargetType")),
            (json!({units: "ou-1"}), Nodes::All),
            (json!({units: "ou-1", "TargetTagKey": "Patch", "TargetTagValue": "yes"}), tag("yes")),
            (json!({units: "ou-1", "TargetInstances": "i-1"}), unknown("TargetType")),
        ];
        for (parameters, expected) in cases {
            let read = policies(&manager(&parameters), None);
            assert_eq!(read.first().map(|policy| &policy.nodes), Some(&expected), "{parameters}");
        }
    }

    #[test]
    fn which_baselines_is_not_guessed() {
        let own = json!({"WINDOWS": {"value": "pb-0123456789abcdef0", "label": "ours"}}).to_string();
        let of_aws = json!({"WINDOWS": {"value": "pb-0123456789abcdef0", "label": "AWS-DefaultPatchBaseline"}}).to_string();
        // Whether they are AWS's own, where they are known.
        let cases = [
            (json!({"PatchBaselineUseDefault": "default", "SelectedPatchBaselines": own}), Some(true)),
            (json!({"PatchBaselineUseDefault": "custom", "SelectedPatchBaselines": own}), Some(false)),
            (json!({"PatchBaselineUseDefault": "custom", "SelectedPatchBaselines": of_aws}), Some(true)),
            (json!({"SelectedPatchBaselines": own}), Some(false)),
            (json!({"PatchBaselineUseDefault": "default"}), None),
            (json!({"PatchBaselineUseDefault": "default", "SelectedPatchBaselines": "{"}), None),
            (json!({"PatchBaselineUseDefault": "default", "SelectedPatchBaselines": "{\"WINDOWS\": {}}"}), None),
        ];
        for (parameters, expected) in cases {
            let read = policies(&manager(&parameters), None);
            let policy = read.first().unwrap();
            let is_of_aws = policy.baselines.chosen().map(|(_, baseline)| baseline.is_of_aws).next();
            assert_eq!(is_of_aws, expected, "{parameters}");
            assert_eq!(policy.has_baseline(Some("DEBIAN"), "i-1").known(), expected.map(|_| &false), "{parameters}");
        }
    }
}
