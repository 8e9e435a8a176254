"""Instances of the seeded organization: EC2's part through AWS's own calls, Systems Manager's as rows, and what is expected of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from seed_network import PROFILE, Home, tags

# The tag of instances by which a patch policy chooses them, with the policy's name for its value.
TIER = "PatchTier"
# The newest agent in November 2026; anything from 3.3.40.0 on does without ec2messages.
AGENT = "3.3.4624.0"
NOW = datetime.now(UTC).replace(microsecond=0)
A_MONTH_AGO = NOW - timedelta(days=30)


@dataclass(frozen=True)
class System:
    """An operating system: its image's name and owner, and how the agent reports it."""

    image: str
    owner: str
    family: str
    name: str
    version: str
    details: str = "Linux/UNIX"
    operation: str = "RunInstances"


# Who publishes the images.
AMAZON, MICROSOFT, CANONICAL = "137112412989", "801119661308", "099720109477"
RED_HAT, DEBIAN, EKS = "309956199498", "136693071363", "602401143452"
# Judged on the day of the test: a system that is to be fine must have its vendor's support for years.
SYSTEMS = {
    "al2023": System("al2023-ami-2023.9.20260914.0-kernel-6.12-x86_64", AMAZON, "Linux", "Amazon Linux", "2023"),
    "ubuntu-18.04": System("ubuntu/images/hvm-ssd/ubuntu-bionic-18.04-amd64-server-20230607", CANONICAL, "Linux", "Ubuntu", "18.04"),
    "ubuntu-24.04": System("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260306", CANONICAL, "Linux", "Ubuntu", "24.04"),
    "debian-13": System("debian-13-amd64-20260112-2355", DEBIAN, "Linux", "Debian GNU/Linux", "13"),
    "rhel-9": System("RHEL-9.4.0_HVM-20250519-x86_64-0-Hourly2-GP3", RED_HAT, "Linux", "Red Hat Enterprise Linux", "9.4",
                     "Red Hat Enterprise Linux", "RunInstances:0010"),
    "windows-2022": System("Windows_Server-2022-English-Full-Base-2026.03.11", MICROSOFT, "Windows",
                           "Microsoft Windows Server 2022 Datacenter", "10.0.20348", "Windows", "RunInstances:0002"),
    "eks-auto": System("eks-auto-standard-1.34-x86_64-20261110", EKS, "Linux", "Bottlerocket (EKS Auto)", "2026.11.10"),
}


@dataclass(frozen=True)
class Expect:
    """What is to be said of an instance: thought out by hand, from AWS's documentation and docs/reachability.md."""

    readiness: str
    fail: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    # By target, all codes of what blocks the path.
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)


READY = Expect("ready")


def not_ready(*fail: str, **codes: tuple[str, ...]) -> Expect:
    return Expect("not_ready", fail, codes=codes)


class Garden:
    """Plants instances and keeps what is expected of them."""

    def __init__(self) -> None:
        self.expected: dict[str, dict[str, Any]] = {}
        self.targeted: set[str] = set()

    def plant(self, home: Home, subnet: str, group: str, name: str, expect: Expect, os: str = "al2023", kind: str = "t3.medium",
              public: bool = False, profile: str | None = PROFILE, metadata: str = "enabled", agent: str | None = AGENT, lost: bool = False,
              stopped: bool = False, operator: str | None = None, tier: str | None = None) -> str:
        """`agent` is the version that the agent reports, `None` if it never registered; `lost` if it reports no more; `tier` the value of
        the tag by which patch policies choose."""
        system = SYSTEMS[os]
        asked: dict[str, Any] = {
            "ImageId": f"ami-{list(SYSTEMS).index(os) + 1:017x}", "InstanceType": kind, "MinCount": 1, "MaxCount": 1,
            "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": metadata},
            "TagSpecifications": tags("instance", name, **({TIER: tier} if tier else {})),
            "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "AssociatePublicIpAddress": public}],
        }
        if profile:
            asked["IamInstanceProfile"] = {"Name": profile}
        instance = home.ec2.run_instances(**asked)["Instances"][0]
        here = instance["InstanceId"]
        if stopped:
            home.ec2.stop_instances(InstanceIds=[here])
        overlay: dict[str, Any] = {"InstanceId": here, "PlatformDetails": system.details, "UsageOperation": system.operation}
        if system.family == "Windows":
            overlay["Platform"] = "windows"
        if operator:
            overlay["Operator"] = {"Managed": True, "Principal": operator, "HiddenByDefault": True}
        home.row("ec2:DescribeInstances", overlay)
        image = {"Name": system.image, "OwnerId": system.owner, "State": "available", "IsPublic": True}
        if system.owner in (AMAZON, MICROSOFT, EKS):
            image["ImageOwnerAlias"] = "amazon"
        home.row("ec2:DescribeInstanceImageMetadata", {"InstanceId": here, "ImageMetadata": image})
        if agent:
            is_online = not (lost or stopped)
            address = instance["PrivateIpAddress"]
            home.row("ssm:DescribeInstanceInformation", {
                "InstanceId": here, "PingStatus": "Online" if is_online else "ConnectionLost", "ResourceType": "EC2Instance",
                "LastPingDateTime": NOW if is_online else A_MONTH_AGO, "AgentVersion": agent, "IsLatestVersion": agent == AGENT,
                "PlatformType": system.family, "PlatformName": system.name, "PlatformVersion": system.version, "IPAddress": address,
                "ComputerName": f"ip-{address.replace('.', '-')}.ec2.internal", "SourceId": here, "SourceType": "AWS::EC2::Instance"})
            if is_online and agent == AGENT:
                # Of the others, some of which are too old for such a channel, AWS says that it is not there.
                home.row("ssm:GetConnectionStatus", {"Target": here, "Status": "connected"})
        if tier:
            self.targeted.add(here)
        self.expected[here] = {
            "name": name, "account": home.account, "region": home.region, "readiness": expect.readiness, "fail": sorted(expect.fail),
            "unknown": sorted(expect.unknown), "codes": {target: sorted(codes) for target, codes in expect.codes.items()}}
        return here

    def missed(self, accounts: list[str], regions: tuple[str, ...]) -> None:
        """Patch policies that choose by tag reach these accounts and Regions: whoever has no such tag is missed."""
        for here, expected in self.expected.items():
            is_judged = expected["readiness"] != "excluded"
            if is_judged and expected["account"] in accounts and expected["region"] in regions and here not in self.targeted:
                expected["fail"] = sorted([*expected["fail"], "missed-by-every-policy"])
