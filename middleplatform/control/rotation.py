"""Which pump of a rotation is to be started or stopped now: by the sump's level, the hour's tariff, and hours run.

Between low and high, pumping is for the valley of the tariff; it begins at `start` there, at `high` in flat hours, and
in dear hours not before `high_high`, which forces a second pump too, whatever the hour. What runs goes on until `low`,
but in dear hours only while the water stands above `high`.

Nothing is decided upon what is not known: without the level nothing is done, without a pump's state or the hours run
none is started. At high_high what is known has to do: better the wrong pump than none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from models.sequence import Look, Rotation, Turn
from models.site.model import Name
from models.tariffs import Period

FORCED = 2
"""Pumps at high_high."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to do: the sequence to be started, "" for nothing, and why."""

    sequence: str
    words: Name


def choose(rotation: Rotation, look: Look, period: Period, failed: Collection[str] = ()) -> Choice:
    """`failed`: pumps whose start has failed of late: others are taken before them."""
    level = look(rotation.level)
    if level is None:
        return Choice("", Name("水位未知：不动作", "the level is not known: nothing is done"))
    states = {turn.id: turn.running.met(look) for turn in rotation.turns}
    on = [turn for turn in rotation.turns if states[turn.id]]
    unknown = [turn.id for turn in rotation.turns if states[turn.id] is None]
    wanted, why = _wanted(rotation, level, len(on), period)
    if len(on) > wanted:
        turn = max(on, key=lambda each: _worn(each, look))
        return Choice(turn.stop, Name(f"{why.zh}：停 {turn.id}", f"{why.en}: stop {turn.id}"))
    if len(on) >= wanted:
        return Choice("", why)
    # A pump of which nothing is known may run: it counts as running before another one is started.
    if len(on) + len(unknown) >= wanted:
        which = ", ".join(unknown)
        return Choice(
            "", Name(f"{why.zh}：{which} 状态未知，不启动", f"{why.en}: {which} not known, nothing is started")
        )
    free = [turn for turn in rotation.turns if states[turn.id] is False]
    best = min(free, key=lambda each: (each.id in failed, *_wear(each, look)), default=None)
    return _started(best, look, why, forced=level >= rotation.high_high)


def _started(best: Turn | None, look: Look, why: Name, *, forced: bool) -> Choice:
    if best is None:
        return Choice("", Name(f"{why.zh}：无泵可启", f"{why.en}: there is no pump to start"))
    if look(best.hours) is None and not forced:
        words = f"{why.en}: hours run are not known, nothing is started"
        return Choice("", Name(f"{why.zh}：运行时间未知，不启动", words))
    return Choice(best.start, Name(f"{why.zh}：启 {best.id}", f"{why.en}: start {best.id}"))


def _wanted(rotation: Rotation, level: float, on: int, period: Period) -> tuple[int, Name]:
    if level <= rotation.low:
        return 0, Name("低水位", "low level")
    if level >= rotation.high_high:
        return max(on, FORCED), Name("高高水位，强制排水", "high-high level, forced")
    if period.dear:
        return (on if level >= rotation.high else 0), Name("峰时段避峰", "dear hours")
    begins = rotation.start if period.cheap else rotation.high
    words = Name("谷时段", "valley hours") if period.cheap else Name("平时段", "flat hours")
    return (max(on, 1) if level >= begins else on), words


def _wear(turn: Turn, look: Look) -> tuple[bool, float]:
    """The least worn first; one whose hours are not known is never taken for a new one."""
    hours = look(turn.hours)
    return hours is None, hours or 0.0


def _worn(turn: Turn, look: Look) -> tuple[bool, float]:
    hours = look(turn.hours)
    return hours is not None, hours or 0.0
