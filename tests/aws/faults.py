"""Faults on demand: the next matching requests are answered with an error as AWS writes it."""

from __future__ import annotations

import threading
from typing import Any

from werkzeug.wrappers import Response

import paging
import wire
from call import Call

MATCHED = ("service", "action", "account", "region", "page")
MEMBERS = {*MATCHED, "code", "message", "status", "times"}


class Faults:
    """What is to go wrong, in the order in which it was put in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[dict[str, Any]] = []

    def add(self, fault: dict[str, Any]) -> None:
        """`account` is the account that is asked about: of sts AssumeRole the account in the role's ARN."""
        unknown, missing = set(fault) - MEMBERS, {"service", "code", "message", "status"} - set(fault)
        if unknown or missing:
            raise ValueError(f"unknown members {sorted(unknown)}, missing members {sorted(missing)}")
        with self._lock:
            self._all.append(dict(fault))

    def clear(self) -> None:
        with self._lock:
            self._all.clear()

    def strike(self, call: Call) -> Response | None:
        """The error of the first fault that matches, which is used up a little by it."""
        seen = {"service": call.service, "action": call.action, "account": call.target_account, "region": call.region,
                "page": paging.page_number(call)}
        with self._lock:
            for fault in self._all:
                if fault.get("times") == 0 or any(fault.get(name, seen[name]) != seen[name] for name in MATCHED):
                    continue
                if "times" in fault:
                    fault["times"] -= 1
                return wire.error(call, fault["code"], fault["message"], int(fault["status"]))
        return None
