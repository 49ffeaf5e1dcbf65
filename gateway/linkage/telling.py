"""What linkages did and why, as events of kind `linkage`: one a trip, brought up to date while it lasts."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from gateway.linkage.judge import Seen
from models.events import MAX_ATTRIBUTES, Event, event_id
from models.quality import GOOD
from models.site.model import Linkage, Name

log = structlog.get_logger(__name__)

KIND = "linkage"
REASON = 1_000
"""So many characters of a reason are told where an event is too large."""


class Saying:
    """Makes the events of the gateway `gateway` of the mine `code` and hands them to `emit`."""

    def __init__(
        self, code: str, gateway: str, emit: Callable[[Sequence[Event]], None], reads: Callable[[str], bool]
    ) -> None:
        """`reads`: whether this gateway reads a point."""
        self._code, self._gateway, self._emit, self._reads = code, gateway, emit, reads

    def say(
        self,
        act: str,
        rule: Linkage | str,
        start: int,
        reason: Name,
        *,
        end: int | None = None,
        inputs: Sequence[Seen] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell of an act of a rule that began at `start` (µs UTC). The same act, rule and start is the same event.
        `act`: trip, shadow, not_needed, restore, refused, feed_fault, lost."""
        known = rule if isinstance(rule, Linkage) else None
        name = rule.id if isinstance(rule, Linkage) else rule
        told: dict[str, Any] = {"rule": name, "act": act, "reason": reason.en, "reason_zh": reason.zh}
        if known is not None:
            told |= {"version": known.version, "name": known.name.en, "name_zh": known.name.zh, "does": str(known.act)}
            told |= {"within_s": known.within_s, "priority": known.priority}
            if known.notice is not None:
                told |= {"notice": known.notice.en, "notice_zh": known.notice.zh}
        if inputs:
            told["inputs"] = [as_told(seen) for seen in inputs]
        event = Event(
            id=event_id(self._of(known), KIND, f"{name}/{act}/{start}"),
            equipment=self._of(known),
            kind=KIND,
            start=start,
            end=end,
            quality=GOOD,
            source=f"gateway-{self._gateway}",
            attributes=_fitting(told | dict(more or {})),
        )
        log.warning("linkage", rule=name, act=act, reason=reason.en)
        try:
            self._emit([event])
        except Exception as error:  # what is told is never in the way of what is done
            log.error("linkage_event_lost", rule=name, error=repr(error))

    def _of(self, rule: Linkage | None) -> str:
        """The equipment that an event is about: what is commanded first, else what is looked at, of what this gateway
        reads, for it speaks of no other's; without any, the gateway."""
        paths = () if rule is None else (*rule.command, *rule.points())
        path = next((path for path in paths if self._reads(path)), f"{self._code}/{self._gateway}/")
        return path.rpartition("/")[0]


def why(inputs: Sequence[Seen]) -> Name:
    """Why a linkage tripped, from what it was judged by."""
    met = [seen.comparison.text for seen in inputs if seen.met and not seen.lost]
    lost = [seen.comparison.point.partition("/")[2] for seen in inputs if seen.lost]
    zh, en = [], []
    if met:
        zh.append(f"条件成立：{'；'.join(met)}")
        en.append(f"it holds that {'; '.join(met)}")
    if lost:
        zh.append(f"传感器失联或数据不可用：{'；'.join(lost)}")
        en.append(f"lost: {'; '.join(lost)}")
    return Name("；".join(zh), "; ".join(en))


def as_told(seen: Seen) -> dict[str, Any]:
    """A comparison with what it was judged by, as it is told outside."""
    return {
        "point": seen.comparison.point,
        "is": seen.comparison.text,
        "value": seen.value if math.isfinite(seen.value) else None,
        "quality": seen.quality,
        "ts": seen.ts,
        "met": seen.met,
        "lost": seen.lost,
    }


def _fitting(told: dict[str, Any]) -> dict[str, Any]:
    """Within what an event may hold: what was neither met nor lost and what was done is left out first, and it is said
    how many were."""
    inputs = sorted(told.get("inputs", ()), key=lambda one: not (one["met"] or one["lost"]))
    written = sorted(told.get("written", {}).items(), key=lambda item: item[1].get("outcome") == "done")
    found, most = told, max(len(inputs), len(written))
    while _size(found) > MAX_ATTRIBUTES and most:
        most //= 2
        found = dict(told)
        if len(inputs) > most:
            found |= {"inputs": inputs[:most], "inputs_left_out": len(inputs) - most}
        if len(written) > most:
            found |= {"written": dict(written[:most]), "written_left_out": len(written) - most}
    if _size(found) > MAX_ATTRIBUTES:
        found |= {key: f"{found[key][:REASON]} …" for key in ("reason", "reason_zh")}
    return found


def _size(told: Mapping[str, Any]) -> int:
    return len(json.dumps(told, ensure_ascii=False).encode())
