//! The types of Route 53, its Resolver and its Profiles.

use aws_sdk_route53::types as sdk;
use aws_sdk_route53profiles::types as profiles;
use aws_sdk_route53resolver::types as resolver;

use super::shapes;
use crate::snapshot::route53;

shapes! { sdk, route53;
    HostedZoneSummary => HostedZoneSummary { owner } present { hosted_zone_id, name };
    HostedZoneOwner => HostedZoneOwner { owning_account, owning_service };
    ResourceRecordSet => ResourceRecordSet { ttl, set_identifier, resource_records, alias_target } present { name, r#type };
    ResourceRecord => ResourceRecord {  } present { value };
    AliasTarget => AliasTarget {  } present { hosted_zone_id, dns_name, evaluate_target_health };
    HostedZone => HostedZone { config, linked_service } present { id, name };
    HostedZoneConfig => HostedZoneConfig { comment } present { private_zone };
    LinkedService => LinkedService { service_principal, description };
}

shapes! { resolver, route53;
    ResolverRule => ResolverRule { id, arn, domain_name, status, rule_type, name, target_ips, resolver_endpoint_id, owner_id,
        share_status };
    TargetAddress => TargetAddress { ip, port, ipv6, protocol };
    ResolverRuleAssociation => ResolverRuleAssociation { id, resolver_rule_id, name, vpc_id, status };
    FirewallRuleGroupAssociation => FirewallRuleGroupAssociation { id, arn, firewall_rule_group_id, vpc_id, name, priority,
        managed_owner_name, status };
    FirewallRule => FirewallRule { firewall_rule_group_id, firewall_domain_list_id, firewall_threat_protection_id, name, priority,
        action, block_response, block_override_domain, firewall_domain_redirection_action, qtype, dns_threat_protection,
        confidence_threshold, status };
    FirewallDomainListMetadata => FirewallDomainList { id, arn, name, managed_owner_name };
}

shapes! { profiles, route53;
    ProfileAssociation => ProfileAssociation { id, name, owner_id, profile_id, resource_id, status } missing { priority };
    ProfileResourceAssociation => ProfileResourceAssociation { id, name, owner_id, profile_id, resource_arn, resource_type,
        resource_properties, status };
}
