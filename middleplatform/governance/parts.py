"""A site taken apart: its mine, areas, templates, equipment, connections, points and linkages as plain facts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from models.site.model import Connection, Equipment, Linkage, Point, Site

KINDS = ("mine", "area", "template", "equipment", "connection", "point", "linkage")
Part = tuple[str, str]
"""Kind and name."""
_SHOWN = ("host", "port", "url", "unit", "database", "folder", "device", "baud", "topic", "group", "node", "security")
"""Settings of a connection that say where a device is. Others may be secret, and none of them is kept."""


def parts(site: Site) -> dict[Part, str]:
    """Every part of a site as JSON with sorted keys, so that equal parts are equal text."""
    return {part: json.dumps(body, ensure_ascii=False, sort_keys=True) for part, body in _bodies(site)}


def _bodies(site: Site) -> Iterator[tuple[Part, dict[str, Any]]]:
    yield (
        ("mine", site.code),
        {
            "name": site.name.words(),
            "capacity_kt": site.capacity_kt,
            "gas_class": site.gas_class,
            "time_zone": site.time_zone,
            "shifts": [{"name": shift.name.words(), "start": shift.start, "end": shift.end} for shift in site.shifts],
            "coordinates": None if site.coordinates is None else asdict(site.coordinates),
        },
    )
    for area in site.areas.values():
        yield ("area", area.id), {"name": area.name.words(), "parent": area.parent}
    for template in site.templates.values():
        facts = {"name": template.name.words(), "category": template.category, "digest": template.digest}
        yield ("template", template.id), facts
    for equipment in site.equipment.values():
        yield ("equipment", equipment.id), equipment_facts(equipment)
    for connection in site.connections.values():
        yield ("connection", connection.name), connection_facts(connection)
    for point in site.points:
        yield ("point", point.path), point_facts(point)
    for linkage in site.linkages:
        yield ("linkage", linkage.id), linkage_facts(linkage)


def equipment_facts(equipment: Equipment) -> dict[str, Any]:
    return {"name": equipment.name.words(), "template": equipment.template, "area": equipment.area}


def connection_facts(connection: Connection) -> dict[str, Any]:
    """Where a device is and how it is asked; what may be a secret is left out."""
    return {
        "gateway": connection.gateway,
        "adapter": connection.adapter,
        "settings": {key: _plain(connection.settings[key]) for key in _SHOWN if key in connection.settings},
        "groups": {group.name: group.period_s for group in connection.groups.values()},
        "clock": str(connection.clock),
        "heartbeat": connection.heartbeat,
        "time_zone": connection.time_zone,
        "skew_s": connection.skew_s,
    }


def point_facts(point: Point) -> dict[str, Any]:
    """Everything about a point, in plain JSON; a bound that is not there is null."""
    return {
        "id": str(point.id),
        "equipment": point.equipment,
        "key": point.key,
        "name": point.name.words(),
        "role": point.role,
        "kind": str(point.kind),
        "unit": point.unit,
        "sensor_code": point.sensor_code,
        "retention": str(point.retention),
        "connection": point.connection,
        "group": point.group,
        "address": point.address,
        "type": point.type,
        "order": point.order,
        "factor": _number(point.factor),
        "offset": _number(point.offset),
        "low": _number(point.low),
        "high": _number(point.high),
        "dead_band": point.dead_band,
        "silence_s": point.silence_s,
        "states": {str(code): words.words() for code, words in point.states.items()},
        "limits": [asdict(limit) for limit in point.limits],
        "writable": point.writable,
        "guards": asdict(point.guards),
        "formula": None
        if point.formula is None
        else {"text": point.formula.text, "inputs": list(point.formula.inputs)},
    }


def linkage_facts(linkage: Linkage) -> dict[str, Any]:
    """All that a linkage says, with the paths of its points: a rule that acts is a part of the site like any other."""
    return {each.name: _told(getattr(linkage, each.name)) for each in fields(linkage) if each.name != "id"}


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The facts that differ, each with its old and new value."""
    return {
        key: (old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)
    }


def _told(value: Any) -> Any:
    """As JSON has it."""
    if is_dataclass(value):
        return {each.name: _told(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _told(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_told(each) for each in value]
    if isinstance(value, float):
        return _number(value)
    return value if isinstance(value, bool | int) or value is None else str(value)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _plain(value: Any) -> Any:
    """A setting as text or number; an address loses the user and password that it may hold."""
    if isinstance(value, int | float) or value is None:
        return value
    text = str(value)
    if "@" not in text:
        return text[:300]
    try:
        found = urlsplit(text)
        return urlunsplit(found._replace(netloc=found.netloc.rpartition("@")[2]))[:300] if found.netloc else "…"
    except ValueError:
        return "…"
