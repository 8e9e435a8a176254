//! EC2: the instances of a Region, and the network around them.

mod network;
mod transit_gateway;

use std::collections::BTreeSet;

use super::desk::Desk;
use crate::snapshot::RegionFiles;
use crate::snapshot::ec2::{DescribeInstanceImageMetadata, DescribeInstanceStatus, DescribeInstances, Instance};

/// The largest page that most of EC2's operations give. Without a page size they draw on a smaller budget.
const PAGE: i32 = 1000;

/// Every instance, those that AWS services run for the customer included.
pub(super) async fn instances(desk: &Desk) -> Option<DescribeInstances> {
    let client = desk.ec2();
    let reservations = desk.pages(
        "ec2:DescribeInstances",
        |token| client.describe_instances().max_results(PAGE).include_managed_resources(true).set_next_token(token).send(),
        |page| (page.reservations, page.next_token),
    );
    Some(DescribeInstances { reservations: reservations.await? })
}

/// The instances that will be judged: whatever is not terminated.
pub(super) fn judged(instances: &DescribeInstances) -> impl Iterator<Item = &Instance> {
    instances.reservations.iter().flat_map(|reservation| &reservation.instances).filter(|instance| {
        let state = instance.state.as_ref().and_then(|state| state.name.as_deref()).unwrap_or_default();
        !["terminated", "shutting-down"].iter().any(|gone| state.eq_ignore_ascii_case(gone))
    })
}

/// The VPCs that hold judged instances, by id.
pub(super) fn judged_vpcs(instances: &DescribeInstances) -> BTreeSet<String> {
    let of_interfaces = |instance: &Instance| instance.network_interfaces.iter().filter_map(|one| one.vpc_id.clone()).collect::<Vec<_>>();
    judged(instances).flat_map(|instance| instance.vpc_id.clone().into_iter().chain(of_interfaces(instance))).collect()
}

/// What is to be told of the instances beside themselves.
pub(super) async fn about_instances(desk: &Desk, files: &mut RegionFiles) {
    let (image_metadata, instance_status) = futures::join!(image_metadata(desk), instance_status(desk));
    files.image_metadata = image_metadata;
    files.instance_status = instance_status;
}

/// The network, whoever's instances use it.
pub(super) async fn network(desk: &Desk, files: &mut RegionFiles) {
    Box::pin(network::look(desk, files)).await;
    Box::pin(transit_gateway::look(desk, files)).await;
}

/// Whether the VPCs have DNS, added to what is known of others.
pub(super) async fn of_vpcs(desk: &Desk, vpcs: &BTreeSet<String>, files: &mut RegionFiles) {
    Box::pin(network::vpc_attributes(desk, vpcs, files)).await;
}

async fn image_metadata(desk: &Desk) -> Option<DescribeInstanceImageMetadata> {
    let client = desk.ec2();
    let metadata = desk.pages(
        "ec2:DescribeInstanceImageMetadata",
        |token| client.describe_instance_image_metadata().max_results(PAGE).set_next_token(token).send(),
        |page| (page.instance_image_metadata, page.next_token),
    );
    Some(DescribeInstanceImageMetadata { instance_image_metadata: metadata.await? })
}

async fn instance_status(desk: &Desk) -> Option<DescribeInstanceStatus> {
    let client = desk.ec2();
    let statuses = desk.pages(
        "ec2:DescribeInstanceStatus",
        |token| client.describe_instance_status().max_results(PAGE).include_all_instances(false).set_next_token(token).send(),
        |page| (page.instance_statuses, page.next_token),
    );
    Some(DescribeInstanceStatus { instance_statuses: statuses.await? })
}

#[cfg(test)]
mod tests {
    use super::{judged, judged_vpcs};
    use crate::snapshot::ec2::{DescribeInstances, Instance, InstanceNetworkInterface, InstanceState, Reservation};

    #[test]
    fn terminated_instances_are_not_judged() {
        let instance = |id: &str, state: &str, vpc: Option<&str>, interface: Option<&str>| Instance {
            instance_id: Some(id.into()),
            state: Some(InstanceState { code: None, name: Some(state.into()) }),
            vpc_id: vpc.map(Into::into),
            network_interfaces: interface
                .map(|vpc| InstanceNetworkInterface { vpc_id: Some(vpc.into()), ..InstanceNetworkInterface::default() })
                .into_iter()
                .collect(),
            ..Instance::default()
        };
        let instances = vec![
            instance("i-1", "running", Some("vpc-1"), Some("vpc-2")),
            instance("i-2", "Terminated", Some("vpc-3"), None),
            instance("i-3", "stopped", Some("vpc-1"), None),
        ];
        let file = DescribeInstances { reservations: vec![Reservation { instances, ..Reservation::default() }] };
        assert_eq!(judged(&file).filter_map(|one| one.instance_id.as_deref()).collect::<Vec<_>>(), ["i-1", "i-3"]);
        assert_eq!(judged_vpcs(&file).into_iter().collect::<Vec<_>>(), ["vpc-1", "vpc-2"]);
    }
}
