"""What a day's utilisation was reckoned from: the judged spans of every unit, kept compressed beside the figures.

From it alone the day comes out again to the last digit, and each moment of it says which clause held.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.kpi.day import Excluded, MineDay, UnitDay
from models.site.model import Name
from models.spans import NOTHING, Spans, joined
from models.utilisation.figure import Figure, figures
from models.utilisation.judge import Judged, Said
from models.utilisation.rules import Rules, standard
from models.utilisation.verdict import Verdict

Output = tuple[float, float, str]
"""Amount in intelligent, in other producing time, its unit."""


class OtherRules(LookupError):
    """A version of the rules says something else now than it did."""


STOOD = ""
"""In place of a clause's key: when another signal proves that the unit stood."""
_SCHEMA = pa.schema(
    [
        pa.field("unit", pa.int32(), nullable=False),
        pa.field("clause", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("holds", pa.bool_()),  # null: what is said may not be so
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class UnitSpans:
    """One unit while one version of the site held, [start, end) µs UTC; `judged` says nothing of other times."""

    category: str
    id: str
    name: Name
    equipment: tuple[str, ...]
    lacks: tuple[str, ...]
    output: Output | None
    start: int
    end: int
    judged: Judged


@dataclass(frozen=True, slots=True)
class Evidence:
    """`start`, `end`: of the day, µs UTC, or as far as it had come; `stretches`: (key, start, end), that add up to it;
    `units`: in the order of the rules' categories; one that was changed during the day is there twice."""

    mine: str
    day: date
    start: int
    end: int
    rules: str
    site: str
    stretches: tuple[tuple[str, int, int], ...]
    units: tuple[UnitSpans, ...]
    excluded: tuple[Excluded, ...] = ()
    rules_digest: str = ""
    """What that version of the rules said."""

    def mine_day(self) -> MineDay:
        """The figures that follow from it."""
        (only,) = mine_days([self])
        return only

    def pack(self) -> bytes:
        """As Arrow IPC, zstd; `unpack` gives it back identically."""
        rows = [row for number, unit in enumerate(self.units) for row in _rows(number, unit.judged)]
        sizes = np.array([len(spans) for *_, spans in rows], np.int64)
        clauses = pa.array([clause for _, clause, *_ in rows], pa.string()).dictionary_encode()
        table = pa.table(
            [
                pa.array(np.repeat(np.array([row[0] for row in rows], np.int32), sizes)),
                clauses.take(pa.array(np.repeat(np.arange(len(rows)), sizes))),
                pa.array([row[2] for row in rows], pa.bool_()).take(pa.array(np.repeat(np.arange(len(rows)), sizes))),
                pa.array(_joined([spans.start for *_, spans in rows])),
                pa.array(_joined([spans.end for *_, spans in rows])),
            ],
            _SCHEMA.with_metadata({b"facts": json.dumps(self._facts(), ensure_ascii=False).encode()}),
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue())

    def _facts(self) -> dict[str, Any]:
        return {
            "mine": self.mine,
            "day": self.day.isoformat(),
            "start": self.start,
            "end": self.end,
            "rules": self.rules,
            "rules_digest": self.rules_digest,
            "site": self.site,
            "stretches": self.stretches,
            "units": [
                {
                    "category": unit.category,
                    "id": unit.id,
                    "name": [unit.name.zh, unit.name.en],
                    "equipment": unit.equipment,
                    "lacks": unit.lacks,
                    "output": unit.output,
                    "start": unit.start,
                    "end": unit.end,
                    "producing": [clause.key for clause, _ in unit.judged.producing],
                    "intelligent": [clause.key for clause, _ in unit.judged.intelligent],
                }
                for unit in self.units
            ],
            "excluded": [[e.ticket, e.kind, e.category, e.unit, e.start, e.end] for e in self.excluded],
        }


def unpack(packed: bytes, rules: Rules | None = None) -> Evidence:
    """What `pack` wrote; the clauses are those of the version in `rules` (by default this house's) that it names.
    Raises LookupError where that version is not known any more, OtherRules where it says something else now."""
    with pa.ipc.open_stream(packed) as reader:
        table = reader.read_all()
    facts = json.loads(table.schema.metadata[b"facts"])
    version = next((v for v in (rules or standard()).versions if v.version == facts["rules"]), None)
    if version is None:
        raise LookupError(f"规则中没有版本 {facts['rules']} · the rules have no version {facts['rules']} any more")
    if version.digest != facts["rules_digest"]:
        then, now = facts["rules_digest"][:8], version.digest[:8]
        raise OtherRules(
            f"规则 {version.version} 的内容已不是当时的内容（{then}，现为 {now}）"
            f" · the rules {version.version} do not say what they said then ({then}, and now {now})"
        )
    found = _spans(table)

    def unit(number: int, told: Mapping[str, Any]) -> UnitSpans:
        clauses = {clause.key: clause for clause in version.categories[told["category"]].clauses()}

        def said(keys: list[str]) -> Said:
            return tuple((clauses[key], _verdict(found, number, key)) for key in keys)

        output = told["output"]
        return UnitSpans(
            told["category"],
            told["id"],
            Name(*told["name"]),
            tuple(told["equipment"]),
            tuple(told["lacks"]),
            None if output is None else (output[0], output[1], output[2]),
            told["start"],
            told["end"],
            Judged(said(told["producing"]), said(told["intelligent"]), found.get((number, STOOD, True), NOTHING)),
        )

    return Evidence(
        facts["mine"],
        date.fromisoformat(facts["day"]),
        facts["start"],
        facts["end"],
        facts["rules"],
        facts["site"],
        tuple((key, start, end) for key, start, end in facts["stretches"]),
        tuple(unit(number, told) for number, told in enumerate(facts["units"])),
        tuple(Excluded(*each) for each in facts["excluded"]),
        facts["rules_digest"],
    )


def mine_days(many: Sequence[Evidence]) -> list[MineDay]:
    """The figures that follow from some days, rising, none over another. What a figure counts is told moment by moment,
    so that each is what it would be by itself; reckoned together they cost far less."""
    parts: dict[tuple[Any, ...], list[tuple[int, UnitSpans]]] = defaultdict(list)
    for number, each in enumerate(many):
        for unit in each.units:
            clauses = [tuple(clause.key for clause, _ in s) for s in (unit.judged.producing, unit.judged.intelligent)]
            parts[each.rules, unit.category, unit.id, *clauses].append((number, unit))
    out = [left_out(each.excluded) for each in many]
    found: dict[tuple[int, str, str], dict[str, Figure]] = defaultdict(lambda: defaultdict(Figure))
    for own in parts.values():
        judged = _following([unit.judged for _, unit in own])
        left = [out[number].get((unit.category, unit.id), NOTHING).within(unit.start, unit.end) for number, unit in own]
        stretches = [
            (number, key, max(start, unit.start), min(end, unit.end))
            for number, unit in own
            for key, start, end in many[number].stretches
            if max(start, unit.start) < min(end, unit.end)
        ]
        if stretches:
            asked = [(start, end) for *_, start, end in stretches]
            for (number, key, *_), figure in zip(stretches, figures(judged, asked, _one(left)), strict=True):
                found[number, own[0][1].category, own[0][1].id][key] += figure
    return [_mine_day(each, found, number) for number, each in enumerate(many)]


def _mine_day(of: Evidence, found: Mapping[tuple[int, str, str], Mapping[str, Figure]], number: int) -> MineDay:
    parts: dict[tuple[str, str], list[UnitSpans]] = defaultdict(list)
    for unit in of.units:
        parts[unit.category, unit.id].append(unit)

    def unit_day(own: list[UnitSpans]) -> UnitDay:
        newest = own[-1]
        outputs = [part.output for part in own if part.output is not None]
        output = reduce(lambda a, b: (a[0] + b[0], a[1] + b[1], b[2]), outputs) if outputs else None
        shifts = found.get((number, newest.category, newest.id), {})
        in_order = {key: shifts[key] for key, *_ in of.stretches if key in shifts}
        return UnitDay(newest.category, newest.id, newest.name, newest.equipment, in_order, newest.lacks, output)

    units = tuple(unit_day(own) for own in parts.values())
    return MineDay(of.mine, of.day, of.start, of.end, of.rules, of.site, units, of.excluded, of.rules_digest)


def _following(many: Sequence[Judged]) -> Judged:
    """What is said of times that follow on each other, by the same clauses."""

    def together(each: Sequence[Said]) -> Said:
        of_clauses = zip(*each, strict=True)
        return tuple(
            (own[0][0], Verdict(*(_one([getattr(v, side) for _, v in own]) for side in ("yes", "no", "doubt"))))
            for own in of_clauses
        )

    if len(many) == 1:
        return many[0]
    return Judged(
        together([judged.producing for judged in many]),
        together([judged.intelligent for judged in many]),
        _one([judged.stood for judged in many]),
    )


def _one(many: Sequence[Spans]) -> Spans:
    return joined(_joined([spans.start for spans in many]), _joined([spans.end for spans in many]))


def left_out(excluded: tuple[Excluded, ...]) -> dict[tuple[str, str], Spans]:
    """(category, unit) → all that is excluded of it."""
    pairs: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for each in excluded:
        pairs[each.category, each.unit].append((each.start, each.end))
    return {key: Spans.of(own) for key, own in pairs.items()}


def _rows(number: int, judged: Judged) -> Iterator[tuple[int, str, bool | None, Spans]]:
    for clause, verdict in (*judged.producing, *judged.intelligent):
        yield number, clause.key, True, verdict.yes
        yield number, clause.key, False, verdict.no
        yield number, clause.key, None, verdict.doubt
    yield number, STOOD, True, judged.stood


def _joined(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *columns])


_HOLDS = (None, False, True)


def _spans(table: pa.Table) -> dict[tuple[int, str, bool | None], Spans]:
    """Spans of each (unit, clause, holds), in runs as they were written."""
    unit, start, end = (table.column(name).to_numpy() for name in ("unit", "start", "end"))
    holds = pc.fill_null(table.column("holds").cast(pa.int8()), -1).to_numpy() + 1
    clause = table.column("clause").combine_chunks()
    if not len(unit):
        return {}
    names, code = clause.dictionary.to_pylist(), clause.indices.to_numpy()
    turns = np.flatnonzero((np.diff(unit) != 0) | (np.diff(code) != 0) | (np.diff(holds) != 0)) + 1
    begins, ends = np.append(0, turns), np.append(turns, len(unit))
    return {
        (int(unit[a]), names[code[a]], _HOLDS[holds[a]]): Spans(start[a:b], end[a:b])
        for a, b in zip(begins.tolist(), ends.tolist(), strict=True)
    }


def _verdict(found: Mapping[tuple[int, str, bool | None], Spans], number: int, key: str) -> Verdict:
    return Verdict(*(found.get((number, key, holds), NOTHING) for holds in (True, False, None)))
