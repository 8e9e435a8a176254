//! Organizations of any size, as snapshots, with what is to be said of each instance. The same seed gives the same organization.

mod account;
mod identity;
mod instance;
mod network;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

pub use self::account::PASSWORD;
use self::identity::{Dhmc, InUse};
use crate::random::Random;
use crate::store::Files;

/// The day on which every generated organization was looked at.
pub(crate) const TODAY: &str = "2026-11-23T10:00:00Z";
/// In the order in which they come into use. The first is asked for what is global.
const REGIONS: [&str; 12] = [
    "us-east-1",
    "eu-west-1",
    "eu-central-1",
    "us-west-2",
    "ap-southeast-2",
    "us-east-2",
    "eu-north-1",
    "ap-south-1",
    "ca-central-1",
    "sa-east-1",
    "ap-southeast-1",
    "eu-west-3",
];

/// The last of the Regions is the one that is on and empty.
pub const MOST_REGIONS: usize = REGIONS.len() - 1;

/// How large an organization is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// With the management account, which has no instances.
    pub accounts: usize,
    /// With instances, in each account; one more is on and empty. At most [`MOST_REGIONS`].
    pub regions: usize,
    /// In each Region with instances.
    pub instances: usize,
}

/// A snapshot by file, and the expectations by instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Organization {
    /// By path below the snapshot's folder.
    pub files: BTreeMap<String, Value>,
    /// `{instance id: {name, readiness, fail, unknown}}`.
    pub expected: Map<String, Value>,
}

impl Organization {
    /// Writes the snapshot into the folder, and the expectations beside it, into `<folder>.expected.json`. The folder must be new or
    /// empty: what is left in it of another organization would become part of this one.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let name = folder.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the folder needs a name of its own"))?;
        std::fs::create_dir_all(folder)?;
        if std::fs::read_dir(folder)?.next().is_some() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder is not empty"));
        }
        for (path, value) in &self.files {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, format!("{value:#}\n"))?;
        }
        let mut beside = name.to_owned();
        beside.push(".expected.json");
        std::fs::write(folder.with_file_name(beside), format!("{:#}\n", Value::Object(self.expected.clone())))
    }

    fn keep(&mut self, folder: &str, files: Files) {
        self.files.extend(files.into_iter().map(|(name, value)| (format!("{folder}/{name}"), value)));
    }
}

/// Where something is, for names that are unique in the organization.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: &'static str,
    /// Stands in every id.
    number: usize,
}

impl Place {
    /// `kind-` with seventeen digits, as EC2 makes them.
    pub(crate) fn id(&self, kind: &str, number: usize) -> String {
        format!("{kind}-{:07x}{number:010x}", self.number)
    }

    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}

pub fn organization(seed: u64, size: &Size) -> Organization {
    let mut random = Random::new(seed);
    let mut organization = Organization::default();
    let ids: Vec<String> = (0..size.accounts.max(1)).map(|number| format!("{:012}", 100_000_000_000 + 11 * number)).collect();
    organization.keep("organization", account::organization(&ids));
    let regions: Vec<&'static str> = REGIONS.into_iter().take(size.regions.min(MOST_REGIONS) + 1).collect();
    let mut manifest_accounts = Map::new();
    for (account_number, id) in ids.iter().enumerate() {
        let is_management = account_number == 0;
        let mut in_use = InUse::default();
        for (region_number, region) in regions.iter().enumerate() {
            let place = Place { account: id.clone(), region, number: account_number * REGIONS.len() + region_number + 1 };
            // The last one is on and empty.
            let is_used = !is_management && region_number + 1 < regions.len();
            let files = if is_used {
                region_with_instances(&place, size.instances, &mut random, &mut in_use, &mut organization.expected)
            } else {
                Files::from([("ec2-describe-instances.json".to_owned(), json!({"Reservations": []}))])
            };
            organization.keep(&format!("{id}/{region}"), files);
        }
        let global = if is_management { identity::patch_policies(id, account::ROOT) } else { identity::roles(id, &in_use) };
        organization.keep(&format!("{id}/global"), global);
        let looked_at = regions.iter().map(|region| ((*region).to_owned(), json!({"captured_at": TODAY, "complete": true})));
        manifest_accounts.insert(id.clone(), json!({"regions": looked_at.collect::<Map<_, _>>()}));
    }
    let management = ids.first().cloned().unwrap_or_default();
    let caller = json!({"account_id": management, "arn": format!("arn:aws:iam::{management}:user/simulated")});
    organization.files.insert(
        "snapshot.json".to_owned(),
        json!({"format": "patch-preflight/snapshot", "version": 1, "captured_at": TODAY, "tool_version": "0.1.0", "partition": "aws",
            "caller": caller, "accounts": manifest_accounts, "gaps": []}),
    );
    organization
}

fn region_with_instances(place: &Place, count: usize, random: &mut Random, in_use: &mut InUse, expected: &mut Map<String, Value>) -> Files {
    let dhmc = random.pick(&[Dhmc::Off, Dhmc::Off, Dhmc::On, Dhmc::Broken]).copied().unwrap_or(Dhmc::Off);
    in_use.dhmc.insert(dhmc);
    let mut files = account::region(place, dhmc);
    let vpcs = network::vpcs(place, count, random, &mut files);
    in_use.profiles.extend(instance::instances(place, count, &vpcs, dhmc, random, &mut files, expected));
    files
}

/// The object with one member more.
pub(crate) fn with(mut object: Value, member: &str, value: impl Into<Value>) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(member.to_owned(), value.into());
    }
    object
}

/// Appends to the list of a file.
pub(crate) fn push(files: &mut Files, file: &str, member: &str, value: Value) {
    let content = files.entry(format!("{file}.json")).or_insert_with(|| json!({}));
    if let Value::Object(members) = content
        && let Value::Array(items) = members.entry(member).or_insert_with(|| json!([]))
    {
        items.push(value);
    }
}

/// Puts into the map of a file.
pub(crate) fn insert(files: &mut Files, file: &str, member: &str, id: &str, value: Value) {
    let content = files.entry(format!("{file}.json")).or_insert_with(|| json!({}));
    if let Value::Object(members) = content
        && let Value::Object(items) = members.entry(member).or_insert_with(|| json!({}))
    {
        items.insert(id.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, organization};

    #[test]
    fn what_is_there_is_not_mixed_with_what_is_written() {
        let (temporary, made) = (tempfile::tempdir().unwrap(), organization(5, &Size { accounts: 2, regions: 1, instances: 1 }));
        // As the shell completes it.
        let folder = temporary.path().join("made/");
        made.write(&folder).unwrap();
        assert!(temporary.path().join("made.expected.json").exists());
        assert_eq!(made.write(&folder).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn the_same_seed_gives_the_same_organization() {
        let size = Size { accounts: 3, regions: 2, instances: 9 };
        assert_eq!(organization(5, &size), organization(5, &size));
        assert_ne!(organization(5, &size), organization(6, &size));
        assert_eq!(organization(5, &size).expected.len(), 2 * 2 * 9);
    }
}
