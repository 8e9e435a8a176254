"""Roles of the seeded organization, built through IAM's own calls, and what they do wrong."""

from __future__ import annotations

import json
from typing import Any

from seed_instances import A_MONTH_AGO, READY, TIER, Expect, Garden, not_ready
from seed_network import Home, Natted

CORE, BASELINE_ACCESS = "AmazonSSMManagedInstanceCore", "AWSQuickSetupPatchPolicyBaselineAccess"
OF_DHMC = "AmazonSSMManagedEC2InstanceDefaultPolicy"
DHMC_ROLE = "AWSSystemsManagerDefaultEC2InstanceManagementRole"
# What patching needs, from AWS's documentation, and not a letter more.
PATCHING = [
    "ssm:UpdateInstanceInformation", "ssm:ListInstanceAssociations", "ssm:DescribeAssociation", "ssm:GetDocument", "ssm:DescribeDocument",
    "ssm:UpdateInstanceAssociationStatus", "ssm:GetDeployablePatchSnapshotForInstance", "ssm:PutInventory", "ssm:PutComplianceItems",
    "ssmmessages:*",
]
AGENT = ["ssm:*", "ssmmessages:*", "ec2messages:*"]
# By name, the id in the name of the bucket, and whether Quick Setup attaches what the bucket asks for.
PATCH_POLICIES = {"Nightly": ("n1gh7", "false"), "Weekly": ("w33kl", "true")}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


def deny(*actions: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*"}


def trust(*services: str) -> str:
    return document({"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"})


def of_aws(name: str) -> str:
    return f"arn:aws:iam::aws:policy/{name}"


def customer_policy(home: Home, name: str, *versions: str) -> str:
    """A managed policy of the customer's, whose last version holds."""
    iam = home.client("iam")
    arn: str = iam.create_policy(PolicyName=name, PolicyDocument=versions[0])["Policy"]["Arn"]
    for later in versions[1:]:
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=later, SetAsDefault=True)
    return arn


def role(home: Home, name: str, managed: tuple[str, ...] = (of_aws(CORE),), inline: dict[str, str] | None = None,
         boundary: str | None = None, trusts: tuple[str, ...] = ("ec2.amazonaws.com",), tags: dict[str, str] | None = None) -> str:
    """A role in an instance profile of the same name."""
    iam = home.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(*trusts))
    for policy in managed:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    for policy, text in (inline or {}).items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)
    if boundary:
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    if tags:
        iam.tag_role(RoleName=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return name


def instance_profile(home: Home, name: str) -> None:
    """The account's instance profile, whose role has AmazonSSMManagedInstanceCore and one policy of its own."""
    role(home, name, inline={"logs": document(allow("logs:PutLogEvents"))})


def turn_dhmc_on(home: Home, name: str) -> None:
    """The setting takes the name of any role, whether or not there is one."""
    home.row("ssm:GetServiceSetting", {"SettingValue": f"service-role/{name}", "Status": "Customized", "LastModifiedDate": A_MONTH_AGO,
                                       "LastModifiedUser": f"arn:aws:iam::{home.account}:user/admin"})


def dhmc_role(home: Home) -> None:
    iam = home.client("iam")
    iam.create_role(RoleName=DHMC_ROLE, Path="/service-role/", AssumeRolePolicyDocument=trust("ssm.amazonaws.com"))
    iam.attach_role_policy(RoleName=DHMC_ROLE, PolicyArn=of_aws(OF_DHMC))


def patch_policies(home: Home, unit: str, regions: str) -> None:
    """Two that the organization has already: for instances with a tag in one unit."""
    systems = ("AMAZON_LINUX_2023", "DEBIAN", "REDHAT_ENTERPRISE_LINUX", "UBUNTU", "WINDOWS")
    baselines = {system: {"value": f"arn:aws:ssm:{home.region}:075727635805:patchbaseline/pb-{number:017x}", "label": system,
                          "description": "Provided by AWS.", "disabled": False} for number, system in enumerate(systems)}
    for number, (name, (id_, attaches)) in enumerate(PATCH_POLICIES.items(), start=1):
        home.row("ssm-quicksetup:GetConfigurationManager", {
            "ManagerArn": f"arn:aws:ssm-quicksetup:{home.region}:{home.account}:configuration-manager/7f1d2a54-3c1b-4d0e-9a39-{number:012}",
            "Name": name, "Description": "what is there already", "CreatedAt": A_MONTH_AGO, "LastModifiedAt": A_MONTH_AGO,
            "ConfigurationDefinitions": [{"Id": id_, "Type": "AWSQuickSetupType-PatchPolicy", "TypeVersion": "1.0", "Parameters": {
                "PatchPolicyName": name, "ConfigurationOptionsPatchOperation": "Scan", "TargetRegions": regions,
                "TargetOrganizationalUnits": unit, "TargetType": "Tags", "TargetTagKey": TIER, "TargetTagValue": name,
                "PatchBaselineUseDefault": "default", "SelectedPatchBaselines": json.dumps(baselines), "IsPolicyAttachAllowed": attaches}}],
            "StatusSummaries": [{"StatusType": "Deployment", "Status": "SUCCEEDED", "LastUpdatedAt": A_MONTH_AGO}],
            "Tags": {"team": "platform"}})
        bucket(home, id_, unit)


def deployed(home: Home) -> None:
    """What Quick Setup deploys of them to an account and Region."""
    for number, (name, (id_, _)) in enumerate(PATCH_POLICIES.items(), start=1):
        home.row("ssm:ListAssociations", {
            "Name": "AWS-RunPatchBaseline", "AssociationId": f"3c1b4d0e-9a39-4a54-8000-{number:012}", "AssociationVersion": "1",
            "AssociationName": f"AWS-QuickSetup-PatchPolicy-ScanForPatches-TA-{id_}", "ScheduleExpression": "cron(0 1 * * ? *)",
            "Targets": [{"Key": f"tag:{TIER}", "Values": [name]}], "LastExecutionDate": A_MONTH_AGO})


def bucket(home: Home, id_: str, unit: str) -> None:
    """The bucket of a patch policy, as Quick Setup makes it: it lets the unit in, if the role has the tag."""
    s3, name = home.client("s3"), f"aws-quicksetup-patchpolicy-{home.account}-{id_}"
    s3.create_bucket(Bucket=name, **({} if home.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": home.region}}))
    statements = [("Allow", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"*/{unit}/*"}}),
                  ("Deny", {"StringNotEquals": {f"aws:PrincipalTag/QSConfigId-{id_}": id_}})]
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*", "Condition": condition}
        for effect, condition in statements]}))


def roles_america(home: Home, garden: Garden) -> None:
    """Nothing is wrong with the network here."""
    net = Natted(home, "roles", "10.21.0.0/16")

    def plant(name: str, profile: str, expect: Expect, **more: Any) -> None:
        # An agent that cannot register never did.
        agent = {"agent": None} if "not-registered" in expect.fail else {}
        garden.plant(home, net.private, net.group, name, expect, profile=profile, **agent, **more)

    # Names prove nothing, and neither does a boundary as such.
    own = customer_policy(home, "acme-agent", document(allow(*AGENT)))
    operations = customer_policy(home, "acme-operations", document(allow("logs:*", *AGENT), deny("iam:*")))
    storage = customer_policy(home, "acme-storage", document(allow("s3:*")))
    plant("worker-01", role(home, "acme-worker", managed=(own,), trusts=("ecs-tasks.amazonaws.com", "ec2.amazonaws.com")), READY)
    plant("worker-02", role(home, "acme-bounded", boundary=operations), READY)
    plant("lean", role(home, "acme-lean", managed=(), inline={"patching": document(allow(*PATCHING))}),
          Expect("ready", ("role-lacks-agent-actions",)))
    plant("fenced", role(home, "acme-fenced", boundary=storage), not_ready("role-cannot-register", "not-registered"))
    plant("denied", role(home, "acme-denied", inline={"no newcomers": document(deny("ssm:UpdateInstance*"))}),
          not_ready("role-cannot-register", "not-registered"))
    plant("mistrusted", role(home, "acme-mistrusted", trusts=("lambda.amazonaws.com",)),
          not_ready("role-not-trusted-by-ec2", "not-registered"))
    plant("mute", role(home, "acme-mute", managed=(), inline={"ssm": document(allow("ssm:*"))}), not_ready("message-channels-not-allowed"))
    plant("secretive", role(home, "acme-secretive", inline={"no reports": document(deny("ssm:PutInventory", "ssm:PutComplianceItems"))}),
          not_ready("patch-actions-not-allowed"))
    # The organization denies it to roles of this name.
    plant("guest", role(home, "acme-guest-01"), not_ready("patch-actions-not-allowed"))
    # The first version allowed everything. The second holds, and was to be "tightened" later.
    tightened = customer_policy(home, "acme-tightened", document(allow(*AGENT)), document(allow("logs:*")))
    plant("tightened", role(home, "acme-tightened", managed=(tightened,)), not_ready("role-cannot-register", "not-registered"))
    # The role was taken out of the profile after the instance had been launched with it.
    plant("hollow", role(home, "acme-hollow"), not_ready("instance-profile-without-role", "not-registered"))
    home.client("iam").remove_role_from_instance_profile(InstanceProfileName="acme-hollow", RoleName="acme-hollow")

    # The bucket of a patch policy lets roles in that have its tag, and the role's own policies must let it go there.
    nightly, _ = PATCH_POLICIES["Nightly"]
    both = (of_aws(CORE), of_aws(BASELINE_ACCESS))
    ready = role(home, "acme-canary", managed=both, tags={f"QSConfigId-{nightly}": nightly, "team": "web"})
    untagged = role(home, "acme-untagged", managed=both, tags={"team": "web"})
    plant("canary-01", ready, READY, tier="Nightly")
    plant("canary-02", untagged, not_ready("patch-policy-bucket-not-readable"), tier="Nightly")
    plant("canary-03", "acme-bounded", not_ready("patch-policy-bucket-not-readable"), tier="Nightly")
    # Quick Setup may attach what is lacking, and has not done so; a boundary without S3 makes nothing of it.
    plant("shop-01", "acme-lean", Expect("unknown", ("role-lacks-agent-actions",), ("quick-setup-cannot-attach",)), tier="Weekly")
    plant("shop-02", "acme-bounded", not_ready("quick-setup-cannot-attach"), tier="Weekly")


def broken_dhmc_america(home: Home, garden: Garden) -> None:
    """Default Host Management names a role that was deleted."""
    turn_dhmc_on(home, "acme-deleted")
    net = Natted(home, "dhmc", "10.52.0.0/16")
    garden.plant(home, net.private, net.group, "dhmc-01", not_ready("dhmc-role-unusable", "not-registered"), profile=None, agent=None)
    garden.plant(home, net.private, net.group, "dhmc-02", READY)
