"""What the engine works on, as columns: a lane is one alarm of one subject, judged on one point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOREVER_US = 1 << 62
"""Of a gate that is never too old."""


class Form(IntEnum):
    """How a lane judges."""

    LEVEL = 0
    STATES = 1
    QUALITY = 2


@dataclass(frozen=True, slots=True)
class Lane:
    """`rule`: its place in Rules.facts. `point`, `gate`: places in Site.points, -1 for none. LEVEL: the value times
    `side` holds from `level` on, and ends below `back`. STATES and QUALITY: by row `table` of the tables. `gate_us`: a
    gate that was not heard of for longer is not known, and lets the value pass, as a bad one does."""

    rule: int
    point: int
    subject: str
    form: Form = Form.LEVEL
    side: float = 1.0
    level: float = np.inf
    back: float = -np.inf
    table: int = 0
    gate: int = -1
    gate_table: int = 0
    gate_us: int = FOREVER_US
    on_s: float = 0.0
    off_s: float = 0.0

    def at_level(self, side: float, level: float, back: float) -> Lane:
        """`side` 1: too high is bad; -1: too low."""
        return replace(self, form=Form.LEVEL, side=side, level=side * level, back=side * back)

    def at_states(self, table: int) -> Lane:
        return replace(self, form=Form.STATES, table=table)

    def at_quality(self, table: int) -> Lane:
        return replace(self, form=Form.QUALITY, table=table)


@dataclass(frozen=True, slots=True)
class Silence:
    """An alarm when no sample of `points` (places in Site.points) came for `limit` µs. `common`: theirs together, of a
    connection; a point has at most one of its own and one in common with others."""

    rule: int
    subject: str
    points: tuple[int, ...]
    limit: int
    common: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """Lanes as columns, by point. `subject` is a tuple of texts; delays µs."""

    rule: NDArray[np.int32]
    point: NDArray[np.int32]
    form: NDArray[np.uint8]
    side: NDArray[np.float64]
    level: NDArray[np.float64]
    back: NDArray[np.float64]
    table: NDArray[np.intp]
    gate: NDArray[np.int32]
    gate_table: NDArray[np.intp]
    gate_us: NDArray[np.int64]
    on_us: NDArray[np.int64]
    off_us: NDArray[np.int64]
    subject: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rule)

    @staticmethod
    def of(lanes: Sequence[Lane]) -> Lanes:
        lanes = sorted(lanes, key=lambda lane: lane.point)

        def column(name: str, kind: Any, factor: float = 1.0) -> Any:
            made = np.fromiter((getattr(lane, name) for lane in lanes), np.float64, len(lanes))
            return (np.round(made * factor) if factor != 1.0 else made).astype(kind)

        return Lanes(
            column("rule", np.int32),
            column("point", np.int32),
            column("form", np.uint8),
            column("side", np.float64),
            column("level", np.float64),
            column("back", np.float64),
            column("table", np.intp),
            column("gate", np.int32),
            column("gate_table", np.intp),
            np.array([lane.gate_us for lane in lanes], np.int64),
            column("on_s", np.int64, 1e6),
            column("off_s", np.int64, 1e6),
            tuple(lane.subject for lane in lanes),
        )
