"""One exchange file's bytes to typed columns, and what is wrong with them.

A record that cannot be trusted (wrong number of fields, a required one empty or unreadable) is left
out; another field that cannot be read is empty. Both are told, with record and field. A file of
which nothing can be trusted is Refused, with the reason; nothing else is ever raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.exchange import columns
from models.exchange.columns import Mask
from models.exchange.profile import Field, Layout, Profile

MOST_TOLD = 200
"""Problems that are told one by one; the rest are counted."""
MOST_RECORDS = 500_000
"""In one file."""
ENCODINGS = ("auto", "utf-8", "gbk", "gb18030")
_WIDE = str.maketrans({"；": ";", "～": "~", "｜": "|", "＾": "^", "］": "]"})

Column = Any
"""A pa.StringArray, or a numpy array of float64 or int64."""


class Why(StrEnum):
    """Why a file is refused as a whole."""

    INCOMPLETE = "incomplete"
    ENCODING = "encoding"
    UNKNOWN_TYPE = "unknown type"
    HEADER = "header"
    MALFORMED = "malformed"
    TOO_MANY_BAD = "too many bad records"


class Refused(ValueError):
    """Nothing of a file can be taken; `why` says which rule it broke, the message in plain words."""

    def __init__(self, why: Why, words: str) -> None:
        super().__init__(words)
        self.why = why


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file: the record, counted from 1 (0 is the header), the field ("" for the
    whole record), and what is wrong with it."""

    record: int
    field: str
    words: str

    def __str__(self) -> str:
        return f"record {self.record}{f', {self.field}' if self.field else ''}: {self.words}"


@dataclass(slots=True, eq=False)
class Records:
    """One file's content. `columns` by field name, a row a good record: texts as Arrow strings, numbers
    float64 (NaN: none), times int64 (µs UTC, 0: none). `number`: each row's record number in the file.
    `sent`: the header's time, µs UTC. `bad` of `total` records were left out."""

    kind: str
    mine: str
    sent: int
    header: Mapping[str, str]
    number: NDArray[np.int64]
    columns: Mapping[str, Column]
    total: int
    bad: int
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0

    def __len__(self) -> int:
        return len(self.number)

    def text(self, name: str) -> pa.StringArray:
        return self.columns[name]

    def times(self, name: str) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self.columns[name]
        return found

    def numbers(self, name: str) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self.columns[name]
        return found

    def tell(self, record: int, name: str, words: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_TOLD:
            self.problems.append(Problem(record, name, words))

    def tell_all(self, wrong: Mask, number: NDArray[np.int64], name: str, words: Callable[[int], str]) -> None:
        """One problem for each row that the mask names; `words` gives what is wrong with a row."""
        rows = np.flatnonzero(wrong)
        for at in rows[: MOST_TOLD - len(self.problems)].tolist():
            self.problems.append(Problem(int(number[at]), name, words(at)))
        self.problem_count += len(rows)


def decode(data: bytes, encoding: str, file_end: str) -> tuple[str, str]:
    """The text, and the encoding that it was in. `auto`: UTF-8 when it is that, else GB18030, of which
    GBK is a part. A byte order mark is left in front. Raises Refused."""
    tried = ("utf-8", "gb18030") if encoding == "auto" else (encoding,)
    for codec in tried:
        try:
            return data.decode(codec), codec
        except UnicodeDecodeError as error:
            where = error.start
    # A file that is cut off within a character is one that is not yet whole.
    if not data.rstrip().endswith(file_end.encode()):
        raise Refused(Why.INCOMPLETE, f"the file does not end with {file_end}, and ends within a character")
    other = "" if encoding == "auto" else _other(data, encoding)
    raise Refused(Why.ENCODING, f"byte {where} of the file is not {' nor '.join(tried)}{other}")


def _other(data: bytes, encoding: str) -> str:
    for codec in ("utf-8", "gb18030"):
        if codec != encoding:
            try:
                data.decode(codec)
            except UnicodeDecodeError:
                continue
            return f"; it can be read as {codec}: set the encoding to that, or to auto"
    return ""


def parse(data: bytes, profile: Profile, kind: str, zone: ZoneInfo, encoding: str = "auto") -> Records:
    """The records of a file whose name says that it is of the type `kind`. Raises Refused."""
    layout = profile.layouts.get(kind)
    if layout is None:
        raise Refused(
            Why.UNKNOWN_TYPE, f"files of the type {kind} are not known; known are {', '.join(profile.layouts)}"
        )
    text, _ = decode(data, encoding, profile.file_end)
    marked = text.startswith("\ufeff")
    text = text.removeprefix("\ufeff").replace("\r", "").replace("\n", "").rstrip(" \t\0\x1a")
    if not text.endswith(profile.file_end):
        wide = text.translate(_WIDE).endswith(profile.file_end)
        ends = (
            f"ends with {text[-len(profile.file_end) :]} in full width"
            if wide
            else f"does not end with {profile.file_end}"
        )
        raise Refused(
            Why.INCOMPLETE, f"the file {ends}" + (f": {profile.file_end} must be in half width" if wide else "")
        )
    body = text[: -len(profile.file_end)]
    if profile.file_end in body:
        raise Refused(Why.MALFORMED, f"{profile.file_end} ends a file, and here it also stands in the middle")
    if body.count(profile.record_end) > MOST_RECORDS:
        raise Refused(Why.MALFORMED, f"the file has over {MOST_RECORDS} records, more than any mine has points")
    first, *rest = body.split(profile.record_end)
    found = _header(first, layout, profile, zone)
    if marked:
        found.tell(0, "", "the file begins with a byte order mark, which the format does not allow; it was passed over")
    if rest and not rest[-1].strip():
        rest.pop()
    _records(found, rest, layout, profile, zone)
    return found


def _header(first: str, layout: Layout, profile: Profile, zone: ZoneInfo) -> Records:
    parts = [part.strip() for part in first.split(profile.field_end)]
    if len(parts) != len(layout.header):
        words = f"the header has {len(parts)} fields, and that of {layout.kind} has {len(layout.header)}"
        raise Refused(Why.HEADER, words + _full_width(first, profile))
    header = {column.name: part for column, part in zip(layout.header, parts, strict=True)}
    for column in layout.header:
        if column.required and not header[column.name]:
            raise Refused(Why.HEADER, f"the header's field {column.name} is empty")
    sent, wrong = columns.times(columns.trimmed([header["sent"]]), zone)
    if wrong[0]:
        raise Refused(Why.HEADER, f"the header's time '{header['sent'][:40]}' is none: yyyy-MM-dd HH:mm:ss is due")
    none = np.empty(0, np.int64)
    return Records(layout.kind, header["mine"], int(sent[0]), header, none, {}, 0, 0)


def _records(found: Records, rest: Sequence[str], layout: Layout, profile: Profile, zone: ZoneInfo) -> None:
    split = [record.split(profile.field_end) for record in rest]
    most = len(layout.fields)
    counts = np.fromiter(map(len, split), np.int64, len(split))
    right = (counts >= layout.fewest) & (counts <= most)
    due = str(most) if layout.fewest == most else f"{layout.fewest} to {most}"
    found.tell_all(
        ~right,
        np.arange(1, len(split) + 1),
        "",
        lambda at: f"{counts[at]} fields, and a record of {layout.kind} has {due}{_full_width(rest[at], profile)}",
    )
    good = [split[at] for at in np.flatnonzero(right).tolist()]
    if layout.fewest < most:
        good = [fields + [""] * (most - len(fields)) for fields in good]
    number = np.flatnonzero(right) + 1
    texts = list(zip(*good, strict=True)) if good else [()] * most
    taken = np.ones(len(good), np.bool_)
    typed: dict[str, Column] = {}
    for column, text in zip(layout.fields, texts, strict=True):
        typed[column.name] = _column(found, column, columns.trimmed(text), number, taken, zone)
    found.total = len(rest)
    found.bad = found.total - int(np.count_nonzero(taken))
    if found.bad > profile.most_bad * found.total:
        told = "; ".join(map(str, found.problems[:3]))
        words = f"{found.bad} of {found.total} records are bad, over {profile.most_bad:.0%}: {told}"
        raise Refused(Why.TOO_MANY_BAD, words)
    if not taken.all():
        keep = pa.array(taken)
        typed = {n: c[taken] if isinstance(c, np.ndarray) else c.filter(keep) for n, c in typed.items()}
        number = number[taken]
    found.columns, found.number = typed, number


def _column(
    found: Records, column: Field, text: pa.StringArray, number: NDArray[np.int64], taken: Mask, zone: ZoneInfo
) -> Column:
    """The typed column. Tells what is wrong, and takes rows out of `taken` that lack what is required."""
    typed: Column = text
    words = f"longer than {column.longest} characters"
    wrong = columns.mask(pc.greater(pc.utf8_length(text), column.longest))
    if column.kind in ("number", "int"):
        typed, wrong = columns.numbers(text, whole=column.kind == "int")
        infinite = np.isinf(typed) | (np.isnan(typed) & ~wrong & ~columns.empty(text))
        typed[infinite] = np.nan
        wrong, words = wrong | infinite, "not a number"
    elif column.kind == "time":
        (typed, wrong), words = columns.times(text, zone), "not a time (yyyy-MM-dd HH:mm:ss)"
    elif column.kind == "date":
        wrong, words = columns.dates(text, zone), "not a date (yyyy-MM-dd)"
    if column.kind in ("text", "code", "date") and wrong.any():
        typed = pc.if_else(pa.array(wrong), "", text)
    found.tell_all(wrong & taken, number, column.name, lambda at: f"'{text[at].as_py()[:40]}' is {words}")
    if column.required:
        missing = columns.empty(text)
        found.tell_all(missing & taken, number, column.name, lambda at: "empty, and a record without it says nothing")
        taken &= ~(wrong | missing)
    return typed


def _full_width(record: str, profile: Profile) -> str:
    wide = [
        mark
        for mark in "；～｜＾］"
        if mark in record and mark.translate(_WIDE) in profile.field_end + profile.record_end
    ]
    return f"; it has {' and '.join(wide)} in full width, where half width is due" if wide else ""
