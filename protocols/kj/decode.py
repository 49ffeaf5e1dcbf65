"""The records of one file to the rows of a reading, whole columns at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.exchange import Records
from models.exchange.columns import empty, mask, numbers
from models.exchange.dictionaries import meaning, point_state
from models.quality import GOOD, Quality
from protocols.adapter import Reading, Tag
from protocols.findings import FindingBook
from protocols.kj.address import parse_address
from protocols.kj.definitions import Definitions

MOST_UNKNOWN = 10_000
"""Codes without a tag that are remembered by name."""


@dataclass(slots=True, eq=False)
class Rows:
    """Rows in the making, all columns of one length. `reasons`: row → words."""

    index: NDArray[np.int32]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    ts: NDArray[np.int64]
    text: pa.StringArray
    reasons: dict[int, str]

    @staticmethod
    def of(index: NDArray[np.int32], ts: NDArray[np.int64]) -> Rows:
        count = len(index)
        quality = np.full(count, GOOD, np.uint8)
        return Rows(index, np.full(count, np.nan), quality, ts, pa.nulls(count, pa.string()), {})

    def spoil(self, rows: NDArray[np.bool_], code: Quality, reason: Callable[[int], str]) -> None:
        """These rows are no better than `code`; who is that bad already keeps its reason."""
        for row in np.flatnonzero(rows & (self.quality > code)).tolist():
            self.quality[row] = code
            self.reasons[row] = reason(row)


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Tags of one kind of file, field and type; no code twice."""

    kind: str
    field: str
    type: str
    codes: pa.StringArray
    index: NDArray[np.int32]


class Decoder:
    """Knows which tags a file feeds. `unknown` are the codes in CDSS files that no tag has."""

    def __init__(
        self, tags: Sequence[Tag], definitions: Definitions, counts: dict[str, int], book: FindingBook
    ) -> None:
        self.definitions = definitions
        self.unknown: set[str] = set()
        self.by_code: dict[str, int] = {}
        self._counts = counts
        self._book = book
        self._groups = _groups(tags)
        self._absent: dict[str, set[int]] = {}
        self._codes: dict[int, str] = {}
        for tag in tags:
            address = parse_address(tag.address)
            self._absent.setdefault(address.kind, set()).add(tag.index)
            self._codes[tag.index] = address.code
            if address.kind != "RYSS":
                self.by_code.setdefault(address.code, tag.index)

    def decode(self, records: Records) -> Reading | None:
        """The rows that the file has for our tags, None when it has none."""
        if records.kind == "CDSS":
            self._note_unknown(records)
        parts = []
        for group in self._groups:
            if group.kind != records.kind:
                continue
            parts.append(
                _people(group, records, self.definitions) if group.kind == "RYSS" else self._rows(group, records)
            )
        parts += self._first_absences(records, parts)
        parts = [part for part in parts if len(part.index)]
        return _reading(parts) if parts else None

    def _note_unknown(self, records: Records) -> None:
        known = pa.array(list(self.by_code), pa.string())
        strange = records.text("point").filter(pc.invert(pc.is_in(records.text("point"), value_set=known)))
        for code in pc.unique(strange).to_pylist():
            if code not in self.unknown and len(self.unknown) < MOST_UNKNOWN:
                self.unknown.add(code)
                self._counts["unknown_points_total"] += 1
                point = self.definitions.points.get(code)
                where = f" ({point.place})" if point else ""
                self._book.note(
                    "unknown point", code, f"矿井配置中没有对应的测点{where} · the site has no point for it{where}"
                )

    def _first_absences(self, records: Records, parts: Sequence[Rows]) -> list[Rows]:
        """Tags of this kind that the first whole file does not have: told once, as bad."""
        absent = self._absent.get(records.kind)
        if not absent or records.kind == "RYSS":
            return []
        for part in parts:
            absent.difference_update(part.index.tolist())
        rows = Rows.of(np.array(sorted(absent), np.int32), np.zeros(len(absent), np.int64))
        absent.clear()
        words = (
            f"{records.kind} 文件中没有此编号：编号对吗，监控系统中有此测点吗？ · "
            f"the {records.kind} file has nothing for this code: is it right, and has the mine's system such a point?"
        )
        rows.spoil(np.ones(len(rows.index), np.bool_), Quality.BAD_CONFIGURATION, lambda row: words)
        return [rows]

    def _rows(self, group: _Group, records: Records) -> Rows:
        key = "point" if group.kind in ("CDSS", "TJSJ") else "station"
        place = pc.index_in(records.text(key), value_set=group.codes)
        at = np.flatnonzero(mask(pc.is_valid(place)))
        place = place.take(pa.array(at)).to_numpy()
        rows = Rows.of(group.index[place], records.times("time")[at])
        if group.kind == "TJSJ":
            rows.value = records.numbers(group.field)[at]
            rows.spoil(
                np.isnan(rows.value), Quality.BAD_SENSOR_FAILURE, lambda row: "文件中没有值 · the file gives no value"
            )
        else:
            word = records.text(group.field).take(pa.array(at))
            codes = group.codes.take(pa.array(place))
            if group.field == "value":
                self._judge(rows, records.text("state").take(pa.array(at)))
                self._values(rows, word, codes, group.type)
            else:
                _words(rows, word, group)
        return rows

    def _judge(self, rows: Rows, words: pa.StringArray) -> None:
        """The quality that the point's own state gives its value."""
        coded = words.dictionary_encode()
        states = [point_state(word) for word in coded.dictionary.to_pylist()]
        if not states:
            return
        which = coded.indices.to_numpy()
        rows.quality = np.array([state.quality for state in states], np.uint8)[which]
        for row in np.flatnonzero(rows.quality < GOOD).tolist():
            name = states[which[row]].name
            rows.reasons[row] = (
                f"{name.zh}（状态 {words[row].as_py()[:20]}） · {name.en} (state {words[row].as_py()[:20]})"
            )

    def _values(self, rows: Rows, word: pa.StringArray, codes: pa.StringArray, kind: str) -> None:
        none = empty(word)
        if kind == "text":
            rows.text = pc.if_else(pa.array(none), None, word)
            rows.spoil(none, Quality.BAD_SENSOR_FAILURE, lambda row: "文件中没有值 · the file gives no value")
            return
        rows.value, unreadable = numbers(word)
        for row in np.flatnonzero(unreadable).tolist():
            # A switch may be told by its words: 停 and 开, or what CDDY says.
            said, pair = word[row].as_py(), self.definitions.switch_words(codes[row].as_py())
            if said in pair:
                rows.value[row] = float(pair.index(said))
                unreadable[row] = False
        if kind == "bool":
            rows.value = np.where(np.isfinite(rows.value), (rows.value != 0).astype(np.float64), rows.value)
        _no_number(rows, none, unreadable, word)


def _no_number(rows: Rows, none: NDArray[np.bool_], unreadable: NDArray[np.bool_], word: pa.StringArray) -> None:
    infinite = np.isinf(rows.value)
    said_nan = np.isnan(rows.value) & ~none & ~unreadable
    rows.value[infinite] = np.nan
    code = Quality.BAD_SENSOR_FAILURE
    rows.spoil(infinite, code, lambda row: "设备发来无穷大 · device sent infinity")
    rows.spoil(said_nan, code, lambda row: "设备发来 NaN · device sent NaN")
    rows.spoil(none, code, lambda row: "文件中没有值 · the file gives no value")
    rows.spoil(
        unreadable,
        code,
        lambda row: (
            f"'{word[row].as_py()[:40]}' 不是数，也不是此开关量的词 · "
            f"'{word[row].as_py()[:40]}' is no number, and no word of this switch"
        ),
    )


def _words(rows: Rows, word: pa.StringArray, group: _Group) -> None:
    """A state word as it is: the value is good, whatever it says of another one."""
    none = empty(word)
    unreadable = np.zeros(len(word), np.bool_)
    if group.type == "text":
        rows.text = pc.if_else(pa.array(none), None, word)
        rows.spoil(none, Quality.BAD_SENSOR_FAILURE, lambda row: "文件中没有状态 · the file gives no state")
    else:
        rows.value, unreadable = numbers(word)
        _no_number(rows, none, unreadable, word)
    if group.field in ("run", "power"):
        number = np.nan_to_num(rows.value, nan=-1).astype(np.int64, copy=False)
        known = {code for code in range(10) if meaning(group.field, code)}
        strange = ~np.isin(number, list(known)) & (number >= 0)
        rows.spoil(
            strange,
            Quality.UNCERTAIN,
            lambda row: (
                f"{number[row]} 不是字典中的 {group.field} 状态 · "
                f"{number[row]} is no {group.field} state of the dictionary"
            ),
        )


def _people(group: _Group, records: Records, definitions: Definitions) -> Rows:
    """How many are underground, in each area or at each station of the group, at the file's time."""
    counted = pc.equal(records.text("inside"), "1")
    if group.field == "leaders":
        counted = pc.and_(counted, pc.is_in(records.text("leader"), value_set=pa.array(["1", "是", "Y"])))
    codes = group.codes.to_pylist()
    here: dict[str, int] = {"*": int(pc.sum(counted).as_py() or 0)}
    for column in ("area", "station"):
        tally = pc.value_counts(records.text(column).filter(counted))
        here.update((entry["values"], entry["counts"]) for entry in tally.to_pylist() if entry["values"])
    rows = Rows.of(group.index, np.full(len(codes), records.sent, np.int64))
    rows.value = np.array([here.get(code, 0) for code in codes], np.float64)
    areas = definitions.areas
    unsure = np.array([code != "*" and code not in here and code not in areas for code in codes], np.bool_)
    gone = unsure & bool(areas) & np.array([len(code) <= 16 for code in codes], np.bool_)
    rows.value[gone] = np.nan
    rows.spoil(
        gone,
        Quality.BAD_CONFIGURATION,
        lambda row: f"本矿的 RYQY 文件中没有区域 {codes[row]} · the mine's RYQY file has no area {codes[row]}",
    )
    words = (
        "该处无人，也没有定义文件说明有该处 · "
        "nobody is there, and no definition file has said that there is such a place"
    )
    rows.spoil(unsure & ~gone, Quality.UNCERTAIN, lambda row: words)
    if records.bad:
        words_bad = (
            f"文件中 {records.total} 人有 {records.bad} 人无法读出 · "
            f"{records.bad} of the {records.total} people in the file could not be read"
        )
        rows.spoil(np.ones(len(codes), np.bool_), Quality.UNCERTAIN, lambda row: words_bad)
    return rows


def _groups(tags: Sequence[Tag]) -> list[_Group]:
    members: list[tuple[tuple[str, str, str], dict[str, int]]] = []
    for tag in tags:
        address = parse_address(tag.address)
        key = (address.kind, address.field, "" if tag.type == "number" else tag.type)
        for known, codes in members:
            if known == key and address.code not in codes:
                codes[address.code] = tag.index
                break
        else:
            members.append((key, {address.code: tag.index}))
    return [
        _Group(*key, pa.array(list(codes), pa.string()), np.array(list(codes.values()), np.int32))
        for key, codes in members
    ]


def _reading(parts: Sequence[Rows]) -> Reading:
    index = np.concatenate([part.index for part in parts])
    text = pa.concat_arrays([part.text.cast(pa.string()) for part in parts])
    reasons: dict[int, str] = {}
    for part in parts:
        reasons.update((int(part.index[row]), words) for row, words in part.reasons.items())
    return Reading(
        index=index,
        value=np.concatenate([part.value for part in parts]),
        quality=np.concatenate([part.quality for part in parts]),
        ts=np.concatenate([part.ts for part in parts]),
        text=None if text.null_count == len(text) else text,
        reasons=reasons,
    )


def counts() -> Mapping[str, int]:
    """The counters that decoding keeps, at zero."""
    return {"unknown_points_total": 0}
