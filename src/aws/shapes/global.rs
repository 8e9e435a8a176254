//! The types of Organizations, IAM and Quick Setup.

use aws_sdk_iam::types as iam;
use aws_sdk_organizations::types as organizations;
use aws_sdk_ssmquicksetup::types as quick_setup;

use super::{Shape, shapes};
use crate::snapshot::{ec2, global};

shapes! { organizations, global;
    Organization => OrganizationDetail { id, arn, feature_set, master_account_id, master_account_arn };
    Account => Account { id, arn, name, status, state, paths, joined_method };
}

shapes! { quick_setup, global;
    ConfigurationDefinition => ConfigurationDefinition { type_version, id, parameters } present { r#type };
    StatusSummary => StatusSummary { status, status_message } present { status_type } present_times { last_updated_at };
}

shapes! { iam, global;
    InstanceProfile => InstanceProfile { roles } present { path, instance_profile_name, instance_profile_id, arn };
    Role => InstanceProfileRole {} present { path, role_name, role_id, arn };
    AttachedPolicy => AttachedPolicy { policy_name, policy_arn };
    AttachedPermissionsBoundary => AttachedPermissionsBoundary { permissions_boundary_type, permissions_boundary_arn };
}

impl Shape<ec2::Tag> for iam::Tag {
    fn shape(self) -> ec2::Tag {
        ec2::Tag { key: self.key, value: self.value }
    }
}

/// A list tells of a policy everything but its document.
impl Shape<global::OrganizationPolicy> for organizations::PolicySummary {
    fn shape(self) -> global::OrganizationPolicy {
        let Self { id, arn, name, r#type, aws_managed, .. } = self;
        global::OrganizationPolicy { id, arn, name, r#type: r#type.shape(), aws_managed: Some(aws_managed), content: None }
    }
}
