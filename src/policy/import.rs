//! A patch policy as `aws ssm-quicksetup get-configuration-manager` prints it, taken for a plan.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::words::{Check, account_id, instance_id, must, region_name, share};
use super::{Deployment, Nodes, Origin, Policy, PolicyError, parameters};
use crate::snapshot::global::{ConfigurationManager, GetConfigurationManager};
use crate::snapshot::json::{self, Misread};

/// What to do about a text that cannot be read.
pub(super) const REMEDY: &str = "give what `aws ssm-quicksetup get-configuration-manager --output json` prints";

/// The member of a snapshot's file.
const MANAGERS: &str = "ConfigurationManagers";
/// What tells the AWS CLI's output from a plan.
const PRINTED: [&str; 3] = ["ConfigurationDefinitions", MANAGERS, "ManagerArn"];
/// What every plan has.
const PLANNED: [&str; 2] = ["name", "targets"];

/// Whether a text is meant as what the AWS CLI prints. A plan may begin like it: JSON is YAML, and YAML may begin with a brace.
pub(super) fn is_meant(text: &str) -> bool {
    if !text.trim_start().starts_with('{') {
        return false;
    }
    let members = members(text);
    // Where the text is no JSON, its words must do.
    let has = |word: &&str| members.as_ref().map_or_else(|| text.contains(*word), |members| members.contains_key(*word));
    PRINTED.iter().any(has) || !PLANNED.iter().any(has)
}

/// Whether a text is the AWS CLI's output in the wrong format.
pub(super) fn is_printed_as_yaml(text: &str) -> bool {
    let is_member = |line: &str| PRINTED.iter().any(|member| line.strip_prefix(*member).is_some_and(|rest| rest.starts_with(':')));
    text.lines().any(is_member)
}

/// What the AWS CLI prints of one manager, or a snapshot's file of them.
pub(super) fn policies(text: &str, file: &str) -> Result<Vec<Policy>, PolicyError> {
    let malformed = |problem: String| PolicyError::Malformed { file: file.to_owned(), problem };
    let managers = managers(text).map_err(malformed)?;
    let definitions = managers.iter().flat_map(|manager| &manager.configuration_definitions);
    for definition in definitions.filter(|definition| definition.is_patch_policy()) {
        parameters::check(definition).map_err(malformed)?;
    }
    let policies = managers.iter().flat_map(|manager| parameters::policies(manager, None));
    let planned =
        policies.map(|policy| Policy { origin: Origin::Planned { file: file.to_owned() }, deployment: Deployment::default(), ..policy });
    let planned: Vec<Policy> = planned.collect();
    for policy in &planned {
        check(policy).map_err(malformed)?;
    }
    if planned.is_empty() { Err(PolicyError::NoPatchPolicy { file: file.to_owned() }) } else { Ok(planned) }
}

/// The members of a JSON object; `None` where the text is none.
fn members(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

fn managers(text: &str) -> Result<Vec<ConfigurationManager>, String> {
    if members(text).is_some_and(|members| members.contains_key(MANAGERS)) {
        Ok(read::<GetConfigurationManager>(text)?.configuration_managers)
    } else {
        Ok(vec![read(text)?])
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    json::from_str(text).map_err(|Misread { place, problem }| format!("{place}: {problem}; {REMEDY}"))
}

/// What Quick Setup would refuse, or what does not say whom it targets. A schedule that AWS takes and that is not understood here passes.
fn check(policy: &Policy) -> Result<(), String> {
    let told = |is_told: bool, member: &str| must(is_told, || format!("{member} is missing, or not understood"));
    told(!policy.regions.is_empty(), "TargetRegions")?;
    told(!(policy.units.is_empty() && policy.accounts.is_empty()), "TargetOrganizationalUnits or TargetAccounts")?;
    if let Nodes::Unknown { member } = policy.nodes {
        told(false, member)?;
    }
    let instances = if let Nodes::Instances(ids) = &policy.nodes { ids.as_slice() } else { &[] };
    let lists: [(&str, &[String], Check); 3] = [
        ("TargetAccounts", policy.accounts.as_slice(), account_id),
        ("TargetRegions", policy.regions.as_slice(), region_name),
        ("TargetInstances", instances, instance_id),
    ];
    for (member, written, check) in lists {
        for text in written {
            check(text).map_err(|problem| format!("{member}: {problem}"))?;
        }
    }
    for (member, schedule) in [("ConfigurationOptionsScanValue", &policy.scan), ("ConfigurationOptionsInstallValue", &policy.install)] {
        let Some(schedule) = schedule else { continue };
        must(schedule.is_written_as_one(), || {
            format!("{member}: {:?} is no schedule: write cron(0 2 ? * SUN *) or rate(7 days)", schedule.text)
        })?;
    }
    for (member, written, least) in
        [("RateControlConcurrency", &policy.concurrency, 1), ("RateControlErrorThreshold", &policy.error_threshold, 0)]
    {
        written.as_ref().map_or(Ok(()), |written| share(written, least)).map_err(|problem| format!("{member}: {problem}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::policy::parse;

    #[test]
    fn what_the_cli_prints_is_checked_too() {
        let import = |changes: &[(&str, &str)]| {
            let mut parameters = json!({"PatchPolicyName": "test", "TargetOrganizationalUnits": "ou-1", "TargetRegions": "eu-central-1", "TargetType": "*",
                "ConfigurationOptionsPatchOperation": "ScanAndInstall", "IsPolicyAttachAllowed": "true"});
            for (member, value) in changes {
                parameters[*member] = (*value).into();
            }
            let definition = json!({"Type": "AWSQuickSetupType-PatchPolicy", "Parameters": parameters});
            parse(&json!({"Name": "test", "ConfigurationDefinitions": [definition]}).to_string(), "test.json")
        };
        assert_eq!(import(&[]).unwrap()[0].attaches, Some(true));
        // AWS may hold what is not understood here.
        assert!(import(&[("ConfigurationOptionsInstallValue", "cron(0 2 LW * ? *)")]).is_ok());
        let instances = |ids| [("TargetType", "InstanceIds"), ("TargetInstances", ids)];
        assert!(import(&instances("i-1, i-0123456789abcdef0")).is_ok());
        let selected = r#"{"WINDOWS": {"value": "pb-0123456789abcdef0", "label": "ours", "disabled": false}}"#;
        assert!(import(&[("SelectedPatchBaselines", selected), ("TargetAccounts", "111111111111")]).is_ok());
        let cases: [(&[(&str, &str)], &str); 13] = [
            (&[("ConfigurationOptionsInstallValue", "weekly")], "ConfigurationOptionsInstallValue: \"weekly\" is no schedule"),
            (&[("RateControlErrorThreshold", "lots")], "RateControlErrorThreshold: \"lots\" is neither"),
            (&[("RateControlConcurrency", "0")], "RateControlConcurrency: \"0\" is neither"),
            (&[("TargetRegions", "")], "TargetRegions is missing"),
            (&[("TargetOrganizationalUnits", "")], "TargetOrganizationalUnits or TargetAccounts is missing"),
            (&[("TargetType", "ResourceGroups")], "ResourceGroupName is missing"),
            (&[("TargetAccounts", "111111111111, 123")], "TargetAccounts: \"123\" is not an account id: an account id is twelve digits"),
            (&[("TargetRegions", "eu-central-1,Frankfurt")], "TargetRegions: \"Frankfurt\" is no Region: write its code"),
            (&instances("i-1,web-01"), "TargetInstances: \"web-01\" is no instance id: write i- and hexadecimal digits"),
            (&instances("i-XYZ"), "TargetInstances: \"i-XYZ\" is no instance id"),
            (
                &[("ConfigurationOptionsPatchOperation", "Install")],
                "ConfigurationOptionsPatchOperation: \"Install\" is neither Scan nor ScanAndInstall",
            ),
            (&[("SelectedPatchBaselines", "ours")], "SelectedPatchBaselines: what begins with \"ours\" is no JSON of patch baselines"),
            (&[("SelectedPatchBaselines", "{\"WINDOWS\": {}}")], "missing field `value`"),
        ];
        for (changes, told) in cases {
            let error = import(changes).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("test.json"), "{changes:?}: {error}");
        }
    }

    #[test]
    fn json_of_another_shape_says_where_it_is_wrong() {
        let definitions = "ConfigurationDefinitions";
        let cases = [
            (
                json!({definitions: [{"Type": "AWSQuickSetupType-PatchPolicy", "Parameters": {"TargetRegions": 1}}]}).to_string(),
                "ConfigurationDefinitions[0].Parameters.TargetRegions (line 1, column ",
                "invalid type: integer `1`, expected a string",
            ),
            (json!({definitions: "none"}).to_string(), "ConfigurationDefinitions (line 1, column ", "expected a sequence"),
            (
                json!({"ConfigurationManagers": [{}, {definitions: [1]}]}).to_string(),
                "ConfigurationManagers[1].ConfigurationDefinitions[0] (line 1, column ",
                "invalid type: integer `1`",
            ),
            (json!({definitions: []}).to_string() + "\n}", "line 2, column 1", "trailing characters"),
        ];
        for (text, place, problem) in cases {
            let error = parse(&text, "test.json").unwrap_err().to_string();
            let remedy = "; give what `aws ssm-quicksetup get-configuration-manager --output json` prints";
            let is_whole = error.contains("test.json") && error.contains(place) && error.contains(problem) && error.ends_with(remedy);
            assert!(is_whole, "{text}\n{error}");
        }
    }

    #[test]
    fn a_text_is_meant_as_what_its_members_say() {
        let cases = [
            (r#"{"ConfigurationDefinitions": []}"#, true),
            (r#"{"ConfigurationManagers": []}"#, true),
            (r#"{"name": "x", "ConfigurationDefinitions": []}"#, true),
            (r#"{"Description": "name and targets"}"#, true),
            ("{}", true),
            (r#"{"ManagerArn": "name""#, true),
            (r#"{"name": "x"}"#, false),
            ("\n {targets: {}}", false),
            ("name: x", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(super::is_meant(text), expected, "{text}");
        }
        assert!(super::is_printed_as_yaml("CreatedAt: 1\nManagerArn: x\n"));
        assert!(!super::is_printed_as_yaml("name: x\nafter: [ManagerArn]\n# ManagerArn:\n"));
    }
}
