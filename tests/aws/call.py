"""What one HTTP request asks of AWS: service, action, Region, account and parameters, whatever protocol it speaks.

Faults, the record and the paging all need to know it before moto has a look, also where moto does not know the action.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.model import OperationNotFoundError
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model
from moto.iam.models import get_account_id_from
from werkzeug.wrappers import Request

SERVICES = {"ec2", "iam", "organizations", "resource-groups", "route53", "route53profiles", "route53resolver", "s3", "ssm", "ssm-quicksetup", "sts"}


@dataclass(frozen=True)
class Call:
    """A request to AWS, understood."""

    service: str
    action: str
    region: str
    # Whose credentials these are, as moto resolves it from the access key.
    account: str
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As IAM writes it: `ec2:DescribeVpcs`."""
        return f"{self.service}:{self.action}"

    @property
    def model(self) -> OperationModel:
        return operation(self.service, self.action)

    @property
    def target_account(self) -> str:
        """The account that is asked about: of AssumeRole the role's own, else the caller's."""
        role = self.parameters.get("RoleArn", "")
        return role.split(":")[4] if self.name == "sts:AssumeRole" and role.count(":") >= 5 else self.account


@cache
def operation(service: str, action: str) -> OperationModel:
    return get_service_model(service).operation_model(action)


def understand(request: Request) -> Call | None:
    """The call that a signed request makes; `None` for anything that is not one of a service in use here."""
    scope = request.headers.get("Authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    if len(scope) < 5 or scope[3] not in SERVICES:
        return None
    access_key, _date, region, service = scope[:4]
    form = request.form.to_dict()
    uri: dict[str, Any] = {}
    if "Action" in form:
        action = form["Action"]
    elif "X-Amz-Target" in request.headers:
        action = request.headers["X-Amz-Target"].rpartition(".")[2]
    else:
        try:
            matched, uri = get_service_router(service).match(request)
        except NotFound:
            return None
        action = matched.name
    try:
        model = operation(service, action)
    except OperationNotFoundError:
        return None
    parser = PROTOCOL_PARSERS[get_service_model(service).protocol](model)
    parameters = parser.parse({
        "method": request.method, "values": request.values, "headers": request.headers, "body": request.get_data(),
        "url_path": request.path, "url_params": uri,
    })
    return Call(service, action, region, get_account_id_from(access_key), dict(parameters or {}))
