//! Resource groups: the queries of those that somebody targets.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::Desk;
use super::shapes::Shape;
use crate::snapshot::RegionFiles;
use crate::snapshot::resource_groups as file;
use crate::snapshot::ssm::Target;

const QUERY: &str = "resource-groups:GetGroupQuery";
const BY_NAME: &str = "resource-groups:Name";
const ABSENT: &str = "NotFoundException";
/// Of a group that has no query, among other mistakes.
const WITHOUT_QUERY: &str = "BadRequestException";

/// Asks for the groups that the Region's associations and maintenance windows target, and for those of plans.
pub(super) async fn look(desk: &Desk, planned: &[String], files: &mut RegionFiles) {
    let names = named(planned, files);
    if names.is_empty() {
        return;
    }
    let client = desk.resource_groups();
    let mut found = file::GetGroupQuery { group_queries: BTreeMap::new(), absent_groups: Vec::new() };
    for name in names {
        match desk.attempt(QUERY, client.get_group_query().group(&name).send()).await {
            Ok(answer) => {
                found.group_queries.insert(name, file::GroupQueryAnswer { group_query: answer.group_query.shape() });
            }
            Err(refusal) if refusal.has_code(ABSENT) => found.absent_groups.push(name),
            Err(refusal) if refusal.has_code(WITHOUT_QUERY) => {
                found.group_queries.insert(name, file::GroupQueryAnswer::default());
            }
            Err(refusal) => desk.miss(QUERY, refusal),
        }
    }
    files.group_queries = (found != file::GetGroupQuery::default()).then_some(found);
}

fn named(planned: &[String], files: &RegionFiles) -> BTreeSet<String> {
    let of_associations = files.associations.iter().flat_map(|file| &file.associations).map(|association| &association.targets);
    let of_tasks = files.maintenance_window_tasks.iter().flat_map(|file| file.tasks.values().flatten()).map(|task| &task.targets);
    let of_windows = files.maintenance_window_targets.iter().flat_map(|file| file.targets.values().flatten()).map(|target| &target.targets);
    let targets = of_associations.chain(of_tasks).chain(of_windows).flatten();
    let names = targets.filter(|target: &&Target| target.key.as_deref() == Some(BY_NAME)).flat_map(|target| &target.values);
    names.chain(planned).cloned().collect()
}
