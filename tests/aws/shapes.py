"""Holds answers against AWS's own models, so that what the plug-in says cannot drift from what AWS can say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from botocore.model import Shape
from botocore.utils import parse_timestamp
from botocore.validate import ParamValidator


def problems(value: Any, shape: Shape | None) -> list[str]:
    """Everything that is wrong with a value of this shape. Values outside an enumeration are fine: real AWS sends such."""
    if shape is None:
        return [f"the operation answers nothing, not {value!r}"] if value else []
    report = ParamValidator().validate(value, shape)
    wrong = [report.generate_report()] if report.has_errors() else []
    return wrong + unknown_members(value, shape, shape.name)


def unknown_members(value: Any, shape: Shape, place: str) -> list[str]:
    """Members that the model does not have. botocore's validator finds them in requests only where it must send them."""
    if shape.type_name == "structure" and isinstance(value, dict):
        found = [f"{place} has no member {name!r}" for name in value if name not in shape.members]
        known = ((name, member) for name, member in value.items() if name in shape.members)
        return found + [one for name, member in known for one in unknown_members(member, shape.members[name], f"{place}.{name}")]
    if shape.type_name == "list" and isinstance(value, list):
        return [one for index, item in enumerate(value) for one in unknown_members(item, shape.member, f"{place}[{index}]")]
    if shape.type_name == "map" and isinstance(value, dict):
        return [one for key, item in value.items() for one in unknown_members(item, shape.value, f"{place}[{key!r}]")]
    return []


def with_times(value: Any, shape: Shape) -> Any:
    """The same value with the times, which JSON can only write as text, as times."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: with_times(item, shape.members[name]) if name in shape.members else item for name, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [with_times(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: with_times(item, shape.value) for key, item in value.items()}
    if shape.type_name == "timestamp" and not isinstance(value, datetime):
        return parse_timestamp(value)
    return value
