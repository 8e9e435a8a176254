//! Private DNS: the hosted zones of the VPCs, the resolver's forwarding rules, DNS Firewall, and the Profiles that bring any of them.

mod firewall;
pub(super) mod profiles;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::types::VpcRegion;
use futures::future::join_all;

use super::desk::Desk;
use super::gap::Refusal;
use super::shapes::Shape;
use crate::snapshot::RegionFiles;
use crate::snapshot::route53 as file;

const ZONES: &str = "route53:ListHostedZonesByVPC";
pub(super) const RECORDS: &str = "route53:ListResourceRecordSets";
/// The largest page of Route 53's own operations.
const ZONES_PAGE: i32 = 100;
const RECORDS_PAGE: i32 = 300;
const RESOLVER_PAGE: i32 = 100;
/// The domains whose names an agent has to resolve.
const AWS_DOMAINS: &[&str] = &["amazonaws.com", "amazonaws.com.cn", "api.aws", "amazonwebservices.com.cn"];

/// What holds for the Region whichever VPCs are in it.
pub(super) async fn look(desk: &Desk, files: &mut RegionFiles) {
    let (rules, rule_associations, firewall_associations, profile_associations) = futures::join!(
        Box::pin(resolver_rules(desk)),
        Box::pin(resolver_rule_associations(desk)),
        Box::pin(firewall::associations(desk)),
        Box::pin(profiles::associations(desk)),
    );
    files.resolver_rules = rules;
    files.resolver_rule_associations = rule_associations;
    files.firewall_associations = firewall_associations;
    files.profile_associations = profile_associations;
}

/// The names of the VPCs, added to what is known of others. Other accounts' zones are left out: see [`records_of_others`].
pub(super) async fn of_vpcs(desk: &Desk, region: &str, vpcs: &BTreeSet<String>, files: &mut RegionFiles) {
    let (zones, ()) = futures::join!(hosted_zones(desk, region, vpcs), Box::pin(profiles::look(desk, vpcs, files)));
    let brought = profiles::brought(files);
    let of_others = profile_zones_of_others(&desk.account_id, files);
    let own: BTreeSet<String> = brought.zones.into_keys().filter(|zone| !of_others.contains_key(zone)).collect();
    profiles::zones(desk, &own, files).await;
    Box::pin(firewall::look(desk, vpcs, &brought.rule_groups, files)).await;
    let is_known = zones.is_some();
    if !is_known {
        desk.miss_without(RECORDS, ZONES);
    }
    if let Some(zones) = zones {
        files.hosted_zones.get_or_insert_default().hosted_zone_summaries.extend(zones);
    }
    let of_vpcs = zones_over_aws_names(files).filter(|(_, owner)| owner.is_none_or(|owner| owner == desk.account_id)).map(|(zone, _)| zone);
    let of_profiles = profile_zones_over_aws_names(files).into_iter().filter(|zone| own.contains(zone));
    let wanted: BTreeSet<String> = of_vpcs.map(str::to_owned).chain(of_profiles).collect();
    record_sets(desk, wanted, is_known, files).await;
}

async fn hosted_zones(desk: &Desk, region: &str, vpcs: &BTreeSet<String>) -> Option<BTreeMap<String, Vec<file::HostedZoneSummary>>> {
    let client = &desk.route53();
    let answers = vpcs.iter().map(|vpc| async move {
        let ask = client.list_hosted_zones_by_vpc().vpc_id(vpc).vpc_region(VpcRegion::from(region)).max_items(ZONES_PAGE);
        let zones =
            desk.pages(ZONES, |token| ask.clone().set_next_token(token).send(), |page| (Some(page.hosted_zone_summaries), page.next_token));
        Some((vpc.clone(), zones.await?))
    });
    let zones: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    (vpcs.is_empty() || !zones.is_empty()).then_some(zones)
}

/// The zones that answer for names of AWS, with their owners, except those that an AWS service (an interface endpoint, for one) keeps itself.
fn zones_over_aws_names(files: &RegionFiles) -> impl Iterator<Item = (&str, Option<&str>)> {
    let all = files.hosted_zones.iter().flat_map(|file| file.hosted_zone_summaries.values().flatten());
    let of_customers = all.filter(|zone| zone.owner.as_ref().is_none_or(|owner| owner.owning_service.is_none()));
    let over_aws = of_customers.filter(|zone| zone.name.as_deref().is_some_and(covers_aws_names));
    over_aws
        .filter_map(|zone| Some((zone.hosted_zone_id.as_deref()?, zone.owner.as_ref().and_then(|owner| owner.owning_account.as_deref()))))
}

/// The zones over AWS's names that belong to other accounts than the one for whose VPCs they answer, with their owners: Route 53 shows
/// the records of a zone to its owner alone
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/access-control-overview.html>).
pub(super) fn records_of_others(account: &str, files: &RegionFiles) -> BTreeMap<String, String> {
    let of_vpcs = zones_over_aws_names(files).filter_map(|(zone, owner)| Some((zone.to_owned(), owner?.to_owned())));
    let mut of_others: BTreeMap<String, String> = of_vpcs.filter(|(_, owner)| owner != account).collect();
    let by_profiles = profile_zones_of_others(account, files);
    let over_aws = profile_zones_over_aws_names(files).into_iter();
    of_others.extend(over_aws.filter_map(|zone| by_profiles.get_key_value(&zone)).map(|(zone, owner)| (zone.clone(), owner.clone())));
    of_others
}

/// The zones of other accounts that a Profile brings, with their owners. Not even their names are shown to anybody else.
pub(super) fn profile_zones_of_others(account: &str, files: &RegionFiles) -> BTreeMap<String, String> {
    let with_owner = profiles::brought(files).zones.into_iter().filter_map(|(zone, owner)| Some((zone, owner?)));
    with_owner.filter(|(_, owner)| owner != account).collect()
}

fn profile_zones_over_aws_names(files: &RegionFiles) -> BTreeSet<String> {
    let name = |answer: &file::HostedZoneAnswer| answer.hosted_zone.as_ref().and_then(|zone| zone.name.clone());
    let covers = |answer: &file::HostedZoneAnswer| name(answer).is_some_and(|name| covers_aws_names(&name));
    let zones = files.profile_zones.iter().flat_map(|file| &file.hosted_zones);
    zones.filter(|(_, answer)| covers(answer)).map(|(id, _)| id.clone()).collect()
}

/// Whether a zone of this name stands over or among names of AWS: `amazonaws.com`, `com`, `ssm.eu-west-1.amazonaws.com`.
fn covers_aws_names(zone: &str) -> bool {
    let zone = zone.trim_end_matches('.').to_ascii_lowercase();
    let is_within = |name: &str, parent: &str| parent.is_empty() || name == parent || name.ends_with(&format!(".{parent}"));
    AWS_DOMAINS.iter().any(|domain| is_within(&zone, domain) || is_within(domain, &zone))
}

/// The records of each zone. Without any zone they are known only where it is known that there is none.
async fn record_sets(desk: &Desk, mut zones: BTreeSet<String>, is_known: bool, files: &mut RegionFiles) {
    zones.retain(|zone| files.record_sets.as_ref().is_none_or(|file| !file.resource_record_sets.contains_key(zone)));
    let mut answered = BTreeMap::new();
    for zone in &zones {
        match records_of(desk, zone).await {
            Ok(records) => {
                answered.insert(zone.clone(), records);
            }
            Err(refusal) => desk.miss(RECORDS, refusal),
        }
    }
    if (is_known && zones.is_empty()) || !answered.is_empty() {
        files.record_sets.get_or_insert_default().resource_record_sets.extend(answered);
    }
}

/// All records of a zone. The next page is asked for by name, type and set identifier rather than by a token.
pub(super) async fn records_of(desk: &Desk, zone: &str) -> Result<Vec<file::ResourceRecordSet>, Refusal> {
    let client = desk.route53();
    let mut all = Vec::new();
    let mut ask = client.list_resource_record_sets().hosted_zone_id(zone).max_items(RECORDS_PAGE);
    loop {
        let page = desk.attempt(RECORDS, ask.clone().send()).await?;
        all.extend(page.resource_record_sets.into_iter().map(Shape::shape));
        if !page.is_truncated {
            return Ok(all);
        }
        ask = ask
            .set_start_record_name(page.next_record_name)
            .set_start_record_type(page.next_record_type)
            .set_start_record_identifier(page.next_record_identifier);
    }
}

async fn resolver_rules(desk: &Desk) -> Option<file::ListResolverRules> {
    let client = desk.resolver();
    let rules = desk.pages(
        "route53resolver:ListResolverRules",
        |token| client.list_resolver_rules().max_results(RESOLVER_PAGE).set_next_token(token).send(),
        |page| (page.resolver_rules, page.next_token),
    );
    Some(file::ListResolverRules { resolver_rules: rules.await? })
}

async fn resolver_rule_associations(desk: &Desk) -> Option<file::ListResolverRuleAssociations> {
    let client = desk.resolver();
    let associations = desk.pages(
        "route53resolver:ListResolverRuleAssociations",
        |token| client.list_resolver_rule_associations().max_results(RESOLVER_PAGE).set_next_token(token).send(),
        |page| (page.resolver_rule_associations, page.next_token),
    );
    Some(file::ListResolverRuleAssociations { resolver_rule_associations: associations.await? })
}

#[cfg(test)]
mod tests {
    use super::covers_aws_names;

    #[test]
    fn zones_that_matter() {
        let cases = [
            ("amazonaws.com.", true),
            ("ssm.eu-west-1.amazonaws.com.", true),
            ("S3.Amazonaws.com", true),
            ("com", true),
            (".", true),
            ("amazonaws.com.cn.", true),
            ("api.aws.", true),
            ("aws.", true),
            ("notamazonaws.com.", false),
            ("corp.example.com.", false),
            ("internal.", false),
        ];
        for (zone, expected) in cases {
            assert_eq!(covers_aws_names(zone), expected, "{zone}");
        }
    }
}
