//! State Manager associations and maintenance windows: which nodes they concern, and which of them scan for patches.

use super::{Node, resource_group};
use crate::model::known::{Known, Unknown};
use crate::snapshot::ssm::{Association, MaintenanceWindowTask, Target, is_scanner};

const OF_PATCH_POLICIES: &str = "AWS-QuickSetup-PatchPolicy-";
const OF_HOST_MANAGEMENT: &str = "AWS-QuickSetup-SSMHostMgmt-ScanForPatches";
const OF_PATCH_NOW: &str = "AWS-PatchNowAssociation";

/// `AWS-QuickSetup-PatchPolicy-ScanForPatches-LA-dv2gb` is of configuration `dv2gb`.
pub(super) fn configuration_id(name: &str) -> Option<&str> {
    name.strip_prefix(OF_PATCH_POLICIES)?.rsplit('-').next().filter(|id| !id.is_empty())
}

/// Whether all of some targets fit a node.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-state-manager-targets-and-rate-controls.html>
pub(super) fn matches(targets: &[Target], instance: Option<&str>, node: &Node<'_, '_>) -> Known<bool> {
    if targets.is_empty() {
        return Known::Known(instance == Some(node.id));
    }
    let mut doubts = Vec::new();
    for target in targets {
        match one(target, node) {
            Known::Known(true) => {}
            Known::Known(false) => return Known::Known(false),
            Known::Unknown(why) => doubts.extend(why),
        }
    }
    if doubts.is_empty() { Known::Known(true) } else { Known::Unknown(doubts) }
}

fn one(target: &Target, node: &Node<'_, '_>) -> Known<bool> {
    let key = target.key.as_deref().unwrap_or_default();
    let names = |value: &str| target.values.iter().any(|named| named == value);
    if key.eq_ignore_ascii_case("InstanceIds") {
        return Known::Known(names("*") || names(node.id));
    }
    if let Some(tag) = key.strip_prefix("tag:") {
        return Known::Known(node.tags.iter().any(|own| own.key == tag && names(&own.value)));
    }
    if key == "tag-key" {
        return Known::Known(node.tags.iter().any(|own| names(&own.key)));
    }
    if key == "resource-groups:Name" {
        return target.values.iter().fold(Known::Known(false), |sum, group| sum.or(resource_group::is_member(group, node)));
    }
    if key == "resource-groups:ResourceTypeFilters" {
        return Known::Known(target.values.iter().any(|kind| resource_group::concerns_instances(kind)));
    }
    // The targets of automations are no nodes.
    if ["ParameterValues", "aws:NoOpAutomationTag"].contains(&key) {
        return Known::Known(false);
    }
    let values = target.values.join(", ");
    Known::unknown("unsupported_target", values.clone(), format!("look up whether {} is among {key} {values}", node.id))
}

pub(super) fn concerns(association: &Association, node: &Node<'_, '_>) -> Known<bool> {
    matches(&association.targets, association.instance_id.as_deref(), node)
}

/// Whether a task of a maintenance window is for a node, by itself or by the targets that are registered with its window.
fn runs_on(task: &MaintenanceWindowTask, window: &str, node: &Node<'_, '_>) -> Known<bool> {
    let Some(ids) = task.registered_targets() else { return matches(&task.targets, None, node) };
    let Some(registered) = node.region.files.maintenance_window_targets.as_ref().and_then(|file| file.targets.get(window)) else {
        return Known::Unknown(vec![node.region.not_collected("ssm:DescribeMaintenanceWindowTargets")]);
    };
    let mut doubts = Vec::new();
    for target in registered.iter().filter(|target| target.window_target_id.as_ref().is_some_and(|id| ids.contains(id))) {
        match matches(&target.targets, None, node) {
            Known::Known(true) => return Known::Known(true),
            Known::Known(false) => {}
            Known::Unknown(why) => doubts.extend(why),
        }
    }
    if doubts.is_empty() { Known::Known(false) } else { Known::Unknown(doubts) }
}

/// What else writes the patch compliance of a node beside its patch policy, for people.
#[derive(Debug, Default)]
pub(super) struct Scanners {
    pub(super) certain: Vec<String>,
    pub(super) doubts: Vec<Unknown>,
}

impl Scanners {
    fn add(&mut self, label: impl FnOnce() -> String, concerns: Known<bool>) {
        match concerns {
            Known::Known(true) => self.certain.push(label()),
            Known::Known(false) => {}
            Known::Unknown(why) => self.doubts.extend(why),
        }
    }

    pub(super) fn of(node: &Node<'_, '_>) -> Self {
        let mut scanners = Self::default();
        scanners.associations(node);
        scanners.windows(node);
        scanners
    }

    fn associations(&mut self, node: &Node<'_, '_>) {
        let Some(file) = &node.region.files.associations else {
            self.doubts.push(node.region.not_collected("ssm:ListAssociations"));
            return;
        };
        for association in &file.associations {
            let name = association.association_name.as_deref().unwrap_or_default();
            if !is_scanner(association.name.as_deref()) || name.starts_with(OF_PATCH_POLICIES) {
                continue;
            }
            let label = || {
                let id = association.association_id.as_deref().unwrap_or_default();
                let shown = if name.is_empty() { id } else { name };
                match name {
                    _ if name.starts_with(OF_HOST_MANAGEMENT) => format!("the daily scan of Host Management ({shown})"),
                    _ if name.starts_with(OF_PATCH_NOW) => format!("\"Patch now\" ({shown})"),
                    _ => format!("association {shown}"),
                }
            };
            self.add(label, concerns(association, node));
        }
    }

    fn windows(&mut self, node: &Node<'_, '_>) {
        let files = node.region.files;
        let (Some(windows), Some(tasks)) = (&files.maintenance_windows, &files.maintenance_window_tasks) else {
            self.doubts.push(node.region.not_collected("ssm:DescribeMaintenanceWindowTasks"));
            return;
        };
        for window in windows.window_identities.iter().filter(|window| window.enabled != Some(false)) {
            let id = window.window_id.as_deref().unwrap_or_default();
            let Some(tasks) = tasks.tasks.get(id) else {
                self.doubts.push(node.region.not_collected("ssm:DescribeMaintenanceWindowTasks"));
                continue;
            };
            for task in tasks.iter().filter(|task| task.is_scanner()) {
                let name = window.name.as_deref().unwrap_or_default();
                self.add(|| format!("maintenance window {id} ({name})"), runs_on(task, id, node));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Node, Scanners};
    use crate::model::Region;
    use crate::snapshot::RegionFiles;
    use crate::snapshot::ec2::Tag;

    fn file<T: serde::de::DeserializeOwned>(content: Value) -> T {
        serde_json::from_value(content).unwrap()
    }

    /// Whether something else scans a node with the tag `Role=web` in a Region with one maintenance window: its task, and what is registered with it.
    fn is_scanned(task: &Value, registered: Option<&Value>) -> Option<bool> {
        let files = RegionFiles {
            associations: Some(file(json!({"Associations": []}))),
            maintenance_windows: Some(file(json!({"WindowIdentities": [{"WindowId": "mw-1", "Name": "weekly", "Enabled": true}]}))),
            maintenance_window_tasks: Some(file(json!({"Tasks": {"mw-1": [task]}}))),
            maintenance_window_targets: registered.map(|targets| file(json!({"Targets": targets}))),
            ..RegionFiles::default()
        };
        let region = Region::new("111111111111", "eu-central-1", &files, &[]);
        let tags = [Tag { key: "Role".to_owned(), value: "web".to_owned() }];
        let node = Node { region: &region, id: "i-1", tags: &tags, operating_system: None, ou_path: "/" };
        let scanners = Scanners::of(&node);
        match (scanners.certain.is_empty(), scanners.doubts.is_empty()) {
            (false, _) => Some(true),
            (true, true) => Some(false),
            (true, false) => None,
        }
    }

    #[test]
    fn a_window_scans_the_targets_that_are_registered_with_it() {
        let task = |document: &str, ids: &[&str]| json!({"TaskArn": document, "Targets": [{"Key": "WindowTargetIds", "Values": ids}]});
        let patches = |ids: &[&str]| task("AWS-RunPatchBaseline", ids);
        let target = |id: &str, key: &str, value: &str| json!({"WindowId": "mw-1", "WindowTargetId": id, "ResourceType": "INSTANCE", "Targets": [{"Key": key, "Values": [value]}]});
        let both =
            json!({"WindowTargetId": "t-1", "Targets": [{"Key": "tag:Role", "Values": ["web"]}, {"Key": "tag:Stage", "Values": ["test"]}]});
        let group = target("t-1", "resource-groups:Name", "web");
        let of = |targets: Value| Some(json!({"mw-1": targets}));
        let (web, db, it) = (target("t-1", "tag:Role", "web"), target("t-2", "tag:Role", "db"), target("t-3", "InstanceIds", "i-1"));
        let cases = [
            (patches(&["t-1"]), of(json!([web, db])), Some(true)),
            (patches(&["t-2"]), of(json!([web, db])), Some(false)),
            (patches(&["t-2", "t-3"]), of(json!([web, db, it])), Some(true)),
            (patches(&["t-gone"]), of(json!([web])), Some(false)),
            (patches(&["t-1"]), of(json!([both])), Some(false)),
            (patches(&["t-1"]), of(json!([group])), None),
            (patches(&["t-1", "t-3"]), of(json!([group, it])), Some(true)),
            (patches(&["t-1", "t-2"]), of(json!([group, db])), None),
            (patches(&["t-1"]), Some(json!({})), None),
            (patches(&["t-1"]), None, None),
            (task("AWS-RunShellScript", &["t-1"]), None, Some(false)),
            (json!({"TaskArn": "AWS-RunPatchBaseline", "Targets": [{"Key": "InstanceIds", "Values": ["i-1"]}]}), None, Some(true)),
        ];
        for (task, registered, expected) in cases {
            assert_eq!(is_scanned(&task, registered.as_ref()), expected, "{task} with {registered:?}");
        }
    }
}
