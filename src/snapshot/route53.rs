//! Route 53's and Route 53 Resolver's answers as the AWS CLI prints them: whatever may stand between a VPC and a public name.

use std::collections::BTreeMap;

use super::shape::{output, shape};

output! {
    /// `aws route53 list-hosted-zones-by-vpc`, by VPC
    pub struct ListHostedZonesByVpc { hosted_zone_summaries: BTreeMap<String, Vec<HostedZoneSummary>> }
    /// `aws route53 list-resource-record-sets`, by zone
    pub struct ListResourceRecordSets { resource_record_sets: BTreeMap<String, Vec<ResourceRecordSet>> }
    /// `aws route53resolver list-resolver-rules`
    pub struct ListResolverRules { resolver_rules: Vec<ResolverRule> }
    /// `aws route53resolver list-resolver-rule-associations`
    pub struct ListResolverRuleAssociations { resolver_rule_associations: Vec<ResolverRuleAssociation> }
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
}
