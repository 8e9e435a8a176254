//! What the VPC's resolver asks before the public DNS: private hosted zones, forwarding rules and firewalls, the VPC's own and those that a
//! Route 53 Profile brings (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/profiles.html>).

use super::known::{Known, Unknown};
use super::{Estate, Region, is_word};
use crate::snapshot::route53::{FirewallRule, HostedZoneSummary, ProfileAssociation, ResolverRule, ResourceRecordSet};

/// A private hosted zone of the user's that answers in a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone<'a> {
    pub id: &'a str,
    pub name: &'a str,
    /// Where two have one name, the lowest wins: the VPC's own has 0, then come the Profiles in their order.
    pub rank: usize,
}

/// A forwarding rule that holds in a VPC.
#[derive(Debug, Clone, PartialEq)]
pub struct ForwardRule<'a> {
    pub id: &'a str,
    pub domain: &'a str,
    /// The servers to which it forwards, by address.
    pub targets: Vec<&'a str>,
    /// As a [`Zone`]'s.
    pub rank: usize,
}

/// What Profiles bring, by its ids: the first one's before the second's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources<'a> {
    /// With the place of the Profile, from 1.
    zones: Vec<(usize, &'a str)>,
    rules: Vec<(usize, &'a str)>,
    /// Interface endpoints.
    pub endpoints: Vec<&'a str>,
    /// Rule groups of DNS Firewall, with their priority where it is told.
    groups: Vec<(i32, &'a str)>,
}

/// What to take zones and rules for that were not collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncollected {
    /// They may say anything.
    MayMatter,
    /// The user vouches that they concern none of AWS's names.
    AreHarmless,
}

impl Uncollected {
    fn take<T: Default>(self, fact: Known<T>) -> Known<T> {
        match (self, fact) {
            (Self::AreHarmless, Known::Unknown(_)) => Known::Known(T::default()),
            (_, fact) => fact,
        }
    }
}

impl<'a> Region<'a> {
    /// What the Profiles of a VPC bring; nothing where AWS does not offer them.
    pub fn profile_resources(&self, vpc: &str) -> Known<Resources<'a>> {
        const ASSOCIATIONS: &str = "route53profiles:ListProfileAssociations";
        let mut resources = Resources::default();
        let Some(file) = &self.files.profile_associations else {
            let is_absent = self.is_not_offered(ASSOCIATIONS);
            return if is_absent { Known::Known(resources) } else { Known::Unknown(vec![self.not_collected(ASSOCIATIONS)]) };
        };
        let associations = match in_order(&file.profile_associations, vpc) {
            Ok(associations) => associations,
            Err(why) => return Known::Unknown(vec![why]),
        };
        for (rank, association) in associations.into_iter().enumerate().map(|(index, association)| (index + 1, association)) {
            let has_groups = !resources.groups.is_empty();
            let listed =
                association.profile_id.as_ref().and_then(|id| self.files.profile_resources.as_ref()?.profile_resource_associations.get(id));
            let Some(listed) = listed else {
                return Known::Unknown(vec![self.not_collected("route53profiles:ListProfileResourceAssociations")]);
            };
            for resource in listed {
                match stands(resource.status.as_ref()) {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        let file = "route53profiles-list-profile-resource-associations.json";
                        return Known::Unknown(vec![changing(file, vpc, resource.status.as_ref())]);
                    }
                }
                let arn = resource.resource_arn.as_deref().unwrap_or_default();
                let id = arn.rsplit('/').next().unwrap_or_default();
                match arn {
                    _ if arn.contains(":hostedzone/") => resources.zones.push((rank, id)),
                    _ if arn.contains(":resolver-rule/") => resources.rules.push((rank, id)),
                    _ if arn.contains(":vpc-endpoint/") => resources.endpoints.push(id),
                    _ if arn.contains(":firewall-rule-group/") => {
                        let told: Option<serde_json::Value> =
                            resource.resource_properties.as_deref().and_then(|text| serde_json::from_str(text).ok());
                        let priority = told.as_ref().and_then(|told| told.get("priority")).and_then(serde_json::Value::as_i64);
                        match priority.and_then(|priority| i32::try_from(priority).ok()) {
                            // Which Profile's groups come first where several have some, is not documented.
                            Some(priority) if !has_groups => resources.groups.push((priority, id)),
                            _ => {
                                let settled_by = format!(
                                    "check by hand in which order the rule groups of DNS Firewall are asked that Route 53 Profiles bring to {vpc}"
                                );
                                return Known::unknown("dns_firewall", id, settled_by);
                            }
                        }
                    }
                    // Query logging changes no answer.
                    _ if arn.contains(":resolver-query-log-config/") => {}
                    _ => {
                        let settled_by = format!("check by hand what {arn:?}, which a Route 53 Profile of {vpc} brings, does to names");
                        return Known::unknown("unsupported_target", vpc, settled_by);
                    }
                }
            }
        }
        Known::Known(resources)
    }

    fn local_zones(&self, vpc: &str) -> Known<Vec<&'a HostedZoneSummary>> {
        let file = self.files.hosted_zones.as_ref();
        match file.and_then(|file| file.hosted_zone_summaries.get(vpc)) {
            Some(zones) if zones.iter().any(|zone| zone.name.is_none()) => not_whole("route53-list-hosted-zones-by-vpc.json", vpc),
            Some(zones) => Known::Known(zones.iter().filter(|zone| !is_of_service(zone)).collect()),
            None => Known::Unknown(vec![self.not_collected("route53:ListHostedZonesByVPC")]),
        }
    }

    fn local_rules(&self, vpc: &str) -> Known<Vec<&'a str>> {
        match &self.files.resolver_rule_associations {
            None => Known::Unknown(vec![self.not_collected("route53resolver:ListResolverRuleAssociations")]),
            Some(file) if file.resolver_rule_associations.iter().any(|association| association.vpc_id.is_none()) => {
                not_whole("route53resolver-list-resolver-rule-associations.json", vpc)
            }
            Some(file) => {
                let here = file.resolver_rule_associations.iter().filter(|association| association.vpc_id.as_deref() == Some(vpc));
                Known::Known(
                    here.map(|association| association.resolver_rule_id.as_deref().unwrap_or("a resolver rule without an id")).collect(),
                )
            }
        }
    }

    /// A rule by its id; `Known(None)` for one that forwards nothing.
    fn forward_rule(&self, id: &str) -> Known<Option<&'a ResolverRule>> {
        let Some(file) = &self.files.resolver_rules else {
            return Known::Unknown(vec![self.not_collected("route53resolver:ListResolverRules")]);
        };
        match file.resolver_rules.iter().find(|rule| rule.id.as_deref() == Some(id)) {
            Some(rule) if rule.rule_type.is_none() || rule.domain_name.is_none() => {
                not_whole("route53resolver-list-resolver-rules.json", id)
            }
            Some(rule) if is_word(rule.rule_type.as_ref(), "FORWARD") => Known::Known(Some(rule)),
            Some(_) => Known::Known(None),
            None => Known::Unknown(vec![self.not_listed("route53resolver:ListResolverRules", id)]),
        }
    }

    /// The firewall rules that see the queries of a VPC, in the order in which they are asked; none where AWS does not offer the firewall.
    pub fn firewall_rules(&self, vpc: &str) -> Known<Vec<&'a FirewallRule>> {
        const ASSOCIATIONS: &str = "route53resolver:ListFirewallRuleGroupAssociations";
        if self.files.firewall_associations.is_none() && !self.is_not_offered(ASSOCIATIONS) {
            return Known::Unknown(vec![self.not_collected(ASSOCIATIONS)]);
        }
        let associations = self.files.firewall_associations.iter().flat_map(|file| &file.firewall_rule_group_associations);
        if associations.clone().any(|association| association.vpc_id.is_none() || association.priority.is_none()) {
            return not_whole("route53resolver-list-firewall-rule-group-associations.json", vpc);
        }
        let own: Vec<_> = associations.filter(|association| association.vpc_id.as_deref() == Some(vpc)).collect();
        if let Some(open) = own.iter().find(|association| stands(association.status.as_ref()).is_none()) {
            let file = "route53resolver-list-firewall-rule-group-associations.json";
            return Known::Unknown(vec![changing(file, vpc, open.status.as_ref())]);
        }
        let own = own.into_iter().map(|association| {
            (association.priority.unwrap_or(i32::MAX), association.firewall_rule_group_id.as_deref().unwrap_or_default())
        });
        let mut groups: Vec<(i32, &str)> = own.collect();
        match self.profile_resources(vpc) {
            Known::Known(resources) => groups.extend(resources.groups),
            Known::Unknown(why) => return Known::Unknown(why),
        }
        groups.sort_by_key(|(priority, _)| *priority);
        let mut rules = Vec::new();
        for (_, group) in groups {
            let Some(listed) = self.files.firewall_rules.as_ref().and_then(|file| file.firewall_rules.get(group)) else {
                return Known::Unknown(vec![self.not_collected("route53resolver:ListFirewallRules")]);
            };
            if listed.iter().any(|rule| rule.action.is_none() || rule.priority.is_none()) {
                return not_whole("route53resolver-list-firewall-rules.json", group);
            }
            let mut own: Vec<&FirewallRule> = listed.iter().collect();
            own.sort_by_key(|rule| rule.priority.unwrap_or(i32::MAX));
            rules.extend(own);
        }
        Known::Known(rules)
    }

    /// The domains of a list; `None` for one that AWS keeps to itself, or that was not collected.
    pub fn firewall_domains(&self, list: &str) -> Option<&'a [String]> {
        self.files.firewall_domains.as_ref()?.domains.get(list).map(Vec::as_slice)
    }
}

/// Whether what is associated with a VPC holds for it; `None` while that changes, or is not told
/// (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53profiles_ProfileAssociation.html>).
fn stands(status: Option<&String>) -> Option<bool> {
    let is = |word: &str| is_word(status, word);
    match () {
        () if is("COMPLETE") || is("UPDATING") => Some(true),
        () if is("FAILED") || is("DELETED") => Some(false),
        () => None,
    }
}

/// The Profiles that hold for a VPC, in the order in which its resolver asks them
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/profiles-vpc-update-priority.html>).
fn in_order<'a>(associations: &'a [ProfileAssociation], vpc: &str) -> Result<Vec<&'a ProfileAssociation>, Unknown> {
    const FILE: &str = "route53profiles-list-profile-associations.json";
    if associations.iter().any(|association| association.resource_id.is_none()) {
        return Err(incomplete(FILE, vpc));
    }
    let mut own: Vec<&ProfileAssociation> = Vec::new();
    for association in associations.iter().filter(|association| association.resource_id.as_deref() == Some(vpc)) {
        match stands(association.status.as_ref()) {
            Some(true) => own.push(association),
            Some(false) => {}
            None => return Err(changing(FILE, vpc, association.status.as_ref())),
        }
    }
    own.sort_by_key(|association| association.priority);
    // A priority that is being changed may be the old one yet, and no two are the same.
    let is_open = |association: &&ProfileAssociation| association.priority.is_none() || !is_word(association.status.as_ref(), "COMPLETE");
    let is_tied = own.windows(2).any(|pair| matches!(pair, [one, next] if one.priority == next.priority));
    if own.len() > 1 && (is_tied || own.iter().any(is_open)) {
        let settled_by =
            format!("check by hand in which order {vpc} asks its Route 53 Profiles: {FILE} does not tell a priority of its own for each");
        return Err(Unknown::new("fact_not_collected", vpc, settled_by));
    }
    Ok(own)
}

fn incomplete(file: &str, resource: &str) -> Unknown {
    Unknown::new("fact_not_collected", resource, format!("collect {file} again: an entry lacks what AWS always tells"))
}

fn not_whole<T>(file: &str, resource: &str) -> Known<T> {
    Known::Unknown(vec![incomplete(file, resource)])
}

fn changing(file: &str, vpc: &str, status: Option<&String>) -> Unknown {
    let status = status.map_or("without a Status", String::as_str);
    Unknown::new("fact_not_collected", vpc, format!("collect {file} again: an association of {vpc} is {status}"))
}

/// A zone of an AWS service (an endpoint's own, say) is no zone of the user's.
fn is_of_service(zone: &HostedZoneSummary) -> bool {
    zone.owner.as_ref().is_some_and(|owner| owner.owning_service.is_some())
}

impl<'a> Estate<'a> {
    /// The user's own zones that answer in a VPC.
    pub fn zones(&self, region: &Region<'a>, vpc: &str, uncollected: Uncollected) -> Known<Vec<Zone<'a>>> {
        let told = (uncollected.take(region.local_zones(vpc)), uncollected.take(region.profile_resources(vpc)));
        let (local, resources) = match told {
            (Known::Known(local), Known::Known(resources)) => (local, resources),
            (local, resources) => return Known::Unknown(local.reasons().iter().chain(resources.reasons()).cloned().collect()),
        };
        let own = local.into_iter().map(|zone| Zone {
            id: zone.hosted_zone_id.as_deref().unwrap_or_default(),
            name: zone.name.as_deref().unwrap_or_default(),
            rank: 0,
        });
        let mut zones: Vec<Zone<'a>> = own.collect();
        for (rank, id) in resources.zones {
            match self.zone_name(region, id) {
                Some(name) => zones.push(Zone { id, name, rank }),
                None if uncollected == Uncollected::AreHarmless => {}
                None => {
                    let settled_by = format!(
                        "scan the account that owns zone {id} too: a Route 53 Profile of {vpc} brings it, and its name is not known"
                    );
                    return Known::Unknown(vec![Unknown::new("fact_not_collected", id, settled_by)]);
                }
            }
        }
        Known::Known(zones)
    }

    /// A zone that a Profile brings may be another account's, whose own files tell its name.
    fn zone_name(&self, region: &Region<'a>, id: &str) -> Option<&'a str> {
        let told = region.files.profile_zones.as_ref().and_then(|file| file.hosted_zones.get(id));
        let told = told.and_then(|answer| answer.hosted_zone.as_ref()?.name.as_deref());
        told.or_else(|| {
            let summaries = self.regions().filter_map(|seen| seen.files.hosted_zones.as_ref());
            let mut zones = summaries.flat_map(|file| file.hosted_zone_summaries.values().flatten());
            zones.find(|zone| zone.hosted_zone_id.as_deref() == Some(id)).and_then(|zone| zone.name.as_deref())
        })
    }

    /// The records of a zone: by the files at hand, else by those of whoever owns it.
    pub fn records(&self, region: &Region<'a>, zone: &str) -> Known<&'a [ResourceRecordSet]> {
        let listed = |region: &Region<'a>| region.files.record_sets.as_ref().and_then(|file| file.resource_record_sets.get(zone));
        match listed(region).or_else(|| self.regions().find_map(listed)) {
            Some(records) => Known::Known(records),
            None => Known::Unknown(vec![region.not_collected("route53:ListResourceRecordSets")]),
        }
    }

    /// The forwarding rules that hold in a VPC.
    pub fn forward_rules(&self, region: &Region<'a>, vpc: &str, uncollected: Uncollected) -> Known<Vec<ForwardRule<'a>>> {
        let told = (uncollected.take(region.local_rules(vpc)), uncollected.take(region.profile_resources(vpc)));
        let (local, resources) = match told {
            (Known::Known(local), Known::Known(resources)) => (local, resources),
            (local, resources) => return Known::Unknown(local.reasons().iter().chain(resources.reasons()).cloned().collect()),
        };
        let mut rules = Vec::new();
        if local.is_empty() && region.files.resolver_rules.is_none() && uncollected == Uncollected::MayMatter {
            return Known::Unknown(vec![region.not_collected("route53resolver:ListResolverRules")]);
        }
        for (rank, id) in local.into_iter().map(|id| (0, id)).chain(resources.rules) {
            let elsewhere = || {
                self.regions()
                    .filter(|seen| seen.name == region.name)
                    .map(|seen| seen.forward_rule(id))
                    .find(|found| found.known().is_some())
            };
            let found = match region.forward_rule(id) {
                Known::Unknown(why) => elsewhere().unwrap_or(Known::Unknown(why)),
                found => found,
            };
            match found {
                Known::Known(Some(rule)) => {
                    let targets = rule.target_ips.iter().filter_map(|target| target.ip.as_deref().or(target.ipv6.as_deref())).collect();
                    rules.push(ForwardRule { id, domain: rule.domain_name.as_deref().unwrap_or_default(), targets, rank });
                }
                Known::Known(None) => {}
                Known::Unknown(_) if uncollected == Uncollected::AreHarmless => {}
                Known::Unknown(why) => return Known::Unknown(why),
            }
        }
        Known::Known(rules)
    }
}
