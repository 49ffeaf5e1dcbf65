"""Rows of a database to the rows of a reading, whole columns at once."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.exchange import columns as texts
from models.quality import GOOD, UNCERTAIN, Quality
from protocols.adapter import Reading, Tag
from protocols.sql.address import parse_address
from protocols.sql.database import Row
from protocols.sql.settings import SqlSettings

NO_TIME = "该行没有可读的时间 · the row has no time that can be read"


@dataclass(slots=True, eq=False)
class _Part:
    """Rows of one column in the making."""

    index: NDArray[np.int32]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    ts: NDArray[np.int64]
    text: pa.StringArray
    reasons: dict[int, str] = field(default_factory=dict)

    def spoil(self, rows: NDArray[np.bool_], code: int, reason: Callable[[int], str]) -> None:
        for row in np.flatnonzero(rows & (self.quality > code)).tolist():
            self.quality[row] = code
            self.reasons[int(self.index[row])] = reason(row)


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Tags that are fed by one column with one type; no name twice."""

    column: str
    type: str
    names: pa.StringArray
    index: NDArray[np.int32]


class Decoder:
    """Which columns are needed, and what each row says. `columns`: to ask for, after the key."""

    def __init__(self, settings: SqlSettings, tags: Sequence[Tag], known: Sequence[str]) -> None:
        """`known`: the columns that the source has."""
        self._zone = ZoneInfo(settings.time_zone)
        self._map = settings.quality_map
        self._named = bool(settings.name)
        self._groups: list[_Group] = []
        self.wrong: dict[int, str] = {}
        members: list[tuple[tuple[str, str], dict[str, int]]] = []
        for tag in tags:
            address = parse_address(tag.address, self._named)
            column = address.column or settings.value
            if column not in known:
                self.wrong[tag.index] = (
                    f"数据源没有列 '{column}'，有 {', '.join(known)[:300]} · "
                    f"the source has no column '{column}'; it has {', '.join(known)[:300]}"
                )
                continue
            key = (column, "" if tag.type == "number" else tag.type)
            for other, names in members:
                if other == key and address.name not in names:
                    names[address.name] = tag.index
                    break
            else:
                members.append((key, {address.name: tag.index}))
        for (column, kind), names in members:
            index = np.array(list(names.values()), np.int32)
            self._groups.append(_Group(column, kind, pa.array(list(names), pa.string()), index))
        self.absent = {int(index) for group in self._groups for index in group.index} if self._named else set()
        first = [settings.time, *filter(None, (settings.name, settings.quality))]
        self.columns = (*first, *sorted({group.column for group in self._groups}))
        self._place = {name: number + 1 for number, name in reversed(list(enumerate(self.columns)))}
        self._time, self._name, self._quality = settings.time, settings.name, settings.quality

    def decode(self, rows: Sequence[Row]) -> Reading | None:
        """The rows that there are for our tags, None when there are none."""
        if not rows:
            return None
        held = list(zip(*rows, strict=True))
        ts = micros(held[self._place[self._time]], self._zone)
        names = pa.array(map(str, held[self._place[self._name]]), pa.string()) if self._named else None
        quality, told = self._qualities(held, len(rows))
        parts = []
        for group in self._groups:
            if names is None:
                at = np.arange(len(rows))
                index = np.full(len(rows), group.index[0], np.int32)
            else:
                place = pc.index_in(names, value_set=group.names)
                at = np.flatnonzero(texts.mask(pc.is_valid(place)))
                index = group.index[place.take(pa.array(at)).to_numpy()]
            if len(at):
                parts.append(self._part(group, index, held[self._place[group.column]], at, ts, quality, told))
                self.absent.difference_update(index.tolist())
        return _reading(parts) if parts else None

    def _part(
        self,
        group: _Group,
        index: NDArray[np.int32],
        held: Sequence[Any],
        at: NDArray[np.intp],
        ts: NDArray[np.int64],
        quality: NDArray[np.uint8],
        told: Sequence[str],
    ) -> _Part:
        column = np.fromiter(held, object, len(held))[at]
        none = np.array([one is None for one in column], np.bool_)
        part = _Part(index, np.full(len(at), np.nan), quality[at].copy(), ts[at], pa.nulls(len(at), pa.string()))
        for row in np.flatnonzero(part.quality < GOOD).tolist():
            part.reasons[int(index[row])] = told[at[row]]
        if group.type == "text":
            part.text = pa.array([None if one is None else str(one) for one in column], pa.string())
        else:
            part.value, unreadable = floats(column)
            finite = np.isfinite(part.value)
            part.spoil(
                np.isinf(part.value), Quality.BAD_SENSOR_FAILURE, lambda row: "设备发来无穷大 · device sent infinity"
            )
            said_nan = ~finite & ~np.isinf(part.value) & ~none & ~unreadable
            part.spoil(said_nan, Quality.BAD_SENSOR_FAILURE, lambda row: "设备发来 NaN · device sent NaN")
            part.spoil(unreadable, Quality.BAD_SENSOR_FAILURE, lambda row: _no_number(str(column[row])[:40]))
            if group.type == "bool":
                part.value[finite] = part.value[finite] != 0
            part.value[~finite] = np.nan
        part.spoil(none, Quality.BAD_SENSOR_FAILURE, lambda row: "数据库中为 NULL · the database has NULL here")
        part.spoil(part.ts == 0, UNCERTAIN, lambda row: NO_TIME)
        return part

    def _qualities(self, held: Sequence[Sequence[Any]], count: int) -> tuple[NDArray[np.uint8], Sequence[str]]:
        """The quality of each row, and the words for it."""
        if not self._quality:
            return np.full(count, GOOD, np.uint8), ("",) * count
        said = [str(one) for one in held[self._place[self._quality]]]
        codes = {word: self._code(word) for word in set(said)}
        words = {word: f"数据源给出的质量为 '{word[:40]}' · the source's quality is '{word[:40]}'" for word in codes}
        return np.array([codes[word] for word in said], np.uint8), [words[word] for word in said]

    def _code(self, word: str) -> int:
        if self._map:
            return self._map.get(word, UNCERTAIN)
        try:
            number = int(float(word))
        except (ValueError, OverflowError):
            return UNCERTAIN
        return number if 0 <= number <= 255 else UNCERTAIN


def _no_number(text: str) -> str:
    return (
        f"'{text}' 不是数：请给测点类型 text，或换一列 · "
        f"'{text}' is no number: give the point the type text, or another column"
    )


def floats(column: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """float64 of integers, decimals, booleans and numbers written as text, NaN for None; and the rows that
    are something else."""
    unreadable = np.zeros(len(column), np.bool_)
    try:
        if str not in set(map(type, column)):  # Python would also take 1_000 and full-width digits
            return column.astype(np.float64), unreadable
        raise ValueError
    except (ValueError, TypeError, OverflowError):
        values, unreadable = texts.numbers(texts.trimmed(["" if one is None else str(one) for one in column]))
        told_true = np.array([one is True for one in column], np.bool_)
        told = told_true | np.array([one is False for one in column], np.bool_)
        values[told] = told_true[told]
        empty = np.array([isinstance(one, str) and not one.strip() for one in column], np.bool_)
        return values, (unreadable | empty) & ~told


def micros(column: Sequence[Any], zone: ZoneInfo) -> NDArray[np.int64]:
    """µs UTC of times with a zone or local ones, of numbers since 1970 (s, ms or µs by their size), and of
    texts; 0 where there is none."""
    first = next((one for one in column if one is not None), None)
    if isinstance(first, datetime.datetime):
        try:
            if first.tzinfo is not None:
                found = pa.array(column, pa.timestamp("us", "UTC"))
            else:
                local = pa.array(column, pa.timestamp("us"))
                found = pc.assume_timezone(local, zone.key, ambiguous="earliest", nonexistent="latest")
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            # SQLite holds anything in a column: one odd value shall not cost the others their time.
            return np.array([_instant(one, zone) for one in column], np.int64)
        whole: NDArray[np.int64] = pc.fill_null(pc.cast(found, pa.int64()), 0).to_numpy(zero_copy_only=False)
        return whole
    if isinstance(first, str):
        return texts.times(texts.trimmed(["" if one is None else str(one) for one in column]), zone)[0]
    values, _ = floats(np.fromiter(column, object, len(column)))
    size = np.abs(np.nan_to_num(values, nan=0.0, posinf=math.inf))
    factor = np.select([size < 1e11, size < 1e14, size < 1e17], [1e6, 1e3, 1.0], 0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        since: NDArray[np.int64] = np.nan_to_num(values * factor, nan=0.0, posinf=0.0, neginf=0.0).astype(np.int64)
    return since


def _instant(one: Any, zone: ZoneInfo) -> int:
    if not isinstance(one, datetime.datetime):
        return 0
    try:
        return round((one if one.tzinfo else one.replace(tzinfo=zone)).timestamp() * 1e6)
    except (OverflowError, ValueError, OSError):
        return 0


def _reading(parts: Sequence[_Part]) -> Reading:
    text = pa.concat_arrays([part.text for part in parts])
    reasons: dict[int, str] = {}
    for part in parts:
        reasons.update(part.reasons)
    return Reading(
        index=np.concatenate([part.index for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        quality=np.concatenate([part.quality for part in parts]),
        ts=np.concatenate([part.ts for part in parts]),
        text=None if text.null_count == len(text) else text,
        reasons=reasons,
    )
