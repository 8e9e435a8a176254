//! DNS Firewall: the rule groups that hold for the VPCs, their rules, and the names that the rules are about.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::RESOLVER_PAGE;
use crate::aws::desk::Desk;
use crate::snapshot::RegionFiles;
use crate::snapshot::route53 as file;

const ASSOCIATIONS: &str = "route53resolver:ListFirewallRuleGroupAssociations";
const RULES: &str = "route53resolver:ListFirewallRules";
const DOMAINS: &str = "route53resolver:ListFirewallDomains";
/// The largest page of `ListFirewallDomains`.
const DOMAINS_PAGE: i32 = 5000;

pub(super) async fn associations(desk: &Desk) -> Option<file::ListFirewallRuleGroupAssociations> {
    let client = desk.resolver();
    let associations = desk.pages(
        ASSOCIATIONS,
        |token| client.list_firewall_rule_group_associations().max_results(RESOLVER_PAGE).set_next_token(token).send(),
        |page| (page.firewall_rule_group_associations, page.next_token),
    );
    Some(file::ListFirewallRuleGroupAssociations { firewall_rule_group_associations: associations.await? })
}

/// The rules of the groups that are associated with one of the VPCs, directly or by a Profile, and the names that they are about. What is
/// known already is not asked for again.
pub(super) async fn look(desk: &Desk, vpcs: &BTreeSet<String>, of_profiles: &BTreeSet<String>, files: &mut RegionFiles) {
    let is_of_vpcs = |vpc: &Option<String>| vpc.as_ref().is_some_and(|vpc| vpcs.contains(vpc));
    let associations = files.firewall_associations.iter().flat_map(|file| &file.firewall_rule_group_associations);
    let of_vpcs = associations.filter(|association| is_of_vpcs(&association.vpc_id)).filter_map(|one| one.firewall_rule_group_id.clone());
    let has_rules = |group: &String| files.firewall_rules.as_ref().is_some_and(|file| file.firewall_rules.contains_key(group));
    let groups: BTreeSet<String> = of_vpcs.chain(of_profiles.iter().cloned()).filter(|group| !has_rules(group)).collect();
    let is_known = files.firewall_associations.is_some();
    if !is_known {
        desk.miss_without(RULES, ASSOCIATIONS);
    }
    if let Some(rules) = rules(desk, &groups, is_known).await {
        files.firewall_rules.get_or_insert_default().firewall_rules.extend(rules.firewall_rules);
    }
    let Some(rules) = &files.firewall_rules else {
        desk.miss_without(DOMAINS, if is_known { RULES } else { ASSOCIATIONS });
        return;
    };
    let mut lists = named_lists(rules);
    lists.retain(|list| files.firewall_domains.as_ref().is_none_or(|file| !file.domains.contains_key(list)));
    if !lists.is_empty() && files.firewall_domain_lists.is_none() {
        files.firewall_domain_lists = domain_lists(desk).await;
    }
    for list in files.firewall_domain_lists.iter().flat_map(|file| &file.firewall_domain_lists).filter(|list| is_of_aws(list)) {
        lists.remove(list.id.as_deref().unwrap_or_default());
    }
    if let Some(domains) = domains(desk, &lists).await {
        files.firewall_domains.get_or_insert_default().domains.extend(domains.domains);
    }
}

/// The rules of each group. Without any group they are known only where it is known that there is none.
async fn rules(desk: &Desk, groups: &BTreeSet<String>, is_known: bool) -> Option<file::ListFirewallRules> {
    let client = &desk.resolver();
    let answers = groups.iter().map(|group| async move {
        let ask = client.list_firewall_rules().firewall_rule_group_id(group).max_results(RESOLVER_PAGE);
        let rules = desk.pages(RULES, |token| ask.clone().set_next_token(token).send(), |page| (page.firewall_rules, page.next_token));
        Some((group.clone(), rules.await?))
    });
    let firewall_rules: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    ((is_known && groups.is_empty()) || !firewall_rules.is_empty()).then_some(file::ListFirewallRules { firewall_rules })
}

fn named_lists(rules: &file::ListFirewallRules) -> BTreeSet<String> {
    rules.firewall_rules.values().flatten().filter_map(|rule| rule.firewall_domain_list_id.clone()).collect()
}

/// All lists that the account may use, AWS's own among them: they alone tell whose a list is.
async fn domain_lists(desk: &Desk) -> Option<file::ListFirewallDomainLists> {
    let client = desk.resolver();
    let lists = desk.pages(
        "route53resolver:ListFirewallDomainLists",
        |token| client.list_firewall_domain_lists().max_results(RESOLVER_PAGE).set_next_token(token).send(),
        |page| (page.firewall_domain_lists, page.next_token),
    );
    Some(file::ListFirewallDomainLists { firewall_domain_lists: lists.await? })
}

/// Whether AWS keeps the list. Such lists "cannot be downloaded or browsed", so that they are not asked for:
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-managed-domain-lists.html>
fn is_of_aws(list: &file::FirewallDomainList) -> bool {
    list.managed_owner_name.as_ref().is_some_and(|owner| !owner.is_empty())
}

async fn domains(desk: &Desk, lists: &BTreeSet<String>) -> Option<file::ListFirewallDomains> {
    let client = &desk.resolver();
    let answers = lists.iter().map(|list| async move {
        let ask = client.list_firewall_domains().firewall_domain_list_id(list).max_results(DOMAINS_PAGE);
        let domains = desk.pages(DOMAINS, |token| ask.clone().set_next_token(token).send(), |page| (page.domains, page.next_token));
        Some((list.clone(), domains.await?))
    });
    let domains: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    (lists.is_empty() || !domains.is_empty()).then_some(file::ListFirewallDomains { domains })
}
