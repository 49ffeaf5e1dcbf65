"""The truth of what the machines did, on disk: Parquet, in segments that are whole or not there.

`<home>/truth/intervals-<from>.parquet` and `events-<from>.parquet`, where <from> is the first instant in µs
UTC. A segment is written aside and renamed, so a kill costs at most what was not written yet.
What goes on when a segment ends is cut there; `read_intervals` joins it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulators.engine.block import Block
from simulators.truth.intervals import Intervals, Tracker

INTERVALS = pa.schema(
    [
        pa.field("equipment", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("tonnes", pa.float64()),
        pa.field("kwh", pa.float64()),
    ]
)
EVENTS = pa.schema(
    [
        pa.field("equipment", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("begin", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("attributes", pa.string(), nullable=False),
    ]
)
"""`attributes` is a JSON object."""
SEGMENT_S = 86_400.0
SEGMENT_ROWS = 500_000


class Happened(Protocol):
    """A record that a part of the mine made: a hole, a support's action, a check-in. Times in µs UTC."""

    @property
    def equipment(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def begin_us(self) -> int: ...
    @property
    def end_us(self) -> int: ...
    @property
    def attributes(self) -> Mapping[str, object]: ...


class TruthWriter:
    """Takes block after block of one engine and writes a segment every `every_s` simulated seconds, or when
    many rows wait. `columns`, `start_us`, `totals`: see `Tracker`."""

    def __init__(
        self,
        home: Path,
        columns: Mapping[str, int],
        start_us: int | None = None,
        *,
        totals: Mapping[str, float] | None = None,
        every_s: float = SEGMENT_S,
    ) -> None:
        self.folder = home / "truth"
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._tracker = Tracker(columns, start_us, totals)
        self._every_us = round(every_s * 1e6)
        self._from = start_us
        self._intervals: list[Intervals] = []
        self._events: list[Happened] = []
        self._rows = 0

    def take(self, block: Block, events: Iterable[Happened] = ()) -> None:
        """The next block, and what was recorded in it."""
        if not len(block.ts):
            return
        if self._from is None:
            self._from = int(block.ts[0])
        ended = self._tracker.take(block)
        self._intervals.append(ended)
        before = len(self._events)
        self._events.extend(events)
        self._rows += len(ended) + len(self._events) - before
        if block.ts[-1] - self._from >= self._every_us or self._rows >= SEGMENT_ROWS:
            self.flush()
            self._from = int(block.ts[-1])

    def flush(self) -> None:
        """Write what there is as a segment, all that goes on cut now."""
        self._intervals.append(self._tracker.cut())
        name = f"{self._from or 0:016d}"
        intervals = self._table()
        if len(intervals):
            _write(self.folder / f"intervals-{name}.parquet", intervals)
        if self._events:
            _write(self.folder / f"events-{name}.parquet", _events_table(self._events))
        self._intervals, self._events, self._rows = [], [], 0
        if len(intervals):
            self._from = max(intervals["end"].to_numpy().max(), self._from or 0)

    def close(self) -> None:
        """Write the last segment."""
        self.flush()

    def _table(self) -> pa.Table:
        def column(name: str) -> np.ndarray:
            return np.concatenate([getattr(part, name) for part in self._intervals])

        owners, kinds = np.array(self._tracker.names, object).reshape(-1, 2).T
        channel = column("channel")
        return pa.table(
            [
                pa.array(owners[channel], pa.string()),
                pa.array(kinds[channel], pa.string()),
                column("value"),
                column("start"),
                column("end"),
                pa.array(column("tonnes"), from_pandas=True),
                pa.array(column("kwh"), from_pandas=True),
            ],
            schema=INTERVALS,
        )


def _events_table(events: list[Happened]) -> pa.Table:
    return pa.table(
        [
            [event.equipment for event in events],
            [event.kind for event in events],
            [event.begin_us for event in events],
            [event.end_us for event in events],
            [json.dumps(dict(event.attributes), ensure_ascii=False, sort_keys=True) for event in events],
        ],
        schema=EVENTS,
    )


def _write(path: Path, table: pa.Table) -> None:
    aside = path.with_suffix(".writing")
    pq.write_table(table, aside, compression="zstd")
    aside.replace(path)


def read_intervals(home: Path) -> pa.Table:
    """All intervals in `home` by equipment, kind and start (INTERVALS), those that only a segment's end had
    cut joined again."""
    table = _read(home, "intervals", INTERVALS).sort_by(
        [("equipment", "ascending"), ("kind", "ascending"), ("start", "ascending")]
    )
    if len(table) < 2:
        return table
    start, end, value = (table[name].to_numpy() for name in ("start", "end", "value"))
    same = (start[1:] == end[:-1]) & (value[1:] == value[:-1])
    for name in ("equipment", "kind"):
        codes = table[name].combine_chunks().dictionary_encode().indices.to_numpy()
        same &= codes[1:] == codes[:-1]
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    last = np.concatenate([first[1:], [len(table)]]) - 1
    joined = table.take(first).set_column(4, INTERVALS.field("end"), pa.array(end[last]))
    for column, name in ((5, "tonnes"), (6, "kwh")):
        sums = np.add.reduceat(table[name].to_numpy(), first)
        joined = joined.set_column(column, INTERVALS.field(name), pa.array(sums, from_pandas=True))
    return joined


def read_events(home: Path) -> pa.Table:
    """All records in `home` by begin, equipment and kind (EVENTS)."""
    return _read(home, "events", EVENTS).sort_by(
        [("begin", "ascending"), ("equipment", "ascending"), ("kind", "ascending")]
    )


def _read(home: Path, what: str, schema: pa.Schema) -> pa.Table:
    parts = [pq.read_table(path, schema=schema) for path in sorted((home / "truth").glob(f"{what}-*.parquet"))]
    return pa.concat_tables(parts) if parts else schema.empty_table()
