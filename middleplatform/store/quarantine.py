"""Samples that the store does not take in yet, or never: set aside, counted, audited, released.

`unknown`: the id is not in its gateway's catalogue; released when the catalogue has it.
`time`: the timestamp is before 2000 or over a day ahead; kept to be looked at.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.audit import Audit
from middleplatform.store.catalogue import Catalogue
from middleplatform.store.engine import Engine
from middleplatform.store.quality.expected import Expected
from middleplatform.store.rollup_tables import HOUR
from middleplatform.store.schema import DAY
from middleplatform.store.windows import Marks, Windows
from models.samples import Samples

UNKNOWN, TIME = "unknown", "time"
EARLIEST = 946_684_800_000_000
"""2000-01-01 in µs."""
AHEAD = DAY
MAX_ROWS = 10_000_000
"""Rows that the quarantine holds; over it the oldest day goes, audited."""

_AUDIT_EVERY_S = 10.0
_NAMED = 20
"""Ids that one audit line names."""


def is_sane(ts: NDArray[np.int64], now: int) -> NDArray[np.bool_]:
    """Which timestamps can be true."""
    return (ts >= EARLIEST) & (ts <= now + AHEAD)


@dataclass
class _Tally:
    rows: int = 0
    points: frozenset[int] = frozenset()
    written: float = -_AUDIT_EVERY_S


class Quarantine:
    """Used by the writing thread only; `rows` may be read from any."""

    def __init__(self, engine: Engine, audit: Audit) -> None:
        self._engine = engine
        self._audit = audit
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self.rows = 0
        """Rows held now."""
        self.count()

    def put(self, gateway: str, reason: str, samples: Samples, ver: int, now: int) -> pa.Table:
        """The rows to insert into the quarantine for these samples, which are counted and audited."""
        rows = len(samples)
        self.rows += rows
        tally = self._tallies.setdefault((gateway, reason), _Tally())
        tally.rows += rows
        tally.points = tally.points | frozenset(np.unique(samples.point)[:_NAMED].tolist())
        self.tell()
        text = samples.text if samples.text is not None else pa.nulls(rows, pa.string())
        return pa.table(
            {
                "arrived": np.full(rows, now, np.int64),
                "gateway": pa.array([gateway]).take(pa.array(np.zeros(rows, np.int64))),
                "reason": pa.array([reason]).take(pa.array(np.zeros(rows, np.int64))),
                "point": samples.point,
                "ts": samples.ts,
                "value": samples.value,
                "quality": samples.quality,
                "text": text,
                "ver": np.full(rows, ver, np.uint64),
            }
        )

    def tell(self) -> None:
        """Write the audit lines that are due: the first at once, then one in ten seconds for each gateway."""
        now = time.monotonic()
        for (gateway, reason), tally in self._tallies.items():
            if tally.rows and now - tally.written >= _AUDIT_EVERY_S:
                points = [str(point) for point in sorted(tally.points)[:_NAMED]]
                self._audit.write("quarantined", gateway=gateway, reason=reason, rows=tally.rows, points=points)
                tally.rows, tally.points, tally.written = 0, frozenset(), now

    def count(self) -> None:
        """Count anew what is held."""
        self.rows = int(self._engine.execute("SELECT count() AS n FROM quarantine").column("n")[0].as_py())

    def release(self, catalogue: Catalogue, windows: Windows, expected: Expected) -> int:
        """Move what the catalogue now knows into the samples; returns the rows. A stop half-way repeats
        nothing wrong: the same rows are written to the same keys again."""
        held = self._engine.execute(
            "SELECT gateway, point FROM quarantine WHERE reason = {r:String} GROUP BY gateway, point", {"r": UNKNOWN}
        )
        if not held.num_rows:
            return 0
        moved = 0
        gateways = np.array(held.column("gateway").to_pylist())
        points = held.column("point").to_numpy()
        for gateway in sorted(set(gateways.tolist())):
            waiting = np.sort(points[gateways == gateway])
            free = waiting[np.isin(waiting, catalogue.of(gateway))]
            for start in range(0, len(free), 1000):
                moved += self._move(gateway, free[start : start + 1000], windows, expected)
        self.count()
        return moved

    def _move(self, gateway: str, points: NDArray[np.uint64], windows: Windows, expected: Expected) -> int:
        params = {"g": gateway, "r": UNKNOWN, "p": points.tolist()}
        where = "WHERE gateway = {g:String} AND reason = {r:String} AND point IN {p:Array(UInt64)}"
        rows = int(self._engine.execute(f"SELECT count() AS n FROM quarantine {where}", params).column("n")[0].as_py())  # noqa: S608
        hours = self._engine.execute(f"SELECT DISTINCT intDiv(ts, {HOUR}) AS hour FROM quarantine {where}", params)  # noqa: S608
        first = self._engine.execute(
            f"SELECT point, min(ts) AS ts, min(ver) AS ver FROM quarantine {where} GROUP BY point",  # noqa: S608
            params,
        )
        if first.num_rows:
            expected.first(*(first.column(name).to_numpy() for name in ("point", "ts", "ver")))
        with windows.writing(Marks.reaching(hours.column("hour").to_pylist() if rows else [], points)):
            self._engine.execute(
                f"INSERT INTO samples SELECT point, ts, value, quality, text, ver FROM quarantine {where}",  # noqa: S608
                params,
            )
        self._engine.execute(f"DELETE FROM quarantine {where}", params)  # noqa: S608
        named = [str(point) for point in points[:_NAMED].tolist()]
        self._audit.write("released", gateway=gateway, rows=rows, points=named, of_points=len(points))
        return rows

    def bound(self) -> None:
        """Drop the oldest days until at most MAX_ROWS are held."""
        if self.rows <= MAX_ROWS:
            return
        for day in sorted(self._engine.parts("quarantine")):
            before = self.rows
            self._engine.execute(f"ALTER TABLE quarantine DROP PARTITION ID '{day}'")
            self.count()
            self._audit.write("quarantine full", dropped_rows=before - self.rows, most=MAX_ROWS)
            if self.rows <= MAX_ROWS:
                return
