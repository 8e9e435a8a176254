//! Whose a change is: the account that has what is changed, which need not be the instance's.

use super::change::Change;
use crate::model::{Estate, Region};
use crate::snapshot::RegionFiles;

/// The account and the Region in which a change is made that is proposed for an instance of these.
pub(super) fn of<'c>(estate: &'c Estate<'_>, account: &'c str, region: &'c str, change: &Change) -> (&'c str, &'c str) {
    of_resource(estate, account, region, change.resource())
}

/// The Region's files of the account that has a resource, if both were seen.
pub(super) fn files<'c, 's>(estate: &'c Estate<'s>, account: &'c str, region: &'c str, resource: &str) -> Option<&'c Region<'s>> {
    let (account, region) = of_resource(estate, account, region, resource);
    estate.region(account, region)
}

fn of_resource<'c>(estate: &'c Estate<'_>, account: &'c str, region: &'c str, resource: &str) -> (&'c str, &'c str) {
    let own = estate.region(account, region).into_iter();
    let here = estate.regions().filter(|other| other.name == region && other.account != account);
    let elsewhere = estate.regions().filter(|other| other.name != region);
    let mut seen = own.chain(here).chain(elsewhere);
    let found = seen.find_map(|seen| match owner(seen.files, resource)? {
        Owner::Account(owner) => Some((owner, seen.name)),
        Owner::WhoeverLists => Some((seen.account, seen.name)),
    });
    found.unwrap_or((account, region))
}

/// Whose a resource is, by the files that list it.
enum Owner<'f> {
    Account(&'f str),
    /// They do not say.
    WhoeverLists,
}

/// Whose a resource is; `None` where these files do not list it.
fn owner<'f>(files: &'f RegionFiles, id: &str) -> Option<Owner<'f>> {
    let told = |owner: Option<&'f str>| owner.map_or(Owner::WhoeverLists, Owner::Account);
    let is_it = |candidate: &Option<String>| candidate.as_deref() == Some(id);
    let of_vpc = |id: Option<&String>| {
        let mut vpcs = files.vpcs.iter().flat_map(|file| &file.vpcs);
        vpcs.find(|vpc| id.is_some() && vpc.vpc_id.as_ref() == id).and_then(|vpc| vpc.owner_id.as_deref())
    };
    match id.split_once('-')?.0 {
        "vpc" => {
            let mut vpcs = files.vpcs.iter().flat_map(|file| &file.vpcs);
            vpcs.find(|vpc| is_it(&vpc.vpc_id)).map(|vpc| told(vpc.owner_id.as_deref()))
        }
        "sg" => {
            let mut groups = files.security_groups.iter().flat_map(|file| &file.security_groups);
            groups.find(|group| is_it(&group.group_id)).map(|group| told(group.owner_id.as_deref()))
        }
        "vpce" => {
            let mut endpoints = files.vpc_endpoints.iter().flat_map(|file| &file.vpc_endpoints);
            endpoints.find(|endpoint| is_it(&endpoint.vpc_endpoint_id)).map(|endpoint| told(endpoint.owner_id.as_deref()))
        }
        // Participants see those of a shared subnet too.
        "acl" => {
            let mut acls = files.network_acls.iter().flat_map(|file| &file.network_acls);
            acls.find(|acl| is_it(&acl.network_acl_id)).map(|acl| told(acl.owner_id.as_deref().or_else(|| of_vpc(acl.vpc_id.as_ref()))))
        }
        "rtb" => {
            let mut tables = files.route_tables.iter().flat_map(|file| &file.route_tables);
            tables
                .find(|table| is_it(&table.route_table_id))
                .map(|table| told(table.owner_id.as_deref().or_else(|| of_vpc(table.vpc_id.as_ref()))))
        }
        "eni" => {
            let mut interfaces = files.network_interfaces.iter().flat_map(|file| &file.network_interfaces);
            interfaces.find(|interface| is_it(&interface.network_interface_id)).map(|interface| told(interface.owner_id.as_deref()))
        }
        // Only the owner is told of a transit gateway's tables.
        "tgw" => {
            let mut tables = files.transit_gateway_route_tables.iter().flat_map(|file| &file.transit_gateway_route_tables);
            let is_listed = tables.any(|table| is_it(&table.transit_gateway_route_table_id));
            let has_routes = files.transit_gateway_routes.as_ref().is_some_and(|file| file.transit_gateway_routes.contains_key(id));
            (is_listed || has_routes).then(|| told(None))
        }
        _ => None,
    }
}
