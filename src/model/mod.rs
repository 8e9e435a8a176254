//! A typed, indexed view of a snapshot.

pub mod known;
mod region;

use std::collections::BTreeMap;

pub use region::{PrefixListView, Region, address, is_word, net};

use crate::snapshot::ec2::Instance;
use crate::snapshot::{AccountSnapshot, Snapshot};

/// Everything that was seen, indexed.
#[derive(Debug)]
pub struct Estate<'a> {
    pub snapshot: &'a Snapshot,
    /// By account, then by name.
    regions: BTreeMap<&'a str, BTreeMap<&'a str, Region<'a>>>,
}

impl<'a> Estate<'a> {
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let gaps = &snapshot.manifest.gaps;
        let of_account = |(account, seen): (&'a String, &'a AccountSnapshot)| {
            let regions = seen.regions.iter().map(|(name, files)| (name.as_str(), Region::new(account, name, files, gaps)));
            (account.as_str(), regions.collect())
        };
        Self { snapshot, regions: snapshot.accounts.iter().map(of_account).collect() }
    }

    /// The Regions seen, by account and name.
    pub fn regions(&self) -> impl Iterator<Item = &Region<'a>> {
        self.regions.values().flat_map(BTreeMap::values)
    }

    pub fn region(&self, account: &str, name: &str) -> Option<&Region<'a>> {
        self.regions.get(account)?.get(name)
    }

    /// The instances of a Region that have an id, by id; one that AWS lists twice counts once.
    pub fn instances(region: &Region<'a>) -> BTreeMap<&'a str, &'a Instance> {
        let reservations = region.files.instances.iter().flat_map(|file| &file.reservations);
        reservations
            .flat_map(|reservation| &reservation.instances)
            .filter_map(|instance| Some((instance.instance_id.as_deref()?, instance)))
            .collect()
    }
}
