//! A typed, indexed view of a snapshot.

mod assumption;
pub mod known;
mod region;
mod resolver;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

pub use assumption::{Assumption, Assumptions};
pub use region::{PrefixListView, Region, address, is_word, net};
pub use resolver::{ForwardRule, Resources, Uncollected, Zone};

use crate::snapshot::ec2::{Instance, VpcEndpoint};
use crate::snapshot::{AccountSnapshot, RegionFiles, Snapshot};

/// Everything that was seen, indexed.
#[derive(Debug)]
pub struct Estate<'a> {
    pub snapshot: &'a Snapshot,
    /// By account, then by name.
    regions: BTreeMap<&'a str, BTreeMap<&'a str, Arc<Region<'a>>>>,
    /// The interface endpoints, by those of their DNS names that no other endpoint has.
    endpoints_by_name: HashMap<String, Listed<'a>>,
    /// The same, by the addresses of their interfaces: more than one where VPCs overlap.
    endpoints_by_address: HashMap<IpAddr, Vec<Listed<'a>>>,
}

/// A DNS name without its final dot, in small letters, with the wildcard that Route 53 writes as `\052`.
pub fn plain_name(name: &str) -> String {
    name.trim_end_matches('.').replace("\\052", "*").to_ascii_lowercase()
}

/// An endpoint, with the account and Region whose files list it.
#[derive(Debug, Clone, Copy)]
struct Listed<'a> {
    account: &'a str,
    region: &'a str,
    endpoint: &'a VpcEndpoint,
}

impl<'a> Estate<'a> {
    pub fn new(snapshot: &'a Snapshot) -> Self {
        let gaps = &snapshot.manifest.gaps;
        let of_account = |(account, seen): (&'a String, &'a AccountSnapshot)| {
            let regions = seen.regions.iter().map(|(name, files)| (name.as_str(), Arc::new(Region::new(account, name, files, gaps))));
            (account.as_str(), regions.collect())
        };
        let regions = snapshot.accounts.iter().map(of_account).collect();
        let mut estate = Self { snapshot, regions, endpoints_by_name: HashMap::new(), endpoints_by_address: HashMap::new() };
        estate.index_endpoints();
        estate
    }

    /// The same estate with other files for one Region: what it would be after a change.
    pub fn with<'b>(&'b self, account: &'b str, name: &'b str, files: &'b RegionFiles) -> Estate<'b> {
        let mut regions: BTreeMap<&'b str, BTreeMap<&'b str, Arc<Region<'b>>>> = self.regions.clone();
        let changed = Region::new(account, name, files, &self.snapshot.manifest.gaps);
        regions.entry(account).or_default().insert(name, Arc::new(changed));
        let mut estate =
            Estate { snapshot: self.snapshot, regions, endpoints_by_name: HashMap::new(), endpoints_by_address: HashMap::new() };
        estate.index_endpoints();
        estate
    }

    /// The organization's accounts, as far as they are listed, and those that were seen.
    pub fn own_accounts(&self) -> BTreeSet<String> {
        let listed = self.snapshot.organization.accounts.iter().flat_map(|file| &file.accounts);
        listed.filter_map(|account| account.id.clone()).chain(self.snapshot.accounts.keys().cloned()).collect()
    }

    fn index_endpoints(&mut self) {
        let (mut by_name, mut by_address) = (HashMap::new(), HashMap::<_, Vec<_>>::new());
        for region in self.regions() {
            for endpoint in region.files.vpc_endpoints.iter().flat_map(|file| &file.vpc_endpoints) {
                let listed = Listed { account: region.account, region: region.name, endpoint };
                let names = endpoint.dns_entries.iter().filter_map(|entry| entry.dns_name.as_deref()).map(plain_name);
                // An endpoint with private DNS tells the service's name too, which every other one has.
                let is_own = |name: &String| name.contains(".vpce.");
                by_name.extend(names.filter(is_own).map(|name| (name, listed)));
                for interface in endpoint.network_interface_ids.iter().filter_map(|id| region.interface(id).into_known()) {
                    let ipv6 = interface.ipv6_addresses.iter().filter_map(|ipv6| address(ipv6.ipv6_address.as_ref()));
                    for address in address(interface.private_ip_address.as_ref()).into_iter().chain(ipv6) {
                        by_address.entry(address).or_default().push(listed);
                    }
                }
            }
        }
        (self.endpoints_by_name, self.endpoints_by_address) = (by_name, by_address);
    }

    fn listed(&self, listed: Listed<'a>) -> Option<(&Region<'a>, &'a VpcEndpoint)> {
        Some((self.region(listed.account, listed.region)?, listed.endpoint))
    }

    /// An endpoint by its id, in whatever account of the Region lists it.
    pub fn endpoint(&self, region: &str, id: &str) -> Option<(&Region<'a>, &'a VpcEndpoint)> {
        let mut here = self.regions().filter(|seen| seen.name == region);
        here.find_map(|seen| Some((seen, seen.endpoint(id).into_known()??)))
    }

    /// The interface endpoint with this DNS name of its own, and the Region whose files list it.
    pub fn endpoint_named(&self, name: &str) -> Option<(&Region<'a>, &'a VpcEndpoint)> {
        self.listed(*self.endpoints_by_name.get(&plain_name(name))?)
    }

    /// The interface endpoint with an interface at this private address, where there is only one in all that was seen.
    pub fn endpoint_at(&self, address: IpAddr) -> Option<(&Region<'a>, &'a VpcEndpoint)> {
        match self.endpoints_by_address.get(&address)?.as_slice() {
            [only] => self.listed(*only),
            _ => None,
        }
    }

    /// The Regions seen, by account and name.
    pub fn regions(&self) -> impl Iterator<Item = &Region<'a>> {
        self.regions.values().flat_map(BTreeMap::values).map(Arc::as_ref)
    }

    pub fn region(&self, account: &str, name: &str) -> Option<&Region<'a>> {
        self.regions.get(account)?.get(name).map(Arc::as_ref)
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
