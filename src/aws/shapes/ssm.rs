//! Systems Manager's types.

use aws_sdk_ssm::types as sdk;

use super::shapes;
use crate::snapshot::ssm;

shapes! { sdk, ssm;
    InstanceInformation => InstanceInformation { instance_id, ping_status, agent_version, is_latest_version, platform_type,
        platform_name, platform_version, activation_id, iam_role, resource_type, name, ip_address, computer_name, association_status,
        source_id, source_type } times { last_ping_date_time, registration_date };
    InstancePatchState => InstancePatchState { snapshot_id } present { instance_id, patch_group, baseline_id, operation,
        installed_count, missing_count, failed_count } present_times { operation_start_time, operation_end_time };
    InventoryResultEntity => InventoryEntity { id, data };
    InventoryResultItem => InventoryData { capture_time, content } present { type_name, schema_version };
    Association => Association { name, association_id, association_version, association_name, instance_id, document_version,
        targets, schedule_expression } times { last_execution_date };
    Target => Target { key, values };
    ServiceSetting => ServiceSetting { setting_id, setting_value, arn, status } times { last_modified_date };
    PatchBaselineIdentity => PatchBaselineIdentity { baseline_id, baseline_name, operating_system, baseline_description } present {
        default_baseline };
    PatchGroupPatchBaselineMapping => PatchGroupMapping { patch_group, baseline_identity };
    MaintenanceWindowIdentity => MaintenanceWindowIdentity { window_id, name, schedule, schedule_timezone, next_execution_time }
        present { enabled };
    MaintenanceWindowTask => MaintenanceWindowTask { window_id, window_task_id, task_arn, r#type, name, targets };
}
