"""What is open in a mine at a moment, for the one who takes it over: alarms, tickets, runs of sequences, rotations,
the tags that hang, linkages that are latched, and commands of which nobody knows what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from middleplatform.alarms.book import alarms_of
from middleplatform.control import book as runs
from middleplatform.control import turning
from middleplatform.database import Place
from middleplatform.tickets import book as tickets
from models.site.model import Site

MOST = 500
"""Of each kind; how many there are beyond is told."""
_READ = 10_000

UNANSWERED = "unanswered"
"""The kind that stands for gateways that did not say which tags hang or which linkages are latched: it is not known
then, and not none."""

LEFT_OUT = "left_out"
"""The kind that stands for what is beyond `MOST`: `id` is the kind, `count` how many."""

Things = Mapping[str, Sequence[Mapping[str, Any]]]
Tags = Mapping[str, Sequence[Mapping[str, Any]] | None]
"""Gateway → the tags that hang at it; None where it did not answer."""
Latches = Mapping[str, Sequence[Mapping[str, Any]] | None]
"""Gateway → the linkages that are latched at it, each with what it `holds` by paths; None where it did not say."""


def open_things(
    where: Place,
    site: Site,
    at: int,
    tags: Tags | None = None,
    latches: Latches | None = None,
    unknown: Sequence[Mapping[str, Any]] = (),
) -> dict[str, list[dict[str, Any]]]:
    """Kind → each with `subjects` (paths that it is about) and what a reader needs. `at`: µs UTC; `unknown`: commands
    that nobody has settled, each with its `point` by path."""
    mine = site.code
    asked = [*(tags or {}).items(), *(latches or {}).items()]
    alarms = alarms_of(where, mine, at=at)
    waiting = tickets.listed(where, mine, state=tickets.State.WAITING, limit=_READ)
    valid = tickets.in_force(where, mine, at)
    going = runs.listed(where, mine, going=True, limit=_READ)
    found = {
        "alarms": [
            {
                "id": each.id, "rule": each.rule, "subjects": [each.subject], "priority": each.priority,
                "state": str(each.state), "since": each.since, "suppressed": [str(kind) for kind in each.suppressed],
            }
            for each in alarms
        ],
        "tickets": [
            {
                "id": each.id, "kind": str(each.kind), "state": str(each.state), "reason": each.reason, "who": each.who,
                "subjects": list(each.extent), "end": each.end,
            }
            for each in [*waiting, *valid]
        ],
        "runs": [
            {
                "id": each.id, "sequence": each.sequence.id, "name": each.sequence.name.words(),
                "phase": str(each.phase), "who": each.who, "subjects": sorted(each.sequence.writes()),
            }
            for each in going
        ],
        "rotations": [
            {"id": name, "name": _called(site, name), "who": who, "subjects": _points(site, name)}
            for name, who in turning.running(where, mine).items()
        ],
        "tags": [
            {**tag, "subjects": [f"{mine}/{tag['equipment']}"]} for told in (tags or {}).values() for tag in told or ()
        ],
        "linkages": [
            {**latch, "subjects": sorted(latch["holds"]) or [mine]}
            for told in (latches or {}).values()
            for latch in told or ()
        ],
        "unknown": [{**each, "subjects": [each["point"]]} for each in unknown],
    }  # fmt: skip
    return {
        **{kind: things[:MOST] for kind, things in found.items()},
        UNANSWERED: [
            {"id": name, "subjects": [mine]} for name in dict.fromkeys(name for name, told in asked if told is None)
        ],
        LEFT_OUT: [
            {"id": kind, "subjects": [mine], "count": len(things) - MOST}
            for kind, things in found.items()
            if len(things) > MOST
        ],
    }


def listed(things: Things) -> dict[str, list[Mapping[str, Any]]]:
    """Without the kinds that stand for what is not told one by one."""
    return {kind: list(each) for kind, each in things.items() if kind not in (UNANSWERED, LEFT_OUT)}


def left_out(things: Things) -> dict[str, int]:
    """Kind → how many there are beyond those that are told."""
    return {each["id"]: each["count"] for each in things.get(LEFT_OUT, ())}


def changed(before: Things, now: Things) -> dict[str, dict[str, list[Mapping[str, Any]]]]:
    """What has `appeared` and what is `gone` since, by kind. What is not known is neither: of a kind that was or is not
    told whole, of one that a hand-over of long ago did not keep, and of tags and linkages whose gateway is silent."""
    silent = {each["id"] for each in now.get(UNANSWERED, ())}
    old, new = listed(before), listed(now)
    appeared, gone = {}, {}
    for kind in old.keys() | new.keys():
        was, is_ = ({_identity(each): each for each in side.get(kind, ())} for side in (old, new))
        if kind in old and kind not in left_out(before):
            appeared[kind] = [each for name, each in is_.items() if name not in was]
        if kind not in left_out(now):
            gone[kind] = [
                each for name, each in was.items() if name not in is_ and each.get("gateway", "") not in silent
            ]
    sides = {"appeared": appeared, "gone": gone}
    return {side: {kind: each for kind, each in sorted(kinds.items()) if each} for side, kinds in sides.items()}


def _identity(thing: Mapping[str, Any]) -> tuple[Any, ...]:
    """Tags of two machines may have one id."""
    return (thing["id"], thing.get("gateway"), thing.get("equipment"))


def _called(site: Site, rotation: str) -> dict[str, str] | None:
    found = site.rotations.get(rotation)
    return None if found is None else found.name.words()


def _points(site: Site, rotation: str) -> list[str]:
    """What a rotation is about; one that the site has no more is about the mine."""
    found = site.rotations.get(rotation)
    return [site.code] if found is None else sorted(found.points())
