"""A file of a mine's days: JSON lines, compressed with zstd, of which every line is checked when it is read.

It says first what is known of the mine, then the newest revision of each section of each day that is over, and last how
many lines there were and their digest. A digest tells a damaged file; who sent it, the way it came must tell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from middleplatform.kpi import book
from middleplatform.kpi.findings_day import FINDINGS
from middleplatform.kpi.mines import Mine
from middleplatform.kpi.possible import Day, impossible, over
from models.energy.day import EnergyDay
from models.kpi.day import MineDay, digest
from models.kpi.findings import FindingsDay
from models.production.day import ProductionDay
from models.utilisation.rules import standard

FORMAT, VERSION = "sevenones-days", 1
MOST_FILE = 64 << 20
MOST_BYTES = 512 << 20
"""Of a file, unpacked."""
MOST_LINE = 8 << 20
MOST_LINES = 20_000
TOLD = 50
"""Mistakes that a refusal names."""
AHEAD_US = 86_400_000_000
"""How far another's clock may be before ours."""
SECTIONS: Mapping[str, Callable[[str], Day]] = {
    book.UTILISATION: MineDay.read,
    book.ENERGY: EnergyDay.read,
    book.PRODUCTION: ProductionDay.read,
    FINDINGS: FindingsDay.read,
}
"""By section, how its documents are read."""

Text = Annotated[str, Field(max_length=200)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Micros = Annotated[int, Field(ge=0, lt=2**62)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Header(Strict):
    format: Literal["sevenones-days"]
    version: Literal[1]
    mine: Annotated[str, Field(pattern="^[0-9A-Za-z]{1,12}$")]
    zh: Text
    en: Text
    capacity_kt: Annotated[float, Field(gt=0, le=1_000_000)] | None
    gas_class: Annotated[str, Field(max_length=20)] | None
    time_zone: Annotated[str, Field(max_length=60)]
    belt_central: bool | None
    first: Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    last: Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    written_at: Micros | None = None


class Line(Strict):
    section: Literal["utilisation", "energy", "production", "findings"]
    day: Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    revision: Annotated[int, Field(ge=1, lt=2**31)]
    made_at: Micros
    rules: Annotated[str, Field(max_length=60)]
    rules_digest: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
    site: Annotated[str, Field(max_length=64)]
    program: Annotated[str, Field(max_length=40)]
    digest: Digest
    document: str


class End(Strict):
    lines: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class Problem:
    """`line`: of the file, from 1 on."""

    line: int
    zh: str
    en: str


class ExchangeRefused(Exception):
    """Nothing was taken in. `problems`: up to TOLD of `of` mistakes."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file, self.problems, self.of = file, tuple(problems[:TOLD]), len(problems)
        told = "\n".join(f"{file}:{each.line}: {each.zh} · {each.en}" for each in self.problems)
        super().__init__(told + (f"\n… {self.of - TOLD}" if self.of > TOLD else ""))


def write(own: Mine, kept: Sequence[book.Kept], first: date, last: date, to: Path, at: int) -> None:
    """The file, whole when it is there under its name. `at`: now, µs UTC."""
    seen = hashlib.sha256()
    partial = to.with_name(f"{to.name}.part")
    with pa.OSFile(str(partial), "wb") as raw, pa.CompressedOutputStream(raw, "zstd") as out:
        for line in _lines(own, kept, first, last, at):
            seen.update(line)
            out.write(line)
        out.write(_json({"lines": len(kept) + 1, "digest": seen.hexdigest()}))
    partial.replace(to)


def _lines(own: Mine, kept: Sequence[book.Kept], first: date, last: date, at: int) -> Iterator[bytes]:
    yield _json(
        {
            "format": FORMAT,
            "version": VERSION,
            "mine": own.mine,
            "zh": own.name.zh,
            "en": own.name.en,
            "capacity_kt": own.capacity_kt,
            "gas_class": own.gas_class,
            "time_zone": own.time_zone,
            "belt_central": own.belt_central,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "written_at": at,
        }
    )
    for each in kept:
        yield _json(
            {
                "section": each.section,
                "day": each.day.isoformat(),
                "revision": each.revision,
                "made_at": each.made_at,
                "rules": each.versions.rules,
                "rules_digest": each.versions.rules_digest,
                "site": each.versions.site,
                "program": each.versions.program,
                "digest": each.digest,
                "document": each.document,
            }
        )


def _json(facts: Mapping[str, Any]) -> bytes:
    return canonical(facts).encode() + b"\n"


def canonical(facts: Any) -> str:
    """JSON as documents are written."""
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def read(file: Path, mine: str, now: int) -> tuple[Header, list[Line]]:
    """All of a file, checked. `mine`: whose it must be, "" for any; `now`: µs UTC. Raises ExchangeRefused, OSError."""

    def refuse(line: int, zh: str, en: str) -> ExchangeRefused:
        return ExchangeRefused(file.name, [Problem(line, zh, en)])

    raw = _unpacked(file, refuse)
    try:
        header = Header.model_validate_json(raw[0])
        date.fromisoformat(header.first), date.fromisoformat(header.last)
    except (ValidationError, ValueError, IndexError) as wrong:
        raise refuse(1, "不是日数据文件", f"this is no file of days: {_first(wrong)}") from wrong
    if mine and header.mine != mine:
        raise refuse(1, f"是 {header.mine} 的文件，而非 {mine}", f"it is of {header.mine}, and not of {mine}")
    try:
        end = End.model_validate_json(raw[-1])
    except (ValidationError, ValueError) as wrong:
        raise refuse(len(raw), "文件不完整，没有结尾", "the file is cut off: its last line is not there") from wrong
    whole = hashlib.sha256(b"".join(line + b"\n" for line in raw[:-1])).hexdigest()
    if end.lines != len(raw) - 1 or end.digest != whole:
        raise refuse(len(raw), "摘要不符，文件有损或被改", "its digest is another: it was damaged or changed")
    problems: list[Problem] = []
    lines: list[Line] = []
    seen: set[tuple[str, str]] = set()
    for number, text in enumerate(raw[1:-1], start=2):
        try:
            line = Line.model_validate_json(text)
            if (line.section, line.day) in seen:
                raise _Wrong(f"{line.section} {line.day} 重复", f"{line.section} {line.day} is there twice")
            seen.add((line.section, line.day))
            _check(line, header, now)
            lines.append(line)
        except _Wrong as wrong:
            problems.append(Problem(number, wrong.zh, wrong.en))
        except (ValidationError, ValueError, RecursionError) as wrong:
            problems.append(Problem(number, "无法解析", f"it cannot be read: {_first(wrong)}"))
    if not raw[1:-1]:
        problems.append(Problem(2, "没有任何一天的数据", "it holds no day"))
    if header.written_at is not None and header.written_at > now + AHEAD_US:
        problems.append(Problem(1, "写出时间在将来", "it was written in the future: see to the mine's clock"))
    if problems:
        raise ExchangeRefused(file.name, problems)
    return header, lines


def _unpacked(file: Path, refuse: Callable[[int, str, str], ExchangeRefused]) -> list[bytes]:
    if file.stat().st_size > MOST_FILE:
        raise refuse(0, f"文件超过 {MOST_FILE >> 20} MB", f"the file is larger than {MOST_FILE >> 20} MB")
    parts: list[bytes] = []
    size = 0
    try:
        with pa.OSFile(str(file), "rb") as raw, pa.CompressedInputStream(raw, "zstd") as packed:
            while part := packed.read(1 << 20):
                size += len(part)
                if size > MOST_BYTES:
                    raise refuse(0, f"解压后超过 {MOST_BYTES >> 20} MB", f"unpacked it is over {MOST_BYTES >> 20} MB")
                parts.append(part)
    except pa.ArrowException as wrong:
        raise refuse(0, "不是 zstd 文件，或不完整", "this is no zstd file, or it is cut off") from wrong
    except OSError as wrong:
        if wrong.errno is not None:
            raise
        raise refuse(0, "不是 zstd 文件，或不完整", "this is no zstd file, or it is cut off") from wrong
    lines = b"".join(parts).split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if len(lines) > MOST_LINES:
        raise refuse(MOST_LINES, f"超过 {MOST_LINES} 行", f"it has more than {MOST_LINES} lines")
    for number, line in enumerate(lines, start=1):
        if len(line) > MOST_LINE:
            raise refuse(number, f"该行超过 {MOST_LINE >> 20} MB", f"the line is larger than {MOST_LINE >> 20} MB")
    return lines


class _Wrong(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def _check(line: Line, header: Header, now: int) -> None:
    """Raises _Wrong, ValueError."""
    date.fromisoformat(line.day)
    if not header.first <= line.day <= header.last:
        raise _Wrong(f"{line.day} 不在文件所写的时段内", f"{line.day} is not of the time that the file says it holds")
    if digest(line.document) != line.digest:
        raise _Wrong("内容与摘要不符", "the document has another digest: it was damaged or changed")
    if line.made_at > now + AHEAD_US:
        raise _Wrong("编制时间在将来", "it was made in the future: see to the mine's clock")
    facts = json.loads(line.document)
    if canonical(facts) != line.document:
        raise _Wrong("内容不是规范格式", "the document is not in canonical form")
    if facts.get("mine") != header.mine or facts.get("day") != line.day:
        raise _Wrong("内容属于别的煤矿或别的日子", "the document is of another mine or day")
    _check_day(line)


def _check_day(line: Line) -> None:
    """What is read of a document must be what it says, and can be."""
    try:
        day = SECTIONS[line.section](line.document)
        again = day.document()
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as wrong:
        words = f"this is no day of {line.section}: {type(wrong).__name__} {wrong}"
        raise _Wrong(f"不是 {line.section} 的日数据", words[:200]) from wrong
    if again != line.document:
        raise _Wrong("内容不是规范格式", "the document is not in canonical form")
    if isinstance(day, MineDay):
        _check_rules(day, line)
    if (found := next(impossible(day), None)) is not None:
        raise _Wrong(f"不可能：{found}"[:200], f"this cannot be: {found}"[:200])
    if over(day)[1] > line.made_at:
        raise _Wrong("编制时这一天尚未结束", "the day was not over when it was made")


def _check_rules(day: MineDay, line: Line) -> None:
    if (day.rules, day.rules_digest, day.site) != (line.rules, line.rules_digest, line.site):
        raise _Wrong("口径或配置的版本前后不一", "the versions of rules or site are not those of the document")
    own = next((each for each in standard().versions if each.version == day.rules), None)
    if own is not None and own.digest != day.rules_digest:
        raise _Wrong(
            f"规则 {day.rules} 的内容与本处不同", f"it was made by rules {day.rules} that say something else than ours"
        )


def _first(wrong: Exception) -> str:
    if isinstance(wrong, ValidationError):
        error = wrong.errors()[0]
        return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"[:200]
    return str(wrong)[:200]
