"""Where moto is not like AWS and the scanner would see it: each function says what AWS really does.

Sources: the API references of EC2, STS and IAM at docs.aws.amazon.com.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends
from werkzeug.wrappers import Response

import wire
from call import Call
from plugin_ec2 import block_mode, overlays
from plugin_ssm import defaults_of_aws

Content = dict[str, Any]
MENDERS: dict[str, Callable[[Call, Content], None]] = {}
FINAL_DENY = 32767
# Enabled in every account without anybody's doing.
NEED_NO_OPT_IN = {
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1",
    "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}


def mends(name: str) -> Callable[[Callable[[Call, Content], None]], Callable[[Call, Content], None]]:
    def declare(mender: Callable[[Call, Content], None]) -> Callable[[Call, Content], None]:
        MENDERS[name] = mender
        return mender

    return declare


def refusal(call: Call) -> Response | None:
    """AWS refuses to assume a role that is not there, and any role of a suspended account. moto assumes whatever is asked for."""
    if call.name != "sts:AssumeRole":
        return None
    role, account = call.parameters.get("RoleArn", ""), call.target_account
    # Asking moto for the account's roles would make the account.
    roles = iam_backends[account]["aws"].roles.values() if account in iam_backends else ()
    suspended = any(
        one.id == account and one.status == "SUSPENDED" for home in list(organizations_backends.values()) for one in home["aws"].accounts)
    if suspended or not any(one.arn == role for one in roles):
        caller = f"arn:aws:iam::{call.account}:user/tests"
        return wire.error(call, "AccessDenied", f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}", 403)
    return None


@mends("ec2:DescribeRegions")
def regions(call: Call, content: Content) -> None:
    """AWS lists the Regions of its own partition, and without AllRegions those that are enabled. moto lists Regions of other
    partitions, and those that need an opt-in as if they needed none."""
    everything = call.parameters.get("AllRegions") in (True, "true")
    others = ("cn-", "us-gov-", "us-iso", "eu-isoe", "eusc-")
    regions = [one for one in content["Regions"] if not one["RegionName"].startswith(others)]
    for one in regions:
        one["OptInStatus"] = "opt-in-not-required" if one["RegionName"] in NEED_NO_OPT_IN else "not-opted-in"
    content["Regions"] = [one for one in regions if everything or one["OptInStatus"] != "not-opted-in"]


@mends("ec2:DescribeInstances")
def instances(call: Call, content: Content) -> None:
    """AWS gives the instance profile's own id (moto: the association's), and PlatformDetails and UsageOperation (moto: neither).

    An instance that a service manages has an Operator, and shows with IncludeManagedResources alone.
    """
    profiles = {profile.arn: profile.id for profile in iam_backends[call.account]["aws"].instance_profiles.values()}
    more = overlays(call)
    shows_managed = call.parameters.get("IncludeManagedResources") in (True, "true")
    for reservation in content["Reservations"]:
        for instance in reservation["Instances"]:
            if profile := instance.get("IamInstanceProfile"):
                profile["Id"] = profiles.get(profile["Arn"], profile.get("Id"))
            instance |= {"Operator": {"Managed": False}, **more.get(instance["InstanceId"], {})}
            windows = instance.get("Platform") == "windows"
            instance.setdefault("PlatformDetails", "Windows" if windows else "Linux/UNIX")
            instance.setdefault("UsageOperation", "RunInstances:0002" if windows else "RunInstances")
        shown = [one for one in reservation["Instances"] if shows_managed or not one["Operator"].get("HiddenByDefault")]
        reservation["Instances"] = shown
    content["Reservations"] = [reservation for reservation in content["Reservations"] if reservation["Instances"]]


@mends("ec2:DescribeNetworkAcls")
def network_acls(_call: Call, content: Content) -> None:
    """Every ACL of AWS ends with a deny in each direction, number 32767. moto's own custom ones end without."""
    for acl in content["NetworkAcls"]:
        for egress in (True, False):
            if not any(entry["RuleNumber"] == FINAL_DENY and entry["Egress"] == egress for entry in acl["Entries"]):
                acl["Entries"].append({"RuleNumber": FINAL_DENY, "Egress": egress, "Protocol": "-1", "RuleAction": "deny",
                                       "CidrBlock": "0.0.0.0/0"})


@mends("ec2:DescribeRouteTables")
def route_tables(call: Call, content: Content) -> None:
    """AWS says `blackhole` of a route whose NAT gateway is deleted. moto says `active` of every route."""
    gateways = ec2_backends[call.account][call.region].nat_gateways
    for table in content["RouteTables"]:
        for route in table["Routes"]:
            if gateway := route.get("NatGatewayId"):
                is_there = gateway in gateways and gateways[gateway].state == "available"
                route["State"] = "active" if is_there else "blackhole"


@mends("ec2:CreateTransitGatewayVpcAttachment")
def create_transit_gateway_vpc_attachment(call: Call, content: Content) -> None:
    """A new attachment propagates its VPC's block to the gateway's default table, unless that is switched off. moto only associates it."""
    backend = ec2_backends[call.account][call.region]
    attachment = backend.transit_gateway_attachments[content["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]]
    gateway = backend.transit_gateways[attachment.transit_gateway_id]
    if gateway.options["DefaultRouteTablePropagation"] == "enable":
        backend.set_route_table_propagation(attachment.id, gateway.default_route_table.id)


@mends("ec2:SearchTransitGatewayRoutes")
def transit_gateway_routes(call: Call, content: Content) -> None:
    """AWS lists what is propagated, where no static route has the same destination. moto lists static routes alone."""
    backend = ec2_backends[call.account][call.region]
    table = backend.transit_gateways_route_tables[call.parameters["TransitGatewayRouteTableId"]]

    def to(resource: str, attachment: str) -> list[dict[str, str]]:
        return [{"ResourceId": resource, "ResourceType": "vpc", "TransitGatewayAttachmentId": attachment}]

    routes = []
    for cidr, route in table.routes.items():
        target = route.get("transitGatewayAttachments")
        routes.append({"DestinationCidrBlock": cidr, "Type": "static", "State": route["state"]})
        if target:
            routes[-1]["TransitGatewayAttachments"] = to(target["resourceId"], target["transitGatewayAttachmentId"])
    for one in table.route_table_propagation:
        cidr = backend.vpcs[one.resourceId].cidr_block
        if cidr not in table.routes:
            attachments = to(one.resourceId, one.transitGatewayAttachmentId)
            routes.append({"DestinationCidrBlock": cidr, "Type": "propagated", "State": "active", "TransitGatewayAttachments": attachments})
    content["Routes"] = routes


@mends("ec2:DescribeVpcEndpoints")
def vpc_endpoints(call: Call, content: Content) -> None:
    """With private DNS an interface endpoint of AWS lists the service's own name too. A gateway endpoint has no private DNS.
    Both tell how DNS answers, and in which Region the service is."""
    for endpoint in content["VpcEndpoints"]:
        service = endpoint["ServiceName"].rpartition(".")[2]
        endpoint["ServiceRegion"] = call.region
        if endpoint["VpcEndpointType"] == "Gateway":
            endpoint["PrivateDnsEnabled"] = False
            endpoint["DnsOptions"] = {"DnsRecordIpType": "service-defined"}
        else:
            if endpoint.get("PrivateDnsEnabled"):
                endpoint["DnsEntries"].append({"DnsName": f"{service}.{call.region}.amazonaws.com", "HostedZoneId": "Z0PRIVATE"})
            endpoint["DnsOptions"] = {"DnsRecordIpType": "ipv4"}
            if service == "s3":
                endpoint["DnsOptions"]["PrivateDnsOnlyForInboundResolverEndpoint"] = False


@mends("ec2:CreateVpcEndpoint")
def create_vpc_endpoint(call: Call, content: Content) -> None:
    """AWS gives each interface of an endpoint an address of its subnet and the endpoint's groups, and names the endpoint as a whole and
    by zone. moto takes any address and the VPC's default group, and makes up a name of another form."""
    backend = ec2_backends[call.account][call.region]
    endpoint = backend.vpc_end_points[content["VpcEndpoint"]["VpcEndpointId"]]
    endpoint.vpc_endpoint_type = endpoint.vpc_endpoint_type or "Gateway"
    if endpoint.vpc_endpoint_type != "Interface":
        return
    interfaces = [backend.enis[one] for one in endpoint.network_interface_ids]
    for interface in interfaces:
        address = interface.subnet.get_available_subnet_ip(interface)
        interface.private_ip_address = address
        interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
        if endpoint.security_group_ids:
            interface._group_set = [backend.get_security_group_from_id(group) for group in endpoint.security_group_ids]
        interface.description = f"VPC Endpoint Interface {endpoint.id}"
        interface.interface_type, interface.requester_managed, interface.status = "vpc_endpoint", True, "in-use"
    service, zone = endpoint.service_name.rpartition(".")[2], "Z7HUB22UULQXV"
    label = f"{endpoint.id}-{endpoint.id[-8:]}"
    names = [label, *(f"{label}-{interface.subnet.availability_zone}" for interface in interfaces)]
    endpoint.dns_entries = [{"DnsName": f"{name}.{service}.{call.region}.vpce.amazonaws.com", "HostedZoneId": zone} for name in names]
    content["VpcEndpoint"] |= {"DnsEntries": endpoint.dns_entries}


@mends("ec2:DescribeVpcs")
def vpcs(call: Call, content: Content) -> None:
    """AWS tells the mode of Block Public Access that is in effect in a VPC."""
    for vpc in content["Vpcs"]:
        vpc["BlockPublicAccessStates"] = {"InternetGatewayBlockMode": block_mode(call, vpc["VpcId"])}


@mends("ec2:DescribeSubnets")
def subnets(call: Call, content: Content) -> None:
    """As of VPCs."""
    for subnet in content["Subnets"]:
        subnet["BlockPublicAccessStates"] = {"InternetGatewayBlockMode": block_mode(call, subnet["VpcId"], subnet["SubnetId"])}


@mends("ec2:DescribePrefixLists")
def prefix_lists(call: Call, content: Content) -> None:
    """AWS gives the addresses of each list. moto gives them with GetManagedPrefixListEntries alone."""
    lists = ec2_backends[call.account][call.region].managed_prefix_lists
    for one in content["PrefixLists"]:
        known = lists[one["PrefixListId"]]
        one["Cidrs"] = [entry["Cidr"] for entry in known.entries[max(known.entries)]]


@mends("iam:GetAccountAuthorizationDetails")
def account_authorization_details(call: Call, content: Content) -> None:
    """AWS gives the name and the id of each policy. moto leaves them out."""
    known = iam_backends[call.account]["aws"].managed_policies
    for policy in content["Policies"]:
        policy |= {"PolicyName": known[policy["Arn"]].name, "PolicyId": known[policy["Arn"]].id}


@mends("ssm:DescribePatchBaselines")
def patch_baselines(call: Call, content: Content) -> None:
    """AWS lists its own baselines beside the account's. moto lists the account's alone."""
    taken = {one["OperatingSystem"] for one in content["BaselineIdentities"] if one.get("DefaultBaseline")}
    content["BaselineIdentities"] += [
        {"BaselineId": baseline, "BaselineName": f"AWS-{system.title().replace('_', '')}DefaultPatchBaseline", "OperatingSystem": system,
         "BaselineDescription": f"Default patch baseline for {system} provided by AWS.", "DefaultBaseline": system not in taken}
        for system, baseline in defaults_of_aws(call).items()
    ]


def mend(call: Call, content: Content) -> None:
    if mender := MENDERS.get(call.name):
        mender(call, content)
