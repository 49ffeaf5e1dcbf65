"""Samples as InfluxDB's line protocol: whole columns at once.

    samples,mine=140581000000,equipment=belt1,point=speed,unit=m/s value=3.2,quality=192i 1795420368000000

Source: InfluxDB 2 line protocol (escapes, types, "line protocol does not support NaN or infinity"). Times are µs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from middleplatform.store.catalogue import known
from models.samples import Samples
from models.site.model import Point

NONE: pa.StringArray = pa.array([], pa.string())
"""No lines."""


def _tag(text: str) -> str:
    """A tag's value; what would end the line or the value is escaped, and there are no control characters."""
    text = "".join(letter if letter.isprintable() else "_" for letter in text)
    text = text.replace("\\", "/")  # it cannot be told from one that escapes
    for letter in (",", "=", " "):
        text = text.replace(letter, f"\\{letter}")
    return text


class Lines:
    """Writes the lines of chosen points; `points` are their ids, sorted."""

    def __init__(self, points: Sequence[Point], code: str, measurement: str) -> None:
        ordered = sorted(points, key=lambda point: point.id)
        self.points = np.array([point.id for point in ordered], np.uint64)
        heads = []
        for point in ordered:
            tags = {"mine": code, "equipment": point.equipment, "point": point.key, "unit": point.unit}
            named = "".join(f",{name}={_tag(value)}" for name, value in tags.items() if value)
            heads.append(f"{measurement}{named} ")
        self._heads = pa.array(heads, pa.string())

    def of(self, samples: Samples) -> pa.StringArray:
        """One line a sample of a chosen point, in their order. A value that is no number leaves its quality."""
        chosen = known(samples.point, self.points)
        samples = samples.take(chosen)
        if not len(samples):
            return NONE
        head = self._heads.take(pa.array(np.searchsorted(self.points, samples.point)))
        value = pa.array(np.where(np.isfinite(samples.value), samples.value, 0.0)).cast(pa.string())
        number = pc.if_else(
            pa.array(np.isfinite(samples.value)), pc.binary_join_element_wise("value=", value, ",", ""), ""
        )
        quality = pa.array(samples.quality).cast(pa.string())
        parts = [head, number, "quality=", quality, "i", _texts(samples), " ", pa.array(samples.ts).cast(pa.string())]
        return pc.binary_join_element_wise(*parts, "\n", "")


def body(lines: pa.StringArray) -> bytes:
    """The lines as one request: the column's own bytes, which lie one after the other."""
    _, offsets, data = lines.buffers()
    if data is None or not len(lines):
        return b""
    at = np.frombuffer(offsets, np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return data.slice(int(at[0]), int(at[-1] - at[0])).to_pybytes()


def _texts(samples: Samples) -> pa.Array:
    if samples.text is None:
        return pa.array([""]).take(pa.array(np.zeros(len(samples), np.int64)))
    text = pc.replace_substring(samples.text, "\\", "\\\\")
    text = pc.replace_substring(text, '"', '\\"')
    text = pc.replace_substring_regex(text, r"[\x00-\x1f]", " ")
    return pc.fill_null(pc.binary_join_element_wise(',text="', text, '"', ""), "")
