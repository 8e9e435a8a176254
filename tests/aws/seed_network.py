"""Networks of the seeded organization, built through AWS's own calls: small words for what a VPC consists of."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.request import Request, urlopen

import boto3

ANYWHERE = "0.0.0.0/0"
PROFILE = "acme-ec2-ssm"


@dataclass
class Home:
    """One Region of one account, as somebody who may do everything there."""

    endpoint: str
    session: boto3.Session
    account: str
    region: str
    rows: dict[str, list[dict[str, Any] | str]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.session.client(service, region_name=self.region, endpoint_url=self.endpoint)

    @cached_property
    def ec2(self) -> Any:
        return self.client("ec2")

    def row(self, operation: str, item: dict[str, Any] | str) -> None:
        """A row for an operation that moto lacks; all of them are put in at the end."""
        self.rows.setdefault(operation, []).append(item)

    def put_rows(self) -> None:
        for operation, items in self.rows.items():
            ask(self.endpoint, "rows", {"account": self.account, "region": self.region, "operation": operation, "items": items})

    @cached_property
    def s3_list(self) -> str:
        lists = self.ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{self.region}.s3"]}])
        return next(one["PrefixListId"] for one in lists["PrefixLists"] if one["PrefixListName"].endswith(".s3"))


def ask(endpoint: str, path: str, content: dict[str, Any]) -> None:
    """Posts to a control path of the server."""
    request = Request(f"{endpoint}/preflight/{path}", json.dumps(content, default=str).encode(), {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        answer.read()


def https(*cidrs: str, lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """A rule for TCP 443."""
    return {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": cidr} for cidr in cidrs],
            "PrefixListIds": [{"PrefixListId": one} for one in lists]}


class Network:
    """A VPC with Amazon's DNS. `cidr` is a /16; its subnets are numbered."""

    def __init__(self, home: Home, name: str, cidr: str) -> None:
        self.home, self.ec2, self.name, self.cidr = home, home.ec2, name, cidr
        self.vpc = self.ec2.create_vpc(CidrBlock=cidr, TagSpecifications=tags("vpc", name))["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        # Every VPC of AWS has such options; moto's has none, which AWS knows too and calls `default`.
        options = self.ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name-servers", "Values": ["AmazonProvidedDNS"]}])
        self.ec2.associate_dhcp_options(DhcpOptionsId=options["DhcpOptions"]["DhcpOptionsId"], VpcId=self.vpc)
        self.group = self.security_group("hosts")

    def subnet(self, number: int, table: str | None = None, acl: str | None = None) -> str:
        """Without a table it uses the VPC's main one, which leads nowhere."""
        cidr = self.cidr.replace(".0.0/16", f".{number}.0/24")
        subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=self.home.region + "a")["Subnet"]["SubnetId"]
        if table:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        if acl:
            acls = self.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
            old = next(one for one in acls[0]["Associations"] if one["SubnetId"] == subnet)
            self.ec2.replace_network_acl_association(AssociationId=old["NetworkAclAssociationId"], NetworkAclId=acl)
        return subnet

    def table(self, **target: str) -> str:
        """A route table, with a default route if a target is named: `NatGatewayId=…`."""
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        if target:
            self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, **target)
        return table

    def internet_table(self) -> str:
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        return self.table(GatewayId=gateway)

    def nat(self, subnet: str) -> str:
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        return self.ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]

    def attach(self, gateway: str, subnet: str) -> str:
        """Attaches the VPC to a transit gateway."""
        answer = self.ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=self.vpc, SubnetIds=[subnet])
        return answer["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]

    def security_group(self, name: str, ingress: tuple[Any, ...] = (), egress: tuple[Any, ...] | None = None) -> str:
        """Everything may leave, as in any new group of AWS, unless `egress` is given."""
        group = self.ec2.create_security_group(GroupName=f"{self.name}-{name}", Description=name, VpcId=self.vpc)["GroupId"]
        if ingress:
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(ingress))
        if egress is not None:
            everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}
            self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everything])
            self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=list(egress))
        return group

    def interface_endpoint(self, service: str, subnet: str, group: str, private_dns: bool = True) -> dict[str, Any]:
        answer = self.ec2.create_vpc_endpoint(
            VpcId=self.vpc, VpcEndpointType="Interface", ServiceName=f"com.amazonaws.{self.home.region}.{service}", SubnetIds=[subnet],
            SecurityGroupIds=[group], PrivateDnsEnabled=private_dns)
        return answer["VpcEndpoint"]

    def s3_endpoint(self, *tables: str) -> None:
        self.ec2.create_vpc_endpoint(VpcId=self.vpc, VpcEndpointType="Gateway", ServiceName=f"com.amazonaws.{self.home.region}.s3",
                                     RouteTableIds=list(tables))

    def acl(self, *entries: tuple[bool, str]) -> str:
        """A network ACL that lets all protocols pass for each (egress, CIDR), and nothing else."""
        acl = self.ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]
        for number, (egress, cidr) in enumerate(entries, start=1):
            self.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number * 100, Egress=egress, Protocol="-1", RuleAction="allow",
                                              CidrBlock=cidr)
        return acl


class Natted(Network):
    """A public subnet with a NAT gateway, a private subnet behind it, and S3 over a gateway endpoint unless it is left out."""

    def __init__(self, home: Home, name: str, cidr: str, s3_endpoint: bool = True) -> None:
        super().__init__(home, name, cidr)
        self.public_table = self.internet_table()
        self.public = self.subnet(0, self.public_table)
        self.gateway = self.nat(self.public)
        self.private_table = self.table(NatGatewayId=self.gateway)
        self.private = self.subnet(10, self.private_table)
        if s3_endpoint:
            self.s3_endpoint(self.private_table)


class Closed(Network):
    """No way to the internet: interface endpoints with private DNS for the named services, and S3 over a gateway endpoint."""

    def __init__(self, home: Home, name: str, cidr: str, *services: str) -> None:
        super().__init__(home, name, cidr)
        self.private_table = self.table()
        self.private = self.subnet(10, self.private_table)
        self.endpoint_group = self.security_group("endpoints", ingress=(https(cidr),))
        for service in services:
            self.interface_endpoint(service, self.private, self.endpoint_group)
        self.s3_endpoint(self.private_table)


def tags(kind: str, name: str, **more: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in {"Name": name, **more}.items()]}]
