"""DNS Firewall, which moto's Route 53 Resolver lacks, and Route 53 Profiles, which moto lacks as a whole."""

from __future__ import annotations

from typing import Any

from moto.core.responses import BaseResponse

from call import Call
from plugin import STORE, Refused, Rows, operation, whole_list

LISTS = "route53resolver:ListFirewallDomainLists"

whole_list("route53resolver:ListFirewallRuleGroupAssociations.FirewallRuleGroupAssociations")
whole_list(f"{LISTS}.FirewallDomainLists")
whole_list("route53profiles:ListProfileAssociations.ProfileAssociations")


@operation("route53resolver:ListFirewallRules", "FirewallRules", "FirewallRuleGroupId MaxResults NextToken")
def firewall_rules(call: Call, rows: Rows) -> dict[str, Any]:
    return {"FirewallRules": [row for row in rows if row["FirewallRuleGroupId"] == call.parameters["FirewallRuleGroupId"]]}


@operation("route53resolver:ListFirewallDomains", "Domains", "FirewallDomainListId MaxResults NextToken")
def firewall_domains(call: Call, rows: list[Any]) -> dict[str, Any]:
    """A row is the list's id, a slash, and one domain. AWS shows nobody what is on its own lists."""
    wanted = call.parameters["FirewallDomainListId"]
    known = {row["Id"]: row for row in STORE.rows(call, LISTS)}
    if wanted not in known or "ManagedOwnerName" in known[wanted]:
        raise Refused("ResourceNotFoundException", f"Can't find the resource with ID '{wanted}'")
    return {"Domains": [domain for owner, _, domain in (row.partition("/") for row in rows) if owner == wanted]}


class ProfilesResponse(BaseResponse):
    """moto has no such service, so that the front calls this one itself."""

    def __init__(self) -> None:
        super().__init__(service_name="route53profiles")


@operation("route53profiles:ListProfileResourceAssociations", "ProfileResourceAssociations", "ProfileId MaxResults NextToken")
def profile_resources(call: Call, rows: Rows) -> dict[str, Any]:
    return {"ProfileResourceAssociations": [row for row in rows if row["ProfileId"] == call.parameters["ProfileId"]]}
