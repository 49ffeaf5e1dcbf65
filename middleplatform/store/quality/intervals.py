"""The stretches in which a point was not good, each with what it is laid to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.errors import StoreError
from middleplatform.store.held import Holding, Spans
from middleplatform.store.integrate import Rows
from middleplatform.store.quality.judgement import CAUSES, RULES, judgement
from models.quality import GOOD

SCHEMA = pa.schema(
    [
        ("point", pa.uint64()),
        ("begin", pa.int64()),
        ("end", pa.int64()),
        ("silent", pa.bool_()),
        ("quality", pa.uint8()),
        ("cause", pa.string()),
        ("breaks", pa.string()),
    ]
)
"""`quality`: the code, limit bits left out; 0 where silent. `cause`: of CAUSES. `breaks`: of RULES, "" for none."""
MOST = 1_000_000
"""Stretches, good ones included, that are held at once."""
_SILENT = 256


@dataclass
class _Runs:
    """Stretches by point (an index) and time; `code` is a quality or _SILENT."""

    point: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    code: NDArray[np.int64]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> _Runs:
        return _Runs(self.point[rows], self.begin[rows], self.end[rows], self.code[rows])

    def merged(self) -> _Runs:
        """Those that go on with the same code as one."""
        if not len(self.point):
            return self
        apart = (self.point[1:] != self.point[:-1]) | (self.code[1:] != self.code[:-1])
        starts = np.flatnonzero(np.append(True, apart | (self.begin[1:] != self.end[:-1])))
        ends = np.append(starts[1:], len(self.point)) - 1
        return _Runs(self.point[starts], self.begin[starts], self.end[ends], self.code[starts])


def _join(parts: list[_Runs]) -> _Runs:
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in ("point", "begin", "end", "code"))
    return _Runs(*columns)


class Intervals:
    """Gathers rows (`integrate.Rows`, those before `start` included) of `points` (uint64, ascending) whose values
    hold for `age` µs. `since`: from when on something is expected of each, µs UTC; nothing before counts."""

    def __init__(
        self,
        points: NDArray[np.uint64],
        age: NDArray[np.int64],
        start: int,
        end: int,
        since: NDArray[np.int64] | None = None,
    ) -> None:
        self._points, self._end = points, end
        self._from = np.clip(start if since is None else since, start, end) + np.zeros(len(points), np.int64)
        self._holding = Holding(age, start, end)
        self._parts: list[_Runs] = []
        self._held = 0

    def add(self, rows: Rows) -> None:
        """Take in the next rows. Raises StoreError when there are too many stretches."""
        self._keep(self._holding.add(rows))

    def result(self) -> pa.Table:
        """The stretches of SCHEMA, by point and time: what is not good, and what is silent."""
        self._keep(self._holding.rest())
        none = np.empty(0, np.int64)
        runs = _join([_Runs(none, none, none, none), *self._parts])
        order = np.lexsort((runs.begin, runs.point))
        runs = runs.take(order).merged()
        runs = _join([runs, self._gaps(runs)])
        order = np.lexsort((runs.begin, runs.point))
        runs = runs.take(order)
        runs = runs.take((runs.code < GOOD) | (runs.code == _SILENT))
        silent = runs.code == _SILENT
        quality = np.where(silent, 0, runs.code).astype(np.uint8)
        rules = judgement()
        cause = np.where(silent, rules.silence, rules.cause[quality])
        breaks = np.where(silent, -1, rules.breaks[quality])
        columns = [
            self._points[runs.point],
            runs.begin,
            runs.end,
            pa.array(silent),
            quality,
            pa.array(np.array([*CAUSES, ""], object)[cause], pa.string()),
            pa.array(np.array([*RULES, ""], object)[breaks], pa.string()),
        ]
        return pa.table(columns, schema=SCHEMA)

    def _keep(self, spans: Spans) -> None:
        code = np.where(spans.quality >= GOOD, GOOD, spans.quality & 0xFC).astype(np.int64)
        runs = _Runs(spans.point, np.maximum(spans.begin, self._from[spans.point]), spans.end, code)
        runs = runs.take(runs.begin < runs.end)
        # A chunk's first rows may go on with what an earlier chunk held back: by point, then time.
        runs = runs.take(np.lexsort((runs.begin, runs.point))).merged()
        self._held += len(runs.point)
        if self._held > MOST:
            raise StoreError(f"quality changed over {MOST} times: ask for a shorter range or fewer points")
        self._parts.append(runs)

    def _gaps(self, runs: _Runs) -> _Runs:
        """What lies between the stretches of each point, and before and after them."""
        all_points = np.arange(len(self._points))
        point = np.concatenate([runs.point, all_points])
        # A stretch without length at the end of each point closes its last gap.
        begin = np.concatenate([runs.begin, np.full(len(all_points), self._end)])
        end = np.concatenate([runs.end, np.full(len(all_points), self._end)])
        order = np.lexsort((begin, point))
        point, begin, end = point[order], begin[order], end[order]
        before = np.append(0, end[:-1])
        opens = np.append(True, point[1:] != point[:-1])
        before[opens] = self._from[point[opens]]
        open_ = begin > before
        return _Runs(point[open_], before[open_], begin[open_], np.full(int(open_.sum()), _SILENT))
