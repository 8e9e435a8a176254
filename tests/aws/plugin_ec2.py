"""EC2's reads that moto lacks, and what of an instance moto cannot hold."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from call import Call
from plugin import ROWS, STORE, Rows, operation, whole_list

OPTIONS = "ec2:DescribeVpcBlockPublicAccessOptions"
EXCLUSIONS = "ec2:DescribeVpcBlockPublicAccessExclusions"
INSTANCES = "ec2:DescribeInstances"
IMAGES = "ec2:DescribeInstanceImageMetadata"

whole_list(f"{EXCLUSIONS}.VpcBlockPublicAccessExclusions")
whole_list("ec2:DescribeTransitGatewayPolicyTables.TransitGatewayPolicyTables")
whole_list("ec2:DescribeVpcEncryptionControls.VpcEncryptionControls")
# moto answers these itself; rows are laid over what it says.
ROWS[INSTANCES] = "Reservations.Instances"


@operation(OPTIONS, "VpcBlockPublicAccessOptions", honours="")
def block_public_access_options(call: Call, rows: Rows) -> dict[str, Any]:
    """Where nobody ever turned it on, AWS answers that it is off, and that exclusions are allowed."""
    default = {
        "AwsAccountId": call.account, "AwsRegion": call.region, "State": "default-state", "InternetGatewayBlockMode": "off",
        "ManagedBy": "account", "ExclusionsAllowed": "allowed",
    }
    return {"VpcBlockPublicAccessOptions": {**default, **(rows[-1] if rows else {})}}


def block_mode(call: Call, vpc: str, subnet: str | None = None) -> str:
    """The mode in effect, which AWS reports with each VPC and subnet: an exclusion of the subnet goes before one of its VPC."""
    mode = block_public_access_options(call, STORE.rows(call, OPTIONS))["VpcBlockPublicAccessOptions"]["InternetGatewayBlockMode"]
    exclusions = {row["ResourceArn"].rpartition("/")[2]: row["InternetGatewayExclusionMode"] for row in STORE.rows(call, EXCLUSIONS)}
    allowed = exclusions.get(subnet or "") or exclusions.get(vpc)
    if mode == "off" or allowed is None:
        return mode
    return "off" if allowed == "allow-bidirectional" else "block-ingress"


@operation(IMAGES, "InstanceImageMetadata")
def image_metadata(call: Call, rows: Rows) -> dict[str, Any]:
    """Every instance that is not terminated, each with its image: what moto knows of it, and what the rows say of the instance."""
    backend = ec2_backends[call.account][call.region]
    overlays = {row["InstanceId"]: row for row in rows}
    found = []
    for instance in backend.all_instances():
        if instance.state == "terminated":
            continue
        image = backend.amis.get(instance.image_id)
        known = {} if image is None else {"Name": image.name, "OwnerId": image.owner_id, "State": image.state, "IsPublic": image.is_public}
        overlay = overlays.get(instance.id, {})
        found.append({
            "InstanceId": instance.id, "InstanceType": instance.instance_type, "LaunchTime": instance.launch_time,
            "AvailabilityZone": instance.placement.zone, "OwnerId": call.account,
            "State": {"Code": instance.state_code, "Name": instance.state},
            "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in instance.get_tags()],
            **overlay, "ImageMetadata": {"ImageId": instance.image_id, **known, **overlay.get("ImageMetadata", {})},
        })
    return {"InstanceImageMetadata": found}


def overlays(call: Call) -> dict[str, dict[str, Any]]:
    """What rows of DescribeInstances say of an instance over what moto holds: its operator, for one."""
    return {row["InstanceId"]: row for row in STORE.rows(call, INSTANCES)}
