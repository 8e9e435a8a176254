//! The types of Resource Groups.

use aws_sdk_resourcegroups::types as sdk;

use super::shapes;
use crate::snapshot::resource_groups;

shapes! { sdk, resource_groups;
    GroupQuery => GroupQuery { resource_query } present { group_name };
    ResourceQuery => ResourceQuery {} present { r#type, query };
}
