//! Private DNS: the hosted zones of the VPCs, the resolver's forwarding rules, DNS Firewall, and the Profiles that bring any of them.

mod firewall;
mod profiles;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::types::VpcRegion;
use futures::future::join_all;

use super::desk::Desk;
use super::shapes::Shape;
use crate::snapshot::RegionFiles;
use crate::snapshot::route53 as file;

const ZONES: &str = "route53:ListHostedZonesByVPC";
const RECORDS: &str = "route53:ListResourceRecordSets";
/// The largest page of Route 53's own operations.
const ZONES_PAGE: i32 = 100;
const RECORDS_PAGE: i32 = 300;
const RESOLVER_PAGE: i32 = 100;
/// The domains whose names an agent has to resolve.
const AWS_DOMAINS: &[&str] = &["amazonaws.com", "amazonaws.com.cn", "api.aws", "amazonwebservices.com.cn"];

pub(super) async fn look(desk: &Desk, region: &str, judged_vpcs: &BTreeSet<String>, files: &mut RegionFiles) {
    let (zones, rules, rule_associations, firewall_associations, (profile_associations, profile_resources)) = futures::join!(
        hosted_zones(desk, region, judged_vpcs),
        Box::pin(resolver_rules(desk)),
        Box::pin(resolver_rule_associations(desk)),
        Box::pin(firewall::associations(desk)),
        Box::pin(profiles::look(desk, judged_vpcs)),
    );
    files.resolver_rules = rules;
    files.resolver_rule_associations = rule_associations;
    files.firewall_associations = firewall_associations;
    files.profile_associations = profile_associations;
    files.profile_resources = profile_resources;
    let brought = profiles::brought(files);
    files.profile_zones = profiles::zones(desk, &brought.zones, files).await;
    Box::pin(firewall::look(desk, judged_vpcs, &brought.rule_groups, files)).await;
    let is_known = zones.is_some();
    if !is_known {
        desk.miss_without(RECORDS, ZONES);
    }
    let of_vpcs = zones.as_ref().map(zones_over_aws_names).unwrap_or_default();
    let of_profiles = files.profile_zones.as_ref().map(profile_zones_over_aws_names).unwrap_or_default();
    files.record_sets = record_sets(desk, &of_vpcs.into_iter().chain(of_profiles).collect(), is_known).await;
    files.hosted_zones = zones;
}

async fn hosted_zones(desk: &Desk, region: &str, vpcs: &BTreeSet<String>) -> Option<file::ListHostedZonesByVpc> {
    let client = &desk.route53();
    let answers = vpcs.iter().map(|vpc| async move {
        let ask = client.list_hosted_zones_by_vpc().vpc_id(vpc).vpc_region(VpcRegion::from(region)).max_items(ZONES_PAGE);
        let zones =
            desk.pages(ZONES, |token| ask.clone().set_next_token(token).send(), |page| (Some(page.hosted_zone_summaries), page.next_token));
        Some((vpc.clone(), zones.await?))
    });
    let hosted_zone_summaries: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    (vpcs.is_empty() || !hosted_zone_summaries.is_empty()).then_some(file::ListHostedZonesByVpc { hosted_zone_summaries })
}

/// The zones that answer for names of AWS, except those that an AWS service (an interface endpoint, for one) keeps itself.
fn zones_over_aws_names(zones: &file::ListHostedZonesByVpc) -> BTreeSet<String> {
    let all = zones.hosted_zone_summaries.values().flatten();
    let of_customers = all.filter(|zone| zone.owner.as_ref().is_none_or(|owner| owner.owning_service.is_none()));
    of_customers.filter(|zone| zone.name.as_deref().is_some_and(covers_aws_names)).filter_map(|zone| zone.hosted_zone_id.clone()).collect()
}

fn profile_zones_over_aws_names(zones: &file::GetHostedZone) -> BTreeSet<String> {
    let name = |answer: &file::HostedZoneAnswer| answer.hosted_zone.as_ref().and_then(|zone| zone.name.clone());
    let covers = |answer: &file::HostedZoneAnswer| name(answer).is_some_and(|name| covers_aws_names(&name));
    zones.hosted_zones.iter().filter(|(_, answer)| covers(answer)).map(|(id, _)| id.clone()).collect()
}

/// Whether a zone of this name stands over or among names of AWS: `amazonaws.com`, `com`, `ssm.eu-west-1.amazonaws.com`.
fn covers_aws_names(zone: &str) -> bool {
    let zone = zone.trim_end_matches('.').to_ascii_lowercase();
    let is_within = |name: &str, parent: &str| parent.is_empty() || name == parent || name.ends_with(&format!(".{parent}"));
    AWS_DOMAINS.iter().any(|domain| is_within(&zone, domain) || is_within(domain, &zone))
}

/// The records of each zone. Without any zone they are known only where it is known that there is none.
async fn record_sets(desk: &Desk, zones: &BTreeSet<String>, is_known: bool) -> Option<file::ListResourceRecordSets> {
    let mut resource_record_sets = BTreeMap::new();
    for zone in zones {
        if let Some(records) = records_of(desk, zone).await {
            resource_record_sets.insert(zone.clone(), records);
        }
    }
    ((is_known && zones.is_empty()) || !resource_record_sets.is_empty()).then_some(file::ListResourceRecordSets { resource_record_sets })
}

/// All records of a zone. The next page is asked for by name, type and set identifier rather than by a token.
async fn records_of(desk: &Desk, zone: &str) -> Option<Vec<file::ResourceRecordSet>> {
    let client = desk.route53();
    let mut all = Vec::new();
    let mut ask = client.list_resource_record_sets().hosted_zone_id(zone).max_items(RECORDS_PAGE);
    loop {
        let page = desk.once(RECORDS, ask.clone().send()).await?;
        all.extend(page.resource_record_sets.into_iter().map(Shape::shape));
        if !page.is_truncated {
            return Some(all);
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
