//! AWS Resource Groups' answers as the AWS CLI prints them.

use std::collections::BTreeMap;

use super::shape::{output, shape};

output! {
    /// `aws resource-groups get-group-query`, by the name of the group; of those that a plan, an association or a maintenance window names
    pub struct GetGroupQuery {
        group_queries: BTreeMap<String, GroupQueryAnswer>,
        /// The names among them of which there is no group.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        absent_groups: Vec<String>,
    }
}

shape! {
    pub struct GroupQueryAnswer { group_query: Option<GroupQuery> }
    /// A group without a query holds what somebody put into it by hand.
    pub struct GroupQuery { group_name: Option<String>, resource_query: Option<ResourceQuery> }
    pub struct ResourceQuery {
        r#type: Option<String>,
        /// A JSON document as text.
        query: Option<String>,
    }
}
