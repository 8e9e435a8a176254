//! Who else the way of the traffic depends on: the owners of shared VPCs, of transit gateways, and of the VPCs behind them or behind
//! peering connections. Such a hub often runs no instance, and would otherwise not be looked into.

use std::collections::{BTreeMap, BTreeSet};

use super::ec2;
use crate::snapshot::ec2::{Route, RouteTable, VpcPeeringConnection, VpcPeeringConnectionVpcInfo};
use crate::snapshot::{AccountSnapshot, RegionFiles};

/// An account's Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
}

/// The places on which the judged instances' traffic depends, those with the instances among them. Beside each are its VPCs that hold
/// judged instances, of whichever account: theirs are the names that have to be resolved.
pub(super) fn places(accounts: &BTreeMap<String, AccountSnapshot>) -> BTreeMap<Place, BTreeSet<String>> {
    let mut walk = Walk { accounts, places: BTreeMap::new(), entered: BTreeSet::new() };
    for (account, seen) in accounts {
        for (region, files) in &seen.regions {
            let here = Place { account: account.clone(), region: region.clone() };
            for vpc in files.instances.iter().flat_map(ec2::judged_vpcs) {
                let home = Place { account: owner(files, &vpc).unwrap_or(account).to_owned(), region: region.clone() };
                // A participant is asked too: it alone may be in the selection.
                walk.places.entry(here.clone()).or_default().insert(vpc.clone());
                walk.places.entry(home.clone()).or_default().insert(vpc.clone());
                walk.enter(&home, &vpc);
                walk.bring_endpoints(&home, &vpc);
            }
        }
    }
    walk.places
}

/// The account that owns a VPC which was seen.
fn owner<'f>(files: &'f RegionFiles, vpc: &str) -> Option<&'f str> {
    let of_vpc = files.vpcs.iter().flat_map(|file| &file.vpcs).find(|one| one.vpc_id.as_deref() == Some(vpc));
    let of_subnet = || files.subnets.iter().flat_map(|file| &file.subnets).find(|one| one.vpc_id.as_deref() == Some(vpc));
    of_vpc.and_then(|vpc| vpc.owner_id.as_deref()).or_else(|| of_subnet()?.owner_id.as_deref())
}

struct Walk<'s> {
    accounts: &'s BTreeMap<String, AccountSnapshot>,
    places: BTreeMap<Place, BTreeSet<String>>,
    /// The VPCs whose routes were followed.
    entered: BTreeSet<(Place, String)>,
}

impl<'s> Walk<'s> {
    fn files(&self, place: &Place) -> Option<&'s RegionFiles> {
        self.accounts.get(&place.account)?.regions.get(&place.region)
    }

    /// Follows the routes of a VPC, as far as its owner was looked into.
    fn enter(&mut self, home: &Place, vpc: &str) {
        self.places.entry(home.clone()).or_default();
        let Some(files) = self.files(home) else { return };
        if !self.entered.insert((home.clone(), vpc.to_owned())) {
            return;
        }
        let tables = files.route_tables.iter().flat_map(|file| &file.route_tables);
        let routes: Vec<&Route> = tables.filter(|table| is_of(table, vpc)).flat_map(|table| &table.routes).collect();
        let gateways: BTreeSet<&str> = routes.iter().filter_map(|route| route.transit_gateway_id.as_deref()).collect();
        for gateway in gateways {
            self.pass_gateway(home, files, gateway);
        }
        let connections: BTreeSet<&str> = routes.iter().filter_map(|route| route.vpc_peering_connection_id.as_deref()).collect();
        for far in connections.into_iter().filter_map(|connection| peer(files, connection, vpc)) {
            // Nothing goes beyond the peer VPC.
            if let Some(account) = &far.owner_id {
                let region = far.region.clone().unwrap_or_else(|| home.region.clone());
                self.places.entry(Place { account: account.clone(), region }).or_default();
            }
        }
    }

    /// To the owners of the endpoints that a Route 53 Profile brings to the VPC.
    fn bring_endpoints(&mut self, home: &Place, vpc: &str) {
        let Some(files) = self.files(home) else { return };
        let associations = files.profile_associations.iter().flat_map(|file| &file.profile_associations);
        let profiles = associations.filter(|one| one.resource_id.as_deref() == Some(vpc)).filter_map(|one| one.profile_id.as_ref());
        let resources = files.profile_resources.as_ref().map(|file| &file.profile_resource_associations);
        let resources = profiles.filter_map(|profile| resources?.get(profile)).flatten();
        for arn in resources.filter_map(|resource| resource.resource_arn.as_deref()).filter(|arn| arn.contains(":vpc-endpoint/")) {
            // arn:aws:ec2:REGION:ACCOUNT:vpc-endpoint/ID
            if let Some(account) = arn.split(':').nth(4).filter(|account| !account.is_empty()) {
                self.places.entry(Place { account: account.to_owned(), region: home.region.clone() }).or_default();
            }
        }
    }

    /// To the owner of a transit gateway, and on to the VPCs that its route tables lead to.
    fn pass_gateway(&mut self, from: &Place, files: &RegionFiles, gateway: &str) {
        let gateways = files.transit_gateways.iter().flat_map(|file| &file.transit_gateways);
        let mut listed = gateways.filter(|one| one.transit_gateway_id.as_deref() == Some(gateway));
        let Some(owner) = listed.find_map(|one| one.owner_id.clone()) else { return };
        let owner = Place { account: owner, region: from.region.clone() };
        self.places.entry(owner.clone()).or_default();
        let Some(files) = self.files(&owner) else { return };
        let routes = files.transit_gateway_routes.iter().flat_map(|file| file.transit_gateway_routes.values().flatten());
        let led_to: BTreeSet<&str> = routes
            .flat_map(|route| &route.transit_gateway_attachments)
            .filter_map(|to| to.transit_gateway_attachment_id.as_deref())
            .collect();
        for attachment in files.transit_gateway_attachments.iter().flat_map(|file| &file.transit_gateway_vpc_attachments) {
            let is_led_to = attachment.transit_gateway_attachment_id.as_deref().is_some_and(|id| led_to.contains(id));
            let is_of_gateway = attachment.transit_gateway_id.as_deref() == Some(gateway);
            if let (Some(account), Some(vpc), true) = (&attachment.vpc_owner_id, &attachment.vpc_id, is_led_to && is_of_gateway) {
                self.enter(&Place { account: account.clone(), region: owner.region.clone() }, vpc);
            }
        }
    }
}

fn is_of(table: &RouteTable, vpc: &str) -> bool {
    table.vpc_id.as_deref() == Some(vpc)
}

/// The other side of a peering connection that works.
fn peer<'f>(files: &'f RegionFiles, connection: &str, vpc: &str) -> Option<&'f VpcPeeringConnectionVpcInfo> {
    let connections = files.peering_connections.iter().flat_map(|file| &file.vpc_peering_connections);
    let status = |one: &VpcPeeringConnection| one.status.as_ref().and_then(|status| status.code.clone());
    let is_up = |one: &&VpcPeeringConnection| status(one).is_some_and(|status| status.eq_ignore_ascii_case("active"));
    let connection = connections.filter(is_up).find(|one| one.vpc_peering_connection_id.as_deref() == Some(connection))?;
    let sides = [&connection.accepter_vpc_info, &connection.requester_vpc_info];
    sides.into_iter().flatten().find(|side| side.vpc_id.as_deref() != Some(vpc))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::{Place, places};
    use crate::snapshot::{AccountSnapshot, RegionFiles};

    /// A Region from its files' JSON, by the operations' names.
    fn region(files: &Value) -> RegionFiles {
        fn read<T: serde::de::DeserializeOwned>(files: &Value, name: &str) -> Option<T> {
            files.get(name).cloned().map(|file| serde_json::from_value(file).unwrap())
        }
        RegionFiles {
            instances: read(files, "instances"),
            vpcs: read(files, "vpcs"),
            route_tables: read(files, "tables"),
            peering_connections: read(files, "peerings"),
            transit_gateways: read(files, "gateways"),
            transit_gateway_attachments: read(files, "attachments"),
            transit_gateway_routes: read(files, "gateway_routes"),
            ..RegionFiles::default()
        }
    }

    fn named(accounts: &[(&str, RegionFiles)]) -> Vec<String> {
        let seen = |files: &RegionFiles| AccountSnapshot {
            regions: BTreeMap::from([("eu-west-1".to_owned(), files.clone())]),
            ..AccountSnapshot::default()
        };
        let accounts = accounts.iter().map(|(id, files)| ((*id).to_owned(), seen(files))).collect();
        let row = |(place, vpcs): (Place, BTreeSet<String>)| {
            format!("{} {} {}", place.account, place.region, vpcs.into_iter().collect::<Vec<_>>().join(","))
        };
        places(&accounts).into_iter().map(row).collect()
    }

    fn spoke(more: &Value) -> RegionFiles {
        let mut files = json!({
            "instances": {"Reservations": [{"Instances": [{"InstanceId": "i-1", "VpcId": "vpc-s"}]}]},
            "vpcs": {"Vpcs": [{"VpcId": "vpc-s", "OwnerId": "1"}]}});
        files.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        region(&files)
    }

    #[test]
    fn owners_of_shared_vpcs() {
        let participant = spoke(&json!({"vpcs": {"Vpcs": [{"VpcId": "vpc-s", "OwnerId": "2"}, {"VpcId": "vpc-t", "OwnerId": "3"}]}}));
        // What is shared and not used is of no interest.
        assert_eq!(named(&[("1", participant)]), ["1 eu-west-1 vpc-s", "2 eu-west-1 vpc-s"]);
    }

    #[test]
    fn owners_of_what_a_profile_brings() {
        let mut files = spoke(&json!({}));
        let associated =
            json!({"ProfileAssociations": [{"ProfileId": "rp-1", "ResourceId": "vpc-s"}, {"ProfileId": "rp-2", "ResourceId": "vpc-t"}]});
        files.profile_associations = Some(serde_json::from_value(associated).unwrap());
        let endpoint = |account: &str| json!([{"ResourceArn": format!("arn:aws:ec2:eu-west-1:{account}:vpc-endpoint/vpce-1")}]);
        let resources = json!({"ProfileResourceAssociations": {"rp-1": endpoint("2"), "rp-2": endpoint("3")}});
        files.profile_resources = Some(serde_json::from_value(resources).unwrap());
        assert_eq!(named(&[("1", files)]), ["1 eu-west-1 vpc-s", "2 eu-west-1 "]);
    }

    #[test]
    fn transit_gateways_and_the_vpcs_behind_them() {
        let tables = |target: &str| json!({"RouteTables": [{"VpcId": "vpc-s", "Routes": [{"TransitGatewayId": target}]}]});
        let gateways =
            json!({"TransitGateways": [{"TransitGatewayId": "tgw-1", "OwnerId": "2"}, {"TransitGatewayId": "tgw-2", "OwnerId": "9"}]});
        let spoke = || spoke(&json!({"tables": tables("tgw-1"), "gateways": gateways}));
        assert_eq!(named(&[("1", spoke())]), ["1 eu-west-1 vpc-s", "2 eu-west-1 "]);
        let attachment = |id: &str, gateway: &str, owner: &str| {
            json!({"TransitGatewayAttachmentId": id, "TransitGatewayId": gateway,
            "VpcOwnerId": owner, "VpcId": format!("vpc-{owner}")})
        };
        let hub = region(&json!({
            "attachments": {"TransitGatewayVpcAttachments": [attachment("a", "tgw-1", "3"), attachment("b", "tgw-1", "4"), attachment("c", "tgw-3", "5")]},
            "gateway_routes": {"TransitGatewayRoutes": {"tgw-rtb-1": [
                {"TransitGatewayAttachments": [{"TransitGatewayAttachmentId": "a"}]}, {"TransitGatewayAttachments": [{"TransitGatewayAttachmentId": "c"}]}]}}}));
        // No route leads to b, and c belongs to another gateway.
        assert_eq!(named(&[("1", spoke()), ("2", hub.clone())]), ["1 eu-west-1 vpc-s", "2 eu-west-1 ", "3 eu-west-1 "]);
        // From the VPC behind it goes on.
        let behind = region(&json!({
            "tables": {"RouteTables": [{"VpcId": "vpc-3", "Routes": [{"TransitGatewayId": "tgw-2"}, {"TransitGatewayId": "tgw-1"}]}]}, "gateways": gateways}));
        let all = named(&[("1", spoke()), ("2", hub), ("3", behind)]);
        assert_eq!(all, ["1 eu-west-1 vpc-s", "2 eu-west-1 ", "3 eu-west-1 ", "9 eu-west-1 "]);
    }

    #[test]
    fn peers_in_their_own_regions() {
        let with = |status: &str| {
            spoke(&json!({
                "tables": {"RouteTables": [{"VpcId": "vpc-s", "Routes": [{"VpcPeeringConnectionId": "pcx-1"}]}]},
                "peerings": {"VpcPeeringConnections": [{"VpcPeeringConnectionId": "pcx-1", "Status": {"Code": status},
                    "RequesterVpcInfo": {"VpcId": "vpc-p", "OwnerId": "2", "Region": "us-east-1"}, "AccepterVpcInfo": {"VpcId": "vpc-s", "OwnerId": "1"}}]}}))
        };
        assert_eq!(named(&[("1", with("active"))]), ["1 eu-west-1 vpc-s", "2 us-east-1 "]);
        assert_eq!(named(&[("1", with("deleted"))]), ["1 eu-west-1 vpc-s"]);
    }
}
