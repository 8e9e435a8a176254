"""Builds an organization with planted defects in the simulated AWS, and writes what is to be found.

    python seed.py ENDPOINT FILE

The file: {"management", "accounts": {name: id}, "suspended": id, "ous": {path: [ids of active accounts]}, "instances": {id: {"name",
"account", "region", "readiness", "fail": [rules], "unknown": [rules], "codes": {target: [codes]}}}, "hubs": [[account, region]]}. Hubs have no
instances, and others depend on their networks. What is expected stands beside each instance below, and nothing here knows how the program
comes to a verdict.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3

from seed_identity import (
    DHMC_ROLE, allow, broken_dhmc_america, deployed, dhmc_role, document, instance_profile, patch_policies, role, roles_america, turn_dhmc_on)
from seed_instances import A_MONTH_AGO, NOW, READY, Expect, Garden, not_ready
from seed_network import ANYWHERE, PROFILE, Closed, Home, Natted, Network, https

EUROPE, FRANKFURT, AMERICA, OSAKA = "eu-west-1", "eu-central-1", "us-east-1", "ap-northeast-3"
CLOSED = ("ssm", "ssmmessages", "ec2messages")
# The units below the root, each with its accounts.
UNITS = {"/Workloads": [], "/Workloads/Prod": ["web", "data"], "/Workloads/Dev": ["dev"], "/Legacy": ["legacy", "edge"],
         "/Shared": ["network"]}
# The VPC has no endpoint that would take the name, and the way to its public addresses is broken.
DEAD_NAT = ("BAD_STATE_ROUTE", "ENDPOINT_MISSING")
NO_ADDRESS = ("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", "ENDPOINT_MISSING")
ACL = ("SUBNET_ACL_RESTRICTION",)


class Organization:
    """The accounts, and the way into each."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.session = boto3.Session("testing", "testing", region_name=AMERICA)
        client = self.session.client("organizations", endpoint_url=endpoint)
        self.management = client.create_organization(FeatureSet="ALL")["Organization"]["MasterAccountId"]
        root = client.list_roots()["Roots"][0]["Id"]
        units, self.accounts = {"": root}, {"management": self.management}

        def account(name: str, unit: str) -> str:
            made = client.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]["AccountId"]
            client.move_account(AccountId=made, SourceParentId=root, DestinationParentId=unit)
            return made

        for path, names in UNITS.items():
            parent, _, name = path.rpartition("/")
            units[path] = client.create_organizational_unit(ParentId=units[parent], Name=name)["OrganizationalUnit"]["Id"]
            self.accounts |= {name: account(name, units[path]) for name in names}
        self.suspended = account("archive", units["/Legacy"])
        client.close_account(AccountId=self.suspended)
        guard = json.dumps({"Version": "2012-10-17", "Statement": [{
            "Sid": "NoReportsOfGuests", "Effect": "Deny", "Action": "ssm:PutComplianceItems", "Resource": "*",
            "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/acme-guest-*"}}}]})
        policy = client.create_policy(Content=guard, Description="", Name="acme-guests", Type="SERVICE_CONTROL_POLICY")
        client.attach_policy(PolicyId=policy["Policy"]["PolicySummary"]["Id"], TargetId=units["/Workloads"])
        self.units = units
        self.homes: list[Home] = []

    def home(self, name: str, region: str) -> Home:
        session = self.session
        if name != "management":
            role = f"arn:aws:iam::{self.accounts[name]}:role/OrganizationAccountAccessRole"
            sts = session.client("sts", endpoint_url=self.endpoint)
            keys = sts.assume_role(RoleArn=role, RoleSessionName="seed")["Credentials"]
            session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        home = Home(self.endpoint, session, self.accounts[name], region)
        if not any(one.account == home.account for one in self.homes):
            instance_profile(home, PROFILE)
        self.homes.append(home)
        return home


def web_europe(home: Home, garden: Garden) -> None:
    """A NAT gateway, S3 over a gateway endpoint, and a public subnet."""
    net = Natted(home, "web", "10.10.0.0/16")
    for name, system in (("web-01", "al2023"), ("web-02", "ubuntu-24.04"), ("web-win-01", "windows-2022")):
        garden.plant(home, net.private, net.group, name, READY, os=system)
    garden.plant(home, net.public, net.group, "relay", READY, public=True)
    # Stopped instances are judged on what can be seen of them; a stopped agent is not expected to report.
    garden.plant(home, net.private, net.group, "batch-night", Expect("ready", ("instance-stopped",)), stopped=True)
    garden.plant(home, net.private, net.group, "probe", Expect("ready", ("little-memory",)), kind="t3.nano")
    # The service patches it: no other rule is about it, not even that it is not registered.
    garden.plant(home, net.private, net.group, "eks-node", Expect("excluded", ("managed-by-aws-service",)), os="eks-auto", agent=None,
                 operator="eks.amazonaws.com")
    # An internet gateway drops what comes from an interface without a public address, whatever the destination: S3 too, since the
    # gateway endpoint is not in the public subnet's table. The agent never registered, so it may be one that needs ec2messages.
    # The VPC has no endpoint for Systems Manager, but has one for S3. Amazon's packages are in S3, and go the same way.
    garden.plant(home, net.public, net.group, "jump", not_ready(
        "not-registered", "ssm-path-blocked", "ssmmessages-path-blocked", "ec2messages-path-blocked", "s3-path-blocked",
        "repository-path-blocked", repository=("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",), ssm=NO_ADDRESS, ssmmessages=NO_ADDRESS, ec2messages=NO_ADDRESS, s3=("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",)), agent=None)
    # The NAT gateway was deleted and the route to it left; S3 has its own route in the same table.
    dead = net.nat(net.public)
    table = net.table(NatGatewayId=dead)
    net.ec2.delete_nat_gateway(NatGatewayId=dead)
    net.s3_endpoint(table)
    garden.plant(home, net.subnet(20, table), net.group, "loadtest", not_ready(
        "connection-lost", "ssm-path-blocked", "ssmmessages-path-blocked",
        ssm=DEAD_NAT, ssmmessages=DEAD_NAT, ec2messages=DEAD_NAT), lost=True)
    patching(home, next(iter(garden.expected)))
    # The public side may be in the clear, since it has exclusions.
    excluded = {"InternetGateway": {"State": "enabled"}, "NatGateway": {"State": "enabled"}, "VpcPeering": {"State": "disabled"}}
    home.row("ec2:DescribeVpcEncryptionControls", {
        "VpcEncryptionControlId": "vpcec-0123456789abcdef0", "VpcId": net.vpc, "Mode": "enforce", "State": "available",
        "ResourceExclusions": excluded, "Tags": [{"Key": "Name", "Value": "web"}]})


def web_america(home: Home, garden: Garden) -> None:
    """S3 over the NAT gateway; what is wrong here is not the network."""
    net = Natted(home, "web-us", "10.20.0.0/16", s3_endpoint=False)
    garden.plant(home, net.private, net.group, "web-us-01", READY)
    garden.plant(home, net.private, net.group, "silent", not_ready("not-registered"), agent=None)
    garden.plant(home, net.private, net.group, "lost", not_ready("connection-lost"), lost=True)
    garden.plant(home, net.private, net.group, "hardened", not_ready("metadata-endpoint-off", "not-registered"), metadata="disabled",
                 agent=None)


def data_europe(home: Home, garden: Garden) -> None:
    """No way to the internet; endpoints for everything."""
    net = Closed(home, "data", "10.30.0.0/16", *CLOSED)
    # Red Hat's update infrastructure is on the internet: no endpoint leads to it.
    for name in ("orders-01", "orders-02"):
        garden.plant(home, net.private, net.group, name, not_ready(
            "repository-path-blocked", repository=("NO_ROUTE_TO_DESTINATION",)), os="rhel-9")
    # Only what is needed may leave: to the endpoints, by a list of the customer's, and to S3, by AWS's.
    own = net.ec2.create_managed_prefix_list(PrefixListName="data-hosts", AddressFamily="IPv4", MaxEntries=5,
                                             Entries=[{"Cidr": net.cidr, "Description": "the VPC"}])["PrefixList"]["PrefixListId"]
    strict = net.security_group("strict", egress=(https(lists=(own, home.s3_list)),))
    garden.plant(home, net.private, strict, "ledger", READY)
    # A gateway endpoint leaves S3 at its public addresses, which are not in the VPC's block; Amazon's packages are among them.
    inner = net.security_group("inner", egress=(https(net.cidr),))
    garden.plant(home, net.private, inner, "vault", not_ready(
        "s3-egress-blocked", "repository-path-blocked", s3=("ENI_SG_RULES_MISMATCH",), repository=("ENI_SG_RULES_MISMATCH",)))
    # The gateway endpoint is there, and not in this subnet's table. It is the VPC's endpoint for S3 all the same.
    garden.plant(home, net.subnet(20, net.table()), net.group, "analytics", not_ready(
        "s3-route-missing", "repository-path-blocked", s3=("NO_ROUTE_TO_DESTINATION",), repository=("NO_ROUTE_TO_DESTINATION",)))

    # Commands reach an agent before 3.3.40.0 through ec2messages alone.
    reports = Closed(home, "reports", "10.31.0.0/16", "ssm", "ssmmessages")
    garden.plant(home, reports.private, reports.group, "reports-01", not_ready(
        "agent-needs-ec2messages", ec2messages=("NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING")), agent="3.2.1705.0")
    garden.plant(home, reports.private, reports.group, "reports-02", READY)

    # The network ACL lets everything out and only the VPC in: answers from public addresses are dropped, S3's too.
    partners = Natted(home, "partners", "10.32.0.0/16")
    acl = partners.acl((True, ANYWHERE), (False, partners.cidr))
    garden.plant(home, partners.subnet(20, partners.private_table, acl), partners.group, "exchange", not_ready(
        "not-registered", "ssm-path-blocked", "ssmmessages-path-blocked", "ec2messages-path-blocked", "s3-path-blocked",
        "repository-path-blocked", ssm=ACL, ssmmessages=ACL, ec2messages=ACL, s3=ACL, repository=ACL), agent=None)
    private_dns(home, net)
    profile(home, net)
    dns_firewall(home, net)


def data_america(home: Home, garden: Garden) -> None:
    """The name of ssm is answered by a private hosted zone of the customer's, which leads to the endpoint."""
    net = Closed(home, "data-us", "10.40.0.0/16", "ssmmessages")
    endpoint = net.interface_endpoint("ssm", net.private, net.endpoint_group, private_dns=False)
    zone_to_endpoint(home, net, "ssm", endpoint)
    garden.plant(home, net.private, net.group, "orders-us-01", READY)


def dev_europe(home: Home, garden: Garden) -> None:
    """Default Host Management Configuration is on, so instances need no profile."""
    dhmc_role(home)
    turn_dhmc_on(home, DHMC_ROLE)
    net = Natted(home, "dev", "10.50.0.0/16")
    garden.plant(home, net.private, net.group, "dev-01", READY, profile=None)
    garden.plant(home, net.private, net.group, "dev-02", READY)
    # An agent before 3.2.582.0 gets no credentials from it, so it fell silent when its profile was taken away.
    garden.plant(home, net.private, net.group, "dev-old", not_ready("agent-too-old-for-dhmc", "connection-lost"), profile=None,
                 agent="3.1.1732.0", lost=True)
    garden.plant(home, net.private, net.group, "qa", not_ready("os-not-patchable", "python-too-new"), os="debian-13")
    # What the profile does not give the agent, Default Host Management does; but a profile that lets it register goes before it.
    mute = role(home, "acme-mute", managed=(), inline={"ssm": document(allow("ssm:*"))})
    garden.plant(home, net.private, net.group, "dev-mute", not_ready("profile-blocks-dhmc"), profile=mute)
    imported = role(home, "acme-import", trusts=("vmie.amazonaws.com",))
    garden.plant(home, net.private, net.group, "dev-import", READY, profile=imported)
    # Canonical's free updates ended in May 2023. Patch Manager lists 18.04 all the same.
    garden.plant(home, net.private, net.group, "museum", Expect("ready", ("os-past-vendor-support",)), os="ubuntu-18.04")
    # The endpoint takes ssm's name for the whole VPC, and its group lets another network in: NAT would have worked.
    build = Natted(home, "build", "10.51.0.0/16")
    build.interface_endpoint("ssm", build.private, build.security_group("endpoint", ingress=(https("10.99.0.0/16"),)))
    garden.plant(home, build.private, build.group, "build-agent", not_ready(
        "not-registered", "ssm-path-blocked", ssm=("ENI_SG_RULES_MISMATCH", "DNS_CAPTURED_BY_ENDPOINT")), agent=None)


def legacy_america(home: Home, garden: Garden) -> None:
    """Old systems, and a transit gateway."""
    net = Natted(home, "office", "10.60.0.0/16")
    # Older than Patch Manager's 2.0.834.0. It needs ec2messages, and reaches it through NAT.
    garden.plant(home, net.private, net.group, "files", not_ready("agent-too-old-for-patching"), os="windows-2022", agent="2.0.755.0")
    garden.plant(home, net.private, net.group, "crm", not_ready("no-instance-role", "not-registered"), profile=None, agent=None)
    # The endpoint for ssm is there with private DNS off, so the name leads to public addresses, and there is no way to them. Nor is
    # there one to Windows Update.
    erp = Closed(home, "erp", "10.61.0.0/16", "ssmmessages", "ec2messages")
    erp.interface_endpoint("ssm", erp.private, erp.endpoint_group, private_dns=False)
    garden.plant(home, erp.private, erp.group, "erp", not_ready(
        "not-registered", "ssm-path-blocked", "repository-path-blocked", ssm=("NO_ROUTE_TO_DESTINATION", "DNS_PRIVATE_DNS_OFF"),
        repository=("NO_ROUTE_TO_DESTINATION",)), os="windows-2022", agent=None)
    # The gateway's route table holds what its one attachment propagates, the VPC's own block, and no default route. S3, with Amazon's
    # packages in it, has its own way out of the VPC.
    hub = Network(home, "hr", "10.62.0.0/16")
    gateway = hub.ec2.create_transit_gateway(Description="office")["TransitGateway"]["TransitGatewayId"]
    plain = hub.subnet(0)
    hub.attach(gateway, plain)
    table = hub.table(TransitGatewayId=gateway)
    hub.s3_endpoint(table)
    # Another account has a private zone for ssm in the Region (see data_america), which nobody asks here: it would lead nowhere.
    nowhere = ("TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT", "ENDPOINT_MISSING")
    garden.plant(home, hub.subnet(10, table), hub.group, "hr", not_ready(
        "connection-lost", "ssm-path-blocked", "ssmmessages-path-blocked", ssm=nowhere, ssmmessages=nowhere), lost=True)


def wan_america(home: Home, garden: Garden) -> None:
    """Two VPCs that go to the internet by a transit gateway and the NAT gateway of a third."""
    wan = Natted(home, "wan", "10.63.0.0/16", s3_endpoint=False)
    gateway = wan.ec2.create_transit_gateway(Description="wan")["TransitGateway"]
    name, table = gateway["TransitGatewayId"], gateway["Options"]["AssociationDefaultRouteTableId"]
    # Into the VPC, and by the private subnet's table to the NAT gateway; from there the answers find the spokes.
    way_out = wan.attach(name, wan.private)
    wan.ec2.create_route(RouteTableId=wan.public_table, DestinationCidrBlock="10.0.0.0/8", TransitGatewayId=name)
    wan.ec2.create_transit_gateway_route(TransitGatewayRouteTableId=table, DestinationCidrBlock=ANYWHERE, TransitGatewayAttachmentId=way_out)
    plant, depot = (Network(home, name, cidr) for name, cidr in (("plant", "10.64.0.0/16"), ("depot", "10.65.0.0/16")))
    for net in (plant, depot):
        net.attach(name, net.subnet(0))
    garden.plant(home, plant.subnet(10, plant.table(TransitGatewayId=name)), plant.group, "plant-01", READY)
    # The depot's block was given up once: the static route that drops it goes before the one that its attachment propagates. S3, with
    # Amazon's packages in it, has its own way out of the VPC.
    wan.ec2.create_transit_gateway_route(TransitGatewayRouteTableId=table, DestinationCidrBlock=depot.cidr, Blackhole=True)
    by_gateway = depot.table(TransitGatewayId=name)
    depot.s3_endpoint(by_gateway)
    dropped = ("TGW_RTB_BAD_STATE_ROUTE", "ENDPOINT_MISSING")
    garden.plant(home, depot.subnet(10, by_gateway), depot.group, "depot-01", not_ready(
        "connection-lost", "ssm-path-blocked", "ssmmessages-path-blocked", ssm=dropped, ssmmessages=dropped),
        lost=True)


def branch_frankfurt(hub_home: Home, home: Home, garden: Garden) -> None:
    """Endpoints in another account's VPC, which has no instances, by a peering connection. The routes to it name a prefix list."""
    hub = Network(hub_home, "hub", "10.90.0.0/16")
    branch = Network(home, "branch", "10.91.0.0/16")
    connection = branch.ec2.create_vpc_peering_connection(
        VpcId=branch.vpc, PeerVpcId=hub.vpc, PeerOwnerId=hub_home.account)["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    hub.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=connection)
    back = hub.table()
    hub.ec2.create_route(RouteTableId=back, DestinationCidrBlock=branch.cidr, VpcPeeringConnectionId=connection)
    # The endpoints' subnet lets two subnets of the branch in, and not 10.91.20.0/24.
    acl = hub.acl((True, ANYWHERE), (False, "10.91.10.0/24"), (False, "10.91.30.0/24"))
    endpoints = hub.subnet(10, back, acl)
    group = hub.security_group("endpoints", ingress=(https(branch.cidr),))
    for service in ("ssm", "ssmmessages"):
        endpoint = hub.interface_endpoint(service, endpoints, group, private_dns=False)
        zone_to_endpoint(home, branch, service, endpoint)
    hubs = branch.ec2.create_managed_prefix_list(PrefixListName="hubs", AddressFamily="IPv4", MaxEntries=5, Entries=[
        {"Cidr": hub.cidr, "Description": "endpoints"}])["PrefixList"]["PrefixListId"]
    by_peering, alone = branch.table(), branch.table()
    branch.ec2.create_route(RouteTableId=by_peering, DestinationPrefixListId=hubs, VpcPeeringConnectionId=connection)
    branch.s3_endpoint(by_peering, alone)
    garden.plant(home, branch.subnet(10, by_peering), branch.group, "branch-01", READY)
    garden.plant(home, branch.subnet(20, by_peering), branch.group, "branch-02", not_ready(
        "connection-lost", "ssm-path-blocked", "ssmmessages-path-blocked", ssm=ACL, ssmmessages=ACL), lost=True)
    # The zones answer with the endpoints' addresses, to which this subnet has no route.
    nowhere = ("NO_ROUTE_TO_DESTINATION",)
    garden.plant(home, branch.subnet(30, alone), branch.group, "branch-03", not_ready(
        "connection-lost", "ssm-path-blocked", "ssmmessages-path-blocked", ssm=nowhere, ssmmessages=nowhere), lost=True)


def zone_to_endpoint(home: Home, net: Network, service: str, endpoint: dict[str, Any]) -> None:
    """A private zone for the service's name, whose record leads to the endpoint."""
    route53 = home.client("route53")
    name = f"{service}.{home.region}.amazonaws.com"
    zone = route53.create_hosted_zone(Name=name, CallerReference=f"{net.name}-{service}", HostedZoneConfig={"PrivateZone": True},
                                      VPC={"VPCRegion": home.region, "VPCId": net.vpc})["HostedZone"]["Id"]
    own = endpoint["DnsEntries"][0]
    alias = {"HostedZoneId": own["HostedZoneId"], "DNSName": own["DnsName"], "EvaluateTargetHealth": False}
    record = {"Name": name, "Type": "A", "AliasTarget": alias}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]})


def edge_osaka(home: Home, garden: Garden) -> None:
    """Quick Setup deploys no patch policies to Osaka."""
    net = Network(home, "edge", "10.70.0.0/16")
    garden.plant(home, net.subnet(0, net.internet_table()), net.group, "edge-01", not_ready("region-without-patch-policies"), public=True)


def management_america(home: Home, garden: Garden) -> None:
    """One instance of its own, which no patch policy of the organization can reach."""
    net = Network(home, "audit", "10.80.0.0/16")
    garden.plant(home, net.subnet(0, net.internet_table()), net.group, "audit", READY, public=True)


def patching(home: Home, instance: str) -> None:
    """What was set up before: a patch group, an association, a maintenance window, and what came of them on one instance."""
    ssm = home.client("ssm")
    window = ssm.create_maintenance_window(Name="weekly", Schedule="cron(0 2 ? * SUN *)", Duration=2, Cutoff=1,
                                           AllowUnassociatedTargets=True)["WindowId"]
    target = ssm.register_target_with_maintenance_window(
        WindowId=window, ResourceType="INSTANCE", Name="web", Targets=[{"Key": "InstanceIds", "Values": [instance]}])["WindowTargetId"]
    ssm.register_task_with_maintenance_window(WindowId=window, TaskArn="AWS-RunPatchBaseline", TaskType="RUN_COMMAND", MaxConcurrency="1",
                                              MaxErrors="1", Targets=[{"Key": "WindowTargetIds", "Values": [target]}])
    baseline = ssm.get_default_patch_baseline(OperatingSystem="AMAZON_LINUX_2023")["BaselineId"]
    ssm.create_patch_baseline(
        Name="ten-days", OperatingSystem="AMAZON_LINUX_2023", ApprovedPatches=["openssl*"], RejectedPatches=["nginx*"],
        RejectedPatchesAction="BLOCK", Description="Later than AWS's own",
        ApprovalRules={"PatchRules": [{"ApproveAfterDays": 10, "PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]}}]},
        Sources=[{"Name": "mirror", "Products": ["*"], "Configuration": "[mirror]\nbaseurl=https://user:secret@mirror.example"}])
    identity: dict[str, Any] = {"BaselineId": baseline, "BaselineName": "AWS-AmazonLinux2023DefaultPatchBaseline", "DefaultBaseline": True,
                                "OperatingSystem": "AMAZON_LINUX_2023"}
    home.row("ssm:DescribePatchGroups", {"PatchGroup": "web", "BaselineIdentity": identity})
    home.row("ssm:ListAssociations", {
        "Name": "AWS-GatherSoftwareInventory", "AssociationId": "8dfe3659-4309-493a-8755-0123456789ab", "AssociationVersion": "1",
        "AssociationName": "Inventory", "Targets": [{"Key": "InstanceIds", "Values": ["*"]}], "ScheduleExpression": "rate(12 hours)",
        "LastExecutionDate": NOW})
    query = {"ResourceTypeFilters": ["AWS::EC2::Instance"], "TagFilters": [{"Key": "Name", "Values": ["web-1"]}]}
    home.client("resource-groups").create_group(Name="web", ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": json.dumps(query)})
    home.row("ssm:ListAssociations", {
        "Name": "AWS-UpdateSSMAgent", "AssociationId": "8dfe3659-4309-493a-8755-0123456789ac", "AssociationVersion": "1",
        "AssociationName": "AgentUpdate", "Targets": [{"Key": "resource-groups:Name", "Values": ["web"]}], "ScheduleExpression": "rate(14 days)"})
    home.row("ssm:DescribeInstancePatchStates", {
        "InstanceId": instance, "PatchGroup": "web", "BaselineId": baseline, "SnapshotId": "521c3536-930c-4aa9-950e-01234567abcd",
        "Operation": "Scan", "OperationStartTime": A_MONTH_AGO, "OperationEndTime": A_MONTH_AGO, "InstalledCount": 210, "MissingCount": 3,
        "FailedCount": 0})
    home.row("ssm:ListInventoryEntries", {"InstanceId": instance, "TypeName": "AWS:Application", "Entries": [
        {"Name": name, "Version": version, "ApplicationType": "System Environment/Base", "Publisher": "Amazon Linux"}
        for name, version in (("bash", "5.2.15"), ("python3", "3.9.25"), ("unzip", "6.0"), ("xz", "5.2.5"), ("zstd", "1.5.5"))]})


def private_dns(home: Home, net: Network) -> None:
    """A private zone and a forwarding rule of the customer's, for names that no agent asks for."""
    home.client("route53").create_hosted_zone(Name="corp.example", CallerReference="corp", HostedZoneConfig={"PrivateZone": True},
                                              VPC={"VPCRegion": home.region, "VPCId": net.vpc})
    resolver = home.client("route53resolver")
    subnets = [net.subnet(number) for number in (250, 251)]
    endpoint = resolver.create_resolver_endpoint(
        CreatorRequestId="out", Name="out", Direction="OUTBOUND", SecurityGroupIds=[net.group],
        IpAddresses=[{"SubnetId": subnet} for subnet in subnets])["ResolverEndpoint"]["Id"]
    rule = resolver.create_resolver_rule(
        CreatorRequestId="rule", Name="office", RuleType="FORWARD", DomainName="office.example", ResolverEndpointId=endpoint,
        TargetIps=[{"Ip": "192.168.1.53", "Port": 53}])["ResolverRule"]["Id"]
    resolver.associate_resolver_rule(ResolverRuleId=rule, Name="office", VPCId=net.vpc)


def profile(home: Home, net: Network) -> None:
    """A Route 53 Profile that brings two private zones for names that no agent asks for, one of them among AWS's, and a VPN gateway."""
    hub = Network(home, "dns-hub", "10.39.0.0/16")
    home.row("route53profiles:ListProfileAssociations", {
        "Id": "rpassoc-0123456789abcdef0", "Name": "shared", "OwnerId": home.account, "ProfileId": "rp-0123456789abcdef0",
        "ResourceId": net.vpc, "Status": "COMPLETE", "CreationTime": A_MONTH_AGO, "ModificationTime": A_MONTH_AGO})
    for number, name in enumerate(("reports.internal.amazonaws.com", "shared.example")):
        zone = home.client("route53").create_hosted_zone(Name=name, CallerReference=name, HostedZoneConfig={"PrivateZone": True},
                                                         VPC={"VPCRegion": home.region, "VPCId": hub.vpc})["HostedZone"]["Id"]
        home.row("route53profiles:ListProfileResourceAssociations", {
            "Id": f"rpr-{number}", "Name": f"zone-{number}", "OwnerId": home.account, "ProfileId": "rp-0123456789abcdef0", "Status": "COMPLETE",
            "ResourceArn": f"arn:aws:route53:::hostedzone/{zone.rpartition('/')[2]}", "ResourceType": "PRIVATE_HOSTED_ZONE",
            "CreationTime": A_MONTH_AGO, "ModificationTime": A_MONTH_AGO})
    gateway = net.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    net.ec2.attach_vpn_gateway(VpnGatewayId=gateway, VpcId=net.vpc)


def dns_firewall(home: Home, net: Network) -> None:
    """Some names are blocked, none of them AWS's, and those on a list of AWS's own are told of."""
    group, own, of_aws = "rslvr-frg-0123456789abcdef", "rslvr-fdl-0123456789abcdef", "rslvr-fdl-fedcba9876543210"
    home.row("route53resolver:ListFirewallRuleGroupAssociations", {
        "Id": "rslvr-frgassoc-0123456789abcdef", "FirewallRuleGroupId": group, "VpcId": net.vpc, "Name": "games", "Priority": 101,
        "MutationProtection": "DISABLED", "Status": "COMPLETE"})
    common = {"FirewallRuleGroupId": group, "FirewallDomainRedirectionAction": "INSPECT_REDIRECTION_DOMAIN"}
    home.row("route53resolver:ListFirewallRules", {
        **common, "FirewallDomainListId": own, "Name": "games", "Priority": 1, "Action": "BLOCK", "BlockResponse": "NXDOMAIN"})
    home.row("route53resolver:ListFirewallRules", {
        **common, "FirewallDomainListId": of_aws, "Name": "threats", "Priority": 2, "Action": "ALERT"})
    home.row("route53resolver:ListFirewallDomainLists", {"Id": own, "Name": "games"})
    home.row("route53resolver:ListFirewallDomainLists", {
        "Id": of_aws, "Name": "AWSManagedDomainsAggregateThreatList", "ManagedOwnerName": "Route 53 Resolver DNS Firewall"})
    for domain in ("games.example.", "*.games.example."):
        home.row("route53resolver:ListFirewallDomains", f"{own}/{domain}")


PLANTINGS = [
    ("management", AMERICA, management_america),
    ("web", EUROPE, web_europe),
    ("web", AMERICA, web_america),
    ("data", EUROPE, data_europe),
    ("data", AMERICA, data_america),
    ("dev", EUROPE, dev_europe),
    ("web", AMERICA, roles_america),
    ("dev", AMERICA, broken_dhmc_america),
    ("legacy", AMERICA, legacy_america),
    ("legacy", AMERICA, wan_america),
    ("edge", OSAKA, edge_osaka),
]


def main(endpoint: str, file: str) -> None:
    organization, garden = Organization(endpoint), Garden()
    seen: set[tuple[str, str]] = set()
    for account, region, build in PLANTINGS:
        home = organization.home(account, region)
        build(home, garden)
        is_first = (account, region) not in seen
        seen.add((account, region))
        if is_first and account in UNITS["/Workloads/Prod"] and region in (EUROPE, AMERICA):
            deployed(home)
        if account == "management":
            patch_policies(home, organization.units["/Workloads/Prod"], f"{EUROPE},{AMERICA}")
        home.put_rows()
    hub, spoke = organization.home("network", FRANKFURT), organization.home("dev", FRANKFURT)
    branch_frankfurt(hub, spoke, garden)
    spoke.put_rows()
    garden.missed([organization.accounts[name] for name in UNITS["/Workloads/Prod"]], (EUROPE, AMERICA))
    ous = {path: [organization.accounts[name] for name in names] for path, names in UNITS.items()}
    planted = {"management": organization.management, "accounts": organization.accounts, "suspended": organization.suspended, "ous": ous,
               "instances": garden.expected, "hubs": [[hub.account, hub.region]]}
    Path(file).write_text(json.dumps(planted, indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
