"""What each command of a linkage does to its machine: a rule's name for itself decides nothing that its values say."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.writer import Places
from models.control.effects import Effect
from models.control.policy import policy
from models.site.model import Act, Linkage

STOPS = (Act.POWER_OFF, Act.STOP)
"""Acts that are written until they hold, however late, and again when what must follow ceases to."""
ENERGISES = (Effect.START, Effect.POWER_ON)


def effects(places: Places, command: Mapping[str, float]) -> dict[str, Effect]:
    """By path; of a point that is not here, `set`."""
    found = {}
    for path, value in command.items():
        place = places.find(path)
        found[path] = Effect.SET if place is None else policy().effect(place[0].table.points[place[1]], value)
    return found


def stopping(rule: Linkage, done: Mapping[str, Effect]) -> frozenset[str]:
    """Which of a rule's commands stop a machine or take its power away. Where none is known to, those of which nobody
    can say what they do are taken at the rule's word."""
    known = frozenset(path for path, effect in done.items() if effect.safe)
    if known or rule.act not in STOPS:
        return known
    return frozenset(path for path, effect in done.items() if effect is Effect.SET)
