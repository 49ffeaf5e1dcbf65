"""Data quality as the store's door serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from middleplatform.store.answers import said
from middleplatform.store.asked import points, text, whole_number
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Handler
from middleplatform.store.quality.assessment import MOST_POINTS, Assessment

MOST_INTERVALS = 100_000
"""That one answer lists."""


def handlers(assessment: Assessment, settle: Callable[[], bool]) -> dict[str, Handler]:
    """Each answer covers all that had come off the bus when it was asked for."""

    def quality(asked: Mapping[str, Any]) -> pa.Table:
        named, groups = points(asked, MOST_POINTS), asked.get("groups")
        if not isinstance(groups, list) or not all(type(group) is int and 0 <= group < 2**31 for group in groups):
            raise StoreError("'groups' must be a list of whole numbers, one a point")
        start, end, width = (whole_number(asked, name) for name in ("start", "end", "width"))
        settled = settle()
        table, whole = assessment.assess(named, groups, start, end, width)
        return said(table, settled and whole)

    def intervals(asked: Mapping[str, Any]) -> pa.Table:
        named, cause = points(asked, MOST_POINTS), text(asked, "cause")
        start, end, least, limit = (whole_number(asked, name) for name in ("start", "end", "least", "limit"))
        if not 0 < limit <= MOST_INTERVALS:
            raise StoreError(f"the limit must be from 1 to {MOST_INTERVALS}, got {limit}")
        settled = settle()
        table, whole = assessment.intervals(named, start, end)
        return said(_longest(table, cause, least, limit), settled and whole)

    return {"quality": quality, "quality_intervals": intervals}


def _longest(table: pa.Table, cause: str | None, least: int, limit: int) -> pa.Table:
    """The longest `limit` of this cause that last for `least` µs or longer, by time; `of` says of how many."""
    length = table.column("end").to_numpy() - table.column("begin").to_numpy()
    fits = length >= least
    if cause is not None:
        fits &= table.column("cause").to_numpy(zero_copy_only=False) == cause
    rows = np.flatnonzero(fits)
    total = len(rows)
    rows = rows[np.argsort(-length[rows], kind="stable")[:limit]]
    rows = rows[np.argsort(table.column("begin").to_numpy()[rows], kind="stable")]
    return table.take(pa.array(rows)).append_column("of", pa.array(np.full(len(rows), total, np.int64)))
