"""Rows in the making: what messages say, one row a value, until they are a reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from models.quality import GOOD, Quality
from protocols.adapter import Reading

_NAN = float("nan")


class Message(NamedTuple):
    """One message as it came. `number` is its place in the acknowledgement window, -1 for QoS 0; `again`:
    the broker says that it sends it once more."""

    topic: str
    payload: bytes
    retained: bool
    number: int
    again: bool = False


class HasTag(Protocol):
    """What knows which tag it fills."""

    @property
    def tag(self) -> int: ...


class Columns:
    """Good numbers cost four appends; whatever a row has beyond its number is kept aside by its place."""

    def __init__(self) -> None:
        self.index: list[int] = []
        self.value: list[float] = []
        self.ts: list[int] = []
        self.message: list[int] = []
        self.reasons: dict[int, str] = {}
        self._quality: dict[int, int] = {}
        self._text: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.index)

    def add(self, index: int, value: float, ts: int, message: int, text: str | None = None) -> None:
        """One good row: µs UTC or 0, and the place of the message among those that are decoded."""
        if text is not None:
            self._text[len(self.index)] = text
        self.index.append(index)
        self.value.append(value)
        self.ts.append(ts)
        self.message.append(message)

    def bad(self, index: int, quality: int, reason: str, ts: int, message: int) -> None:
        """One row without a value."""
        self.reasons[index] = reason
        self._quality[len(self.index)] = quality
        self.add(index, _NAN, ts, message)

    def bad_all(self, extractors: Iterable[HasTag], quality: int, reason: str, message: int) -> None:
        """A row without a value for each of these, of no time of its own."""
        for extractor in extractors:
            self.bad(extractor.tag, quality, reason, 0, message)

    def doubt(self, first: int, quality: int, reason: str) -> None:
        """The good rows from `first` on are of this lesser quality."""
        for row in range(first, len(self.index)):
            if row not in self._quality:
                self._quality[row] = quality
                self.reasons[self.index[row]] = reason

    def reading(self, messages: Sequence[Message]) -> Reading:
        """All rows, with `messages` as the bytes behind them."""
        count = len(self.index)
        value = np.array(self.value, np.float64)
        quality = np.full(count, GOOD, np.uint8)
        if self._quality:
            quality[list(self._quality)] = list(self._quality.values())
        text = None
        bare = np.ones(count, np.bool_)
        if self._text:
            texts: list[str | None] = [None] * count
            for row, word in self._text.items():
                texts[row] = word
                bare[row] = False
            text = pa.array(texts, pa.string())
        spoilt = ~np.isfinite(value) & (quality >= Quality.UNCERTAIN) & bare
        if spoilt.any():
            quality[spoilt] = Quality.BAD_SENSOR_FAILURE
            for row in np.flatnonzero(spoilt).tolist():
                word = "NaN" if np.isnan(value[row]) else "infinity"
                self.reasons[self.index[row]] = f"设备发来 {word}，不是数 · the device sent {word}, which is no number"
        value[np.isinf(value)] = _NAN
        ts = np.array(self.ts, np.int64)
        index, places = self.index, self.message

        def raw(tag: int) -> bytes | None:
            for row in range(count - 1, -1, -1):
                if index[row] == tag:
                    return messages[places[row]].payload if places[row] >= 0 else None
            return None

        return Reading(
            index=np.array(index, np.int32),
            value=value,
            quality=quality,
            ts=ts if ts.any() else None,
            text=text,
            reasons=self.reasons,
            raw=raw,
        )
