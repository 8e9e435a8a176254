"""Answers on the wire: between a dictionary in the shape of botocore's model and the bytes of the service's protocol."""

from __future__ import annotations

import json
import uuid
from typing import Any
from xml.sax.saxutils import escape

from botocore.parsers import create_parser
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.wrappers import Response

from call import Call

QUERY_NAMESPACES = {"iam": "https://iam.amazonaws.com/doc/2010-05-08/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/"}


def protocol(service: str) -> str:
    return get_service_model(service).protocol


def request_id() -> str:
    return str(uuid.uuid4())


def read(call: Call, response: Response) -> dict[str, Any]:
    """An answer as botocore's client would hand it to its user."""
    raw = {"status_code": response.status_code, "headers": dict(response.headers), "body": response.get_data()}
    parsed = create_parser(protocol(call.service)).parse(raw, call.model.output_shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def answer(call: Call, content: dict[str, Any]) -> Response:
    serializer = get_serializer_class(call.service, protocol(call.service))(operation_model=call.model)
    written = serializer.serialize(content)
    headers = {**written["headers"], "x-amzn-RequestId": request_id()}
    return Response(written["body"], written["status_code"], headers)


def error(call: Call, code: str, message: str, status: int) -> Response:
    """AWS's own error document in the protocol of the service."""
    identity = request_id()
    headers = {"x-amzn-RequestId": identity}
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    match protocol(call.service):
        case "ec2":
            body = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{identity}</RequestID></Response>"
        case "query" | "rest-xml":
            namespace = QUERY_NAMESPACES.get(call.service, "https://route53.amazonaws.com/doc/2013-04-01/")
            body = (f'<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type>{inner}</Error>'
                    f"<RequestId>{identity}</RequestId></ErrorResponse>")
        case "json":
            headers["x-amzn-ErrorType"] = code
            body = json.dumps({"__type": code, "message": message})
            return Response(body, status, headers, content_type="application/x-amz-json-1.1")
        case _:
            headers["x-amzn-ErrorType"] = code
            return Response(json.dumps({"message": message}), status, headers, content_type="application/json")
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{body}', status, headers, content_type="text/xml;charset=UTF-8")
