//! State Manager associations and maintenance windows: which nodes they concern, and which of them scan for patches.

use super::Node;
use crate::model::known::{Known, Unknown};
use crate::snapshot::ssm::{Association, Target};

/// The documents that scan or patch, and so write a node's patch compliance.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-compliance-data-overwrites.html>
const SCANNERS: [&str; 4] =
    ["AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation", "AWS-RunPatchBaselineWithHooks", "AWS-ApplyPatchBaseline"];
pub(super) const OF_PATCH_POLICIES: &str = "AWS-QuickSetup-PatchPolicy-";
const OF_HOST_MANAGEMENT: &str = "AWS-QuickSetup-SSMHostMgmt-ScanForPatches";
const OF_PATCH_NOW: &str = "AWS-PatchNowAssociation";

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

fn is_scanner(document: Option<&String>) -> bool {
    let name = document.and_then(|document| document.rsplit('/').next()).unwrap_or_default();
    SCANNERS.contains(&name)
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
            if !is_scanner(association.name.as_ref()) || name.starts_with(OF_PATCH_POLICIES) {
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
            for task in tasks.iter().filter(|task| is_scanner(task.task_arn.as_ref())) {
                let name = window.name.as_deref().unwrap_or_default();
                let by_window = task.targets.iter().any(|target| target.key.as_deref() == Some("WindowTargetIds"));
                let concerns = if by_window {
                    let settled_by = format!("look up whether {} is among the targets of maintenance window {id}, which patches", node.id);
                    Known::unknown("unsupported_target", id, settled_by)
                } else {
                    matches(&task.targets, None, node)
                };
                self.add(|| format!("maintenance window {id} ({name})"), concerns);
            }
        }
    }
}
