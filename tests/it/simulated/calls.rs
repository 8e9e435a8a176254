//! How many calls a scan makes: the formula of the documentation. The laws' tests hold it.

use std::collections::{BTreeMap, BTreeSet};

use patch_preflight::snapshot::{AccountSnapshot, RegionFiles, Snapshot};
use simulated_aws::Recorded;

/// Calls of a Region with instances, whatever it holds.
const OF_A_REGION: usize = 36;
/// Calls of a Region without instances that others depend on, the one for its instances among them.
const OF_A_HUB: usize = 24;
/// For the names in a hub's VPCs, where another account has instances in them.
const OF_NAMES: usize = 4;

/// The VPCs with instances that are judged.
fn judged_vpcs(files: &RegionFiles) -> BTreeSet<&str> {
    let instances = files.instances.iter().flat_map(|file| &file.reservations).flat_map(|one| &one.instances);
    let is_gone = |state: &str| state == "terminated" || state == "shutting-down";
    let judged = instances.filter(|one| !one.state.as_ref().and_then(|state| state.name.as_deref()).is_some_and(is_gone));
    let of_interfaces = |one| -> Vec<&str> {
        let one: &patch_preflight::snapshot::ec2::Instance = one;
        one.network_interfaces.iter().filter_map(|one| one.vpc_id.as_deref()).chain(one.vpc_id.as_deref()).collect()
    };
    judged.flat_map(of_interfaces).collect()
}

/// The VPCs of an account's Region in which other accounts have instances.
fn shared_vpcs<'s>(snapshot: &'s Snapshot, account: &str, region: &str) -> BTreeSet<&'s str> {
    let others = snapshot.accounts.iter().filter(|(id, _)| *id != account).filter_map(|(_, other)| other.regions.get(region));
    let of_owner = |files: &'s RegionFiles, vpc: &&str| {
        let mut vpcs = files.vpcs.iter().flat_map(|file| &file.vpcs);
        vpcs.any(|one| one.vpc_id.as_deref() == Some(*vpc) && one.owner_id.as_deref() == Some(account))
    };
    others.flat_map(|files| judged_vpcs(files).into_iter().filter(move |vpc| of_owner(files, vpc))).collect()
}

/// Where Quick Setup may hold patch policies, each of which is asked for its list.
const QUICK_SETUP_REGIONS: usize = 16;

/// Lists longer than a page take more calls; the fixtures hold none.
fn of_region(snapshot: &Snapshot, account: &str, region: &str, files: &RegionFiles) -> usize {
    let own = judged_vpcs(files);
    let shared = shared_vpcs(snapshot, account, region);
    let vpcs: BTreeSet<&str> = own.iter().copied().chain(shared.iter().copied()).collect();
    let baselines = files.patch_baseline_details.as_ref().map_or(0, |file| file.patch_baselines.len());
    // Where nothing runs, their list is asked for where patch policies take them from there.
    let list_apart = usize::from(own.is_empty() && files.patch_baselines.is_some());
    let calls = match (own.is_empty(), files.route_tables.is_some()) {
        (false, _) => OF_A_REGION,
        (true, true) => OF_A_HUB + list_apart + if shared.is_empty() { 0 } else { OF_NAMES },
        (true, false) => return 1 + list_apart + baselines,
    };
    let lists = files.prefix_list_entries.as_ref().map_or(0, |file| file.prefix_list_entries.len());
    let tables = files.transit_gateway_route_tables.as_ref().map_or(0, |file| file.transit_gateway_route_tables.len());
    let zones = files.record_sets.as_ref().map_or(0, |file| file.resource_record_sets.len());
    let profile_zones = files.profile_zones.as_ref().map_or(0, |file| file.hosted_zones.len());
    let nodes = files.instance_information.as_ref().map_or(0, |file| file.instance_information_list.len());
    let systems = files.default_patch_baselines.as_ref().map_or(0, |file| file.default_patch_baselines.len());
    let windows = files.maintenance_windows.as_ref().map_or(0, |file| file.window_identities.len());
    let targets = files.maintenance_window_targets.as_ref().map_or(0, |file| file.targets.len());
    // The first page of the nodes is among the calls of every Region.
    let of_nodes = if nodes == 0 { 0 } else { 2 * nodes.div_ceil(50) - 1 };
    let of_network = 3 * vpcs.len() + lists + 3 * tables + zones + profile_zones + of_profiles_and_firewall(files);
    let channels = files.connection_statuses.as_ref().map_or(0, |file| file.connection_statuses.len());
    let packages = files.installed_packages.iter().flat_map(|file| file.entries.values());
    let packages: usize = packages.map(|packages| packages.len().div_ceil(50).max(1)).sum();
    let groups = files.group_queries.as_ref().map_or(0, |file| file.group_queries.len() + file.absent_groups.len());
    calls + of_network + of_nodes + channels + packages + systems + baselines + windows + targets + groups
}

/// One for each Profile and rule group in use; where a rule names a list of domains, one for whose the lists are, and one for each of the customer's.
fn of_profiles_and_firewall(files: &RegionFiles) -> usize {
    let profiles = files.profile_resources.as_ref().map_or(0, |file| file.profile_resource_associations.len());
    let groups = files.firewall_rules.as_ref().map_or(0, |file| file.firewall_rules.len());
    let domains = files.firewall_domains.as_ref().map_or(0, |file| file.domains.len());
    let rules = files.firewall_rules.iter().flat_map(|file| file.firewall_rules.values().flatten());
    let owners = usize::from(rules.clone().any(|rule| rule.firewall_domain_list_id.is_some()));
    profiles + groups + owners + domains
}

fn of_roles(account: &AccountSnapshot) -> usize {
    let profiles: BTreeSet<&str> = account
        .regions
        .values()
        .flat_map(|files| &files.instances)
        .flat_map(|file| &file.reservations)
        .flat_map(|one| &one.instances)
        .filter_map(|one| one.iam_instance_profile.as_ref()?.arn.as_deref())
        .collect();
    let Some(iam) = &account.global.iam else { return profiles.len() };
    let inline: usize = iam.role_detail_list.iter().map(|role| role.role_policy_list.len()).sum();
    let settings = account.regions.values().filter_map(|files| files.service_setting.as_ref()?.service_setting.setting_value.as_deref());
    let named: BTreeSet<&str> = settings.filter(|value| *value != "$None").filter_map(|value| value.rsplit('/').next()).collect();
    let is_there = |name: &&&str| iam.role_detail_list.iter().any(|role| role.role_name.as_deref() == Some(**name));
    // Of a role that does not exist, nothing more is asked.
    let gone = named.iter().filter(|name| !is_there(name)).count();
    profiles.len() + 3 * iam.role_detail_list.len() + gone + inline + 2 * iam.policies.len()
}

/// The zones of other accounts that answer for a VPC, by themselves or by a Profile.
fn zones_of_others<'s>(account: &str, files: &'s RegionFiles) -> BTreeSet<&'s str> {
    let zones = files.hosted_zones.iter().flat_map(|file| file.hosted_zone_summaries.values().flatten());
    let of_vpcs = zones.filter_map(|zone| Some((zone.hosted_zone_id.as_deref()?, zone.owner.as_ref()?.owning_account.as_deref()?)));
    let resources = files.profile_resources.iter().flat_map(|file| file.profile_resource_associations.values().flatten());
    let of_profiles =
        resources.filter_map(|one| Some((one.resource_arn.as_deref()?.split_once(":hostedzone/")?.1, one.owner_id.as_deref()?)));
    of_vpcs.chain(of_profiles).filter(|(_, owner)| *owner != account).map(|(zone, _)| zone).collect()
}

/// One call in a Region without instances that nobody depends on; the formula in one with instances, in a hub, and for an account.
pub(super) fn assert_documented(snapshot: &Snapshot, calls: &[Recorded]) {
    assert!(calls.iter().all(|call| call.is_known), "{calls:?}");
    let with_gap: BTreeSet<(&str, Option<&str>)> =
        snapshot.manifest.gaps.iter().map(|gap| (gap.account_id.as_str(), gap.region.as_deref())).collect();
    let count = |wanted: &dyn Fn(&&Recorded) -> bool| calls.iter().filter(wanted).count();
    let mut by_region: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for call in calls {
        if let Some(region) = place(call) {
            *by_region.entry((call.account.as_str(), region)).or_default() += 1;
        }
    }
    // Zones are global, and their records are asked for without a Region: they are counted apart.
    let (mut zones, mut named_zones) = (0, 0);
    // Those of other accounts are asked for once in all.
    let (mut foreign, mut named_foreign) = (BTreeSet::new(), BTreeSet::new());
    for (id, account) in &snapshot.accounts {
        for (region, files) in &account.regions {
            let records = files.record_sets.as_ref().map_or(0, |file| file.resource_record_sets.len());
            let of_others = zones_of_others(id, files);
            let is_kept = |zone: &str| files.record_sets.as_ref().is_some_and(|file| file.resource_record_sets.contains_key(zone));
            let is_named = |zone: &str| files.profile_zones.as_ref().is_some_and(|file| file.hosted_zones.contains_key(zone));
            let kept: Vec<&str> = of_others.iter().copied().filter(|zone| is_kept(zone)).collect();
            let named_there: Vec<&str> = of_others.iter().copied().filter(|zone| is_named(zone)).collect();
            zones += records - kept.len();
            foreign.extend(kept);
            let named = files.profile_zones.as_ref().map_or(0, |file| file.hosted_zones.len());
            named_zones += named - named_there.len();
            named_foreign.extend(named_there);
            if !with_gap.contains(&(id, Some(region))) {
                let expected = of_region(snapshot, id, region, files) - records - named;
                assert_eq!(by_region.get(&(id.as_str(), region.as_str())), Some(&expected), "{id} {region}");
            }
        }
        let iam = count(&|call| call.account == *id && call.operation.starts_with("iam:"));
        assert_eq!(iam, of_roles(account), "{id}");
        assert_eq!(count(&|call| call.account == *id && call.operation == "ec2:DescribeRegions"), 1, "{id}");
    }
    assert_eq!(count(&|call| call.operation == "route53:ListResourceRecordSets"), zones + foreign.len());
    assert_eq!(count(&|call| call.operation == "route53:GetHostedZone"), named_zones + named_foreign.len());
    assert_eq!(count(&|call| call.operation == "sts:GetCallerIdentity"), 1);
    if let Some(units) = &snapshot.organization.units {
        assert_eq!(count(&|call| call.operation == "sts:AssumeRole"), snapshot.accounts.len() - 1);
        let listed = snapshot.organization.accounts.as_ref().unwrap().accounts.len();
        // The organization, the root, the lists of two kinds of policies; two questions for the root, for each unit and for each policy.
        let policies = snapshot.organization.policies.as_ref().unwrap().policies.len();
        let expected = 4 + listed.div_ceil(20) + 2 * (units.organizational_units.len() + 1) + 2 * policies;
        assert_eq!(count(&|call| call.operation.starts_with("organizations:")), expected);
        let managers = snapshot.accounts.values().filter_map(|account| account.global.quick_setup.as_ref());
        let managers: usize = managers.map(|file| file.configuration_managers.len()).sum();
        assert_eq!(count(&|call| call.operation.starts_with("ssm-quicksetup:")), QUICK_SETUP_REGIONS + managers);
        let buckets = snapshot.accounts.values().filter_map(|account| account.global.bucket_policies.as_ref());
        assert_eq!(count(&|call| call.operation == "s3:GetBucketPolicy"), buckets.map(|file| file.bucket_policies.len()).sum::<usize>());
    }
}

/// The Region that a call is about, for those of a Region.
fn place(call: &Recorded) -> Option<&str> {
    match call.operation.as_str() {
        "ec2:DescribeRegions" | "route53:ListResourceRecordSets" | "route53:GetHostedZone" => None,
        "route53:ListHostedZonesByVPC" => call.input["VPCRegion"].as_str(),
        operation => ["ec2:", "ssm:", "resource-groups:", "route53resolver:", "route53profiles:"]
            .iter()
            .any(|service| operation.starts_with(service))
            .then_some(&call.region),
    }
}
