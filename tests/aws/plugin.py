"""The operations that moto lacks, as methods of moto's own response classes: rows that a test puts in, in the shapes of AWS.

A function here answers a list whole; the front pages it. What an operation answers is held against AWS's model before it is sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from moto.core.responses import ActionResult, BaseResponse
from werkzeug.exceptions import InternalServerError

import shapes
import wire
from call import Call

Rows = list[dict[str, Any]]
Answer = Callable[[Call, Rows], dict[str, Any]]
Key = tuple[str, str, str]

# Where moto's front leaves the call that the server understood.
IN_ENVIRON = "preflight.call"


class Refused(Exception):
    """An error that AWS gives. moto's own exceptions tell their service by the module that they are in, so they will not do."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message, status)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Operation:
    answer: Answer
    # Parameters that are honoured. Any other would be ignored in silence, so it is an error.
    honours: frozenset[str]


OPERATIONS: dict[str, Operation] = {}
# Which operations take rows: the path through their output to one row, such as `InstanceInformationList`; empty for all of the output.
ROWS: dict[str, str] = {}


def operation(name: str, row: str | None, honours: str = "MaxResults NextToken") -> Callable[[Answer], Answer]:
    """Declares an operation (`ssm:GetInventory`) that is answered here. Without `row` it takes no rows."""

    def declare(answer: Answer) -> Answer:
        OPERATIONS[name] = Operation(answer, frozenset(honours.split()))
        if row is not None:
            ROWS[name] = row
        return answer

    return declare


class Store:
    """The rows by account, Region and operation, and what was wrong with answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[Key, Rows] = {}
        self._drift: list[dict[str, str]] = []

    def put(self, account: str, region: str, name: str, items: Rows) -> None:
        """Adds rows. They are held against AWS's model at once, so that a mistake shows where it is made."""
        if name not in ROWS:
            raise ValueError(f"{name} takes no rows; these do: {', '.join(sorted(ROWS))}")
        service, _, action = name.partition(":")
        shape = Call(service, action, region, account).model.output_shape
        for member in filter(None, ROWS[name].split(".")):
            shape = shape.members[member]
            shape = shape.member if shape.type_name == "list" else shape
        items = [shapes.with_times(item, shape) for item in items]
        wrong = [one for item in items for one in shapes.problems(item, shape)]
        if wrong:
            raise ValueError("; ".join(wrong))
        with self._lock:
            self._rows.setdefault((account, region, name), []).extend(items)

    def clear(self, **chosen: str) -> None:
        """Forgets the rows of an account, a Region or an operation; without a choice all of them."""
        with self._lock:
            for key in list(self._rows):
                of_key = dict(zip(("account", "region", "operation"), key, strict=True))
                if all(of_key[name] == value for name, value in chosen.items()):
                    del self._rows[key]

    def rows(self, call: Call, name: str | None = None) -> Rows:
        with self._lock:
            return list(self._rows.get((call.account, call.region, name or call.name), []))

    def drifted(self, call: Call, reason: str) -> None:
        with self._lock:
            self._drift.append({"operation": call.name, "account": call.account, "region": call.region, "reason": reason})

    def drift(self) -> list[dict[str, str]]:
        with self._lock:
            return list(self._drift)


STORE = Store()


def answer(call: Call) -> dict[str, Any]:
    """Answers a declared operation, or fails loudly where the answer would not be one that AWS can give."""
    known = OPERATIONS[call.name]
    ignored = set(call.parameters) - known.honours
    reason = f"the plug-in does not know what {', '.join(sorted(ignored))} would do" if ignored else ""
    content = {} if reason else known.answer(call, STORE.rows(call))
    wrong = [] if reason else shapes.problems(content, call.model.output_shape)
    reason = reason or "; ".join(wrong)
    if reason:
        STORE.drifted(call, reason)
        raise InternalServerError(f"{call.name}: {reason}")
    return content


def register(responses: dict[str, type[BaseResponse]]) -> None:
    """Makes the declared operations methods of moto's response classes, by service."""

    def method(self: BaseResponse) -> Any:
        call = self.normalized_request.environ[IN_ENVIRON]
        try:
            return ActionResult(answer(call))
        except Refused as refused:
            response = wire.error(call, refused.code, refused.message, refused.status)
            return response.get_data(as_text=True), {**response.headers, "status": refused.status}

    for name in OPERATIONS:
        service, _, action = name.partition(":")
        response = responses[service]
        if xform_name(action) not in vars(response):
            setattr(response, xform_name(action), method)


def whole_list(name: str, honours: str = "MaxResults NextToken") -> None:
    """Declares a list that has nothing to it but its rows: `ssm:ListAssociations.Associations`."""
    operation_name, _, member = name.rpartition(".")
    operation(operation_name, member, honours)(lambda _call, rows: {member: rows})
