//! The rows of the truth table in which something stands before the public DNS that is not the VPC's own: Profiles, firewalls.

use patch_preflight::model::Assumption;
use patch_preflight::network::AnsweredBy;
use patch_preflight::network::Target::{Repository, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2;
use patch_preflight::snapshot::route53::{
    AliasTarget, FirewallRule, FirewallRuleGroupAssociation, GetHostedZone, HostedZone, HostedZoneAnswer, HostedZoneSummary,
    ListFirewallDomains, ListFirewallRuleGroupAssociations, ListFirewallRules, ListProfileAssociations, ListProfileResourceAssociations,
    ProfileAssociation, ProfileResourceAssociation, ResolverRule, ResolverRuleAssociation, ResourceRecord, ResourceRecordSet,
};

use crate::hub::by_gateway;
use crate::topology::{Topology, base, https_to, own_name, security_group, some};
use crate::truth_table::check;

const HOST: &str = "ssm.eu-central-1.amazonaws.com.";

/// A Profile of the VPC that brings these resources, by ARN.
pub(crate) fn profile(topology: Topology, resources: &[&str]) -> Topology {
    let resource = |arn: &&str| ProfileResourceAssociation {
        profile_id: some("rp-1"),
        resource_arn: some(arn),
        status: some("COMPLETE"),
        ..Default::default()
    };
    let resources = resources.iter().map(resource).collect();
    topology.with(|files| {
        let association =
            ProfileAssociation { profile_id: some("rp-1"), resource_id: some("vpc-1"), status: some("COMPLETE"), ..Default::default() };
        files.profile_associations = Some(ListProfileAssociations { profile_associations: vec![association] });
        files.profile_resources =
            Some(ListProfileResourceAssociations { profile_resource_associations: [("rp-1".to_owned(), resources)].into() });
    })
}

/// The same with a zone in it, whose record is an alias of an endpoint, or which has none.
fn profile_zone(topology: Topology, name: &str, alias: Option<&str>) -> Topology {
    let record = |alias: &str| ResourceRecordSet {
        name: some(HOST),
        r#type: some("A"),
        alias_target: Some(AliasTarget { dns_name: some(alias), ..Default::default() }),
        ..Default::default()
    };
    let records = alias.map(record).into_iter().collect();
    let zone = HostedZone { id: some("/hostedzone/Z9"), name: some(name), ..Default::default() };
    profile(topology, &["arn:aws:route53:::hostedzone/Z9"]).with(|files| {
        files.profile_zones =
            Some(GetHostedZone { hosted_zones: [("Z9".to_owned(), HostedZoneAnswer { hosted_zone: Some(zone) })].into() });
        files.record_sets.as_mut().unwrap().resource_record_sets.insert("Z9".to_owned(), records);
    })
}

/// Two endpoints for ssm without private DNS: `vpce-ssm`, which lets the instance in, and `vpce-closed`, which lets nobody in.
fn two_endpoints() -> Topology {
    base()
        .endpoint_group("sg-e", vec![https_to("10.0.0.0/16")])
        .endpoint("ssm", &["subnet-e"])
        .each_endpoint(|each| each.private_dns_enabled = Some(false))
        .with(|files| {
            files.security_groups.as_mut().unwrap().security_groups.push(security_group("sg-closed", vec![], vec![]));
            let interfaces = &mut files.network_interfaces.as_mut().unwrap().network_interfaces;
            let closed = ec2::NetworkInterface {
                network_interface_id: some("eni-closed"),
                private_ip_address: some("10.0.2.200"),
                groups: vec![crate::topology::group_id("sg-closed")],
                ..interfaces[0].clone()
            };
            interfaces.push(closed);
            let endpoints = &mut files.vpc_endpoints.as_mut().unwrap().vpc_endpoints;
            let closed = ec2::VpcEndpoint {
                vpc_endpoint_id: some("vpce-closed"),
                network_interface_ids: vec!["eni-closed".to_owned()],
                dns_entries: vec![ec2::DnsEntry { dns_name: some(&own_name("vpce-closed", "ssm")), ..Default::default() }],
                ..endpoints[0].clone()
            };
            endpoints.push(closed);
        })
}

#[test]
fn profiles() {
    let (good, closed) = (own_name("vpce-ssm", "ssm"), own_name("vpce-closed", "ssm"));
    let local = |topology: Topology| topology.hosted_zone(HOST, &[(HOST, &good)]);
    let unnamed = profile_zone(base().nat(), HOST, None).with(|files| files.profile_zones = None);
    let rule = profile(base().nat(), &["arn:aws:route53resolver:eu-central-1:222222222222:resolver-rule/rslvr-rr-9"]);
    let unread = profile(base().nat(), &[]).with(|files| files.profile_resources = None);
    let unseen = || base().nat().with(|files| files.profile_associations = None);
    let mut vouched = unseen();
    vouched.assumptions.insert(Assumption::NoPrivateDnsOverrides);
    vouched.assumptions.insert(Assumption::DnsFirewallPassesAwsNames);
    let mut claimed = unseen().hosted_zone(HOST, &[]);
    claimed.assumptions = vouched.assumptions.clone();
    let endpoint = |id: &str| profile(two_endpoints(), &[&format!("arn:aws:ec2:eu-central-1:111111111111:vpc-endpoint/{id}")]);
    let brought = |topology: Topology, id: &str| profile(topology, &[&format!("arn:aws:ec2:eu-central-1:111111111111:vpc-endpoint/{id}")]);
    let other_service = || base().nat().endpoint_group("sg-e", vec![]).endpoint("ssmmessages", &["subnet-e"]);
    let down = |topology: Topology| topology.each_endpoint(|each| each.state = some("pending"));
    let own_and_closed =
        || two_endpoints().each_endpoint(|each| each.private_dns_enabled = Some(each.vpc_endpoint_id.as_deref() == Some("vpce-ssm")));
    let of_hub = || brought(by_gateway(vec![https_to("10.0.0.0/16")]).hub_private_dns(true), "vpce-h-ssm");
    let associated = |topology: Topology, status: &'static str| {
        topology.with(move |files| files.profile_associations.as_mut().unwrap().profile_associations[0].status = some(status))
    };
    let held = |topology: Topology, status: &'static str| {
        topology.with(move |files| {
            let resources = files.profile_resources.as_mut().unwrap().profile_resource_associations.get_mut("rp-1").unwrap();
            resources[0].status = some(status);
        })
    };
    let stateless = |topology: Topology| topology.each_endpoint(|each| each.state = None);
    check(vec![
        ("a Profile's zone leads to an endpoint", profile_zone(two_endpoints(), HOST, Some(&good)), Ssm, Reachable, &[]),
        (
            "a Profile's zone leads to a closed endpoint",
            profile_zone(two_endpoints().nat(), HOST, Some(&closed)),
            Ssm,
            Blocked,
            &["SG_HAS_NO_RULES"],
        ),
        ("76", local(profile_zone(two_endpoints(), HOST, Some(&closed))), Ssm, Reachable, &[]),
        (
            "76, the Profile's is more specific",
            profile_zone(two_endpoints(), HOST, Some(&closed)).hosted_zone("amazonaws.com.", &[(HOST, &good)]),
            Ssm,
            Blocked,
            &["SG_HAS_NO_RULES"],
        ),
        (
            "a Profile's zone without the record",
            profile_zone(base().nat(), "eu-central-1.amazonaws.com.", None),
            Ssm,
            Blocked,
            &["DNS_PHZ_NXDOMAIN"],
        ),
        (
            "two records of one name",
            two_endpoints().hosted_zone(HOST, &[(HOST, &good), (HOST, &closed)]),
            Ssm,
            Unknown,
            &["private_zone_record"],
        ),
        ("a Profile's zone of another name", profile_zone(base().nat(), "corp.example.", None), Ssm, Reachable, &[]),
        ("a Profile's zone whose name nobody told", unnamed, Ssm, Unknown, &["fact_not_collected"]),
        ("a Profile's rule that is not listed", rule, Ssm, Unknown, &["fact_not_collected"]),
        ("a Profile whose resources were not collected", unread, Ssm, Unknown, &["fact_not_collected"]),
        ("Profiles that were not collected", unseen(), Ssm, Unknown, &["fact_not_collected"]),
        ("Profiles that were not collected, the user knows", vouched, Ssm, Reachable, &[]),
        ("Profiles that were not collected, and a zone of the VPC's own that was", claimed, Ssm, Blocked, &["DNS_PHZ_NXDOMAIN"]),
        ("a Profile's endpoint of the hub", of_hub(), Ssm, Reachable, &[]),
        ("a Profile's endpoint without private DNS", of_hub().hub_private_dns(false), Ssm, Unknown, &["fact_not_collected"]),
        ("a Profile whose association failed", associated(of_hub(), "FAILED"), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("a Profile whose association comes or goes", associated(of_hub(), "DELETING"), Ssm, Unknown, &["fact_not_collected"]),
        ("a Profile that does not hold the endpoint any more", held(of_hub(), "DELETED"), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("a Profile to which the endpoint comes", held(of_hub(), "CREATING"), Ssm, Unknown, &["fact_not_collected"]),
        ("a Profile's zone beside an endpoint of the VPC's own", profile_zone(own_and_closed(), HOST, Some(&closed)), Ssm, Reachable, &[]),
        ("a Profile's endpoint of another service", brought(other_service(), "vpce-ssmmessages"), Ssm, Reachable, &[]),
        ("a Profile's endpoint that is not available", down(brought(two_endpoints().nat(), "vpce-closed")), Ssm, Reachable, &[]),
        ("an endpoint of the VPC's own beside a Profile's", brought(own_and_closed(), "vpce-closed"), Ssm, Reachable, &[]),
        (
            "a Profile's endpoint without DNS host names",
            endpoint("vpce-ssm").dns_attributes(true, false),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        ("a Profile's endpoint that does not tell its state", stateless(endpoint("vpce-ssm")), Ssm, Unknown, &["fact_not_collected"]),
        ("a Profile's endpoint that was not seen", endpoint("vpce-elsewhere"), Ssm, Unknown, &["owner_account_not_collected"]),
    ]);
}

/// A second Profile, with a zone of the same name that leads to the endpoint that works; the first one's leads to a closed one.
fn two_profiles(priorities: [Option<i32>; 2]) -> Topology {
    let (good, closed) = (own_name("vpce-ssm", "ssm"), own_name("vpce-closed", "ssm"));
    profile_zone(two_endpoints(), HOST, Some(&closed)).with(|files| {
        let associations = &mut files.profile_associations.as_mut().unwrap().profile_associations;
        associations.push(ProfileAssociation { profile_id: some("rp-2"), ..associations[0].clone() });
        for (association, priority) in associations.iter_mut().zip(priorities) {
            association.priority = priority;
        }
        let resources = &mut files.profile_resources.as_mut().unwrap().profile_resource_associations;
        let zone = ProfileResourceAssociation { resource_arn: some("arn:aws:route53:::hostedzone/Z8"), ..resources["rp-1"][0].clone() };
        resources.insert("rp-2".to_owned(), vec![zone]);
        let zones = &mut files.profile_zones.as_mut().unwrap().hosted_zones;
        zones.insert("Z8".to_owned(), zones["Z9"].clone());
        let records = &mut files.record_sets.as_mut().unwrap().resource_record_sets;
        let mut record = records["Z9"][0].clone();
        record.alias_target = Some(AliasTarget { dns_name: some(&good), ..Default::default() });
        records.insert("Z8".to_owned(), vec![record]);
    })
}

/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/profiles-vpc-update-priority.html>)
#[test]
fn the_profile_of_the_lowest_priority_comes_first() {
    let changing = two_profiles([Some(200), Some(100)]).with(|files| {
        files.profile_associations.as_mut().unwrap().profile_associations[0].status = some("UPDATING");
    });
    check(vec![
        ("the first one", two_profiles([Some(100), Some(200)]), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        ("the second one", two_profiles([Some(200), Some(100)]), Ssm, Reachable, &[]),
        ("it is not told", two_profiles([None, Some(100)]), Ssm, Unknown, &["fact_not_collected"]),
        ("both have the same", two_profiles([Some(100), Some(100)]), Ssm, Unknown, &["fact_not_collected"]),
        ("it is being changed", changing, Ssm, Unknown, &["fact_not_collected"]),
    ]);
}

/// AWS lets no two zones of one name into a VPC: where they are listed, nobody knows which answers, in whatever order they stand.
#[test]
fn two_zones_of_one_name() {
    let both = |is_first: bool| {
        two_endpoints().hosted_zone(HOST, &[(HOST, &own_name("vpce-ssm", "ssm"))]).with(move |files| {
            let zones = files.hosted_zones.as_mut().unwrap().hosted_zone_summaries.get_mut("vpc-1").unwrap();
            zones.insert(usize::from(!is_first), HostedZoneSummary { hosted_zone_id: some("Z2"), ..zones[0].clone() });
            files.record_sets.as_mut().unwrap().resource_record_sets.insert("Z2".to_owned(), Vec::new());
        })
    };
    check(vec![
        ("the one without the record first", both(true), Ssm, Unknown, &["private_zone_record"]),
        ("the one with the record first", both(false), Ssm, Unknown, &["private_zone_record"]),
    ]);
}

/// AWS tells all of these: an entry without one was not read whole.
#[test]
fn half_an_entry_is_no_answer() {
    let refusing = || firewall(base().nat(), &[("BLOCK", "rslvr-fdl-1", Some(&["*.amazonaws.com."]))]);
    let rule = |change: fn(&mut FirewallRule)| {
        refusing().with(|files| files.firewall_rules.as_mut().unwrap().firewall_rules.values_mut().flatten().for_each(change))
    };
    let association = |change: fn(&mut FirewallRuleGroupAssociation)| {
        refusing().with(|files| files.firewall_associations.as_mut().unwrap().firewall_rule_group_associations.iter_mut().for_each(change))
    };
    let of_profile =
        || profile(base().nat(), &[]).with(|files| files.profile_associations.as_mut().unwrap().profile_associations[0].resource_id = None);
    let group = "arn:aws:route53resolver:eu-central-1:111111111111:firewall-rule-group/rslvr-frg-2";
    let nameless_zone = || {
        base().nat().hosted_zone(HOST, &[]).with(|files| {
            files.hosted_zones.as_mut().unwrap().hosted_zone_summaries.get_mut("vpc-1").unwrap()[0].name = None;
        })
    };
    let forwarding = |change: fn(&mut ResolverRule, &mut ResolverRuleAssociation)| {
        base().nat().forward_rule("corp.example.").with(|files| {
            let rule = &mut files.resolver_rules.as_mut().unwrap().resolver_rules[0];
            change(rule, &mut files.resolver_rule_associations.as_mut().unwrap().resolver_rule_associations[0]);
        })
    };
    check(vec![
        ("a rule without its action", rule(|rule| rule.action = None), Ssm, Unknown, &["fact_not_collected"]),
        ("a rule without its priority", rule(|rule| rule.priority = None), Ssm, Unknown, &["fact_not_collected"]),
        ("a firewall without its VPC", association(|own| own.vpc_id = None), Ssm, Unknown, &["fact_not_collected"]),
        ("a firewall without its priority", association(|own| own.priority = None), Ssm, Unknown, &["fact_not_collected"]),
        ("a Profile without its VPC", of_profile(), Ssm, Unknown, &["fact_not_collected"]),
        ("a Profile's firewall without its priority", profile(base().nat(), &[group]), Ssm, Unknown, &["dns_firewall"]),
        ("a zone without its name", nameless_zone(), Ssm, Unknown, &["fact_not_collected"]),
        ("a whole rule of another name", forwarding(|_, _| {}), Ssm, Reachable, &[]),
        ("a forwarding rule without its name", forwarding(|rule, _| rule.domain_name = None), Ssm, Unknown, &["fact_not_collected"]),
        ("a forwarding rule without its type", forwarding(|rule, _| rule.rule_type = None), Ssm, Unknown, &["fact_not_collected"]),
        ("a forwarding rule without its VPC", forwarding(|_, own| own.vpc_id = None), Ssm, Unknown, &["fact_not_collected"]),
    ]);
}

/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html>, "Delegating responsibility for a subdomain")
#[test]
fn a_zone_that_delegates_the_name_does_not_deny_it() {
    let delegating = |name: &'static str| {
        base().nat().hosted_zone("amazonaws.com.", &[("x.amazonaws.com.", "x.example.")]).with(move |files| {
            let record = &mut files.record_sets.as_mut().unwrap().resource_record_sets.get_mut("Z1").unwrap()[0];
            record.name = some(name);
            record.r#type = some("NS");
        })
    };
    check(vec![
        ("a part that holds the name", delegating("eu-central-1.amazonaws.com."), Ssm, Unknown, &["private_zone_record"]),
        ("another part", delegating("us-east-1.amazonaws.com."), Ssm, Blocked, &["DNS_PHZ_NXDOMAIN"]),
        ("the zone's own servers", delegating("amazonaws.com."), Ssm, Blocked, &["DNS_PHZ_NXDOMAIN"]),
    ]);
}

/// An alias answers with addresses, a CNAME with a name, at which the firewall looks too.
#[test]
fn a_firewall_looks_at_the_name_that_a_record_gives() {
    let allowed = |kind: &'static str, more: &[&str]| {
        let (own, names) = (own_name("vpce-ssm", "ssm"), [&["ssm.eu-central-1.amazonaws.com."], more].concat());
        let zone = two_endpoints().hosted_zone(HOST, &[(HOST, &own)]).with(|files| {
            let record = &mut files.record_sets.as_mut().unwrap().resource_record_sets.get_mut("Z1").unwrap()[0];
            if kind == "CNAME" {
                record.r#type = some("CNAME");
                record.alias_target = None;
                record.resource_records = vec![ResourceRecord { value: some(&own) }];
            }
        });
        firewall(zone, &[("ALLOW", "rslvr-fdl-1", Some(&names)), ("BLOCK", "rslvr-fdl-2", Some(&["*"]))])
    };
    // Either of two records may answer, and one leads to a name that is not on the list.
    let two_names = || {
        let listed = own_name("vpce-ssm", "ssm");
        allowed("CNAME", &[&listed]).with(|files| {
            let records = files.record_sets.as_mut().unwrap().resource_record_sets.get_mut("Z1").unwrap();
            let mut other = records[0].clone();
            other.resource_records = vec![ResourceRecord { value: some(&listed.replace("vpce-ssm", "*.vpce-ssm")) }];
            records.push(other);
            let entry = files.vpc_endpoints.as_mut().unwrap().vpc_endpoints[0].dns_entries[0].clone();
            let other = ec2::DnsEntry { dns_name: some(&listed.replace("vpce-ssm", "*.vpce-ssm")), ..entry };
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints[0].dns_entries.push(other);
        })
    };
    check(vec![
        ("the name alone", allowed("CNAME", &[]), Ssm, Blocked, &["DNS_FIREWALL_RULE"]),
        ("and the endpoint's", allowed("CNAME", &["*.vpce.amazonaws.com."]), Ssm, Reachable, &[]),
        ("an alias", allowed("A", &[]), Ssm, Unknown, &["dns_firewall"]),
        ("one of two names", two_names(), Ssm, Unknown, &["dns_firewall", "private_zone_record"]),
    ]);
}

/// Of names below one, of which it is not known which are asked for.
#[test]
fn a_firewall_for_any_name_below_one() {
    let windows = || base().nat().patched_from(&[("*.windowsupdate.com", 443, AnsweredBy::Internet)]);
    let allowed = |names: &[&str]| firewall(windows(), &[("ALLOW", "rslvr-fdl-1", Some(names)), ("BLOCK", "rslvr-fdl-2", Some(&["*"]))]);
    let refused = |names: &[&str]| firewall(windows(), &[("BLOCK", "rslvr-fdl-1", Some(names))]);
    let claimed = |records: &[(&str, &str)]| windows().hosted_zone("windowsupdate.com.", records);
    let below = || windows().hosted_zone("download.windowsupdate.com.", &[]);
    check(vec![
        ("all are allowed", trusting(allowed(&["*.windowsupdate.com."])), Repository, Reachable, &[]),
        ("the name above alone is", allowed(&["windowsupdate.com."]), Repository, Blocked, &["DNS_FIREWALL_RULE"]),
        ("one of them is", allowed(&["download.windowsupdate.com."]), Repository, Unknown, &["dns_firewall"]),
        ("all are refused", refused(&["*.windowsupdate.com."]), Repository, Blocked, &["DNS_FIREWALL_RULE"]),
        ("one is refused", refused(&["download.windowsupdate.com."]), Repository, Unknown, &["dns_firewall"]),
        ("a private zone has none", claimed(&[]), Repository, Blocked, &["DNS_PHZ_NXDOMAIN"]),
        (
            "a private zone has one",
            claimed(&[("download.windowsupdate.com.", "x.example.")]),
            Repository,
            Unknown,
            &["private_zone_record"],
        ),
        (
            "a private zone has the name above alone",
            claimed(&[("windowsupdate.com.", "x.example.")]),
            Repository,
            Blocked,
            &["DNS_PHZ_NXDOMAIN"],
        ),
        ("a private zone claims some", below(), Repository, Unknown, &["private_zone_record"]),
    ]);
}

/// A firewall with these rules: action, domain list, and its domains where AWS shows them.
pub(crate) fn firewall(topology: Topology, rules: &[(&'static str, &'static str, Option<&[&str]>)]) -> Topology {
    let rule = |(number, (action, list, _)): (usize, &(&'static str, &'static str, Option<&[&str]>))| FirewallRule {
        firewall_rule_group_id: some("rslvr-frg-1"),
        firewall_domain_list_id: Some((*list).to_owned()).filter(|list| !list.is_empty()),
        priority: i32::try_from(number).ok(),
        action: some(action),
        ..Default::default()
    };
    // The API's order means nothing.
    let own: Vec<FirewallRule> = rules.iter().enumerate().map(rule).rev().collect();
    let shown = rules
        .iter()
        .filter_map(|(_, list, domains)| Some(((*list).to_owned(), domains.as_ref()?.iter().map(|each| (*each).to_owned()).collect())));
    let domains = shown.collect();
    topology.with(|files| {
        let association = FirewallRuleGroupAssociation {
            firewall_rule_group_id: some("rslvr-frg-1"),
            vpc_id: some("vpc-1"),
            priority: Some(101),
            status: some("COMPLETE"),
            ..Default::default()
        };
        files.firewall_associations = Some(ListFirewallRuleGroupAssociations { firewall_rule_group_associations: vec![association] });
        files.firewall_rules = Some(ListFirewallRules { firewall_rules: [("rslvr-frg-1".to_owned(), own)].into() });
        files.firewall_domains = Some(ListFirewallDomains { domains });
    })
}

/// Its rules look at no redirection.
fn trusting(topology: Topology) -> Topology {
    topology.with(|files| {
        for rule in files.firewall_rules.as_mut().unwrap().firewall_rules.values_mut().flatten() {
            rule.firewall_domain_redirection_action = some("TRUST_REDIRECTION_DOMAIN");
        }
    })
}

#[test]
fn firewalls() {
    let over = |rules: &[(&'static str, &'static str, Option<&[&str]>)]| firewall(base().nat(), rules);
    let mut vouched = over(&[("BLOCK", "rslvr-fdl-aws", None)]);
    vouched.assumptions.insert(Assumption::DnsFirewallPassesAwsNames);
    let unread = over(&[("BLOCK", "rslvr-fdl-1", Some(&["x.example."]))]).with(|files| files.firewall_rules = None);
    let alone = || over(&[("ALLOW", "rslvr-fdl-1", Some(&["ssm.eu-central-1.amazonaws.com."])), ("BLOCK", "rslvr-fdl-2", Some(&["*"]))]);
    let asking_for = |kind: &'static str| {
        over(&[("BLOCK", "rslvr-fdl-1", Some(&["*.amazonaws.com."]))]).with(move |files| {
            for rule in files.firewall_rules.as_mut().unwrap().firewall_rules.values_mut().flatten() {
                rule.qtype = some(kind);
            }
        })
    };
    let associated = |status: &'static str| {
        over(&[("BLOCK", "rslvr-fdl-1", Some(&["*.amazonaws.com."]))]).with(move |files| {
            files.firewall_associations.as_mut().unwrap().firewall_rule_group_associations[0].status = some(status);
        })
    };
    let unlisted = || base().nat().with(|files| files.firewall_associations = None);
    check(vec![
        ("82", over(&[("BLOCK", "rslvr-fdl-aws", None)]), Ssm, Unknown, &["dns_firewall"]),
        ("82, the user knows", vouched, Ssm, Reachable, &[]),
        ("82, of DNS Firewall Advanced", over(&[("BLOCK", "", None)]), Ssm, Unknown, &["dns_firewall"]),
        ("82, an alert blocks nothing", over(&[("ALERT", "rslvr-fdl-aws", None)]), Ssm, Reachable, &[]),
        ("82, what is blocked anyway stays so", firewall(base(), &[("BLOCK", "rslvr-fdl-aws", None)]), Ssm, Blocked, &[]),
        ("82, its rules were not collected", unread, Ssm, Unknown, &["fact_not_collected"]),
        ("another name is refused", over(&[("BLOCK", "rslvr-fdl-1", Some(&["*.games.example."]))]), Ssm, Reachable, &[]),
        ("the name is refused", over(&[("BLOCK", "rslvr-fdl-1", Some(&["*.amazonaws.com."]))]), Ssm, Blocked, &["DNS_FIREWALL_RULE"]),
        (
            "the name is allowed first",
            over(&[("ALLOW", "rslvr-fdl-1", Some(&["*.amazonaws.com."])), ("BLOCK", "rslvr-fdl-2", Some(&["*"]))]),
            Ssm,
            Reachable,
            &[],
        ),
        ("the name alone is allowed, and not where it redirects", alone(), Ssm, Unknown, &["dns_firewall"]),
        ("the name alone is allowed, and its redirections are trusted", trusting(alone()), Ssm, Reachable, &[]),
        ("records for IPv4 are refused", asking_for("A"), Ssm, Blocked, &["DNS_FIREWALL_RULE"]),
        ("the same by its number", asking_for("TYPE1"), Ssm, Blocked, &["DNS_FIREWALL_RULE"]),
        ("records for IPv6 by their number", asking_for("TYPE28"), Ssm, Reachable, &[]),
        ("records for IPv6 are refused", asking_for("AAAA"), Ssm, Reachable, &[]),
        ("the firewall is going", associated("DELETING"), Ssm, Unknown, &["fact_not_collected"]),
        ("the list of associations was not collected", unlisted(), Ssm, Unknown, &["fact_not_collected"]),
        (
            "everything else is refused",
            over(&[("ALLOW", "rslvr-fdl-1", Some(&["*.example.com."])), ("BLOCK", "rslvr-fdl-2", Some(&["*"]))]),
            Ssm,
            Blocked,
            &["DNS_FIREWALL_RULE"],
        ),
        (
            "allowed first, by names that are not shown",
            over(&[("ALLOW", "rslvr-fdl-aws", None), ("BLOCK", "rslvr-fdl-2", Some(&["*"]))]),
            Ssm,
            Unknown,
            &["dns_firewall"],
        ),
        (
            "an endpoint's name is refused too",
            firewall(base().endpoints(), &[("BLOCK", "rslvr-fdl-1", Some(&["ssm.eu-central-1.amazonaws.com."]))]),
            Ssm,
            Blocked,
            &["DNS_FIREWALL_RULE"],
        ),
    ]);
}
