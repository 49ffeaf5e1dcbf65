"""What a machine can be told, and what holds of it now at the gateways that read it: asked of them, never guessed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel

from bus import subjects
from bus.errors import BusError
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.hanging import Asking
from models.control.effects import Effect
from models.control.policy import policy
from models.site.model import Name, Point, Site

LOOK_S = 2.0
AT_REST = ("无", "none")
"""The state of a command word that commands nothing: no one tells a machine that."""


BEYOND = Name("您的范围之外的条件", "a condition outside what you may see")


class Words(BaseModel):
    zh: str
    en: str


class Hanging(BaseModel):
    """`at`: µs UTC."""

    id: str
    who: str
    reason: str
    at: int


class GatewayNow(BaseModel):
    """A gateway that reads the machine. Of one that does not answer nothing is known: all the rest is null then.
    `mode`: unknown, local, remote, auto, inspection or none; `controller`: who has the right of control;
    `signed_only`: it takes signed commands alone; `tags_trouble`: its record of tags cannot be read."""

    name: str
    answers: bool
    mode: str | None
    controller: str | None
    signed_only: bool | None
    tags: list[Hanging] | None
    tags_trouble: Words | None


class Requirement(BaseModel):
    """`wanted`: "= 1", in the point's unit; `now`: null when no good value is known. Of a point that the caller may not
    see only `holds` is told."""

    point: str
    name: Words
    wanted: str
    now: float | None
    holds: bool


class InterlockNow(BaseModel):
    id: str
    name: Words
    holds: bool
    refuses: list[str]
    unless: list[Requirement]


class Telling(BaseModel):
    """One thing that the point can be told, and what it does to the machine. `safe`: a stop or a switching off, which
    needs no select; `persons`: how many must sign the execute."""

    value: float
    name: Words
    effect: str
    safe: bool
    persons: int


class Unsettled(BaseModel):
    """The last write, of which nobody knows the outcome yet."""

    command: str
    who: str
    to: float | str | None


class CommandedPoint(BaseModel):
    """`tells`: what it can be told by name; where that is empty, a number from `low` to `high`. `answers`: false when
    its gateway does not, and then what follows is null."""

    point: str
    gateway: str
    name: Words
    unit: str
    role: str
    low: float | None
    high: float | None
    tells: list[Telling]
    answers: bool
    value: float | str | None
    quality: int | None
    age_s: float | None
    connected: bool | None
    unsettled: Unsettled | None
    interlocks: list[InterlockNow] | None


class MachineNow(BaseModel):
    """`ts`: the platform's clock, µs UTC. `roles`: the roles of a credential as people call them."""

    ts: int
    equipment: str
    gateways: list[GatewayNow]
    points: list[CommandedPoint]
    roles: dict[str, Words]
    deadline_s: float


async def machine_now(bus: Asking, catalogue: Catalogue, whole: Site, equipment: str, now: int) -> dict[str, Any]:
    """MachineNow of a machine of the `catalogue`; the gateways are those of the `whole` site, for a tag must hang at
    all that read it. Raises ApiError 404."""
    points = [catalogue.points[row] for row in catalogue.equipment([equipment]).tolist()]
    gateways = sorted({_gateway(whole, each) for each in whole.points if _short(each.equipment) == equipment} - {""})
    written = [point for point in points if point.writable and _gateway(whole, point)]
    code = whole.code

    async def ask(gateway: str, request: dict[str, Any]) -> dict[str, Any] | None:
        try:
            found: Any = orjson.loads(
                await bus.request(subjects.command(code, gateway), json.dumps(request).encode(), LOOK_S)
            )
        except (BusError, ValueError):
            return None
        return None if not isinstance(found, dict) or "error" in found else found

    of_gateways, of_points = await asyncio.gather(
        asyncio.gather(*(ask(name, {"machine": equipment}) for name in gateways)),
        asyncio.gather(*(ask(_gateway(whole, point), {"look": point.path}) for point in written)),
    )
    names = {point.path: point.name for point in (catalogue.points[row] for row in catalogue.rows.tolist())}
    return {
        "ts": now,
        "equipment": equipment,
        "gateways": [_of_gateway(name, told) for name, told in zip(gateways, of_gateways, strict=True)],
        "points": [
            _of_point(point, _gateway(whole, point), told, catalogue.facts(catalogue.one(point.path)), names)
            for point, told in zip(written, of_points, strict=True)
        ],
        "roles": {name: role.name.resolved().words() for name, role in policy().roles.items()},
        "deadline_s": policy().deadline_s,
    }


def tells(point: Point) -> list[dict[str, Any]]:
    """What a point with states can be told, each with what it does."""
    return [
        {"value": float(code), "name": name.words(), **_does(policy().effect(point, float(code)))}
        for code, name in point.states.items()
        if name.zh not in AT_REST and name.en.lower() not in AT_REST
    ]


def _does(effect: Effect) -> dict[str, Any]:
    persons = 2 if effect in policy().two_persons.effects else 1
    return {"effect": str(effect), "safe": effect.safe and effect in policy().direct.effects, "persons": persons}


def _gateway(site: Site, point: Point) -> str:
    found = site.connections.get(point.connection)
    return "" if found is None else found.gateway


def _of_gateway(name: str, told: dict[str, Any] | None) -> dict[str, Any]:
    found = told or {}
    kept = {key: found.get(key) for key in ("mode", "controller", "signed_only", "tags", "tags_trouble")}
    return {"name": name, "answers": told is not None, **kept}


def _of_point(
    point: Point, gateway: str, told: dict[str, Any] | None, facts: dict[str, Any], names: Mapping[str, Name]
) -> dict[str, Any]:
    found = told or {}
    control = found.get("control") or {}
    return {
        "point": point.path,
        "gateway": gateway,
        "name": facts["name"],
        "unit": facts["unit"],
        "role": facts["role"],
        "low": facts["range"]["low"],
        "high": facts["range"]["high"],
        "tells": tells(point),
        "answers": told is not None,
        **{key: found.get(key) for key in ("value", "quality", "age_s", "connected", "unsettled")},
        "interlocks": None
        if told is None
        else [{**each, "unless": [_named(one, names) for one in each["unless"]]} for each in control["interlocks"]],
    }


def _named(requirement: dict[str, Any], names: Mapping[str, Name]) -> dict[str, Any]:
    name = names.get(requirement["point"])
    if name is None:
        # Whether it holds is told to whoever commands here; which point it is, and its value, are another's to see.
        return {"point": "", "name": BEYOND.words(), "wanted": "", "now": None, "holds": requirement["holds"]}
    return {**requirement, "name": name.words()}


def _short(equipment: str) -> str:
    return equipment.rpartition("/")[2]
