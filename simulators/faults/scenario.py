"""Scenarios: a mine, some hours of it, what goes wrong when, and – written by hand – what must be noticed.

    name: {zh: 工作面瓦斯涌出, en: Gas rises at the face}
    mine: middle                       # one that comes with this program, or a folder beside the file
    seed: 7
    start: 2026-03-02T08:00:00+08:00
    duration: 2 h
    faults:
      - {at: 20 min, fault: gas_rise, target: face_1, amount: 12, for: 10 min}
    expect:
      - {at: 20 min, within: 5 min, point: ch4_face_t0/ch4, alarm: hi}
    thresholds:
      - {sensor: ch4_face_t0, point: ch4, alarm: 1.0, cut: 1.5, restore: 1.0}

`at` counts from the start. A scenario is checked like a site: every mistake at its line, before anything starts.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from models.site.files import Folder
from models.site.problems import Problem, Problems, SiteErrors, nearest
from models.site.schema import Span, validate
from models.site.yamlfile import Document, parse
from simulators.design.strict import Strict
from simulators.design.thresholds import Threshold
from simulators.faults.catalogue import Names

HERE = Path(__file__).parent.parent
MINES = HERE / "mines"
SCENARIOS = HERE / "scenarios"
LONGEST_S = 31 * 86_400.0
MOST = 1000
"""Faults, expectations and thresholds that one file may have."""

Duration = Annotated[Span, Field(gt=0, le=LONGEST_S)]
Offset = Annotated[Span, Field(ge=0, le=LONGEST_S)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,80}$")]
PointName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}/[a-z0-9_-]{1,40}$")]


def _instant(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"'{value}' is not an instant such as 2026-03-02T08:00:00+08:00") from None
    raise ValueError("an instant such as 2026-03-02T08:00:00+08:00 is needed")


def _with_zone(value: datetime.datetime) -> datetime.datetime:
    if value.tzinfo is None:
        raise ValueError("the start needs its offset from UTC, such as +08:00")
    if not 2000 <= value.year < 2100:
        raise ValueError(f"the year {value.year} is not between 2000 and 2099")
    return value


Instant = Annotated[datetime.datetime, BeforeValidator(_instant), AfterValidator(_with_zone)]


class FaultEntry(Strict):
    """One thing that goes wrong; without `for` it stays to the end."""

    model_config = ConfigDict(populate_by_name=True)
    at: Offset
    fault: Word
    target: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_./-]{1,81}$")]
    amount: float | None = None
    for_s: Annotated[Duration | None, Field(alias="for")] = None


class Expectation(Strict):
    """One thing that must be seen from `at` on `within` so long, or with `absent` must never be seen meanwhile:
    a value, a quality or an alarm of a point, or a quality of all that a connection has."""

    at: Offset
    within: Duration
    point: PointName | None = None
    connection: Word | None = None
    value: float | None = None
    quality: Literal["bad", "uncertain", "stale", "good"] | None = None
    alarm: Literal["hi", "hihi", "lo", "lolo", "state", "cut"] | None = None
    absent: bool = False
    note: Names | None = None

    @model_validator(mode="after")
    def _one(self) -> Expectation:
        if (self.point is None) == (self.connection is None):
            raise ValueError("give a point (equipment/key) or a connection, one of the two")
        if sum(each is not None for each in (self.value, self.quality, self.alarm)) != 1:
            raise ValueError("give exactly one of value, quality and alarm")
        if self.connection is not None and self.quality is None:
            raise ValueError("of a connection only a quality can be expected")
        return self


class Scenario(Strict):
    """A scenario file. Instants in µs UTC."""

    name: Names
    mine: Word
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    start: Instant
    duration: Duration
    faults: Annotated[tuple[FaultEntry, ...], Field(max_length=MOST)] = ()
    expect: Annotated[tuple[Expectation, ...], Field(max_length=MOST)] = ()
    thresholds: Annotated[tuple[Threshold, ...], Field(max_length=MOST)] = ()

    @property
    def start_us(self) -> int:
        return round(self.start.timestamp() * 1e6)

    @property
    def end_us(self) -> int:
        return self.start_us + round(self.duration * 1e6)


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A scenario with the document that it stands in, whose lines the checks name, and its mine's folder."""

    scenario: Scenario
    document: Document
    folder: Path


def form(path: Path) -> tuple[Scenario, Document]:
    """The scenario in a file, only its form checked. Raises SiteErrors."""
    problems = Problems()
    text = Folder(path.parent, problems).read_text(path)
    document = parse(text, path.name, problems) if text is not None else None
    scenario = validate(Scenario, document.data, document, (), problems) if document is not None else None
    if scenario is None or document is None:
        raise SiteErrors(problems.ordered())
    return scenario, document


def read(path: Path) -> Read:
    """As `form`, with the mine found and not yet looked at. Raises SiteErrors."""
    scenario, document = form(path)
    mine = _mine(path, scenario.mine)
    if mine is None:
        where = str(document.line(("mine",)))
        message = f"there is no mine '{scenario.mine}', neither bundled nor beside this file"
        raise SiteErrors([Problem(path.name, where, message + nearest(scenario.mine, mines()))])
    return Read(scenario, document, mine)


def mines() -> Mapping[str, Path]:
    """The mines that come with this program."""
    return {path.name: path for path in sorted(MINES.iterdir()) if (path / "site.yaml").exists()}


def _mine(path: Path, name: str) -> Path | None:
    """A folder beside the file goes before a bundled mine; the name has no slash, so it leads nowhere else."""
    beside = path.parent / name
    if name not in (".", "..") and (beside / "site.yaml").exists():
        return beside
    return mines().get(name)
