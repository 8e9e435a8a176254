//! Answers that hold for an account or the organization rather than a Region: IAM, Organizations, Quick Setup.

use std::collections::BTreeMap;

use super::ec2::Tag;
use super::shape::{output, shape};

output! {
    /// `aws iam get-account-authorization-details`, cut down to the roles that an instance profile in use or DHMC names
    pub struct GetAccountAuthorizationDetails {
        #[serde(default)]
        role_detail_list: Vec<RoleDetail>,
        #[serde(default)]
        policies: Vec<ManagedPolicyDetail>,
        /// The ARNs of the instance profiles in use that do not exist, or hold no role that exists. The AWS CLI lists profiles beside their
        /// roles only, and a profile that is not there may not have been asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        empty_instance_profiles: Vec<String>,
        /// The names of the roles in use that do not exist.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        absent_roles: Vec<String>,
    }
    /// `aws ssm-quicksetup get-configuration-manager`, one element a manager
    pub struct GetConfigurationManager { configuration_managers: Vec<ConfigurationManager> }
    /// `aws s3api get-bucket-policy`, by the name of the bucket: of those of patch policies
    pub struct GetBucketPolicy { bucket_policies: BTreeMap<String, BucketPolicy> }
    /// `aws organizations describe-organization`
    pub struct DescribeOrganization { organization: OrganizationDetail }
    /// `aws organizations list-accounts`
    pub struct ListAccounts { accounts: Vec<Account> }
    /// The tree of organizational units, put together from `list-roots`, `list-organizational-units-for-parent` and `list-accounts-for-parent`
    pub struct OrganizationalUnits {
        organizational_units: Vec<OrganizationalUnit>,
        /// From the id of an account or unit to the id of its parent (a unit or the root).
        parents: BTreeMap<String, String>,
    }
    /// The service control policies and resource control policies, put together from `list-policies`, `describe-policy` and
    /// `list-targets-for-policy`
    pub struct OrganizationPolicies {
        policies: Vec<OrganizationPolicy>,
        /// From the id of a policy to the ids of the root, the units and the accounts that it is attached to.
        targets: BTreeMap<String, Vec<String>>,
    }
}

shape! {
    pub struct RoleDetail {
        path: Option<String>,
        role_name: Option<String>,
        role_id: Option<String>,
        arn: Option<String>,
        /// The trust policy as a JSON document; the AWS CLI prints it decoded.
        assume_role_policy_document: Option<serde_json::Value>,
        instance_profile_list: Vec<InstanceProfile>,
        role_policy_list: Vec<PolicyDetail>,
        attached_managed_policies: Vec<AttachedPolicy>,
        permissions_boundary: Option<AttachedPermissionsBoundary>,
        tags: Vec<Tag>,
    }
    pub struct InstanceProfile { path: Option<String>, instance_profile_name: Option<String>, instance_profile_id: Option<String>, arn: Option<String>, roles: Vec<InstanceProfileRole> }
    pub struct InstanceProfileRole { path: Option<String>, role_name: Option<String>, role_id: Option<String>, arn: Option<String> }
    pub struct PolicyDetail { policy_name: Option<String>, policy_document: Option<serde_json::Value> }
    pub struct AttachedPolicy { policy_name: Option<String>, policy_arn: Option<String> }
    pub struct AttachedPermissionsBoundary { permissions_boundary_type: Option<String>, permissions_boundary_arn: Option<String> }
    pub struct ManagedPolicyDetail {
        policy_name: Option<String>,
        policy_id: Option<String>,
        arn: Option<String>,
        path: Option<String>,
        default_version_id: Option<String>,
        policy_version_list: Vec<PolicyVersion>,
    }
    pub struct PolicyVersion { document: Option<serde_json::Value>, version_id: Option<String>, is_default_version: Option<bool> }

    pub struct ConfigurationManager {
        manager_arn: Option<String>,
        name: Option<String>,
        description: Option<String>,
        configuration_definitions: Vec<ConfigurationDefinition>,
        status_summaries: Vec<StatusSummary>,
        tags: BTreeMap<String, String>,
    }
    pub struct ConfigurationDefinition {
        r#type: Option<String>,
        type_version: Option<String>,
        id: Option<String>,
        parameters: BTreeMap<String, String>,
    }
    pub struct BucketPolicy {
        /// The document, as text; absent where the bucket has none.
        policy: Option<String>,
    }
    pub struct StatusSummary { status: Option<String>, status_type: Option<String>, status_message: Option<String>, #[serde(deserialize_with = "crate::snapshot::shape::time")] last_updated_at: Option<String> }

    pub struct OrganizationDetail {
        id: Option<String>,
        arn: Option<String>,
        feature_set: Option<String>,
        master_account_id: Option<String>,
        master_account_arn: Option<String>,
    }
    pub struct Account {
        id: Option<String>,
        arn: Option<String>,
        name: Option<String>,
        /// Retired on 2026-09-09 in favour of `State`, and so perhaps absent.
        status: Option<String>,
        state: Option<String>,
        /// `o-…/r-…/ou-…/<account id>/`, since 2026.
        paths: Vec<String>,
        joined_method: Option<String>,
    }
    pub struct OrganizationPolicy {
        id: Option<String>,
        arn: Option<String>,
        name: Option<String>,
        /// `SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`
        r#type: Option<String>,
        aws_managed: Option<bool>,
        /// The document, as text.
        content: Option<String>,
    }
    pub struct OrganizationalUnit { id: Option<String>, name: Option<String>, parent_id: Option<String> }
}

impl Account {
    /// Its state, in AWS's words: `State`, or what preceded it.
    pub fn standing(&self) -> Option<&str> {
        self.state.as_deref().or(self.status.as_deref())
    }
}

const PATCH_POLICY: &str = "AWSQuickSetupType-PatchPolicy";

impl ConfigurationDefinition {
    pub fn is_patch_policy(&self) -> bool {
        self.r#type.as_deref() == Some(PATCH_POLICY)
    }
}

impl ConfigurationManager {
    /// The Region in which it was made, which its ARN names.
    pub fn region(&self) -> Option<&str> {
        self.of_arn(3)
    }

    /// The account in which it was made.
    pub fn account(&self) -> Option<&str> {
        self.of_arn(4)
    }

    fn of_arn(&self, part: usize) -> Option<&str> {
        self.manager_arn.as_deref()?.split(':').nth(part).filter(|part| !part.is_empty())
    }
}

/// The bucket of the patch policy with an id, in the account that made it.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-patch-manager.html>
pub fn patch_policy_bucket(account: &str, id: &str) -> String {
    format!("aws-quicksetup-patchpolicy-{account}-{id}")
}
