//! Route 53 Profiles: what a VPC gets of private zones, forwarding rules and DNS Firewall without an association of its own.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use crate::aws::desk::Desk;
use crate::aws::shapes::Shape;
use crate::snapshot::RegionFiles;
use crate::snapshot::route53 as file;

const ASSOCIATIONS: &str = "route53profiles:ListProfileAssociations";
const RESOURCES: &str = "route53profiles:ListProfileResourceAssociations";
const ZONE: &str = "route53:GetHostedZone";
/// The largest page of both lists.
const PAGE: i32 = 100;

/// What the Profiles in use bring, by the end of its ARN.
#[derive(Debug, Default)]
pub(super) struct Brought {
    pub(super) zones: BTreeSet<String>,
    pub(super) rule_groups: BTreeSet<String>,
}

/// The associations, and the resources of the Profiles that are associated with a judged VPC.
pub(super) async fn look(
    desk: &Desk,
    judged_vpcs: &BTreeSet<String>,
) -> (Option<file::ListProfileAssociations>, Option<file::ListProfileResourceAssociations>) {
    let Some(associations) = associations(desk).await else {
        desk.miss_without(RESOURCES, ASSOCIATIONS);
        return (None, None);
    };
    let is_judged = |vpc: &Option<String>| vpc.as_ref().is_some_and(|vpc| judged_vpcs.contains(vpc));
    let in_use = associations.profile_associations.iter().filter(|association| is_judged(&association.resource_id));
    let profiles: BTreeSet<String> = in_use.filter_map(|association| association.profile_id.clone()).collect();
    let resources = resources(desk, &profiles).await;
    (Some(associations), resources)
}

async fn associations(desk: &Desk) -> Option<file::ListProfileAssociations> {
    let client = desk.profiles();
    let associations = desk.pages(
        ASSOCIATIONS,
        |token| client.list_profile_associations().max_results(PAGE).set_next_token(token).send(),
        |page| (page.profile_associations, page.next_token),
    );
    Some(file::ListProfileAssociations { profile_associations: associations.await? })
}

async fn resources(desk: &Desk, profiles: &BTreeSet<String>) -> Option<file::ListProfileResourceAssociations> {
    let client = &desk.profiles();
    let answers = profiles.iter().map(|profile| async move {
        let ask = client.list_profile_resource_associations().profile_id(profile).max_results(PAGE);
        let resources = desk.pages(
            RESOURCES,
            |token| ask.clone().set_next_token(token).send(),
            |page| (page.profile_resource_associations, page.next_token),
        );
        Some((profile.clone(), resources.await?))
    });
    let profile_resource_associations: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    (profiles.is_empty() || !profile_resource_associations.is_empty())
        .then_some(file::ListProfileResourceAssociations { profile_resource_associations })
}

pub(super) fn brought(files: &RegionFiles) -> Brought {
    let resources = files.profile_resources.iter().flat_map(|file| file.profile_resource_associations.values().flatten());
    let mut brought = Brought::default();
    for arn in resources.filter_map(|resource| resource.resource_arn.as_deref()) {
        if let Some((_, zone)) = arn.split_once(":hostedzone/") {
            brought.zones.insert(zone.to_owned());
        } else if let Some((_, group)) = arn.split_once(":firewall-rule-group/") {
            brought.rule_groups.insert(group.to_owned());
        }
    }
    brought
}

/// The names of the zones that the Profiles bring. `ListHostedZonesByVPC` does not hold them, and an ARN has no name.
pub(super) async fn zones(desk: &Desk, zones: &BTreeSet<String>, files: &RegionFiles) -> Option<file::GetHostedZone> {
    let needed = if files.profile_associations.is_none() { ASSOCIATIONS } else { RESOURCES };
    if files.profile_resources.is_none() {
        desk.miss_without(ZONE, needed);
        return None;
    }
    let client = &desk.route53();
    let answers = zones.iter().map(|zone| async move {
        let answer = desk.once(ZONE, client.get_hosted_zone().id(zone).send()).await?;
        Some((zone.clone(), file::HostedZoneAnswer { hosted_zone: answer.hosted_zone.shape() }))
    });
    let hosted_zones: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    (zones.is_empty() || !hosted_zones.is_empty()).then_some(file::GetHostedZone { hosted_zones })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::brought;
    use crate::snapshot::RegionFiles;
    use crate::snapshot::route53 as file;

    #[test]
    fn what_a_profile_brings_is_told_by_its_arn() {
        let resource = |arn: &str| file::ProfileResourceAssociation { resource_arn: Some(arn.into()), ..Default::default() };
        let resources = vec![
            resource("arn:aws:route53:::hostedzone/Z0123456789"),
            resource("arn:aws:route53resolver:eu-west-1:111111111111:firewall-rule-group/rslvr-frg-1"),
            resource("arn:aws:route53resolver:eu-west-1:111111111111:resolver-rule/rslvr-rr-1"),
            resource("arn:aws:ec2:eu-west-1:111111111111:vpc-endpoint/vpce-1"),
        ];
        let profile_resource_associations = BTreeMap::from([("rp-1".to_owned(), resources)]);
        let files = RegionFiles {
            profile_resources: Some(file::ListProfileResourceAssociations { profile_resource_associations }),
            ..RegionFiles::default()
        };
        let brought = brought(&files);
        assert_eq!(brought.zones.into_iter().collect::<Vec<_>>(), ["Z0123456789"]);
        assert_eq!(brought.rule_groups.into_iter().collect::<Vec<_>>(), ["rslvr-frg-1"]);
    }
}
