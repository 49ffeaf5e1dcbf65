"""What many points were at one instant: of each its last sample at or before it.

Most points speak within their hold age, so that is looked at first; only what is silent there is looked for further
back, in steps, as each step reads more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.answers import said
from middleplatform.store.asked import points, whole_number
from middleplatform.store.client import BACK_US
from middleplatform.store.engine import Engine
from middleplatform.store.flight import Handler
from middleplatform.store.history import check_range
from middleplatform.store.latest import LAST, PRESENT
from models.identity import MANUAL_FLOOR

MOST_POINTS = 10_000
"""Points that one question may name."""
_ASK = 5_000
"""Points that one statement names: each reads the same parts anew."""
_HOUR = 3_600_000_000
_STEPS = (_HOUR, 24 * _HOUR, BACK_US)


class Instants:
    """`ages` gives how long each point's value holds, µs. Blocking; from any thread."""

    def __init__(self, engine: Engine, ages: Callable[[Sequence[int]], NDArray[np.int64]]) -> None:
        self._engine = engine
        self._ages = ages

    def instant(self, named: Sequence[int], at: int) -> pa.Table:
        """Columns of `latest.PRESENT`, ordered by point; a point without a sample in BACK_US is absent. Raises
        StoreError."""
        check_range(at - 1, at)
        missing = np.unique(np.array(named, np.uint64))
        found: list[pa.Table] = []
        if len(missing):
            within = min(int(self._ages(missing.tolist()).max()), _HOUR)
            for back in (within, *(step for step in _STEPS if step > within)):
                rows = self._last(missing, at - back, at)
                found.append(rows)
                missing = missing[~np.isin(missing, rows["point"].to_numpy())]
                if not len(missing):
                    break
        return pa.concat_tables(found).sort_by("point") if found else PRESENT.empty_table()

    def _last(self, asked: NDArray[np.uint64], since: int, until: int) -> pa.Table:
        found = [PRESENT.empty_table()]
        for start in range(0, len(asked), _ASK):
            some = asked[start : start + _ASK].tolist()
            rows = self._engine.query(LAST, {"points": some, "since": since, "until": until})
            if rows.num_rows:
                manual = pa.array(rows["ver"].to_numpy() >= MANUAL_FLOOR)
                found.append(rows.drop_columns(["ver"]).append_column("manual", manual).cast(PRESENT))
        return pa.concat_tables(found)


def handlers(instants: Instants, settle: Callable[[], bool]) -> dict[str, Handler]:
    """As the door serves it; it covers all that had come off the bus when it was asked."""

    def instant(asked: Mapping[str, Any]) -> pa.Table:
        named, at = points(asked, MOST_POINTS), whole_number(asked, "at")
        whole = settle()
        return said(instants.instant(named, at), whole)

    return {"instant": instant}
