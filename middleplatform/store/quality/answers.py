"""Data quality as the store's door serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from middleplatform.store.answers import said
from middleplatform.store.asked import points, whole_number
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Handler
from middleplatform.store.quality.assessment import MOST_POINTS, Assessment


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

    return {"quality": quality}
