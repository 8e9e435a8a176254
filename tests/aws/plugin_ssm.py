"""Systems Manager's reads that moto lacks, and Quick Setup, which moto lacks as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from moto.core.responses import BaseResponse
from moto.ssm.models import FakePatchGroup, ssm_backends

from call import Call
from plugin import STORE, Refused, Rows, operation, whole_list

DHMC = "/ssm/managed-instance/default-ec2-instance-management-role"
MOST_INSTANCES = 50

whole_list("ssm:DescribeInstanceInformation.InstanceInformationList")
whole_list("ssm:ListAssociations.Associations")
whole_list("ssm:DescribePatchGroups.Mappings")


@operation("ssm:DescribeInstancePatchStates", "InstancePatchStates", "InstanceIds MaxResults NextToken")
def patch_states(call: Call, rows: Rows) -> dict[str, Any]:
    wanted = call.parameters.get("InstanceIds", [])
    if not 0 < len(wanted) <= MOST_INSTANCES:
        told = f"1 validation error detected: {len(wanted)} instance ids; from 1 to {MOST_INSTANCES} are allowed"
        raise Refused("ValidationException", told)
    return {"InstancePatchStates": [row for row in rows if row["InstanceId"] in wanted]}


@operation("ssm:GetConnectionStatus", "", "Target")
def connection_status(call: Call, rows: Rows) -> dict[str, Any]:
    """A node without a channel, and one that AWS does not know, are not connected."""
    target = call.parameters["Target"]
    return next((row for row in rows if row["Target"] == target), {"Target": target, "Status": "notconnected"})


@operation("ssm:ListInventoryEntries", "", "InstanceId TypeName MaxResults NextToken")
def packages(call: Call, rows: Rows) -> dict[str, Any]:
    """Of a node that nobody gathered the inventory of, AWS lists nothing."""
    wanted = {name: call.parameters[name] for name in ("InstanceId", "TypeName")}
    entries = [entry for row in rows if row.items() >= wanted.items() for entry in row["Entries"]]
    return {**wanted, "Entries": entries}


@operation("ssm:GetServiceSetting", "ServiceSetting", "SettingId")
def service_setting(call: Call, rows: Rows) -> dict[str, Any]:
    """The Default Host Management Configuration. Where it was never turned on, AWS answers `$None` with the status Default."""
    wanted = call.parameters["SettingId"]
    # AWS takes the setting's ARN as well.
    name = "/" + wanted.partition(":servicesetting/")[2] if ":servicesetting/" in wanted else wanted
    if name != DHMC:
        raise Refused("ServiceSettingNotFound", f"Setting {wanted} not found")
    default = {
        "SettingId": DHMC, "SettingValue": "$None", "Status": "Default", "LastModifiedUser": "System",
        "LastModifiedDate": datetime(2023, 2, 17, tzinfo=UTC),
        "ARN": f"arn:aws:ssm:{call.region}:{call.account}:servicesetting{DHMC}",
    }
    return {"ServiceSetting": {**default, **(rows[-1] if rows else {})}}


def defaults_of_aws(call: Call) -> dict[str, str]:
    """The baselines that AWS owns, one an operating system and each the default until another is made it. moto knows them only as
    what a patch group falls back to."""
    return FakePatchGroup("", call.region).default_associations


@operation("ssm:GetDefaultPatchBaseline", None, "OperatingSystem")
def default_patch_baseline(call: Call, _rows: Rows) -> dict[str, Any]:
    """AWS takes WINDOWS where no system is named."""
    system = call.parameters.get("OperatingSystem", "WINDOWS")
    baselines = ssm_backends[call.account][call.region].describe_patch_baselines(None)
    own = [one.id for one in baselines if one.operating_system == system and one.default_baseline]
    of_aws = [baseline for name, baseline in defaults_of_aws(call).items() if name == system]
    if not own + of_aws:
        raise Refused("DoesNotExistException", f"There is no default patch baseline for {system}")
    return {"BaselineId": (own + of_aws)[0], "OperatingSystem": system}


@operation("ssm:GetPatchBaseline", None, "BaselineId")
def patch_baseline(call: Call, _rows: Rows) -> dict[str, Any]:
    """Of the account's own. moto keeps them, and has no call that tells what is in one."""
    wanted = call.parameters["BaselineId"]
    for one in ssm_backends[call.account][call.region].describe_patch_baselines(None):
        if one.id == wanted:
            held = {name: value for name, value in one.to_json().items() if value and name != "DefaultBaseline"}
            renamed = {"BaselineName": "Name", "BaselineDescription": "Description"}
            return {renamed.get(name, name): value for name, value in held.items()}
    raise Refused("DoesNotExistException", f"Patch baseline {wanted} does not exist")


class QuickSetupResponse(BaseResponse):
    """moto has no such service, so that the front calls this one itself."""

    def __init__(self) -> None:
        super().__init__(service_name="ssm-quicksetup")


@operation("ssm-quicksetup:GetConfigurationManager", "", "ManagerArn")
def configuration_manager(call: Call, rows: Rows) -> dict[str, Any]:
    for row in rows:
        if row["ManagerArn"] == call.parameters["ManagerArn"]:
            return row
    raise Refused("ResourceNotFoundException", f"Configuration manager {call.parameters['ManagerArn']} not found")


@operation("ssm-quicksetup:ListConfigurationManagers", None, "MaxItems StartingToken")
def configuration_managers(call: Call, _rows: Rows) -> dict[str, Any]:
    """The summaries of the managers that are put in as rows of GetConfigurationManager."""
    def summary(definition: dict[str, Any]) -> dict[str, Any]:
        named = {"Id": "Id", "Type": "Type", "TypeVersion": "TypeVersion", "Parameters": "FirstClassParameters"}
        return {there: definition[here] for here, there in named.items() if here in definition}

    managers = []
    for row in STORE.rows(call, "ssm-quicksetup:GetConfigurationManager"):
        kept = {name: row[name] for name in ("ManagerArn", "Name", "Description", "StatusSummaries") if name in row}
        managers.append({**kept, "ConfigurationDefinitionSummaries": [summary(one) for one in row.get("ConfigurationDefinitions", [])]})
    return {"ConfigurationManagersList": managers}
