"""The linkages of a mine and which of them have tripped, asked of the gateways that carry them out: never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from middleplatform.api.catalogue import Catalogue
from middleplatform.api.commanding import BEYOND, Words
from middleplatform.api.hanging import Asking, told_by
from models.control.order import Act
from models.control.policy import policy
from models.site.model import Act as Does
from models.site.model import Conditions, Linkage, Name, Site


class Written(BaseModel):
    """`state`: what the point calls the value, empty words where it has no name for it."""

    point: str
    name: Words
    value: float | None
    state: Words


class Seen(BaseModel):
    """A condition by the sample that the gateway judged it by last: `now` and `ts` (µs UTC) null where it has none.
    Of a point that the caller may not see only `holds` and `lost` are told."""

    point: str
    name: Words
    wanted: str
    now: float | None
    quality: int | None
    ts: int | None
    holds: bool
    lost: bool


class Tripped(BaseModel):
    """A linkage that has tripped at a gateway. `at`: since when, µs UTC; `done`: what it commands was read back;
    `held`: it stays until it is restored; `doubt`: it may have tripped, nobody knows; `holding`: whether what it trips
    by holds now, null where that is not known; `refusal`: why it may not be restored now, null when it may."""

    gateway: str
    at: int
    done: bool
    held: bool
    doubt: bool
    holding: bool | None
    when: list[Seen]
    restore: list[Seen]
    refusal: Words | None


class LinkageNow(BaseModel):
    """`trips`: what it commands, `restores`: what restoring it commands; `roles`: of a credential, each of which may
    restore it, and `persons` how many must sign; `known`: false when the site has no such rule any more; `whole`:
    whether the caller sees all of it, without which nobody orders it restored from here; `gateways`: who carries it
    out; `tripped`: at each gateway where it has."""

    id: str
    name: Words
    act: str
    shadow: bool
    known: bool
    trips: list[Written]
    restores: list[Written]
    roles: list[str]
    persons: int
    whole: bool
    gateways: list[str]
    tripped: list[Tripped]


class OfGateway(BaseModel):
    """`answers`: false when it is not known what is tripped there, and then `trouble` may say why."""

    name: str
    answers: bool
    trouble: Words | None


class LinkageList(BaseModel):
    """`ts`: the platform's clock, µs UTC. `names`: the roles of a credential as people call them."""

    ts: int
    gateways: list[OfGateway]
    linkages: list[LinkageNow]
    names: dict[str, Words]


async def linkages_now(bus: Asking, catalogue: Catalogue, whole: Site, machine: str, now: int) -> dict[str, Any]:
    """LinkageList of what the `catalogue` shows; of the `machine` alone, if one is named: what commands or looks at
    it. The rules and gateways are those of the `whole` site."""
    sight = _Sight(catalogue, whole)
    rules = [
        one
        for one in whole.linkages
        if not one.mine and sight.shows(one) and _concerns((*one.written(), *one.points()), machine)
    ]
    rows = catalogue.equipment([machine]) if machine else catalogue.rows
    gateways = {name for one in rules for name in one.gateways}
    # A rule that is gone has left its latch where its points are.
    gateways |= {whole.connections[catalogue.points[row].connection].gateway for row in rows.tolist()
                 if catalogue.points[row].connection in whole.connections}  # fmt: skip
    answers = await told_by(bus, whole.code, sorted(gateways - {""}), b'{"linkages": true}', "linkages")
    tripped: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for gateway, told in answers.items():
        for each in () if told is None else told["linkages"]:
            tripped.setdefault(each["rule"], []).append((gateway, each))
    known = {one.id: one for one in whole.linkages}
    wanted = {one.id: one for one in rules}
    wanted |= {
        rule: known.get(rule) or _gone(rule, [each for _, each in told])
        for rule, told in tripped.items()
        if _concerns([path for _, each in told for path in (*each["holds"], *each["command"])], machine)
    }
    return {
        "ts": now,
        "gateways": [_of_gateway(name, told) for name, told in answers.items()],
        "linkages": [
            sight.linkage(one, name in known, tripped.get(name, [])) for name, one in wanted.items() if sight.shows(one)
        ],
        "names": {name: role.name.resolved().words() for name, role in policy().roles.items()},
    }


async def commanded_by(bus: Asking, code: str, gateway: str, rule: str) -> list[str]:
    """What a tripped linkage holds at a gateway and what its restore commands there, by paths; of a rule that the site
    has no more this is all that is known. Nothing where it has not tripped, or the gateway does not answer."""
    told = (await told_by(bus, code, [gateway], b'{"linkages": true}', "linkages"))[gateway] or {"linkages": []}
    return [path for each in told["linkages"] if each["rule"] == rule for path in (*each["holds"], *each["command"])]


async def latched(bus: Asking, site: Site) -> dict[str, list[dict[str, Any]] | None]:
    """Gateway → what is latched there until a person restores it, for who signs for it: `id` of the rule, its `name`,
    `since` when (µs UTC) and what it `holds`; None for one of which that is not known."""
    known = {one.id: one.name.words() for one in site.linkages}
    answers = await told_by(bus, site.code, site.gateways(), b'{"linkages": true}', "linkages")
    return {
        gateway: None
        if told is None or told["trouble"] is not None
        else [
            {
                "id": each["rule"],
                "name": known.get(each["rule"], {"zh": each["rule"], "en": each["rule"]}),
                "since": each["at"],
                "doubt": each["doubt"],
                "holds": {**each["holds"], **each["command"]},
                "gateway": gateway,
            }
            for each in told["linkages"]
            if each["held"] or each["doubt"]
        ]
        for gateway, told in answers.items()
    }


class _Sight:
    """What one caller sees of linkages."""

    def __init__(self, catalogue: Catalogue, whole: Site) -> None:
        self._seen = {catalogue.points[row].path for row in catalogue.rows.tolist()}
        self._points = {point.path: point for point in whole.points}

    def shows(self, one: Linkage) -> bool:
        return any(path in self._seen for path in (*one.written(), *one.points()))

    def linkage(self, one: Linkage, known: bool, told: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
        effects = {policy().effect(self._points[path], value) for path, value in one.restores().items()
                   if path in self._points}  # fmt: skip
        roles = [
            name
            for name in policy().roles
            if policy().acts([name], Act.RESTORE) and all(policy().does([name], effect) for effect in effects)
        ]
        whole = all(path in self._seen for path in one.written())
        beyond = not whole or any(path not in self._seen for path in one.points())
        return {
            "id": one.id,
            "name": one.name.words(),
            "act": str(one.act),
            "shadow": one.shadow,
            "known": known,
            "trips": [self._written(path, value) for path, value in one.command.items()],
            "restores": [self._written(path, value) for path, value in one.restores().items()],
            "roles": roles,
            "persons": 2 if effects & set(policy().two_persons.effects) else 1,
            "whole": whole,
            "gateways": list(one.gateways),
            "tripped": [self._tripped(gateway, each, beyond) for gateway, each in told],
        }

    def _written(self, path: str, value: float) -> dict[str, Any]:
        point = self._points.get(path)
        if path not in self._seen or point is None:
            return {"point": "", "name": BEYOND.words(), "value": None, "state": Name("", "").words()}
        state = point.called(value) or Name("", "")
        return {"point": path, "name": point.name.words(), "value": value, "state": state.words()}

    def _tripped(self, gateway: str, told: Mapping[str, Any], beyond: bool) -> dict[str, Any]:
        refusal = told["refusal"]
        if refusal is not None and beyond:
            # Its words name points and values that are another's to see.
            refusal = Name("复位条件不满足或不明", "what must hold to restore does not, or is not known").words()
        return {
            "gateway": gateway,
            **{name: told[name] for name in ("at", "done", "held", "doubt", "holding")},
            "when": [self._condition(each) for each in told["when"]],
            "restore": [self._condition(each) for each in told["restore"]],
            "refusal": refusal,
        }

    def _condition(self, told: Mapping[str, Any]) -> dict[str, Any]:
        point = self._points.get(told["point"])
        if point is None or point.path not in self._seen:
            nothing = {"point": "", "name": BEYOND.words(), "wanted": "", "now": None, "quality": None, "ts": None}
            return {**nothing, "holds": told["met"], "lost": told["lost"]}
        return {
            "point": point.path,
            "name": point.name.words(),
            "wanted": told["is"].partition(" ")[2],
            "now": told["value"],
            "quality": told["quality"],
            "ts": told["ts"] or None,
            "holds": told["met"],
            "lost": told["lost"],
        }


def _concerns(paths: Iterable[str], machine: str) -> bool:
    return not machine or any(path.split("/")[1] == machine for path in paths)


def _gone(rule: str, told: list[dict[str, Any]]) -> Linkage:
    """What is left of a rule that the site has no more: what it holds."""
    holds = {path: value for each in told for path, value in each["holds"].items()}
    return Linkage(rule, Name(rule, rule), Does.SET, False, Conditions((), False), (), holds, 0.0, "")


def _of_gateway(name: str, told: dict[str, Any] | None) -> dict[str, Any]:
    trouble = None if told is None else told["trouble"]
    return {"name": name, "answers": told is not None and trouble is None, "trouble": trouble}
