"""Whether conditions have held for long enough: the part of a run that is not kept, and begins anew after a kill."""

from __future__ import annotations

from collections.abc import Iterable

from models.sequence import Condition, Emptying, Look, Step, short
from models.site.model import Name

UNKNOWN_S = 5.0
"""How long what must stay true may be unknown before a run holds: longer than a poll that is lost."""
STANDS_M_PER_S = 0.05
LONGEST_TICK_S = 2.0
"""A belt's way is not counted over a gap that nobody watched."""


class Watch:
    """Looks at one step's confirmation and at what must stay true. Times µs UTC."""

    def __init__(self) -> None:
        self._true: dict[Condition, int] = {}
        self._false: dict[Condition, int] = {}
        self._unknown: dict[Condition, int] = {}
        self._way_m = 0.0
        self._empty_since: int | None = None
        self._seen: int | None = None

    def next_step(self) -> None:
        """Another step is looked at."""
        self._true.clear()
        self._way_m, self._empty_since, self._seen = 0.0, None, None

    def already(self, step: Step, look: Look) -> bool:
        """Whether the step's conditions are all true before anything was commanded."""
        met = [condition.met(look) is True for condition in step.until]
        return bool(met) and (any(met) if step.any_of else all(met))

    def confirmed(self, step: Step, since: int, now: int, look: Look) -> bool:
        """Whether the step, which began at `since`, is through."""
        if step.wait_s:
            return now - since >= step.wait_s * 1e6
        if step.empties is not None:
            return self._emptied(step.empties, now, look)
        if not step.until:
            return True
        held = [self._lasts(condition, now, look) for condition in step.until]
        return any(held) if step.any_of else all(held)

    def _lasts(self, condition: Condition, now: int, look: Look) -> bool:
        if condition.met(look) is not True:
            self._true.pop(condition, None)
            return False
        return now - self._true.setdefault(condition, now) >= condition.lasting_s * 1e6

    def _emptied(self, empties: Emptying, now: int, look: Look) -> bool:
        speed = look(empties.speed)
        if speed is not None and self._seen is not None:
            self._way_m += max(speed, 0.0) * min((now - self._seen) / 1e6, LONGEST_TICK_S)
        self._seen = now
        stands = speed is not None and speed <= STANDS_M_PER_S
        if self._way_m < empties.length_m and not stands:
            self._empty_since = None
            return False
        if self._empty_since is None:
            self._empty_since = now
        return now - self._empty_since >= empties.margin_s * 1e6

    def lost(self, kept: Iterable[Condition], now: int, look: Look) -> Name | None:
        """What must stay true and is not, if any, in words."""
        for condition in kept:
            if condition.met(look) is not False:
                self._false.pop(condition, None)
            elif now - self._false.setdefault(condition, now) >= condition.lasting_s * 1e6:
                text = condition.text()
                return Name(f"必须保持的条件不再成立：{text}", f"what must stay true is not any more: {text}")
        return None

    def unsure(self, kept: Iterable[Condition], now: int, look: Look) -> Name | None:
        """What must stay true and has not been known for too long, if any, in words."""
        found = None
        for condition in kept:
            if condition.met(look) is not None:
                self._unknown.pop(condition, None)
            elif now - self._unknown.setdefault(condition, now) >= UNKNOWN_S * 1e6 and found is None:
                where = short(condition.point)
                found = Name(f"{where} 已 {UNKNOWN_S:g} 秒未知", f"{where} has not been known for {UNKNOWN_S:g} s")
        return found

    @staticmethod
    def sure(kept: Iterable[Condition], look: Look) -> bool:
        """Whether all that must stay true is known and true at this moment: only then is anything commanded."""
        return all(condition.met(look) is True for condition in kept)
