//! DNS Firewall: whether a VPC's resolver may answer for a name at all
//! (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-rule-settings.html>).

use crate::model::Region;
use crate::model::is_word;
use crate::model::known::{Known, Unknown};
use crate::snapshot::route53::FirewallRule;

/// What becomes of queries for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passage<'a> {
    Passes,
    /// A rule of this group refuses the answer.
    Refused(&'a str),
    /// Either; `by` is the group that would refuse, where one is known.
    Unclear {
        by: Option<&'a str>,
        why: Vec<Unknown>,
    },
}

/// Passes queries for `host` through the firewall rules of a VPC; `leads_to` are the names that are known to answer it.
pub(super) fn passage<'a>(region: &Region<'a>, vpc: &str, host: &str, leads_to: &[String], is_ipv6: bool) -> Passage<'a> {
    let rules = match region.firewall_rules(vpc) {
        Known::Known(rules) => rules,
        Known::Unknown(why) => return Passage::Unclear { by: None, why },
    };
    match first_match(region, &rules, host, is_ipv6) {
        (Passage::Passes, Some(rule)) if !trusts_redirection(rule) => match redirections(region, &rules, host, leads_to, is_ipv6) {
            Passage::Passes => Passage::Passes,
            Passage::Refused(group) if !leads_to.is_empty() => Passage::Refused(group),
            Passage::Refused(group) | Passage::Unclear { by: Some(group), .. } => {
                let list = rule.firewall_domain_list_id.as_deref().unwrap_or_default();
                let settled_by = format!(
                    "let {group} trust the redirections of {list} (TRUST_REDIRECTION_DOMAIN), or put every name to which {host} redirects on the list; \
                     or declare --assume dns-firewall-passes-aws-names"
                );
                Passage::Unclear { by: Some(group), why: vec![Unknown::new("dns_firewall", list, settled_by)] }
            }
            unclear => unclear,
        },
        (passage, _) => passage,
    }
}

/// Whether the names to which an allowed one redirects are not looked at themselves
/// (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_FirewallRule.html>).
fn trusts_redirection(rule: &FirewallRule) -> bool {
    is_word(rule.firewall_domain_redirection_action.as_ref(), "TRUST_REDIRECTION_DOMAIN")
}

/// What becomes of the names to which one redirects: of those that are known, else of what it may be.
fn redirections<'a>(region: &Region<'a>, rules: &[&'a FirewallRule], host: &str, leads_to: &[String], is_ipv6: bool) -> Passage<'a> {
    let passage_of = |name: &str| first_match(region, rules, name, is_ipv6).0;
    if leads_to.is_empty() {
        return passage_of(&redirected(host));
    }
    let passages: Vec<Passage<'a>> = leads_to.iter().map(|name| passage_of(name.trim_end_matches('.'))).collect();
    let are_alike = passages.windows(2).all(|pair| matches!(pair, [left, right] if left == right));
    match passages.into_iter().find(|passage| *passage != Passage::Passes) {
        Some(Passage::Refused(group)) if !are_alike => Passage::Unclear { by: Some(group), why: Vec::new() },
        other => other.unwrap_or(Passage::Passes),
    }
}

/// Where a name may redirect: one of S3's leads to another one of AWS's in the Region, others anywhere.
fn redirected(host: &str) -> String {
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let of_aws = labels.iter().position(|label| label.eq_ignore_ascii_case("amazonaws"));
    match of_aws.and_then(|at| labels.get(at.saturating_sub(1)..)) {
        Some(domain) => format!("redirected.{}", domain.join(".")),
        None => "redirected.invalid".to_owned(),
    }
}

/// The first rule whose list holds the name decides; beside what becomes of it, the rule that lets it pass.
fn first_match<'a>(region: &Region<'a>, rules: &[&'a FirewallRule], host: &str, is_ipv6: bool) -> (Passage<'a>, Option<&'a FirewallRule>) {
    let mut may_refuse = None;
    let mut let_pass = None;
    let mut may_pass = false;
    let mut why = Vec::new();
    for rule in rules {
        let blocks = is_word(rule.action.as_ref(), "BLOCK");
        let group = rule.firewall_rule_group_id.as_deref().unwrap_or("a rule group of DNS Firewall");
        match matches(region, rule, host, is_ipv6) {
            Some(false) => {}
            Some(true) if blocks => {
                let passage = if may_pass { Passage::Unclear { by: Some(group), why } } else { Passage::Refused(group) };
                return (passage, None);
            }
            Some(true) => {
                let_pass = Some(*rule);
                break;
            }
            None => {
                if blocks {
                    may_refuse = may_refuse.or(Some(group));
                } else {
                    may_pass = true;
                }
                let list = rule.firewall_domain_list_id.as_deref().unwrap_or(group);
                let settled_by = format!(
                    "check that DNS Firewall lets {host} pass: a rule of {group} is about names that AWS does not show, or that were not collected; \
                     or declare --assume dns-firewall-passes-aws-names"
                );
                why.push(Unknown::new("dns_firewall", list, settled_by));
            }
        }
    }
    match may_refuse {
        Some(group) => (Passage::Unclear { by: Some(group), why }, None),
        None => (Passage::Passes, let_pass),
    }
}

/// Whether a rule is about the name; `None` when its names are not known, or it looks at more than names.
fn matches(region: &Region<'_>, rule: &FirewallRule, host: &str, is_ipv6: bool) -> Option<bool> {
    // By name or by number (https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_CreateFirewallRule.html).
    let asked = if is_ipv6 { ["AAAA", "TYPE28"] } else { ["A", "TYPE1"] };
    let asks_other = rule.qtype.as_deref().is_some_and(|kind| !asked.iter().any(|own| kind.eq_ignore_ascii_case(own)));
    if asks_other {
        return Some(false);
    }
    let domains = region.firewall_domains(rule.firewall_domain_list_id.as_deref()?)?;
    let held: Vec<Option<bool>> = domains.iter().map(|domain| holds(domain, host)).collect();
    if held.contains(&Some(true)) {
        Some(true)
    } else if held.contains(&None) {
        None
    } else {
        Some(false)
    }
}

/// Whether a list's entry holds a name: `example.com.` itself alone, `*.example.com.` everything below it, `*` everything. Of `*.example.com`, which
/// stands for any name below one, an entry may hold some: `None`.
fn holds(domain: &str, host: &str) -> Option<bool> {
    let (domain, host) = (domain.trim_end_matches('.').to_ascii_lowercase(), host.to_ascii_lowercase());
    let is_held = match domain.strip_prefix('*') {
        Some("") => true,
        Some(ending) => host.ends_with(ending),
        None => host == domain,
    };
    let is_within = !domain.is_empty() && host.strip_prefix('*').is_some_and(|ending| domain.ends_with(ending));
    if is_held || !is_within { Some(is_held) } else { None }
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn an_entry_holds_a_name_or_what_lies_below_it() {
        let host = "ssm.eu-central-1.amazonaws.com";
        let cases = [
            ("ssm.eu-central-1.amazonaws.com.", true),
            ("SSM.eu-central-1.amazonaws.com", true),
            ("*.amazonaws.com.", true),
            ("amazonaws.com.", false),
            ("*.eu-central-1.amazonaws.com", true),
            ("*.ssm.eu-central-1.amazonaws.com", false),
            ("*azonaws.com", true),
            ("*", true),
            ("", false),
        ];
        for (domain, expected) in cases {
            assert_eq!(holds(domain, host), Some(expected), "{domain}");
        }
    }

    #[test]
    fn of_any_name_below_one_an_entry_holds_all_or_some_or_none() {
        let cases = [
            ("*", Some(true)),
            ("*.com", Some(true)),
            ("*.example.com.", Some(true)),
            ("example.com", Some(false)),
            ("download.example.com", None),
            ("*.download.example.com", None),
            ("*.org", Some(false)),
            ("", Some(false)),
        ];
        for (domain, expected) in cases {
            assert_eq!(holds(domain, "*.example.com"), expected, "{domain}");
        }
    }
}
