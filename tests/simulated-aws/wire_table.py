"""Takes from botocore's models how the operations that a scan uses look on the wire, and writes data/wire.json.

    python wire_table.py            writes the table anew
    python wire_table.py --check    fails when the table is not what botocore's models give

Needs botocore alone (tests/aws/requirements.txt pins one). The operations are those of src/permissions.rs, and the one call of IAM
whose output the snapshot keeps. docs of the format: src/wire.rs.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import botocore
import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

HERE = Path(__file__).parent
TABLE = HERE / "data" / "wire.json"
PERMISSIONS = HERE.parent.parent / "src" / "permissions.rs"
ALSO = ["iam:GetAccountAuthorizationDetails"]

# Sizes of pages that AWS documents and its models do not hold: least, most. Each from the API reference of its operation.
DOCUMENTED_BOUNDS = {
    "ec2:DescribeInstances": (5, 1000),
    "ec2:DescribeInstanceStatus": (5, 1000),
    "ec2:DescribeVpcEndpoints": (5, 1000),
    "ec2:DescribeVpcEndpointServices": (5, 1000),
    "ec2:DescribePrefixLists": (5, 1000),
    "route53:ListHostedZonesByVPC": (1, 100),
    "route53:ListResourceRecordSets": (1, 300),
}
# Lists that page and that botocore has no paginator for: members, token in, token out, size.
WITHOUT_PAGINATOR = {
    "ec2:DescribeVpcBlockPublicAccessExclusions": (["VpcBlockPublicAccessExclusions"], "NextToken", "NextToken", "MaxResults"),
    "ec2:DescribeVpcEncryptionControls": (["VpcEncryptionControls"], "NextToken", "NextToken", "MaxResults"),
    "ssm:ListInventoryEntries": (["Entries"], "NextToken", "NextToken", "MaxResults"),
    "route53:ListHostedZonesByVPC": (["HostedZoneSummaries"], "NextToken", "NextToken", "MaxItems"),
}
SCALARS = {"string", "integer", "long", "float", "double", "boolean", "blob"}


def operations() -> list[str]:
    """As IAM writes them: `ec2:DescribeVpcs`."""
    return sorted(set(re.findall(r'\b(?:member|management)\(\s*"([\w-]+:\w+)"', PERMISSIONS.read_text())) | set(ALSO))


class Service:
    def __init__(self, session: botocore.session.Session, name: str) -> None:
        self.name = name
        self.model: ServiceModel = session.get_service_model(name)
        self.protocol: str = self.model.protocol
        self.outputs: dict[str, Any] = {}
        self.inputs: dict[str, Any] = {}
        try:
            self.paginators = session.get_component("data_loader").load_service_model(name, "paginators-1")["pagination"]
        except botocore.exceptions.DataNotFoundError:
            self.paginators = {}

    def entry(self, actions: list[str]) -> dict[str, Any]:
        operations = {action: self.operation(self.model.operation_model(action)) for action in actions}
        meta = self.model.metadata
        return {
            "protocol": self.protocol,
            "signing_name": self.model.signing_name,
            "api_version": self.model.api_version,
            "target_prefix": meta.get("targetPrefix"),
            "namespace": meta.get("xmlNamespace", f"https://route53.amazonaws.com/doc/{self.model.api_version}/" if self.protocol == "rest-xml" else None),
            "operations": operations,
            "inputs": dict(sorted(self.inputs.items())),
            "outputs": dict(sorted(self.outputs.items())),
        }

    def operation(self, model: OperationModel) -> dict[str, Any]:
        output = model.output_shape
        payload = output.serialization.get("payload") if output else None
        return {
            "method": model.http["method"],
            "uri": model.http["requestUri"],
            "input": self.shape(model.input_shape, self.inputs, is_input=True) if model.input_shape else None,
            "output": self.shape(output, self.outputs, is_input=False) if output else None,
            "root": output.name if self.protocol == "rest-xml" and output else f"{model.name}Response",
            "wrapper": output.serialization.get("resultWrapper") if output else None,
            "pages": self.pages(model),
            # The member that is the whole body.
            **({"payload": payload} if payload else {}),
        }

    def pages(self, model: OperationModel) -> dict[str, Any] | None:
        name = f"{self.name}:{model.name}"
        if name in WITHOUT_PAGINATOR:
            members, token_in, token_out, size = WITHOUT_PAGINATOR[name]
            more = None
        elif model.name in self.paginators:
            paginator = self.paginators[model.name]
            members, token_in, token_out = paginator["result_key"], paginator["input_token"], paginator["output_token"]
            size, more = paginator["limit_key"], paginator.get("more_results")
        else:
            return None
        listed = lambda one: one if isinstance(one, list) else [one]
        bounds = model.input_shape.members[size].metadata
        least, most = DOCUMENTED_BOUNDS.get(name, (bounds.get("min"), bounds.get("max")))
        return {
            "members": listed(members), "token_in": listed(token_in), "token_out": listed(token_out), "size": size, "more": more,
            "least": least, "most": most,
        }

    def shape(self, shape: Shape, table: dict[str, Any], *, is_input: bool) -> str:
        """The name under which a shape is found: of a scalar its kind, of others its place in the table."""
        if shape.type_name == "timestamp":
            form = shape.serialization.get("timestampFormat") or ("unixTimestamp" if "json" in self.protocol else "iso8601")
            return f"time-{form}"
        if shape.type_name in SCALARS:
            return "enum" if getattr(shape, "enum", None) else shape.type_name
        if shape.name in table:
            return shape.name
        assert shape.name not in SCALARS | {"enum"}
        entry = table[shape.name] = {}
        match shape:
            case StructureShape():
                entry["members"] = {name: self.member(name, member, table, is_input) for name, member in shape.members.items()}
                if shape.required_members:
                    entry["required"] = sorted(shape.required_members)
            case ListShape():
                item = self.shape(shape.member, table, is_input=is_input)
                entry["items"] = [shape.member.serialization.get("name", "member"), item]
                if shape.serialization.get("flattened") or (is_input and self.protocol == "ec2"):
                    entry["flat"] = True
            case MapShape():
                sides = {"key": shape.key, "value": shape.value}
                entry["map"] = [
                    [side.serialization.get("name", default), self.shape(side, table, is_input=is_input)]
                    for default, side in sides.items()
                ]
            case _:
                raise TypeError(f"{shape.name} is a {shape.type_name}")
        return shape.name

    def member(self, name: str, shape: Shape, table: dict[str, Any], is_input: bool) -> list[str]:
        found = [self.wire_name(name, shape, is_input), self.shape(shape, table, is_input=is_input)]
        location = shape.serialization.get("location")
        return [*found, location] if location else found

    def wire_name(self, name: str, shape: Shape, is_input: bool) -> str:
        given = shape.serialization.get("name")
        # <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html>: requests capitalize the name of the answer, unless they have one of their own.
        if is_input and self.protocol == "ec2":
            own = shape.serialization.get("queryName")
            return own or (given[:1].upper() + given[1:] if given else name)
        return given or name


def table() -> str:
    session = botocore.session.get_session()
    by_service: dict[str, list[str]] = {}
    for operation in operations():
        service, _, action = operation.partition(":")
        by_service.setdefault(service, []).append(action)
    services = {name: Service(session, name).entry(actions) for name, actions in by_service.items()}
    lines = [f'{{"botocore": "{botocore.__version__}", "services": {{']
    for at, (name, service) in enumerate(services.items()):
        lines.append(f'"{name}": {{')
        for key, value in service.items():
            end = "" if key == "outputs" else ","
            if isinstance(value, dict):
                # One operation or shape a line: a change of the models is a change of a few lines.
                rows = [f"{json.dumps(one)}: {json.dumps(entry, separators=(',', ':'))}" for one, entry in value.items()]
                lines.append(f'"{key}": {{\n' + ",\n".join(rows) + f"}}{end}")
            else:
                lines.append(f"{json.dumps(key)}: {json.dumps(value)}{end}")
        lines.append("}" if at + 1 == len(services) else "},")
    return "\n".join([*lines, "}}"]) + "\n"


if __name__ == "__main__":
    text = table()
    if "--check" in sys.argv[1:]:
        sys.exit(None if TABLE.read_text() == text else f"{TABLE.name} is not what botocore {botocore.__version__} gives")
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text)
