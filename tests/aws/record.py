"""A record of every request to AWS, so that a test can hold which calls were made, and as whom."""

from __future__ import annotations

import threading
from typing import Any

from call import Call


class Record:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[dict[str, Any]] = []

    def add(self, call: Call) -> None:
        entry: dict[str, Any] = {"account": call.account, "region": call.region, "service": call.service, "action": call.action}
        if call.name == "sts:AssumeRole":
            given = call.parameters
            entry |= {"role_arn": given.get("RoleArn"), "role_session_name": given.get("RoleSessionName"),
                      "external_id": given.get("ExternalId"), "has_policy": "Policy" in given, "policy": given.get("Policy")}
        with self._lock:
            self._all.append(entry)

    def unknown(self, method: str, path: str) -> None:
        """A request that is none of AWS's as far as anybody here can tell."""
        with self._lock:
            self._all.append({"account": None, "region": None, "service": None, "action": f"{method} {path}"})

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._all)

    def clear(self) -> None:
        with self._lock:
            self._all.clear()
