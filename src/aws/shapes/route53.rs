//! The types of Route 53 and Route 53 Resolver.

use aws_sdk_route53::types as sdk;
use aws_sdk_route53resolver::types as resolver;

use super::shapes;
use crate::snapshot::route53;

shapes! { sdk, route53;
    HostedZoneSummary => HostedZoneSummary { owner } present { hosted_zone_id, name };
    HostedZoneOwner => HostedZoneOwner { owning_account, owning_service };
    ResourceRecordSet => ResourceRecordSet { ttl, set_identifier, resource_records, alias_target } present { name, r#type };
    ResourceRecord => ResourceRecord {  } present { value };
    AliasTarget => AliasTarget {  } present { hosted_zone_id, dns_name, evaluate_target_health };
}

shapes! { resolver, route53;
    ResolverRule => ResolverRule { id, arn, domain_name, status, rule_type, name, target_ips, resolver_endpoint_id, owner_id,
        share_status };
    TargetAddress => TargetAddress { ip, port, ipv6, protocol };
    ResolverRuleAssociation => ResolverRuleAssociation { id, resolver_rule_id, name, vpc_id, status };
}
