"""Findings of what people recorded: values entered in place of a machine's, and events longer than any true one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models.kpi.findings import Finding
from models.site.model import Name, Point
from models.utilisation.units import Unit

ENTERED = "entered"
OVERLONG = "overlong"
_NAMES = {
    ENTERED: Name("人工录入的数据计入指标", "a person entered what it is judged by"),
    OVERLONG: Name(
        "记录未结束或过长，按上限计", "a record without an end, or too long a one: it counts for the longest"
    ),
}


def entered(unit: Unit, point: Point, entry: int, instants: Iterable[int]) -> Finding:
    """`entry`: the number of the manual entry; `instants`: of its samples, µs UTC, at least one."""
    every = sorted(instants)
    numbers = {"entry": float(entry), "samples": float(len(every))}
    return _finding(ENTERED, unit, point.equipment, every[0], every[-1] + 1, numbers, (point.path,))


def overlong(
    unit: Unit, events: Iterable[tuple[str, int, int | None]], longest: int, start: int, end: int
) -> Iterator[Finding]:
    """Of events (equipment, start, end) those that began in [start, end) and that last, or have no end, beyond
    `longest`; all µs UTC."""
    for equipment, begin, until in events:
        if start <= begin < end and (until is None or until - begin > longest):
            numbers = {"counted_s": longest / 1e6} | ({} if until is None else {"recorded_s": (until - begin) / 1e6})
            yield _finding(OVERLONG, unit, equipment, begin, end if until is None else min(until, end), numbers, ())


def _finding(
    key: str, unit: Unit, equipment: str, start: int, end: int, numbers: dict[str, float], points: tuple[str, ...]
) -> Finding:
    return Finding(key, _NAMES[key], unit.category, unit.id, equipment, start, end, numbers, points)
