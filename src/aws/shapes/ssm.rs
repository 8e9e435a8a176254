//! Systems Manager's types.

use aws_sdk_ssm::operation::get_patch_baseline as baseline;
use aws_sdk_ssm::types as sdk;

use super::shapes;
use crate::snapshot::ssm;

shapes! { baseline, ssm;
    GetPatchBaselineOutput => PatchBaseline { baseline_id, name, operating_system, global_filters, approval_rules, approved_patches,
        approved_patches_compliance_level, approved_patches_enable_non_security, rejected_patches, rejected_patches_action, patch_groups,
        description, sources } times { created_date, modified_date };
}

shapes! { sdk, ssm;
    InstanceInformation => InstanceInformation { instance_id, ping_status, agent_version, is_latest_version, platform_type,
        platform_name, platform_version, activation_id, iam_role, resource_type, name, ip_address, computer_name, association_status,
        source_id, source_type } times { last_ping_date_time, registration_date };
    InstancePatchState => InstancePatchState { snapshot_id } present { instance_id, patch_group, baseline_id, operation,
        installed_count, missing_count, failed_count } present_times { operation_start_time, operation_end_time };
    Association => Association { name, association_id, association_version, association_name, instance_id, document_version,
        targets, schedule_expression } times { last_execution_date };
    Target => Target { key, values };
    ServiceSetting => ServiceSetting { setting_id, setting_value, arn, status } times { last_modified_date };
    PatchBaselineIdentity => PatchBaselineIdentity { baseline_id, baseline_name, operating_system, baseline_description } present {
        default_baseline };
    PatchRuleGroup => PatchRuleGroup { patch_rules };
    PatchRule => PatchRule { patch_filter_group, compliance_level, approve_after_days, approve_until_date, enable_non_security };
    PatchFilterGroup => PatchFilterGroup { patch_filters };
    PatchFilter => PatchFilter { values } present { key };
    PatchSource => PatchSource { products } present { name };
    PatchGroupPatchBaselineMapping => PatchGroupMapping { patch_group, baseline_identity };
    MaintenanceWindowIdentity => MaintenanceWindowIdentity { window_id, name, schedule, schedule_timezone, next_execution_time }
        present { enabled };
    MaintenanceWindowTarget => MaintenanceWindowTarget { window_id, window_target_id, resource_type, targets, name };
    MaintenanceWindowTask => MaintenanceWindowTask { window_id, window_task_id, task_arn, r#type, name, targets };
}

/// A row of the inventory's list of packages.
impl super::Shape<ssm::InstalledPackage> for std::collections::HashMap<String, String> {
    fn shape(mut self) -> ssm::InstalledPackage {
        ssm::InstalledPackage { name: self.remove("Name"), version: self.remove("Version") }
    }
}
