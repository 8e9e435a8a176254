//! The answers of Route 53, its Resolver and its Profiles as the AWS CLI prints them: whatever may stand between a VPC and a public name.

use std::collections::BTreeMap;

use super::shape::{output, shape};

output! {
    /// `aws route53 list-hosted-zones-by-vpc`, by VPC
    pub struct ListHostedZonesByVpc { hosted_zone_summaries: BTreeMap<String, Vec<HostedZoneSummary>> }
    /// `aws route53 list-resource-record-sets`, by zone
    pub struct ListResourceRecordSets { resource_record_sets: BTreeMap<String, Vec<ResourceRecordSet>> }
    /// `aws route53 get-hosted-zone`, by zone: those that a Profile brings, which no list of a VPC's zones holds
    pub struct GetHostedZone { hosted_zones: BTreeMap<String, HostedZoneAnswer> }
    /// `aws route53resolver list-resolver-rules`
    pub struct ListResolverRules { resolver_rules: Vec<ResolverRule> }
    /// `aws route53resolver list-resolver-rule-associations`
    pub struct ListResolverRuleAssociations { resolver_rule_associations: Vec<ResolverRuleAssociation> }
    /// `aws route53resolver list-firewall-rule-group-associations`
    pub struct ListFirewallRuleGroupAssociations { firewall_rule_group_associations: Vec<FirewallRuleGroupAssociation> }
    /// `aws route53resolver list-firewall-rules`, by rule group
    pub struct ListFirewallRules { firewall_rules: BTreeMap<String, Vec<FirewallRule>> }
    /// `aws route53resolver list-firewall-domain-lists`: who keeps each list; asked for where a rule names one
    pub struct ListFirewallDomainLists { firewall_domain_lists: Vec<FirewallDomainList> }
    /// `aws route53resolver list-firewall-domains`, by domain list. AWS shows nobody its own lists: they are never among these
    pub struct ListFirewallDomains { domains: BTreeMap<String, Vec<String>> }
    /// `aws route53profiles list-profile-associations`
    pub struct ListProfileAssociations { profile_associations: Vec<ProfileAssociation> }
    /// `aws route53profiles list-profile-resource-associations`, by Profile
    pub struct ListProfileResourceAssociations { profile_resource_associations: BTreeMap<String, Vec<ProfileResourceAssociation>> }
}

shape! {
    pub struct HostedZoneSummary { hosted_zone_id: Option<String>, name: Option<String>, owner: Option<HostedZoneOwner> }
    pub struct HostedZoneOwner { owning_account: Option<String>, owning_service: Option<String> }
    pub struct ResourceRecordSet {
        name: Option<String>,
        r#type: Option<String>,
        #[serde(rename = "TTL")]
        ttl: Option<i64>,
        set_identifier: Option<String>,
        resource_records: Vec<ResourceRecord>,
        alias_target: Option<AliasTarget>,
    }
    pub struct ResourceRecord { value: Option<String> }
    pub struct AliasTarget {
        hosted_zone_id: Option<String>,
        #[serde(rename = "DNSName")]
        dns_name: Option<String>,
        evaluate_target_health: Option<bool>,
    }
    pub struct ResolverRule {
        id: Option<String>,
        arn: Option<String>,
        domain_name: Option<String>,
        status: Option<String>,
        rule_type: Option<String>,
        name: Option<String>,
        target_ips: Vec<TargetAddress>,
        resolver_endpoint_id: Option<String>,
        owner_id: Option<String>,
        share_status: Option<String>,
    }
    pub struct TargetAddress { ip: Option<String>, port: Option<i32>, ipv6: Option<String>, protocol: Option<String> }
    pub struct ResolverRuleAssociation {
        id: Option<String>,
        resolver_rule_id: Option<String>,
        name: Option<String>,
        #[serde(rename = "VPCId")]
        vpc_id: Option<String>,
        status: Option<String>,
    }
    pub struct HostedZoneAnswer { hosted_zone: Option<HostedZone> }
    /// `Id` is `/hostedzone/` and the id.
    pub struct HostedZone { id: Option<String>, name: Option<String>, config: Option<HostedZoneConfig>, linked_service: Option<LinkedService> }
    pub struct HostedZoneConfig { comment: Option<String>, private_zone: Option<bool> }
    pub struct LinkedService { service_principal: Option<String>, description: Option<String> }
    pub struct FirewallRuleGroupAssociation {
        id: Option<String>,
        arn: Option<String>,
        firewall_rule_group_id: Option<String>,
        vpc_id: Option<String>,
        name: Option<String>,
        priority: Option<i32>,
        managed_owner_name: Option<String>,
        status: Option<String>,
    }
    /// A rule without a domain list is one of DNS Firewall Advanced, which looks at more than names.
    pub struct FirewallRule {
        firewall_rule_group_id: Option<String>,
        firewall_domain_list_id: Option<String>,
        firewall_threat_protection_id: Option<String>,
        name: Option<String>,
        priority: Option<i32>,
        action: Option<String>,
        block_response: Option<String>,
        block_override_domain: Option<String>,
        firewall_domain_redirection_action: Option<String>,
        qtype: Option<String>,
        dns_threat_protection: Option<String>,
        confidence_threshold: Option<String>,
        status: Option<String>,
    }
    /// `ManagedOwnerName` stands at the lists that are AWS's own.
    pub struct FirewallDomainList { id: Option<String>, arn: Option<String>, name: Option<String>, managed_owner_name: Option<String> }
    /// `ResourceId` is the VPC. `Priority` orders several Profiles of one VPC.
    pub struct ProfileAssociation {
        id: Option<String>,
        name: Option<String>,
        owner_id: Option<String>,
        profile_id: Option<String>,
        resource_id: Option<String>,
        priority: Option<i32>,
        status: Option<String>,
    }
    /// `ResourceArn` is a private hosted zone, a resolver rule, a rule group of DNS Firewall, or something else.
    pub struct ProfileResourceAssociation {
        id: Option<String>,
        name: Option<String>,
        owner_id: Option<String>,
        profile_id: Option<String>,
        resource_arn: Option<String>,
        resource_type: Option<String>,
        resource_properties: Option<String>,
        status: Option<String>,
    }
}
