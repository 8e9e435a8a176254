//! Route 53 Profiles: what a VPC gets of private zones, forwarding rules and DNS Firewall without an association of its own.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use crate::aws::desk::Desk;
use crate::aws::gap::Refusal;
use crate::aws::shapes::Shape;
use crate::snapshot::RegionFiles;
use crate::snapshot::route53 as file;

const ASSOCIATIONS: &str = "route53profiles:ListProfileAssociations";
const RESOURCES: &str = "route53profiles:ListProfileResourceAssociations";
pub(in crate::aws) const ZONE: &str = "route53:GetHostedZone";
/// The largest page of both lists.
const PAGE: i32 = 100;

/// What the Profiles in use bring, by the end of its ARN.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// With the account that put each into the Profile: the zone's owner, who alone is shown what is in it.
    pub(super) zones: BTreeMap<String, Option<String>>,
    pub(super) rule_groups: BTreeSet<String>,
}

pub(super) async fn associations(desk: &Desk) -> Option<file::ListProfileAssociations> {
    let client = desk.profiles();
    let associations = desk.pages(
        ASSOCIATIONS,
        |token| client.list_profile_associations().max_results(PAGE).set_next_token(token).send(),
        |page| (page.profile_associations, page.next_token),
    );
    Some(file::ListProfileAssociations { profile_associations: associations.await? })
}

/// The resources of the Profiles that are associated with one of the VPCs.
pub(super) async fn look(desk: &Desk, vpcs: &BTreeSet<String>, files: &mut RegionFiles) {
    let Some(associations) = &files.profile_associations else {
        desk.miss_without(RESOURCES, ASSOCIATIONS);
        return;
    };
    let is_of_vpcs = |vpc: &Option<String>| vpc.as_ref().is_some_and(|vpc| vpcs.contains(vpc));
    let in_use = associations.profile_associations.iter().filter(|association| is_of_vpcs(&association.resource_id));
    let is_known =
        |profile: &String| files.profile_resources.as_ref().is_some_and(|file| file.profile_resource_associations.contains_key(profile));
    let profiles: BTreeSet<String> =
        in_use.filter_map(|association| association.profile_id.clone()).filter(|profile| !is_known(profile)).collect();
    let answered = resources(desk, &profiles).await;
    if profiles.is_empty() || !answered.is_empty() {
        files.profile_resources.get_or_insert_default().profile_resource_associations.extend(answered);
    }
}

async fn resources(desk: &Desk, profiles: &BTreeSet<String>) -> BTreeMap<String, Vec<file::ProfileResourceAssociation>> {
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
    join_all(answers).await.into_iter().flatten().collect()
}

pub(super) fn brought(files: &RegionFiles) -> Brought {
    let resources = files.profile_resources.iter().flat_map(|file| file.profile_resource_associations.values().flatten());
    let mut brought = Brought::default();
    for resource in resources {
        let arn = resource.resource_arn.as_deref().unwrap_or_default();
        if let Some((_, zone)) = arn.split_once(":hostedzone/") {
            brought.zones.insert(zone.to_owned(), resource.owner_id.clone());
        } else if let Some((_, group)) = arn.split_once(":firewall-rule-group/") {
            brought.rule_groups.insert(group.to_owned());
        }
    }
    brought
}

/// The names of the zones that the Profiles bring. `ListHostedZonesByVPC` does not hold them, and an ARN has no name.
pub(super) async fn zones(desk: &Desk, zones: &BTreeSet<String>, files: &mut RegionFiles) {
    let needed = if files.profile_associations.is_none() { ASSOCIATIONS } else { RESOURCES };
    if files.profile_resources.is_none() {
        desk.miss_without(ZONE, needed);
        return;
    }
    let is_known = |zone: &&String| files.profile_zones.as_ref().is_some_and(|file| file.hosted_zones.contains_key(*zone));
    let zones: Vec<&String> = zones.iter().filter(|zone| !is_known(zone)).collect();
    let answers = zones.iter().map(|zone| async move {
        let answer = zone_of(desk, zone).await.map_err(|refusal| desk.miss(ZONE, refusal)).ok()?;
        Some(((*zone).clone(), answer))
    });
    let answered: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    if zones.is_empty() || !answered.is_empty() {
        files.profile_zones.get_or_insert_default().hosted_zones.extend(answered);
    }
}

pub(in crate::aws) async fn zone_of(desk: &Desk, zone: &str) -> Result<file::HostedZoneAnswer, Refusal> {
    let answer = desk.attempt(ZONE, desk.route53().get_hosted_zone().id(zone).send()).await?;
    Ok(file::HostedZoneAnswer { hosted_zone: answer.hosted_zone.shape() })
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
        assert_eq!(brought.zones.into_keys().collect::<Vec<_>>(), ["Z0123456789"]);
        assert_eq!(brought.rule_groups.into_iter().collect::<Vec<_>>(), ["rslvr-frg-1"]);
    }
}
