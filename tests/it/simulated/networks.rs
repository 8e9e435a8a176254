//! Random networks, those of the oracle, served and collected: peering connections, transit gateways, edge route tables, private zones,
//! forwarding rules and all else that no fixture has in each combination. Nothing that decides a verdict may be lost on the way.

use std::collections::BTreeMap;
use std::path::Path;

use patch_preflight::snapshot::{AccountSnapshot, Directory, Snapshot};
use serde_json::{Value, json};
use simulated_aws::Weather;

use super::served::Aws;
use crate::oracle::networks;
use crate::snapshot_files::files;
use crate::topology::{ACCOUNT, REGION, Topology};

const COUNT: usize = 24;
/// Not the account that the networks were made for: they refer to its VPCs and gateways, and nobody is to look for them there.
const MANAGEMENT: &str = "999999999999";
/// Only prefix lists in use and zones over AWS's names are asked for what they hold.
const IN_USE: [(&str, &str); 2] =
    [("ec2-get-managed-prefix-list-entries.json", "PrefixListEntries"), ("route53-list-resource-record-sets.json", "ResourceRecordSets")];

#[test]
fn random_networks_are_collected_as_they_were_served() {
    let networks: BTreeMap<String, Topology> = (200_000_000_001_u64..).map(|number| number.to_string()).zip(networks(COUNT)).collect();
    let served = tempfile::tempdir().unwrap();
    write(&networks, served.path());
    let collected = Aws::serving(served.path(), Weather { page_limit: Some(5), ..Weather::default() }).collect();
    let (mut held, seen) = (files(served.path()), files(collected.path()));
    for (file, member) in IN_USE {
        held.retain(|name, value| {
            let asked = seen.get(name).and_then(|seen| seen[member].as_object());
            if let (Some(asked), true) = (asked, name.ends_with(file)) {
                value[member].as_object_mut().unwrap().retain(|id, _| asked.contains_key(id));
            }
            asked.is_some() || !name.ends_with(file)
        });
    }
    assert_eq!(held.keys().collect::<Vec<_>>(), seen.keys().collect::<Vec<_>>());
    for (name, value) in &held {
        assert_eq!(*value, seen[name], "{name}");
    }
    let mut seen = Snapshot::read(&Directory(collected.path().to_owned())).unwrap();
    for (account, network) in networks {
        let files = seen.accounts.get_mut(&account).unwrap().regions.remove(REGION).unwrap();
        let verdicts = |topology: &Topology| topology.paths().iter().map(|path| (path.target, path.verdict)).collect::<Vec<_>>();
        assert_eq!(verdicts(&network), verdicts(&Topology { files, ..network.clone() }), "{account}");
    }
}

/// Each network in an account of its own, in one organization.
fn write(networks: &BTreeMap<String, Topology>, folder: &Path) {
    let account = |id: &str, network: &Topology| {
        let mut regions = network.snapshot().accounts.remove(ACCOUNT).unwrap().regions;
        // Only its owner is shown the records of a zone.
        let zones = regions.values_mut().flat_map(|files| &mut files.hosted_zones).flat_map(|file| file.hosted_zone_summaries.values_mut());
        let owners = zones.flatten().flat_map(|zone| &mut zone.owner).flat_map(|owner| &mut owner.owning_account);
        owners.for_each(|owner| id.clone_into(owner));
        let resources = regions.values_mut().flat_map(|files| &mut files.profile_resources);
        let resources = resources.flat_map(|file| file.profile_resource_associations.values_mut()).flatten();
        resources.flat_map(|resource| &mut resource.owner_id).for_each(|owner| id.clone_into(owner));
        AccountSnapshot { regions, ..AccountSnapshot::default() }
    };
    let accounts = networks.iter().map(|(id, network)| (id.clone(), account(id, network))).collect();
    Snapshot { accounts, ..Snapshot::default() }.write(folder).unwrap();
    let ids = || networks.keys().map(String::as_str).chain([MANAGEMENT]);
    let listed: Vec<Value> = ids().map(|id| json!({"Id": id, "Name": id, "State": "ACTIVE"})).collect();
    let parents: BTreeMap<&str, &str> = ids().map(|id| (id, "r-netw")).collect();
    for (path, value) in [
        (
            "organization/organizations-describe-organization.json",
            json!({"Organization": {"Id": "o-networks01", "MasterAccountId": MANAGEMENT}}),
        ),
        ("organization/organizations-list-accounts.json", json!({"Accounts": listed})),
        ("organization/organizational-units.json", json!({"OrganizationalUnits": [], "Parents": parents})),
        (&format!("{MANAGEMENT}/{REGION}/ec2-describe-instances.json"), json!({"Reservations": []})),
        (&format!("{MANAGEMENT}/global/ssm-quicksetup-get-configuration-manager.json"), json!({"ConfigurationManagers": []})),
        (&format!("{MANAGEMENT}/global/s3-get-bucket-policy.json"), json!({"BucketPolicies": {}})),
    ] {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, value.to_string()).unwrap();
    }
}
