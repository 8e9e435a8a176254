"""Leaves out what moto brings along in bulk, which would cost a second for each account or each page."""

from __future__ import annotations

import json
import os

from moto.ec2.models import vpcs
from moto.iam import models as iam

# Those that matter for patching, and some beside.
ENDPOINT_SERVICES = {"dynamodb", "ec2", "ec2messages", "kms", "logs", "s3", "ssm", "ssmmessages", "sts"}


def trim() -> None:
    """To be called before the first request: moto makes an account's state when it first hears of it."""
    # Without AWS's own policies AmazonSSMManagedInstanceCore cannot be attached. Those for instances will do, of more than a thousand.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    policies, wanted = json.loads(iam.aws_managed_policies_data), ("AmazonSSM", "AmazonEC2", "AWSQuickSetupPatchPolicy")
    iam.aws_managed_policies_data = json.dumps({name: one for name, one in policies.items() if name.startswith(wanted)})
    # Hundreds of images for every account and Region, which nothing here looks at.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    for services in (vpcs.AWS_ENDPOINT_SERVICES, vpcs.IMPLEMENTED_ENDPOINT_SERVICES):
        services[:] = [service for service in services if service in ENDPOINT_SERVICES]
