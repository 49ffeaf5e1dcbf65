"""From what a device said to a value in the point's unit, with the quality that it deserves.

Whole columns at once. Bad stays bad; a number that is not finite has no value and is bad; a value
outside what the thing can physically be is kept and marked uncertain; quality codes that the
standard reserves are bad.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gateway.points import PointTable, Rows
from models.quality import GOOD, UNCERTAIN, Quality

_TAKEN = np.arange(256, dtype=np.uint8)
_TAKEN[128:192] = Quality.BAD


def normalise(
    table: PointTable,
    rows: Rows,
    raw: NDArray[np.float64],
    quality: NDArray[np.uint8],
    text: pa.StringArray | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Value (NaN where there is none) and quality of each row, in new arrays; the input is left alone.

    value = raw * factor + offset. A text row carries its text and needs no number.
    """
    if table.scaled:
        with np.errstate(over="ignore", invalid="ignore"):
            value = raw * table.factor[rows]
            value += table.offset[rows]
    else:
        value = raw.astype(np.float64)
    judged = _TAKEN[quality]
    finite = np.isfinite(value)
    if not finite.all():
        value[~finite] = np.nan
        empty = ~finite & (judged >= UNCERTAIN)
        if text is not None:
            empty &= text.is_null().to_numpy(zero_copy_only=False)
        judged[empty] = Quality.BAD_SENSOR_FAILURE
    if table.bounded:
        outside = (value < table.low[rows]) | (value > table.high[rows])
        if outside.any():
            judged[outside & (judged >= GOOD)] = Quality.UNCERTAIN_RANGE
    return value, judged
