//! Systems Manager's answers as the AWS CLI prints them.

use std::collections::BTreeMap;

use super::shape::{output, shape};

output! {
    /// `aws ssm describe-instance-information`
    pub struct DescribeInstanceInformation { instance_information_list: Vec<InstanceInformation> }
    /// `aws ssm describe-instance-patch-states`
    pub struct DescribeInstancePatchStates { instance_patch_states: Vec<InstancePatchState> }
    /// `aws ssm get-connection-status`, by node; only where it was asked for, and of nodes that are online
    pub struct GetConnectionStatus { connection_statuses: BTreeMap<String, ConnectionStatus> }
    /// `aws ssm list-inventory-entries --type-name AWS:Application`, by node; only where it was asked for, and of the EC2 instances that run Linux
    pub struct ListInventoryEntries { entries: BTreeMap<String, Vec<InstalledPackage>> }
    /// `aws ssm list-associations`
    pub struct ListAssociations { associations: Vec<Association> }
    /// `aws ssm get-service-setting` of the Default Host Management Configuration
    pub struct GetServiceSetting { service_setting: ServiceSetting }
    /// `aws ssm describe-patch-baselines`
    pub struct DescribePatchBaselines { baseline_identities: Vec<PatchBaselineIdentity> }
    /// `aws ssm get-patch-baseline`, by baseline; of the account's own, AWS's say the same everywhere
    pub struct GetPatchBaseline { patch_baselines: BTreeMap<String, PatchBaseline> }
    /// `aws ssm describe-patch-groups`
    pub struct DescribePatchGroups { mappings: Vec<PatchGroupMapping> }
    /// `aws ssm get-default-patch-baseline`, by operating system
    pub struct GetDefaultPatchBaseline { default_patch_baselines: BTreeMap<String, String> }
    /// `aws ssm describe-maintenance-windows`
    pub struct DescribeMaintenanceWindows { window_identities: Vec<MaintenanceWindowIdentity> }
    /// `aws ssm describe-maintenance-window-tasks`, by window
    pub struct DescribeMaintenanceWindowTasks { tasks: BTreeMap<String, Vec<MaintenanceWindowTask>> }
    /// `aws ssm describe-maintenance-window-targets`, by window; of those where a task that scans for patches is for registered targets
    pub struct DescribeMaintenanceWindowTargets { targets: BTreeMap<String, Vec<MaintenanceWindowTarget>> }
}

shape! {
    pub struct InstanceInformation {
        instance_id: Option<String>,
        ping_status: Option<String>,
        #[serde(deserialize_with = "crate::snapshot::shape::time")] last_ping_date_time: Option<String>,
        agent_version: Option<String>,
        is_latest_version: Option<bool>,
        platform_type: Option<String>,
        platform_name: Option<String>,
        platform_version: Option<String>,
        activation_id: Option<String>,
        iam_role: Option<String>,
        #[serde(deserialize_with = "crate::snapshot::shape::time")] registration_date: Option<String>,
        resource_type: Option<String>,
        name: Option<String>,
        #[serde(rename = "IPAddress")]
        ip_address: Option<String>,
        computer_name: Option<String>,
        association_status: Option<String>,
        source_id: Option<String>,
        source_type: Option<String>,
    }
    pub struct InstancePatchState {
        instance_id: Option<String>,
        patch_group: Option<String>,
        baseline_id: Option<String>,
        snapshot_id: Option<String>,
        operation: Option<String>,
        #[serde(deserialize_with = "crate::snapshot::shape::time")] operation_start_time: Option<String>,
        #[serde(deserialize_with = "crate::snapshot::shape::time")] operation_end_time: Option<String>,
        installed_count: Option<i32>,
        missing_count: Option<i32>,
        failed_count: Option<i32>,
    }
    /// Whether a node's channel for messages (`ssmmessages`) is open: `connected` or `notconnected`.
    pub struct ConnectionStatus { target: Option<String>, status: Option<String> }
    /// A package as State Manager gathered it; the rest of what it tells of one decides nothing.
    pub struct InstalledPackage { name: Option<String>, version: Option<String> }
    pub struct Association {
        name: Option<String>,
        association_id: Option<String>,
        association_version: Option<String>,
        association_name: Option<String>,
        instance_id: Option<String>,
        document_version: Option<String>,
        targets: Vec<Target>,
        schedule_expression: Option<String>,
        #[serde(deserialize_with = "crate::snapshot::shape::time")] last_execution_date: Option<String>,
    }
    pub struct Target { key: Option<String>, values: Vec<String> }
    pub struct ServiceSetting {
        setting_id: Option<String>,
        setting_value: Option<String>,
        #[serde(deserialize_with = "crate::snapshot::shape::time")] last_modified_date: Option<String>,
        #[serde(rename = "ARN")]
        arn: Option<String>,
        status: Option<String>,
    }
    pub struct PatchBaselineIdentity {
        baseline_id: Option<String>,
        baseline_name: Option<String>,
        operating_system: Option<String>,
        baseline_description: Option<String>,
        default_baseline: Option<bool>,
    }
    pub struct PatchBaseline {
        baseline_id: Option<String>,
        name: Option<String>,
        operating_system: Option<String>,
        global_filters: Option<PatchFilterGroup>,
        approval_rules: Option<PatchRuleGroup>,
        approved_patches: Vec<String>,
        approved_patches_compliance_level: Option<String>,
        approved_patches_enable_non_security: Option<bool>,
        rejected_patches: Vec<String>,
        rejected_patches_action: Option<String>,
        patch_groups: Vec<String>,
        #[serde(deserialize_with = "crate::snapshot::shape::time")] created_date: Option<String>,
        #[serde(deserialize_with = "crate::snapshot::shape::time")] modified_date: Option<String>,
        description: Option<String>,
        sources: Vec<PatchSource>,
    }
    pub struct PatchRuleGroup { patch_rules: Vec<PatchRule> }
    pub struct PatchRule {
        patch_filter_group: Option<PatchFilterGroup>,
        compliance_level: Option<String>,
        approve_after_days: Option<i32>,
        approve_until_date: Option<String>,
        enable_non_security: Option<bool>,
    }
    pub struct PatchFilterGroup { patch_filters: Vec<PatchFilter> }
    pub struct PatchFilter { key: Option<String>, values: Vec<String> }
    /// A repository that takes the place of the system's own. Never with its `Configuration`, which may hold the repository's password.
    pub struct PatchSource { name: Option<String>, products: Vec<String> }
    pub struct PatchGroupMapping { patch_group: Option<String>, baseline_identity: Option<PatchBaselineIdentity> }
    pub struct MaintenanceWindowIdentity {
        window_id: Option<String>,
        name: Option<String>,
        enabled: Option<bool>,
        schedule: Option<String>,
        schedule_timezone: Option<String>,
        next_execution_time: Option<String>,
    }
    pub struct MaintenanceWindowTask {
        window_id: Option<String>,
        window_task_id: Option<String>,
        task_arn: Option<String>,
        r#type: Option<String>,
        name: Option<String>,
        targets: Vec<Target>,
    }
    pub struct MaintenanceWindowTarget {
        window_id: Option<String>,
        window_target_id: Option<String>,
        resource_type: Option<String>,
        targets: Vec<Target>,
        name: Option<String>,
    }
}

/// The documents that scan or patch, and so write a node's patch compliance.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-compliance-data-overwrites.html>
const SCANNERS: [&str; 4] =
    ["AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation", "AWS-RunPatchBaselineWithHooks", "AWS-ApplyPatchBaseline"];

/// Whether a document, by its name or ARN, scans for patches.
pub fn is_scanner(document: Option<&str>) -> bool {
    let name = document.and_then(|document| document.rsplit('/').next()).unwrap_or_default();
    SCANNERS.contains(&name)
}

impl MaintenanceWindowTask {
    pub fn is_scanner(&self) -> bool {
        is_scanner(self.task_arn.as_deref())
    }

    /// The ids of the targets, registered with its window, that it is for; `None` for a task that names its nodes itself.
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterTaskWithMaintenanceWindow.html>
    pub fn registered_targets(&self) -> Option<&[String]> {
        let target = self.targets.iter().find(|target| target.key.as_deref() == Some("WindowTargetIds"))?;
        Some(&target.values)
    }
}
