"""Whole columns of text to numbers and times.

Each function gives the values and a mask of the rows that hold something which cannot be read; an
empty row is not among them.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$|^[+-]?(?i:nan|inf|infinity)$"
_INT = r"^[+-]?[0-9]{1,15}$"
_CLOCK = r"(0[1-9]|1[0-2])%s(0[1-9]|[12][0-9]|3[01])%s([01][0-9]|2[0-3])%s[0-5][0-9]%s[0-5][0-9]$"
_LONG = "^(19|20)[0-9]{2}-" + _CLOCK % ("-", " ", ":", ":")
_SHORT = "^(19|20)[0-9]{2}" + _CLOCK % ("", "", "", "")


def mask(found: pa.Array) -> Mask:
    """A boolean Arrow array as numpy, null as false."""
    result: Mask = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return result


def trimmed(text: list[str] | tuple[str, ...]) -> pa.StringArray:
    return pc.utf8_trim_whitespace(pa.array(text, pa.string()))


def empty(text: pa.StringArray) -> Mask:
    return mask(pc.equal(text, ""))


def numbers(text: pa.StringArray, *, whole: bool = False) -> tuple[NDArray[np.float64], Mask]:
    """float64, NaN for an empty or unreadable row; what says NaN or infinity is that."""
    readable = pc.match_substring_regex(text, _INT if whole else _NUMBER)
    # Arrow takes no leading plus.
    bare = pc.replace_substring_regex(pc.if_else(readable, text, None), r"^\+", "")
    values = pc.cast(bare, pa.float64())
    found: NDArray[np.float64] = pc.fill_null(values, np.nan).to_numpy(zero_copy_only=False).copy()
    return found, ~mask(readable) & ~empty(text)


def times(text: pa.StringArray, zone: ZoneInfo) -> tuple[NDArray[np.int64], Mask]:
    """µs UTC, 0 for an empty or unreadable row. `yyyy-MM-dd HH:mm:ss` or `yyyyMMddHHmmss`, local time;
    of the two instants that an hour has when clocks go back the first, and the hour that is not there
    when they go forward begins the next."""
    short = pc.match_substring_regex(text, _SHORT)
    if pc.any(short).as_py():
        spread = pc.replace_substring_regex(text, r"^(....)(..)(..)(..)(..)(..)$", r"\1-\2-\3 \4:\5:\6")
        text = pc.if_else(short, spread, text)
    right = pc.match_substring_regex(text, _LONG)
    held = pc.if_else(right, text, None)
    parsed = pc.strptime(held, format="%Y-%m-%d %H:%M:%S", unit="us", error_is_null=True)
    # A day that its month has not, the 31st of February, comes out as one of the next month.
    same_day = pc.equal(pc.day(parsed), pc.cast(pc.utf8_slice_codeunits(held, 8, 10), pa.int64()))
    parsed = pc.if_else(same_day, parsed, None)
    placed = pc.assume_timezone(parsed, zone.key, ambiguous="earliest", nonexistent="latest")
    found: NDArray[np.int64] = pc.fill_null(pc.cast(placed, pa.int64()), 0).to_numpy(zero_copy_only=False).copy()
    return found, ~mask(pc.is_valid(placed)) & ~empty(text)


def dates(text: pa.StringArray, zone: ZoneInfo) -> Mask:
    """Which rows hold no date; `yyyy-MM-dd`, and `yyyyMMdd` too."""
    filled = pc.binary_join_element_wise(text, " 00:00:00", "")
    long = pc.match_substring_regex(text, "^[0-9]{8}$")
    filled = pc.if_else(long, pc.binary_join_element_wise(text, "000000", ""), filled)
    _, wrong = times(filled, zone)
    return wrong & ~empty(text)
