"""Pages of lists with the bounds of AWS's models. moto answers most lists whole, whatever the page size that is asked for."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import botocore.session
from werkzeug.wrappers import Request

from call import Call
from plugin import Refused

_LOADER = botocore.session.get_session().get_component("data_loader")

# The bounds that are in AWS's documentation, not in its models.
DOCUMENTED_BOUNDS = {
    "ec2:DescribeInstances": (5, 1000),
    "ec2:DescribeInstanceStatus": (5, 1000),
    "ec2:DescribeVpcBlockPublicAccessExclusions": (5, 1000),
}
# Lists that page and that botocore has no paginator for.
WITHOUT_PAGINATOR = {
    "ec2:DescribeVpcBlockPublicAccessExclusions": ("VpcBlockPublicAccessExclusions", "NextToken", "MaxResults"),
    "ec2:DescribeVpcEncryptionControls": ("VpcEncryptionControls", "NextToken", "MaxResults"),
    "route53:ListHostedZonesByVPC": ("HostedZoneSummaries", "NextToken", "MaxItems"),
}

# moto cuts a dictionary there as if it were a list, and answers 500.
FAILS_OVER_SIZE = {"ec2:SearchTransitGatewayRoutes"}


@dataclass
class Limit:
    """The largest page that is given, whatever is asked for: AWS may give less, and tests want several pages of a short list."""

    at_most: int | None = None


@dataclass(frozen=True)
class List:
    """How an operation pages."""

    members: tuple[str, ...]
    token_in: str
    token_out: str
    size: str

    @staticmethod
    def of(call: Call) -> List | None:
        if call.name in WITHOUT_PAGINATOR:
            member, token, size = WITHOUT_PAGINATOR[call.name]
            return List((member,), token, token, size)
        try:
            model = _LOADER.load_service_model(call.service, "paginators-1")["pagination"].get(call.action)
        except botocore.exceptions.UnknownServiceError:
            return None
        # Route 53's records page by name and type, which moto does itself.
        if model is None or isinstance(model["input_token"], list) or "limit_key" not in model:
            return None
        members = model["result_key"] if isinstance(model["result_key"], list) else [model["result_key"]]
        return List(tuple(members), model["input_token"], model["output_token"], model["limit_key"])


def place(token: str | None) -> tuple[int, int] | None:
    """The number of the page that a token of ours asks for, counted from 1, and where it starts; `None` for moto's own tokens."""
    if token is None:
        return 1, 0
    try:
        page, start = json.loads(base64.urlsafe_b64decode(token))
        return int(page), int(start)
    except ValueError:
        return None


def page_number(call: Call) -> int:
    """Which page is asked for, for faults on a later one. With moto's own tokens every page but the first is the second."""
    paged = List.of(call)
    at = place(call.parameters.get(paged.token_in)) if paged else (1, 0)
    return at[0] if at else 2


def check(call: Call) -> None:
    """Refuses page sizes that AWS refuses."""
    paged = List.of(call)
    size = call.parameters.get(paged.size) if paged else None
    if paged is None or size is None:
        return
    bounds = call.model.input_shape.members[paged.size].metadata
    least, most = DOCUMENTED_BOUNDS.get(call.name, (bounds.get("min"), bounds.get("max")))
    if (least is not None and int(size) < least) or (most is not None and int(size) > most):
        code = "InvalidParameterValue" if call.service == "ec2" else "ValidationException"
        raise Refused(code, f"Value ( {size} ) for parameter {paged.size} is invalid: it must be between {least} and {most}.")


def hide(call: Call, request: Request) -> None:
    """Takes out of the request what moto must not see: a token of ours, which it would look up among its own, and a size that it
    fails over."""
    paged = List.of(call)
    if paged is None:
        return
    hidden = {paged.size} if call.name in FAILS_OVER_SIZE else set()
    token = call.parameters.get(paged.token_in)
    if token is not None and place(token) is not None:
        hidden.add(paged.token_in)
    if not hidden & set(call.parameters):
        return
    if request.form:
        put_body(request, urlencode([(key, value) for key, value in request.form.items() if key not in hidden]).encode())
    elif request.get_data():
        rest = {key: value for key, value in json.loads(request.get_data()).items() if key not in hidden}
        put_body(request, json.dumps(rest).encode())


def cut(call: Call, content: dict[str, Any], limit: Limit) -> None:
    """Leaves of a whole list the page that was asked for."""
    paged = List.of(call)
    if paged is None or content.get(paged.token_out):
        return
    at = place(call.parameters.get(paged.token_in))
    if at is None:
        return
    page, start = at
    size = min((int(one) for one in (call.parameters.get(paged.size), limit.at_most) if one is not None), default=None)
    if size is None and start == 0:
        return
    stop = None if size is None else start + size
    more = False
    for member in paged.members:
        whole = content.get(member, [])
        content[member] = whole[start:stop]
        more = more or (stop is not None and len(whole) > stop)
    if more:
        content[paged.token_out] = base64.urlsafe_b64encode(json.dumps([page + 1, stop]).encode()).decode()
    if "IsTruncated" in call.model.output_shape.members:
        content["IsTruncated"] = more


def put_body(request: Request, body: bytes) -> None:
    """Gives the request another body before it is handed on."""
    request.environ["wsgi.input"] = io.BytesIO(body)
    request.environ["CONTENT_LENGTH"] = str(len(body))
