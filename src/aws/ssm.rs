//! Systems Manager: what it knows of the nodes, and what patching is set up already.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::types::OperatingSystem;
use futures::future::join_all;

use super::desk::Desk;
use super::shapes::Shape;
use super::{Request, resource_groups};
use crate::snapshot::RegionFiles;
use crate::snapshot::ssm as file;

const NODES: &str = "ssm:DescribeInstanceInformation";
const PATCH_STATES: &str = "ssm:DescribeInstancePatchStates";
const CONNECTION: &str = "ssm:GetConnectionStatus";
const PACKAGES: &str = "ssm:ListInventoryEntries";
const DEFAULT_BASELINE: &str = "ssm:GetDefaultPatchBaseline";
const BASELINES: &str = "ssm:DescribePatchBaselines";
const BASELINE: &str = "ssm:GetPatchBaseline";
const WINDOWS: &str = "ssm:DescribeMaintenanceWindows";
const TASKS: &str = "ssm:DescribeMaintenanceWindowTasks";
const TARGETS: &str = "ssm:DescribeMaintenanceWindowTargets";
/// The largest page of the lists of nodes, associations and packages, and the most instances that one question for patch states may name.
const PAGE: i32 = 50;
const INSTANCES_PER_CALL: usize = 50;
/// The largest page of the other lists.
const LARGE_PAGE: i32 = 100;
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
const DHMC_SETTING: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

pub(super) async fn look(desk: &Desk, request: &Request, files: &mut RegionFiles) {
    let (nodes, associations, setting, (), groups, windows) = futures::join!(
        Box::pin(nodes(desk)),
        Box::pin(associations(desk)),
        Box::pin(service_setting(desk)),
        Box::pin(baselines(desk, files)),
        Box::pin(patch_groups(desk)),
        Box::pin(maintenance_windows(desk)),
    );
    files.associations = associations;
    files.service_setting = setting;
    files.patch_groups = groups;
    match &nodes {
        Some(nodes) => {
            let nodes = nodes.instance_information_list.as_slice();
            let connections = async { if request.connection_status { connection_statuses(desk, nodes).await } else { None } };
            let packages = async { if request.installed_packages { installed_packages(desk, nodes).await } else { None } };
            let (states, defaults, connections, packages) =
                futures::join!(patch_states(desk, nodes), default_baselines(desk, nodes), Box::pin(connections), Box::pin(packages));
            files.connection_statuses = connections;
            files.installed_packages = packages;
            files.patch_states = states;
            files.default_patch_baselines = defaults;
        }
        None => {
            let of_each = [request.connection_status.then_some(CONNECTION), request.installed_packages.then_some(PACKAGES)];
            let asked = [PATCH_STATES, DEFAULT_BASELINE].into_iter().chain(of_each.into_iter().flatten());
            asked.for_each(|operation| desk.miss_without(operation, NODES));
        }
    }
    match &windows {
        Some(windows) => files.maintenance_window_tasks = tasks(desk, windows).await,
        None => desk.miss_without(TASKS, WINDOWS),
    }
    match &files.maintenance_window_tasks {
        Some(tasks) => files.maintenance_window_targets = targets(desk, tasks).await,
        None => desk.miss_without(TARGETS, TASKS),
    }
    files.instance_information = nodes;
    files.maintenance_windows = windows;
    resource_groups::look(desk, &request.resource_groups, files).await;
}

async fn nodes(desk: &Desk) -> Option<file::DescribeInstanceInformation> {
    let client = desk.ssm();
    let nodes = desk.pages(
        NODES,
        |token| client.describe_instance_information().max_results(PAGE).set_next_token(token).send(),
        |page| (page.instance_information_list, page.next_token),
    );
    Some(file::DescribeInstanceInformation { instance_information_list: nodes.await? })
}

/// The patch states of the nodes that are EC2 instances; hybrid nodes are not judged.
async fn patch_states(desk: &Desk, nodes: &[file::InstanceInformation]) -> Option<file::DescribeInstancePatchStates> {
    let client = &desk.ssm();
    let ids: BTreeSet<&str> = nodes.iter().filter_map(|node| node.instance_id.as_deref()).filter(|id| id.starts_with("i-")).collect();
    let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
    let answers = ids.chunks(INSTANCES_PER_CALL).map(|chunk| async move {
        desk.pages(
            PATCH_STATES,
            |token| {
                let ask = client.describe_instance_patch_states().set_instance_ids(Some(chunk.to_vec()));
                ask.max_results(LARGE_PAGE).set_next_token(token).send()
            },
            |page| (page.instance_patch_states, page.next_token),
        )
        .await
    });
    let chunks: Option<Vec<Vec<_>>> = join_all(answers).await.into_iter().collect();
    Some(file::DescribeInstancePatchStates { instance_patch_states: chunks?.into_iter().flatten().collect() })
}

/// One call a node, as AWS has no other. One after the other: turns that are booked ahead by the thousand would not slow down when AWS asks
/// for it.
async fn connection_statuses(desk: &Desk, nodes: &[file::InstanceInformation]) -> Option<file::GetConnectionStatus> {
    let client = desk.ssm();
    let ids = asked_of(nodes);
    let mut connection_statuses = BTreeMap::new();
    for id in &ids {
        if let Some(answer) = desk.once(CONNECTION, client.get_connection_status().target(*id).send()).await {
            let status = file::ConnectionStatus { target: answer.target, status: answer.status.shape() };
            connection_statuses.insert((*id).to_owned(), status);
        }
    }
    (ids.is_empty() || !connection_statuses.is_empty()).then_some(file::GetConnectionStatus { connection_statuses })
}

/// The EC2 instances that are online; what is not has no channel.
fn asked_of(nodes: &[file::InstanceInformation]) -> BTreeSet<&str> {
    let is_online = |node: &&file::InstanceInformation| node.ping_status.as_deref().is_some_and(|ping| ping.eq_ignore_ascii_case("Online"));
    nodes.iter().filter(is_online).filter_map(|node| node.instance_id.as_deref()).filter(|id| id.starts_with("i-")).collect()
}

/// The packages of each node, one node after the other as with [`connection_statuses`]: AWS lists them node by node.
async fn installed_packages(desk: &Desk, nodes: &[file::InstanceInformation]) -> Option<file::ListInventoryEntries> {
    let client = &desk.ssm();
    let ids = with_packages(nodes);
    let mut entries = BTreeMap::new();
    for id in &ids {
        let ask = client.list_inventory_entries().instance_id(*id).type_name("AWS:Application").max_results(PAGE);
        let packages = desk.pages(PACKAGES, |token| ask.clone().set_next_token(token).send(), |page| (page.entries, page.next_token));
        if let Some(packages) = packages.await {
            entries.insert((*id).to_owned(), packages);
        }
    }
    (ids.is_empty() || !entries.is_empty()).then_some(file::ListInventoryEntries { entries })
}

/// The EC2 instances that run Linux, online or not: what was gathered of a node stays when it goes, and only Linux needs a Python.
fn with_packages(nodes: &[file::InstanceInformation]) -> BTreeSet<&str> {
    let is_linux = |node: &&file::InstanceInformation| node.platform_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("Linux"));
    nodes.iter().filter(is_linux).filter_map(|node| node.instance_id.as_deref()).filter(|id| id.starts_with("i-")).collect()
}

async fn associations(desk: &Desk) -> Option<file::ListAssociations> {
    let client = desk.ssm();
    let associations = desk.pages(
        "ssm:ListAssociations",
        |token| client.list_associations().max_results(PAGE).set_next_token(token).send(),
        |page| (page.associations, page.next_token),
    );
    Some(file::ListAssociations { associations: associations.await? })
}

async fn service_setting(desk: &Desk) -> Option<file::GetServiceSetting> {
    let answer = desk.once("ssm:GetServiceSetting", desk.ssm().get_service_setting().setting_id(DHMC_SETTING).send()).await?;
    let setting: Option<file::ServiceSetting> = answer.service_setting.shape();
    Some(file::GetServiceSetting { service_setting: setting? })
}

/// The patch baselines alone, of a Region without instances from which patch policies take theirs.
pub(super) async fn baselines(desk: &Desk, files: &mut RegionFiles) {
    let listed = patch_baselines(desk).await;
    match &listed {
        Some(listed) => files.patch_baseline_details = own_baselines(desk, listed).await,
        None => desk.miss_without(BASELINE, BASELINES),
    }
    files.patch_baselines = listed;
}

async fn patch_baselines(desk: &Desk) -> Option<file::DescribePatchBaselines> {
    let client = desk.ssm();
    let baselines = desk.pages(
        BASELINES,
        |token| client.describe_patch_baselines().max_results(LARGE_PAGE).set_next_token(token).send(),
        |page| (page.baseline_identities, page.next_token),
    );
    Some(file::DescribePatchBaselines { baseline_identities: baselines.await? })
}

/// What the account's own baselines hold. The list gives an ARN for AWS's, which are the same for everybody, and a bare id for those.
async fn own_baselines(desk: &Desk, listed: &file::DescribePatchBaselines) -> Option<file::GetPatchBaseline> {
    let client = desk.ssm();
    let ids = listed.baseline_identities.iter().filter_map(|baseline| baseline.baseline_id.as_deref());
    let ids: BTreeSet<&str> = ids.filter(|id| id.starts_with("pb-")).collect();
    let mut patch_baselines = BTreeMap::new();
    for id in &ids {
        if let Some(answer) = desk.once(BASELINE, client.get_patch_baseline().baseline_id(*id).send()).await {
            patch_baselines.insert((*id).to_owned(), answer.shape());
        }
    }
    (ids.is_empty() || !patch_baselines.is_empty()).then_some(file::GetPatchBaseline { patch_baselines })
}

async fn patch_groups(desk: &Desk) -> Option<file::DescribePatchGroups> {
    let client = desk.ssm();
    let mappings = desk.pages(
        "ssm:DescribePatchGroups",
        |token| client.describe_patch_groups().max_results(LARGE_PAGE).set_next_token(token).send(),
        |page| (page.mappings, page.next_token),
    );
    Some(file::DescribePatchGroups { mappings: mappings.await? })
}

/// The default baseline of each operating system that a node runs.
async fn default_baselines(desk: &Desk, nodes: &[file::InstanceInformation]) -> Option<file::GetDefaultPatchBaseline> {
    let client = desk.ssm();
    let systems: BTreeSet<&str> = nodes.iter().filter_map(operating_system).collect();
    let mut default_patch_baselines = BTreeMap::new();
    for system in &systems {
        let ask = client.get_default_patch_baseline().operating_system(OperatingSystem::from(*system)).send();
        if let Some(baseline) = desk.once(DEFAULT_BASELINE, ask).await.and_then(|answer| answer.baseline_id) {
            default_patch_baselines.insert((*system).to_owned(), baseline);
        }
    }
    (systems.is_empty() || !default_patch_baselines.is_empty()).then_some(file::GetDefaultPatchBaseline { default_patch_baselines })
}

/// Patch Manager's word for what the agent reports; `None` where Patch Manager has none.
fn operating_system(node: &file::InstanceInformation) -> Option<&'static str> {
    if node.platform_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("windows")) {
        return Some("WINDOWS");
    }
    let name = node.platform_name.as_deref()?.to_ascii_lowercase();
    let version = node.platform_version.as_deref().unwrap_or_default();
    let begins = |words: &str| name.starts_with(words);
    Some(match name.as_str() {
        _ if begins("amazon linux ami") => "AMAZON_LINUX",
        _ if begins("amazon linux") => match version.split('.').next().unwrap_or_default() {
            "2" => "AMAZON_LINUX_2",
            "2022" => "AMAZON_LINUX_2022",
            "2023" => "AMAZON_LINUX_2023",
            year if year.len() == 4 && version.contains('.') => "AMAZON_LINUX",
            _ => return None,
        },
        _ if begins("red hat") => "REDHAT_ENTERPRISE_LINUX",
        _ if begins("ubuntu") => "UBUNTU",
        _ if begins("debian") => "DEBIAN",
        _ if begins("raspbian") => "RASPBIAN",
        _ if begins("sles") || begins("suse") => "SUSE",
        _ if begins("centos") => "CENTOS",
        _ if begins("oracle") => "ORACLE_LINUX",
        _ if begins("rocky") => "ROCKY_LINUX",
        _ if begins("alma") => "ALMA_LINUX",
        _ if begins("mac") => "MACOS",
        _ => return None,
    })
}

async fn maintenance_windows(desk: &Desk) -> Option<file::DescribeMaintenanceWindows> {
    let client = desk.ssm();
    let windows = desk.pages(
        WINDOWS,
        |token| client.describe_maintenance_windows().max_results(LARGE_PAGE).set_next_token(token).send(),
        |page| (page.window_identities, page.next_token),
    );
    Some(file::DescribeMaintenanceWindows { window_identities: windows.await? })
}

async fn tasks(desk: &Desk, windows: &file::DescribeMaintenanceWindows) -> Option<file::DescribeMaintenanceWindowTasks> {
    let client = &desk.ssm();
    let ids: Vec<&str> = windows.window_identities.iter().filter_map(|window| window.window_id.as_deref()).collect();
    let answers = ids.iter().map(|id| async move {
        let ask = client.describe_maintenance_window_tasks().window_id(*id).max_results(LARGE_PAGE);
        let tasks = desk.pages(TASKS, |token| ask.clone().set_next_token(token).send(), |page| (page.tasks, page.next_token));
        Some(((*id).to_owned(), tasks.await?))
    });
    let tasks: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    (ids.is_empty() || !tasks.is_empty()).then_some(file::DescribeMaintenanceWindowTasks { tasks })
}

/// The targets that are registered with a window, where a task that scans for patches goes by them.
async fn targets(desk: &Desk, tasks: &file::DescribeMaintenanceWindowTasks) -> Option<file::DescribeMaintenanceWindowTargets> {
    let client = &desk.ssm();
    let goes_by_them = |task: &file::MaintenanceWindowTask| task.is_scanner() && task.registered_targets().is_some();
    let ids: Vec<&String> = tasks.tasks.iter().filter(|(_, tasks)| tasks.iter().any(goes_by_them)).map(|(id, _)| id).collect();
    let answers = ids.iter().map(|id| async move {
        let ask = client.describe_maintenance_window_targets().window_id(*id).max_results(LARGE_PAGE);
        let targets = desk.pages(TARGETS, |token| ask.clone().set_next_token(token).send(), |page| (page.targets, page.next_token));
        Some(((*id).clone(), targets.await?))
    });
    let targets: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    (ids.is_empty() || !targets.is_empty()).then_some(file::DescribeMaintenanceWindowTargets { targets })
}

#[cfg(test)]
mod tests {
    use super::{asked_of, file, operating_system, with_packages};

    #[test]
    fn only_instances_that_are_online_are_asked_for_their_channel() {
        let node = |id: &str, ping: &str| file::InstanceInformation {
            instance_id: Some(id.into()),
            ping_status: Some(ping.into()),
            ..file::InstanceInformation::default()
        };
        let nodes =
            [node("i-2", "Online"), node("i-1", "online"), node("i-3", "ConnectionLost"), node("mi-4", "Online"), node("i-5", "Inactive")];
        assert_eq!(asked_of(&nodes).into_iter().collect::<Vec<_>>(), ["i-1", "i-2"]);
    }

    #[test]
    fn only_instances_that_run_linux_are_asked_for_their_packages() {
        let node = |id: &str, kind: Option<&str>| file::InstanceInformation {
            instance_id: Some(id.into()),
            platform_type: kind.map(Into::into),
            ..file::InstanceInformation::default()
        };
        let nodes = [node("i-2", Some("Linux")), node("i-1", Some("linux")), node("i-3", Some("Windows")), node("i-4", None)];
        let hybrid = [node("mi-5", Some("Linux")), node("i-6", Some("MacOS"))];
        assert_eq!(with_packages(&nodes).into_iter().collect::<Vec<_>>(), ["i-1", "i-2"]);
        assert!(with_packages(&hybrid).is_empty());
    }

    #[test]
    fn operating_systems_as_patch_manager_names_them() {
        let cases = [
            ("Windows", "Microsoft Windows Server 2022 Datacenter", "10.0.20348", Some("WINDOWS")),
            ("Linux", "Amazon Linux", "2", Some("AMAZON_LINUX_2")),
            ("Linux", "Amazon Linux", "2023", Some("AMAZON_LINUX_2023")),
            ("Linux", "Amazon Linux", "2027", None),
            ("Linux", "Amazon Linux AMI", "2018.03", Some("AMAZON_LINUX")),
            ("Linux", "Red Hat Enterprise Linux Server", "7.9", Some("REDHAT_ENTERPRISE_LINUX")),
            ("Linux", "SLES", "15.6", Some("SUSE")),
            ("Linux", "Oracle Linux Server", "9.4", Some("ORACLE_LINUX")),
            ("MacOS", "macOS", "14.5", Some("MACOS")),
            ("Linux", "Bottlerocket", "1.20.0", None),
        ];
        for (kind, name, version, expected) in cases {
            let node = file::InstanceInformation {
                platform_type: Some(kind.into()),
                platform_name: Some(name.into()),
                platform_version: Some(version.into()),
                ..file::InstanceInformation::default()
            };
            assert_eq!(operating_system(&node), expected, "{name} {version}");
        }
    }
}
