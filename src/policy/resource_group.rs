//! Whether a node is a member of a resource group, by the group's query.
//!
//! Source: <https://docs.aws.amazon.com/ARG/latest/APIReference/API_ResourceQuery.html>.

use serde::Deserialize;

use super::Node;
use crate::model::known::{Known, Unknown};
use crate::snapshot::resource_groups::GroupQueryAnswer;

const QUERY: &str = "resource-groups:GetGroupQuery";
const BY_TAGS: &str = "TAG_FILTERS_1_0";
const INSTANCE: &str = "AWS::EC2::Instance";
const EVERY_TYPE: &str = "AWS::AllSupported";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagQuery {
    resource_type_filters: Vec<String>,
    tag_filters: Vec<TagFilter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagFilter {
    key: String,
    /// Any of these; without one, any value at all.
    #[serde(default)]
    values: Vec<String>,
}

impl TagQuery {
    fn holds(&self, node: &Node<'_, '_>) -> bool {
        let is_of_type = self.resource_type_filters.iter().any(|kind| concerns_instances(kind));
        let has = |filter: &TagFilter| {
            let mut own = node.tags.iter().filter(|tag| tag.key == filter.key);
            own.any(|tag| filter.values.is_empty() || filter.values.contains(&tag.value))
        };
        is_of_type && self.tag_filters.iter().all(has)
    }
}

/// Whether a filter by the type of resources lets instances through.
pub(super) fn concerns_instances(kind: &str) -> bool {
    kind == INSTANCE || kind == EVERY_TYPE
}

/// Whether AWS has no group of the name in the node's account and Region.
pub(super) fn is_absent(group: &str, node: &Node<'_, '_>) -> bool {
    node.region.files.group_queries.as_ref().is_some_and(|file| file.absent_groups.iter().any(|absent| absent == group))
}

pub(super) fn is_member(group: &str, node: &Node<'_, '_>) -> Known<bool> {
    let Some(file) = &node.region.files.group_queries else {
        return Known::Unknown(vec![node.region.not_collected(QUERY)]);
    };
    if is_absent(group, node) {
        return Known::Known(false);
    }
    let Some(answer) = file.group_queries.get(group) else {
        return Known::Unknown(vec![node.region.not_collected(QUERY)]);
    };
    match of_tags(answer) {
        Some(query) => Known::Known(query.holds(node)),
        None => Known::Unknown(vec![Unknown::new(
            "resource_group",
            group,
            format!("look up whether {} is a member of resource group {group}: its query is not one by tags", node.id),
        )]),
    }
}

fn of_tags(answer: &GroupQueryAnswer) -> Option<TagQuery> {
    let query = answer.group_query.as_ref()?.resource_query.as_ref().filter(|query| query.r#type.as_deref() == Some(BY_TAGS))?;
    let query: TagQuery = serde_json::from_str(query.query.as_deref()?).ok()?;
    // AWS asks for one filter at least.
    (!query.tag_filters.is_empty()).then_some(query)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::is_member;
    use crate::model::Region;
    use crate::policy::Node;
    use crate::snapshot::RegionFiles;
    use crate::snapshot::ec2::Tag;

    /// Of a node with the tags `Stage=test` and `Team=` and of the group `web`.
    fn member(file: Option<Value>) -> Option<bool> {
        let files = RegionFiles { group_queries: file.map(|content| serde_json::from_value(content).unwrap()), ..RegionFiles::default() };
        let region = Region::new("111111111111", "eu-central-1", &files, &[]);
        let tags = [("Stage", "test"), ("Team", "")].map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() });
        is_member("web", &Node { region: &region, id: "i-1", tags: &tags, operating_system: None, ou_path: "/" }).known().copied()
    }

    fn group(kind: &str, query: &str) -> Value {
        json!({"GroupQueries": {"web": {"GroupQuery": {"GroupName": "web", "ResourceQuery": {"Type": kind, "Query": query}}}}})
    }

    #[test]
    fn a_query_by_tags_says_who_is_in_the_group() {
        let by_tags = |types: Value, tags: Value| {
            Some(group("TAG_FILTERS_1_0", &json!({"ResourceTypeFilters": types, "TagFilters": tags}).to_string()))
        };
        let instances = |tags: Value| by_tags(json!(["AWS::EC2::Instance"]), tags);
        let test = json!({"Key": "Stage", "Values": ["test"]});
        let rows = [
            ("the tag", instances(json!([test])), Some(true)),
            ("one of two values", instances(json!([{"Key": "Stage", "Values": ["beta", "test"]}])), Some(true)),
            ("another value", instances(json!([{"Key": "Stage", "Values": ["prod"]}])), Some(false)),
            ("values in other letters", instances(json!([{"Key": "Stage", "Values": ["Test"]}])), Some(false)),
            ("any value", instances(json!([{"Key": "Stage"}])), Some(true)),
            ("any value of a tag that is not there", instances(json!([{"Key": "Storage"}])), Some(false)),
            ("an empty value", instances(json!([{"Key": "Team", "Values": [""]}])), Some(true)),
            ("both of two tags", instances(json!([test, {"Key": "Team", "Values": []}])), Some(true)),
            ("one of two tags", instances(json!([test, {"Key": "Storage"}])), Some(false)),
            ("every type", by_tags(json!(["AWS::AllSupported"]), json!([test])), Some(true)),
            ("another type", by_tags(json!(["AWS::S3::Bucket"]), json!([test])), Some(false)),
            ("another type among others", by_tags(json!(["AWS::S3::Bucket", "AWS::EC2::Instance"]), json!([test])), Some(true)),
            ("no tag at all", instances(json!([])), None),
            ("a filter that is written otherwise", instances(json!([{"Stage": ["test"]}])), None),
            ("no JSON", Some(group("TAG_FILTERS_1_0", "Stage=test")), None),
            (
                "a stack",
                Some(group(
                    "CLOUDFORMATION_STACK_1_0",
                    r#"{"ResourceTypeFilters":["AWS::AllSupported"],"StackIdentifier":"arn:aws:cloudformation:eu-central-1:111111111111:stack/web/1"}"#,
                )),
                None,
            ),
            ("no query", Some(json!({"GroupQueries": {"web": {"GroupQuery": {"GroupName": "web"}}}})), None),
            ("another group was asked for", Some(json!({"GroupQueries": {}})), None),
            ("there is no such group", Some(json!({"GroupQueries": {}, "AbsentGroups": ["web"]})), Some(false)),
            ("nobody asked", None, None),
        ];
        for (name, file, expected) in rows {
            assert_eq!(member(file), expected, "{name}");
        }
    }
}
