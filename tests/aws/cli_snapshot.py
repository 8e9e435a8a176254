"""Makes a snapshot by hand, as docs/snapshot.md says: every file is what the AWS CLI prints.

    python cli_snapshot.py ENDPOINT FOLDER HUBS

HUBS is a JSON list of [account, Region] without instances, on whose networks others depend. The CLI runs in this process, hundreds of times. What is compared with it comes from another client (the Rust SDK) and other code.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from awscli.clidriver import create_clidriver

HOME_REGION = "us-east-1"
ROLE = "OrganizationAccountAccessRole"
DHMC = "/ssm/managed-instance/default-ec2-instance-management-role"
AWS_DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "api.aws", "amazonwebservices.com.cn")

# Lists that need no parameter: `aws SERVICE OPERATION` is the whole file.
WHOLE = {
    "ec2": [
        "describe-dhcp-options", "describe-egress-only-internet-gateways", "describe-instance-image-metadata", "describe-instance-status",
        "describe-internet-gateways", "describe-managed-prefix-lists", "describe-nat-gateways", "describe-network-acls",
        "describe-network-interfaces", "describe-prefix-lists", "describe-route-tables", "describe-security-groups", "describe-subnets",
        "describe-transit-gateway-policy-tables", "describe-transit-gateway-route-tables", "describe-transit-gateway-vpc-attachments",
        "describe-transit-gateways", "describe-vpc-block-public-access-exclusions", "describe-vpc-block-public-access-options",
        "describe-vpc-encryption-controls",
        "describe-vpc-endpoint-services", "describe-vpc-endpoints", "describe-vpc-peering-connections", "describe-vpcs", "describe-vpn-gateways",
    ],
    "route53profiles": ["list-profile-associations"],
    "route53resolver": ["list-firewall-rule-group-associations", "list-resolver-rule-associations", "list-resolver-rules"],
    "ssm": ["describe-instance-information", "describe-maintenance-windows", "describe-patch-baselines", "describe-patch-groups",
            "list-associations"],
}
# How the agent names a system, and how Patch Manager does.
PATCH_MANAGER_NAMES = {
    "Amazon Linux 2023": "AMAZON_LINUX_2023", "Debian": "DEBIAN", "Microsoft Windows": "WINDOWS", "Red Hat": "REDHAT_ENTERPRISE_LINUX",
    "Ubuntu": "UBUNTU",
}


class Cli:
    """The AWS CLI with one account's credentials."""

    def __init__(self, endpoint: str, keys: dict[str, str]) -> None:
        os.environ.update(keys)
        self.endpoint, self.driver = endpoint, create_clidriver()

    def run(self, region: str, service: str, operation: str, *arguments: str) -> dict[str, Any]:
        """What `aws SERVICE OPERATION …` prints."""
        printed = io.StringIO()
        command = [service, operation, *arguments, "--endpoint-url", self.endpoint, "--region", region, "--output", "json"]
        with contextlib.redirect_stdout(printed):
            code = self.driver.main(command)
        if code != 0:
            sys.exit(f"aws {' '.join(command)} ended with {code}")
        return json.loads(printed.getvalue() or "{}")


class Place:
    """A folder of the snapshot, and the Region that its files are from."""

    def __init__(self, cli: Cli, folder: Path, region: str) -> None:
        self.cli, self.folder, self.region = cli, folder, region

    def ask(self, service: str, operation: str, *arguments: str) -> dict[str, Any]:
        return self.cli.run(self.region, service, operation, *arguments)

    def write(self, name: str, content: dict[str, Any]) -> dict[str, Any]:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
        return content

    def keep(self, service: str, operation: str, *arguments: str) -> dict[str, Any]:
        return self.write(f"{service}-{operation}", self.ask(service, operation, *arguments))


def organization(place: Place) -> list[str]:
    """The organization's files, and the ids of its accounts that are not suspended."""
    place.keep("organizations", "describe-organization")
    accounts = place.keep("organizations", "list-accounts")["Accounts"]
    units, parents = [], {}
    open_parents = [root["Id"] for root in place.ask("organizations", "list-roots")["Roots"]]
    while open_parents:
        parent = open_parents.pop()
        below = place.ask("organizations", "list-organizational-units-for-parent", "--parent-id", parent)["OrganizationalUnits"]
        members = place.ask("organizations", "list-accounts-for-parent", "--parent-id", parent)["Accounts"]
        units += [{"Id": unit["Id"], "Name": unit["Name"], "ParentId": parent} for unit in below]
        parents |= {one["Id"]: parent for one in below + members}
        open_parents += [unit["Id"] for unit in below]
    place.write("organizational-units", {"OrganizationalUnits": units, "Parents": parents})
    place.write("organization-policies", policies(place))
    return [account["Id"] for account in accounts if account["Status"] == "ACTIVE"]


def policies(place: Place) -> dict[str, Any]:
    listed = [policy for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
              for policy in place.ask("organizations", "list-policies", "--filter", kind)["Policies"]]
    for policy in listed:
        policy["Content"] = place.ask("organizations", "describe-policy", "--policy-id", policy["Id"])["Policy"]["Content"]
    targets = {policy["Id"]: sorted(target["TargetId"] for target in place.ask(
        "organizations", "list-targets-for-policy", "--policy-id", policy["Id"])["Targets"]) for policy in listed}
    return {"Policies": listed, "Targets": targets}


def network_files(place: Place, files: dict[str, Any]) -> None:
    entries = {one: place.ask("ec2", "get-managed-prefix-list-entries", "--prefix-list-id", one)["Entries"] for one in prefix_lists(files)}
    place.write("ec2-get-managed-prefix-list-entries", {"PrefixListEntries": entries})
    transit_gateways(place, files)


def region_files(place: Place, is_hub: bool) -> tuple[set[str], set[str]]:
    """All files of one Region; the ARNs of its instance profiles, and the roles of Default Host Management."""
    reservations = place.keep("ec2", "describe-instances", "--include-managed-resources")["Reservations"]
    instances = [one for reservation in reservations for one in reservation["Instances"]
                 if one["State"]["Name"] not in ("terminated", "shutting-down")]
    if not instances and is_hub:
        of_network = [operation for operation in WHOLE["ec2"] if not operation.startswith("describe-instance-")]
        network_files(place, {f"ec2-{operation}": place.keep("ec2", operation) for operation in of_network})
    if not instances:
        return set(), set()
    files = {f"{service}-{operation}": place.keep(service, operation) for service, operations in WHOLE.items() for operation in operations}
    vpcs = sorted({interface["VpcId"] for instance in instances for interface in instance["NetworkInterfaces"]})
    place.write("ec2-describe-vpc-attribute", {"VpcAttributes": [vpc_attribute(place, vpc) for vpc in vpcs]})
    network_files(place, files)
    resources = profile_resources(place, files, vpcs)
    private_zones(place, vpcs, after(":hostedzone/", resources))
    dns_firewall(place, files, vpcs, after(":firewall-rule-group/", resources))
    role = place.keep("ssm", "get-service-setting", "--setting-id", DHMC)["ServiceSetting"]["SettingValue"]
    systems_manager(place, files)
    profiles = {instance["IamInstanceProfile"]["Arn"] for instance in instances if "IamInstanceProfile" in instance}
    return profiles, {role} - {"$None", ""}


def vpc_attribute(place: Place, vpc: str) -> dict[str, Any]:
    both: dict[str, Any] = {"VpcId": vpc}
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        both |= place.ask("ec2", "describe-vpc-attribute", "--vpc-id", vpc, "--attribute", attribute)
    return both


def prefix_lists(files: dict[str, Any]) -> list[str]:
    """The lists that a route or a rule names, and those of S3 and DynamoDB."""
    routes = [route for table in files["ec2-describe-route-tables"]["RouteTables"] for route in table["Routes"]]
    rules = [rule for group in files["ec2-describe-security-groups"]["SecurityGroups"]
             for rule in group["IpPermissions"] + group["IpPermissionsEgress"]]
    named = {route["DestinationPrefixListId"] for route in routes if "DestinationPrefixListId" in route}
    named |= {one["PrefixListId"] for rule in rules for one in rule.get("PrefixListIds", [])}
    lists = files["ec2-describe-managed-prefix-lists"]["PrefixLists"]
    of_aws = {one["PrefixListId"] for one in lists if one["PrefixListName"].startswith("com.amazonaws.")
              and one["PrefixListName"].endswith((".s3", ".dynamodb"))}
    return sorted(named | of_aws)


def transit_gateways(place: Place, files: dict[str, Any]) -> None:
    tables = [one["TransitGatewayRouteTableId"] for one in files["ec2-describe-transit-gateway-route-tables"]["TransitGatewayRouteTables"]]
    propagations = "TransitGatewayRouteTablePropagations"
    searches = [
        ("search-transit-gateway-routes", "Routes", "TransitGatewayRoutes", ("--filters", "Name=state,Values=active,blackhole")),
        ("get-transit-gateway-route-table-associations", "Associations", "Associations", ()),
        ("get-transit-gateway-route-table-propagations", propagations, propagations, ()),
    ]
    for operation, printed, member, filters in searches:
        found = {table: place.ask("ec2", operation, "--transit-gateway-route-table-id", table, *filters)[printed] for table in tables}
        place.write(f"ec2-{operation}", {member: found})


def profile_resources(place: Place, files: dict[str, Any], vpcs: list[str]) -> list[str]:
    """What the Profiles in use bring."""
    associations = files["route53profiles-list-profile-associations"]["ProfileAssociations"]
    in_use = {one["ProfileId"] for one in associations if one["ResourceId"] in vpcs}
    member = "ProfileResourceAssociations"
    found = {one: place.ask("route53profiles", "list-profile-resource-associations", "--profile-id", one)[member] for one in in_use}
    place.write("route53profiles-list-profile-resource-associations", {member: found})
    return [resource["ResourceArn"] for resources in found.values() for resource in resources]


def after(mark: str, arns: list[str]) -> set[str]:
    return {arn.partition(mark)[2] for arn in arns if mark in arn}


def dns_firewall(place: Place, files: dict[str, Any], vpcs: list[str], of_profiles: set[str]) -> None:
    associations = files["route53resolver-list-firewall-rule-group-associations"]["FirewallRuleGroupAssociations"]
    groups = of_profiles | {one["FirewallRuleGroupId"] for one in associations if one["VpcId"] in vpcs}
    ask = lambda operation, parameter, id_, member: place.ask("route53resolver", operation, parameter, id_)[member]  # noqa: E731
    rules = {group: ask("list-firewall-rules", "--firewall-rule-group-id", group, "FirewallRules") for group in groups}
    place.write("route53resolver-list-firewall-rules", {"FirewallRules": rules})
    named = {rule["FirewallDomainListId"] for of_group in rules.values() for rule in of_group if "FirewallDomainListId" in rule}
    if named:
        lists = place.keep("route53resolver", "list-firewall-domain-lists")["FirewallDomainLists"]
        named -= {one["Id"] for one in lists if "ManagedOwnerName" in one}
    domains = {one: ask("list-firewall-domains", "--firewall-domain-list-id", one, "Domains") for one in named}
    place.write("route53resolver-list-firewall-domains", {"Domains": domains})


def private_zones(place: Place, vpcs: list[str], of_profiles: set[str]) -> None:
    zones = {vpc: place.ask("route53", "list-hosted-zones-by-vpc", "--vpc-id", vpc, "--vpc-region", place.region)["HostedZoneSummaries"]
             for vpc in vpcs}
    place.write("route53-list-hosted-zones-by-vpc", {"HostedZoneSummaries": zones})

    def is_over_aws(name: str) -> bool:
        name = name.rstrip(".")
        return any(f".{name}".endswith(f".{domain}") or f".{domain}".endswith(f".{name}") for domain in AWS_DOMAINS)

    wanted = {zone["HostedZoneId"] for found in zones.values() for zone in found
              if "OwningService" not in zone["Owner"] and is_over_aws(zone["Name"])}
    brought = {zone: place.ask("route53", "get-hosted-zone", "--id", zone) for zone in of_profiles}
    place.write("route53-get-hosted-zone", {"HostedZones": brought})
    wanted |= {id_ for id_, answer in brought.items() if is_over_aws(answer["HostedZone"]["Name"])}
    records = {zone: place.ask("route53", "list-resource-record-sets", "--hosted-zone-id", zone)["ResourceRecordSets"] for zone in wanted}
    place.write("route53-list-resource-record-sets", {"ResourceRecordSets": records})


def systems_manager(place: Place, files: dict[str, Any]) -> None:
    nodes = files["ssm-describe-instance-information"]["InstanceInformationList"]
    ids = [node["InstanceId"] for node in nodes]
    states = place.ask("ssm", "describe-instance-patch-states", "--instance-ids", *ids) if ids else {"InstancePatchStates": []}
    place.write("ssm-describe-instance-patch-states", states)
    online = [node["InstanceId"] for node in nodes if node["PingStatus"] == "Online" and node["InstanceId"].startswith("i-")]
    statuses = {id_: place.ask("ssm", "get-connection-status", "--target", id_) for id_ in online}
    place.write("ssm-get-connection-status", {"ConnectionStatuses": statuses})
    linux = [node["InstanceId"] for node in nodes if node["PlatformType"] == "Linux" and node["InstanceId"].startswith("i-")]
    listed = {id_: place.ask("ssm", "list-inventory-entries", "--instance-id", id_, "--type-name", "AWS:Application") for id_ in linux}
    entries = {id_: [{name: entry[name] for name in ("Name", "Version")} for entry in answer["Entries"]] for id_, answer in listed.items()}
    place.write("ssm-list-inventory-entries", {"Entries": entries})
    names = {f"{node['PlatformName']} {node['PlatformVersion']}" for node in nodes}
    systems = {system for name in names for beginning, system in PATCH_MANAGER_NAMES.items() if name.startswith(beginning)}
    baselines = {system: place.ask("ssm", "get-default-patch-baseline", "--operating-system", system)["BaselineId"] for system in systems}
    place.write("ssm-get-default-patch-baseline", {"DefaultPatchBaselines": baselines})
    listed = [one["BaselineId"] for one in files["ssm-describe-patch-baselines"]["BaselineIdentities"]]
    own = {one: place.ask("ssm", "get-patch-baseline", "--baseline-id", one) for one in listed if one.startswith("pb-")}
    place.write("ssm-get-patch-baseline", {"PatchBaselines": own})
    windows = [window["WindowId"] for window in files["ssm-describe-maintenance-windows"]["WindowIdentities"]]
    tasks = {window: place.ask("ssm", "describe-maintenance-window-tasks", "--window-id", window)["Tasks"] for window in windows}
    place.write("ssm-describe-maintenance-window-tasks", {"Tasks": tasks})

    def goes_by_registered_targets(task: dict[str, Any]) -> bool:
        by_targets = any(target["Key"] == "WindowTargetIds" for target in task.get("Targets", []))
        return by_targets and task["TaskArn"].startswith("AWS-RunPatchBaseline")

    wanted = [window for window, found in tasks.items() if any(goes_by_registered_targets(task) for task in found)]
    targets = {window: place.ask("ssm", "describe-maintenance-window-targets", "--window-id", window)["Targets"] for window in wanted}
    place.write("ssm-describe-maintenance-window-targets", {"Targets": targets})
    named = {name for one in files["ssm-list-associations"]["Associations"] for target in one.get("Targets", [])
             if target["Key"] == "resource-groups:Name" for name in target["Values"]}
    if named:
        queries = {name: place.ask("resource-groups", "get-group-query", "--group", name) for name in named}
        place.write("resource-groups-get-group-query", {"GroupQueries": queries})


def roles(place: Place, profiles: set[str], dhmc_roles: set[str]) -> None:
    """The roles behind the instance profiles in use and the ones of Default Host Management, with the policies that they name."""
    details = place.ask("iam", "get-account-authorization-details", "--filter", "Role", "LocalManagedPolicy", "AWSManagedPolicy")
    names = {role.rpartition("/")[2] for role in dhmc_roles}
    kept = [role for role in details["RoleDetailList"]
            if role["RoleName"] in names or any(profile["Arn"] in profiles for profile in role["InstanceProfileList"])]
    named = {policy["PolicyArn"] for role in kept for policy in role["AttachedManagedPolicies"]}
    named |= {role["PermissionsBoundary"]["PermissionsBoundaryArn"] for role in kept if "PermissionsBoundary" in role}
    policies = [policy for policy in details["Policies"] if policy["Arn"] in named]
    for policy in policies:
        # Older versions decide nothing.
        policy["PolicyVersionList"] = [version for version in policy["PolicyVersionList"] if version["IsDefaultVersion"]]
    held = {profile["Arn"] for role in kept for profile in role["InstanceProfileList"]}
    # The CLI lists all roles, so what is not among them is gone.
    gone = {"EmptyInstanceProfiles": sorted(profiles - held), "AbsentRoles": sorted(names - {role["RoleName"] for role in kept})}
    place.write("iam-get-account-authorization-details", {
        "RoleDetailList": kept, "Policies": policies, **{member: found for member, found in gone.items() if found}})


def quick_setup(place: Place, account: str) -> None:
    managers = place.ask("ssm-quicksetup", "list-configuration-managers").get("ConfigurationManagersList", [])
    found = [place.ask("ssm-quicksetup", "get-configuration-manager", "--manager-arn", manager["ManagerArn"]) for manager in managers]
    place.write("ssm-quicksetup-get-configuration-manager", {"ConfigurationManagers": found})
    ids = [definition["Id"] for manager in found for definition in manager["ConfigurationDefinitions"] if definition["Type"] == "AWSQuickSetupType-PatchPolicy"]
    names = [f"aws-quicksetup-patchpolicy-{account}-{id_}" for id_ in ids]
    place.write("s3-get-bucket-policy", {"BucketPolicies": {name: place.ask("s3api", "get-bucket-policy", "--bucket", name) for name in names}})


def main(endpoint: str, folder: Path, hubs: list[list[str]]) -> None:
    own = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_SESSION_TOKEN": ""}
    cli = Cli(endpoint, own)
    caller = cli.run(HOME_REGION, "sts", "get-caller-identity")["Account"]
    keys = {caller: own}
    accounts = organization(Place(cli, folder / "organization", HOME_REGION))
    for account in sorted(set(accounts) - {caller}):
        role = f"arn:aws:iam::{account}:role/{ROLE}"
        given = cli.run(HOME_REGION, "sts", "assume-role", "--role-arn", role, "--role-session-name", "by-hand")["Credentials"]
        keys[account] = {"AWS_ACCESS_KEY_ID": given["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                         "AWS_SESSION_TOKEN": given["SessionToken"]}
    for account, credentials in keys.items():
        cli = Cli(endpoint, credentials)
        profiles, dhmc_roles = set(), set()
        for region in cli.run(HOME_REGION, "ec2", "describe-regions")["Regions"]:
            name = region["RegionName"]
            found = region_files(Place(cli, folder / account / name, name), [account, name] in hubs)
            profiles |= found[0]
            dhmc_roles |= found[1]
        everywhere = Place(cli, folder / account / "global", HOME_REGION)
        if profiles or dhmc_roles:
            roles(everywhere, profiles, dhmc_roles)
        if account == caller:
            quick_setup(everywhere, account)


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
        # As version 2 of the CLI does without being told; version 1 prints the seconds of some services' times.
        config.write("[default]\ncli_timestamp_format = iso8601\n")
        config.flush()
        os.environ["AWS_CONFIG_FILE"] = config.name
        main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
