//! A patch policy as `aws ssm-quicksetup get-configuration-manager` prints it, taken for a plan.

use super::file::{must, share};
use super::{Deployment, Nodes, Origin, Policy, PolicyError, parameters};
use crate::snapshot::global::{ConfigurationManager, GetConfigurationManager};

/// What the AWS CLI prints of one manager, or a snapshot's file of them.
pub(super) fn policies(text: &str, file: &str) -> Result<Vec<Policy>, PolicyError> {
    let malformed = |error: serde_json::Error| PolicyError::Malformed { file: file.to_owned(), problem: error.to_string() };
    let value: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
    let managers: Vec<ConfigurationManager> = if value.get("ConfigurationManagers").is_some() {
        serde_json::from_value::<GetConfigurationManager>(value).map_err(malformed)?.configuration_managers
    } else {
        vec![serde_json::from_value(value).map_err(malformed)?]
    };
    let policies = managers.iter().flat_map(|manager| parameters::policies(manager, None));
    let planned =
        policies.map(|policy| Policy { origin: Origin::Planned { file: file.to_owned() }, deployment: Deployment::default(), ..policy });
    let planned: Vec<Policy> = planned.collect();
    for policy in &planned {
        check(policy).map_err(|problem| PolicyError::Malformed { file: file.to_owned(), problem })?;
    }
    if planned.is_empty() { Err(PolicyError::NoPatchPolicy { file: file.to_owned() }) } else { Ok(planned) }
}

/// What Quick Setup would refuse, or what does not say whom it targets. A schedule that AWS takes and that is not understood here passes.
fn check(policy: &Policy) -> Result<(), String> {
    let told = |is_told: bool, member: &str| must(is_told, || format!("{member} is missing, or not understood"));
    told(!policy.regions.is_empty(), "TargetRegions")?;
    told(!(policy.units.is_empty() && policy.accounts.is_empty()), "TargetOrganizationalUnits or TargetAccounts")?;
    if let Nodes::Unknown { member } = policy.nodes {
        told(false, member)?;
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
        let cases: [(&[(&str, &str)], &str); 6] = [
            (&[("ConfigurationOptionsInstallValue", "weekly")], "ConfigurationOptionsInstallValue: \"weekly\" is no schedule"),
            (&[("RateControlErrorThreshold", "lots")], "RateControlErrorThreshold: \"lots\" is neither"),
            (&[("RateControlConcurrency", "0")], "RateControlConcurrency: \"0\" is neither"),
            (&[("TargetRegions", "")], "TargetRegions is missing"),
            (&[("TargetOrganizationalUnits", "")], "TargetOrganizationalUnits or TargetAccounts is missing"),
            (&[("TargetType", "ResourceGroups")], "ResourceGroupName is missing"),
        ];
        for (changes, told) in cases {
            let error = import(changes).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("test.json"), "{changes:?}: {error}");
        }
    }
}
