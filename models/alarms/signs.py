"""What each sample says of each alarm that is judged on it: ON, OFF or HOLD."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.alarms.lanes import Form
from models.alarms.rows import VOID, Latest, Rows
from models.alarms.rules import Rules
from models.alarms.tables import PASS, SIZE, place
from models.alarms.track import HOLD, OFF, ON, Track, Turns


class Signs:
    """Of `count` points of a site."""

    def __init__(self, rules: Rules, count: int) -> None:
        self.lanes = rules.lanes
        self.tables = rules.tables.array()
        self.derived = rules.derived
        self.first = np.searchsorted(self.lanes.point, np.arange(count + 1))
        """The lanes of point p are first[p] to first[p + 1]."""
        self.by_table = self.lanes.form != Form.LEVEL
        self.of_value = self.lanes.form != Form.QUALITY
        self.gated = self.lanes.gate >= 0
        self.low, self.high = self._bands(count)
        self.by_gate = np.zeros(count, np.bool_)
        self.by_gate[self.lanes.point[self.gated]] = True

    def lanes_of(self, point: NDArray[np.intp]) -> NDArray[np.intp]:
        """All lanes that are judged on these points."""
        own = [number for number, each in enumerate(self.derived) if np.isin(each.inputs, point).any()]
        return np.concatenate([np.array(own, np.intp), self._pairs(point)[0]])

    def judge(self, rows: Rows, before: Latest, track: Track, *, standing: bool = False) -> Turns:
        """`before`: the points before these rows. `standing`: the rows are no samples but what stands, so that they
        say nothing of how fast it changes."""
        loud = self._loud(rows, before, track)
        lane, row = self._pairs(rows.point[loud])
        row = loud[row]
        code = self._codes(lane, row, rows, before)
        touched = np.zeros(len(self.lanes), np.bool_)
        touched[lane[track.concerns(lane, code)]] = True
        kept = np.flatnonzero(touched[lane])
        kept = kept[np.argsort(lane[kept], kind="stable")]
        at = row[kept]
        parts = [
            *self._own(rows, before, standing=standing),
            (lane[kept], rows.ts[at], code[kept], rows.value[at], rows.quality[at]),
        ]
        return track.judge(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _own(self, rows: Rows, before: Latest, *, standing: bool) -> Iterator[tuple[NDArray[np.generic], ...]]:
        """Lane, time, code, value and quality of the alarms over several points: the first lanes, in their order."""
        if not self.derived:
            return
        there = np.zeros(len(self.low), np.bool_)
        there[rows.point] = True
        for number, each in enumerate(self.derived):
            if not there[list(each.inputs)].any() or (standing and each.tree is None):
                continue
            ts, value, quality = each.at(rows, there, before, self.tables)
            height = value * self.lanes.side[number]
            code = np.full(len(ts), HOLD, np.int8)
            code[height < self.lanes.back[number]] = OFF
            code[height >= self.lanes.level[number]] = ON
            code[VOID[quality]] = HOLD
            yield np.full(len(ts), number), ts, code, value, quality

    def _loud(self, rows: Rows, before: Latest, track: Track) -> NDArray[np.intp]:
        """The rows that may change anything: all but those of points at rest that stay within their band, or what they
        were (which said something else when a gate was shut, or to other rules). Nearly all samples are of that kind,
        and end here."""
        point, value = rows.point, rows.value
        many = np.append(0, np.cumsum(track.restless()))
        busy = many[self.first[1:]] > many[self.first[:-1]]
        calm = ((value > self.low[point]) & (value < self.high[point])) | (
            (value == before.value[point]) & before.judged[point] & ~VOID[before.quality[point]] & ~self.by_gate[point]
        )
        calm &= ~(busy[point] | VOID[rows.quality])
        if calm.all():
            return np.empty(0, np.intp)
        loud = np.zeros(len(self.low), np.bool_)
        loud[point[~calm]] = True
        return np.flatnonzero(loud[point])

    def _bands(self, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Between which every lane of a point says OFF; nowhere where a table says it."""
        low, high = np.full(count, -np.inf), np.full(count, np.inf)
        lanes = self.lanes
        level = (lanes.form == Form.LEVEL) & (lanes.point >= 0)
        above, below = level & (lanes.side > 0), level & (lanes.side < 0)
        np.minimum.at(high, lanes.point[above], lanes.back[above])
        np.maximum.at(low, lanes.point[below], -lanes.back[below])
        high[lanes.point[lanes.form == Form.STATES]] = -np.inf
        return low, high

    def _pairs(self, point: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Lane and row of every lane of every row's point."""
        first = self.first[point]
        many = self.first[point + 1] - first
        row = np.repeat(np.arange(len(point)), many)
        begins = np.cumsum(many) - many
        return np.arange(len(row)) + np.repeat(first - begins, many), row

    def _codes(self, lane: NDArray[np.intp], row: NDArray[np.intp], rows: Rows, before: Latest) -> NDArray[np.int8]:
        lanes, value = self.lanes, rows.value[row]
        height = value * lanes.side[lane]
        code = np.full(len(lane), HOLD, np.int8)
        code[height < lanes.back[lane]] = OFF
        code[height >= lanes.level[lane]] = ON
        pick = np.flatnonzero(self.by_table[lane])
        if len(pick):
            of = lane[pick]
            said = np.where(self.of_value[of], place(value[pick]), rows.quality[row[pick]])
            code[pick] = self.tables[lanes.table[of] * SIZE + said]
        pick = np.flatnonzero(self.gated[lane])
        if len(pick):
            of = lane[pick]
            gate = lanes.gate[of].astype(np.intp)
            state = rows.state_at(gate, rows.ts[row[pick]], before, lanes.gate_us[of])
            said = self.tables[lanes.gate_table[of] * SIZE + place(state)]
            code[pick] = np.where(said == PASS, code[pick], said)
        void = VOID[rows.quality] | np.isnan(rows.value)
        if void.any():
            code[void[row] & self.of_value[lane]] = HOLD
        return code
