"""Which hours of which points are not what they were: what came late, twice or corrected since somebody last asked.

Whoever keeps figures made of history asks this, and makes anew what lies on these hours. The answer can name hours that
did not change (a write of many samples marks the hours of all points), and never lacks one that did: an hour is marked
on disk before a sample of it is written, and stays marked until its roll-ups, which bear the version, are on disk.
Hours that are made anew because their values hold for another time now are not told: their samples are what they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.answers import said
from middleplatform.store.asked import points, whole_number
from middleplatform.store.client import UNTIL
from middleplatform.store.engine import Engine
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Handler
from middleplatform.store.history import MAX_POINTS, MAX_ROWS, check_points, check_range
from middleplatform.store.rollup_tables import HOUR
from middleplatform.store.windows import Windows

SCHEMA = pa.schema([("point", pa.uint64()), ("hour", pa.int64())])
"""`hour`: since 1970, UTC."""

# Without FINAL: a row that another replaced tells of the same window. One that took a window away tells of it, too.
_MADE = f"""SELECT point, intDiv(ts, {HOUR}) AS hour FROM rollup_1h
PREWHERE point IN {{points:Array(UInt64)}} AND ts >= {{start:Int64}} AND ts < {{end:Int64}}
WHERE ver > {{since:UInt64}} GROUP BY point, hour"""  # noqa: S608


class Changed:
    """Answers out of the marks and the roll-ups. Blocking; from any thread."""

    def __init__(self, engine: Engine, windows: Windows) -> None:
        self._engine = engine
        self._windows = windows

    def changed(self, points: Sequence[int], start: int, end: int, since: int) -> pa.Table:
        """Columns of SCHEMA, ordered: hours that touch [start, end), µs. In the metadata, under UNTIL, what to give for
        `since` the next time; 0 is the beginning. Hours that are still open count as changed for all points. Raises
        StoreError."""
        check_points(points)
        check_range(start, end)
        asked = np.unique(np.array(points, np.uint64))
        low, high = start // HOUR, -(-end // HOUR)
        # In this order: what is rolled up between two of them is then told twice, not never.
        until = self._windows.version()
        # A store that was brought back, or whose clock was set back, numbers anew: all of it may be other data.
        since = since if since <= until else 0
        marks, open_from = self._windows.marked(asked, low, high)
        params = {"points": asked.tolist(), "start": low * HOUR, "end": high * HOUR, "since": since}
        made = self._engine.query(_MADE, params)
        opened = max(0, high - max(low, open_from))
        if (waiting := opened + len(marks.whole)) * len(asked) > MAX_ROWS:
            raise StoreError(f"{waiting} hours of {len(asked)} points wait to be rolled up: ask for a shorter range")
        whole = np.array(sorted(marks.whole | set(range(high - opened, high))), np.int64)
        parts: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = [
            (np.repeat(asked, len(whole)), np.tile(whole, len(asked))),
            *((some, np.full(len(some), hour, np.int64)) for hour, some in marks.some.items()),
        ]
        if made.num_rows:
            point, hour = made.column("point").to_numpy(), made.column("hour").to_numpy()
            written = self._windows.written(low, high, since).of(asked, low, high)
            new = np.isin(hour, list(written.whole))
            for each, some in written.some.items():
                new |= (hour == each) & np.isin(point, some)
            parts.append((point[new], hour[new]))
        point, hour = (np.concatenate([part[n] for part in parts]) for n in range(2))
        order = np.lexsort((hour, point))
        point, hour = point[order], hour[order]
        new = np.append(True, (point[1:] != point[:-1]) | (hour[1:] != hour[:-1]))[: len(point)]
        table = pa.table([point[new], hour[new]], schema=SCHEMA)
        return table.replace_schema_metadata({UNTIL: str(until).encode()})


def handlers(changed: Changed, settle: Callable[[], bool]) -> dict[str, Handler]:
    """As the door serves it; it covers all that had come off the bus when it was asked."""

    def answer(asked: Mapping[str, Any]) -> pa.Table:
        named = points(asked, MAX_POINTS)
        start, end, since = (whole_number(asked, name) for name in ("start", "end", "since"))
        whole = settle()
        return said(changed.changed(named, start, end, since), whole)

    return {"changed": answer}
