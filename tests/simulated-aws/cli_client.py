"""The AWS CLI as a client of the simulated AWS: what it prints is what the snapshot's files hold.

    python cli_client.py ENDPOINT FOLDER

Every operation is asked for where the snapshot holds most of it. The CLI runs in this process; botocore validates each answer.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from awscli.clidriver import create_clidriver
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator

HOME = "us-east-1"
ROLE = "OrganizationAccountAccessRole"
WIRE = json.loads((Path(__file__).parent / "data" / "wire.json").read_text())["services"]
# Calls that take an id: the parameter, the map in the file, the member that is printed if not all of it is kept.
BY_ID = {
    "ec2-get-managed-prefix-list-entries": ("--prefix-list-id", "PrefixListEntries", "Entries", []),
    "ec2-search-transit-gateway-routes": ("--transit-gateway-route-table-id", "TransitGatewayRoutes", "Routes",
                                          ["--filters", "Name=state,Values=active,blackhole"]),
    "ec2-get-transit-gateway-route-table-associations": ("--transit-gateway-route-table-id", "Associations", "Associations", []),
    "ec2-get-transit-gateway-route-table-propagations": (
        "--transit-gateway-route-table-id", "TransitGatewayRouteTablePropagations", "TransitGatewayRouteTablePropagations", []),
    "route53-list-hosted-zones-by-vpc": ("--vpc-id", "HostedZoneSummaries", "HostedZoneSummaries", ["--vpc-region"]),
    "route53-list-resource-record-sets": ("--hosted-zone-id", "ResourceRecordSets", "ResourceRecordSets", []),
    "route53-get-hosted-zone": ("--id", "HostedZones", None, []),
    "route53resolver-list-firewall-rules": ("--firewall-rule-group-id", "FirewallRules", "FirewallRules", []),
    "route53resolver-list-firewall-domains": ("--firewall-domain-list-id", "Domains", "Domains", []),
    "route53profiles-list-profile-resource-associations": (
        "--profile-id", "ProfileResourceAssociations", "ProfileResourceAssociations", []),
    "resource-groups-get-group-query": ("--group", "GroupQueries", None, []),
    "ssm-get-connection-status": ("--target", "ConnectionStatuses", None, []),
    "ssm-list-inventory-entries": ("--instance-id", "Entries", "Entries", ["--type-name", "AWS:Application"]),
    "ssm-get-patch-baseline": ("--baseline-id", "PatchBaselines", None, []),
    "ssm-get-default-patch-baseline": ("--operating-system", "DefaultPatchBaselines", "BaselineId", []),
    "ssm-describe-maintenance-window-tasks": ("--window-id", "Tasks", "Tasks", []),
    "ssm-describe-maintenance-window-targets": ("--window-id", "Targets", "Targets", []),
}


class Client:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.driver = create_clidriver()
        self.driver.session.register("after-call.*.*", self.validate)
        self.asked: set[str] = set()
        self.wrong: list[str] = []

    def validate(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        name = f"{model.service_model.service_name}:{model.name}"
        self.asked.add(name)
        if model.output_shape and "Error" not in parsed:
            content = as_sent({key: value for key, value in parsed.items() if key != "ResponseMetadata"}, model.output_shape)
            report = ParamValidator().validate(content, model.output_shape).generate_report()
            # Real answers hold texts that are shorter than the models allow: the CreatorRequestId of AWS's own resolver rules is empty.
            problems = [line for line in report.splitlines() if not line.startswith("Invalid length for parameter")]
            self.wrong.extend(f"{name}: {problem}" for problem in problems)

    def ask(self, region: str, service: str, operation: str, *arguments: str) -> Any:
        printed = io.StringIO()
        command = [service, operation, *arguments, "--endpoint-url", self.endpoint, "--region", region, "--output", "json"]
        with contextlib.redirect_stdout(printed):
            code = self.driver.main(command)
        if code != 0:
            self.wrong.append(f"aws {' '.join(command)} ended with {code}")
        return json.loads(printed.getvalue() or "{}")

    def compare(self, what: str, held: Any, printed: Any) -> None:
        self.wrong.extend(f"{what}{problem}" for problem in missing(held, printed))


def as_sent(value: Any, shape: Shape) -> Any:
    """Policy documents, which botocore decodes, as the text that the model says."""
    match shape:
        case StructureShape() if isinstance(value, dict):
            return {name: as_sent(one, shape.members[name]) if name in shape.members else one for name, one in value.items()}
        case ListShape() if isinstance(value, list):
            return [as_sent(one, shape.member) for one in value]
        case MapShape() if isinstance(value, dict):
            return {name: as_sent(one, shape.value) for name, one in value.items()}
    return json.dumps(value) if shape.type_name == "string" and isinstance(value, dict) else value


def missing(held: Any, printed: Any, place: str = "") -> list[str]:
    """What a file holds and the CLI does not print; what the models demand and the file leaves out may be printed on top."""
    if isinstance(held, dict) and isinstance(printed, dict):
        absent = [f"{place}.{name} is not printed" for name in held if name not in printed and held[name] is not None]
        return absent + [problem for name in held if name in printed for problem in missing(held[name], printed[name], f"{place}.{name}")]
    if isinstance(held, list) and isinstance(printed, list):
        if len(held) != len(printed):
            return [f"{place} has {len(held)} items, and {len(printed)} are printed"]
        return [problem for at, (one, other) in enumerate(zip(held, printed)) for problem in missing(one, other, f"{place}[{at}]")]
    return [] if held == printed or moment(held) == moment(printed) is not None else [f"{place} is {held!r}, and {printed!r} is printed"]


def moment(value: Any) -> float | None:
    try:
        return round(datetime.datetime.fromisoformat(value).timestamp(), 3)
    except (TypeError, ValueError):
        return None


def kept(folder: Path) -> dict[str, Path]:
    """For each file's name the largest of that name, over all accounts and Regions."""
    largest: dict[str, Path] = {}
    for path in sorted(folder.glob("[0-9]*/*/*.json")):
        if path.stem not in largest or path.stat().st_size > largest[path.stem].stat().st_size:
            largest[path.stem] = path
    return largest


def zones_of_others(folder: Path) -> set[str]:
    """The zones that answer for the Region's VPCs and belong to other accounts, which alone may see what is in them."""
    held = json.loads((folder / "route53-list-hosted-zones-by-vpc.json").read_text())["HostedZoneSummaries"]
    brought = json.loads((folder / "route53profiles-list-profile-resource-associations.json").read_text())["ProfileResourceAssociations"]
    owners = {zone["HostedZoneId"]: zone["Owner"].get("OwningAccount") for zones in held.values() for zone in zones}
    owners |= {one["ResourceArn"].rpartition("/")[2]: one["OwnerId"] for resources in brought.values() for one in resources}
    return {zone for zone, owner in owners.items() if owner not in (None, folder.parent.name)}


def of_name(name: str) -> tuple[str, str]:
    """Service and operation of a file's name: some services have a hyphen in theirs."""
    service = next(service for service in WIRE if name.startswith(f"{service}-"))
    return service, name.removeprefix(f"{service}-")


def region_file(client: Client, name: str, path: Path) -> None:
    service, operation = of_name(name)
    region, held = path.parent.name, json.loads(path.read_text())
    what = f"{path.parent.parent.name}/{region}/{name}"
    if name in BY_ID:
        parameter, member, printed, more = BY_ID[name]
        more = [*more, region] if more == ["--vpc-region"] else more
        foreign = zones_of_others(path.parent) if name in ("route53-list-resource-record-sets", "route53-get-hosted-zone") else set()
        for id_, value in held[member].items():
            if id_ in foreign:
                continue
            answer = client.ask(region, service, operation, parameter, id_, *more)
            client.compare(f"{what} {id_}", value, answer.get(printed) if printed else answer)
    elif name == "ec2-describe-vpc-attribute":
        for vpc in held["VpcAttributes"]:
            printed = {}
            for attribute in ("enableDnsSupport", "enableDnsHostnames"):
                printed |= client.ask(region, service, operation, "--vpc-id", vpc["VpcId"], "--attribute", attribute)
            client.compare(f"{what} {vpc['VpcId']}", vpc, printed)
    elif name == "ssm-get-service-setting":
        client.compare(what, held, client.ask(region, service, operation, "--setting-id", held["ServiceSetting"]["SettingId"]))
    elif name == "ssm-describe-instance-patch-states":
        ids = [node["InstanceId"] for node in json.loads((path.parent / "ssm-describe-instance-information.json").read_text())["InstanceInformationList"]]
        if ids:
            client.compare(what, held, client.ask(region, service, operation, "--instance-ids", *ids[:50]))
    else:
        more = ["--include-managed-resources"] if name == "ec2-describe-instances" else []
        client.compare(what, held, client.ask(region, service, operation, *more))


def roles(client: Client, path: Path) -> None:
    held = json.loads(path.read_text())
    printed = {member: held[member] for member in ("RoleDetailList", "Policies")}
    client.compare(str(path), printed, client.ask(HOME, "iam", "get-account-authorization-details"))
    for role in held["RoleDetailList"]:
        name = ["--role-name", role["RoleName"]]
        same = {member: role[member] for member in ("RoleName", "Arn", "AssumeRolePolicyDocument") if member in role}
        client.compare(f"role {name[1]}", same, client.ask(HOME, "iam", "get-role", *name)["Role"])
        attached = client.ask(HOME, "iam", "list-attached-role-policies", *name)["AttachedPolicies"]
        client.compare(f"policies of {name[1]}", role.get("AttachedManagedPolicies", []), attached)
        inline = role.get("RolePolicyList", [])
        client.compare(f"policies in {name[1]}", [one["PolicyName"] for one in inline], client.ask(HOME, "iam", "list-role-policies", *name)["PolicyNames"])
        for policy in inline:
            printed = client.ask(HOME, "iam", "get-role-policy", *name, "--policy-name", policy["PolicyName"])
            client.compare(f"policy {policy['PolicyName']}", policy, printed)
        for profile in role.get("InstanceProfileList", []):
            printed = client.ask(HOME, "iam", "get-instance-profile", "--instance-profile-name", profile["InstanceProfileName"])
            client.compare(f"profile {profile['InstanceProfileName']}", profile, printed["InstanceProfile"])
    for policy in held["Policies"]:
        same = {member: policy[member] for member in ("PolicyName", "Arn", "DefaultVersionId")}
        client.compare(policy["Arn"], same, client.ask(HOME, "iam", "get-policy", "--policy-arn", policy["Arn"])["Policy"])
        for version in policy["PolicyVersionList"]:
            printed = client.ask(HOME, "iam", "get-policy-version", "--policy-arn", policy["Arn"], "--version-id", version["VersionId"])
            client.compare(policy["Arn"], version, printed["PolicyVersion"])


def quick_setup(client: Client, path: Path) -> None:
    for manager in json.loads(path.read_text())["ConfigurationManagers"]:
        region = manager["ManagerArn"].split(":")[3]
        client.ask(region, "ssm-quicksetup", "list-configuration-managers")
        printed = client.ask(region, "ssm-quicksetup", "get-configuration-manager", "--manager-arn", manager["ManagerArn"])
        client.compare(manager["ManagerArn"], manager, printed)


def buckets(client: Client, path: Path) -> None:
    for name, bucket in json.loads(path.read_text())["BucketPolicies"].items():
        # A bucket without a policy is refused, and the CLI prints nothing.
        if "Policy" in bucket:
            client.compare(name, bucket, client.ask(HOME, "s3api", "get-bucket-policy", "--bucket", name))


def policies(client: Client, path: Path) -> None:
    if not path.exists():
        return
    held = json.loads(path.read_text())
    for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
        listed = client.ask(HOME, "organizations", "list-policies", "--filter", kind)["Policies"]
        of_kind = [policy for policy in held["Policies"] if policy["Type"] == kind]
        client.compare(kind, [{name: value for name, value in policy.items() if name != "Content"} for policy in of_kind], listed)
        for policy in of_kind:
            printed = client.ask(HOME, "organizations", "describe-policy", "--policy-id", policy["Id"])["Policy"]
            client.compare(policy["Id"], policy["Content"], printed["Content"])
            targets = client.ask(HOME, "organizations", "list-targets-for-policy", "--policy-id", policy["Id"])["Targets"]
            client.compare(policy["Id"], held["Targets"][policy["Id"]], [target["TargetId"] for target in targets])


def organization(client: Client, folder: Path) -> None:
    for name in ("describe-organization", "list-accounts"):
        path = folder / f"organizations-{name}.json"
        if path.exists():
            client.compare(name, json.loads(path.read_text()), client.ask(HOME, "organizations", name))
    policies(client, folder / "organization-policies.json")
    if not (folder / "organizational-units.json").exists():
        return
    held = json.loads((folder / "organizational-units.json").read_text())
    parents: dict[str, str] = {}
    open_parents = [root["Id"] for root in client.ask(HOME, "organizations", "list-roots")["Roots"]]
    while open_parents:
        parent = open_parents.pop()
        for operation, member in (("list-organizational-units-for-parent", "OrganizationalUnits"), ("list-accounts-for-parent", "Accounts")):
            below = client.ask(HOME, "organizations", operation, "--parent-id", parent)[member]
            parents |= {one["Id"]: parent for one in below}
            open_parents += [one["Id"] for one in below] if member == "OrganizationalUnits" else []
    client.compare("organizational-units", held["Parents"], parents)


def main(endpoint: str, folder: Path) -> int:
    client = Client(endpoint)
    own = dict(os.environ)
    caller = client.ask(HOME, "sts", "get-caller-identity")["Account"]
    if (folder / "organization").exists():
        organization(client, folder / "organization")
    in_account = caller
    for name, path in sorted(kept(folder).items(), key=lambda item: item[1].parent.parent.name):
        account = path.parent.parent.name
        if account != in_account:
            # Each account has its own client: the CLI keeps the credentials that it found first.
            os.environ.update(AWS_ACCESS_KEY_ID=own["AWS_ACCESS_KEY_ID"], AWS_SESSION_TOKEN="")
            root = Client(endpoint)
            role = root.ask(HOME, "sts", "assume-role", "--role-arn", f"arn:aws:iam::{account}:role/{ROLE}", "--role-session-name", "by-hand")
            keys = role["Credentials"]
            os.environ.update(AWS_ACCESS_KEY_ID=keys["AccessKeyId"], AWS_SECRET_ACCESS_KEY=keys["SecretAccessKey"], AWS_SESSION_TOKEN=keys["SessionToken"])
            fresh = Client(endpoint)
            fresh.asked, fresh.wrong = client.asked | root.asked, client.wrong + root.wrong
            client, in_account = fresh, account
            regions = {entry.name for entry in (folder / account).iterdir() if entry.name != "global"}
            printed = {region["RegionName"] for region in client.ask(HOME, "ec2", "describe-regions")["Regions"]}
            client.compare(f"Regions of {account}", sorted(regions), sorted(printed))
        match name:
            case "iam-get-account-authorization-details":
                roles(client, path)
            case "ssm-quicksetup-get-configuration-manager":
                quick_setup(client, path)
            case "s3-get-bucket-policy":
                buckets(client, path)
            case _:
                region_file(client, name, path)
    for problem in client.wrong:
        print(problem)
    served = {f"{service}:{operation}" for service, entry in WIRE.items() for operation in entry["operations"]}
    print(json.dumps({"not_asked": sorted(served - client.asked)}))
    return 1 if client.wrong else 0


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
        # As version 2 of the CLI does without being told; version 1 prints the seconds of some services' times.
        config.write("[default]\ncli_timestamp_format = iso8601\n")
        config.flush()
        os.environ["AWS_CONFIG_FILE"] = config.name
        sys.exit(main(sys.argv[1], Path(sys.argv[2])))
