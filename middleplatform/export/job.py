"""What an export is asked to do and how far it is; kept in its folder, so that it outlives the process."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

State = Literal["waiting", "running", "done", "failed"]
Form = Literal["parquet", "arrow", "csv"]


class ExportRefused(Exception):
    """An export that is not taken on: why, in Chinese and English, and what to do."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.zh, self.en = code, zh, en


@dataclass(frozen=True, slots=True)
class Owner:
    """Who may see an export: a user, or a token that no user's sign-in made."""

    user: str | None
    token: int

    def is_same(self, other: Owner) -> bool:
        return self.user == other.user if self.user is not None else other.user is None and self.token == other.token


@dataclass(frozen=True, slots=True)
class Order:
    """`ids` ascending with the `paths` of the same points; start ≤ ts < end, µs."""

    ids: tuple[int, ...]
    paths: tuple[str, ...]
    start: int
    end: int
    form: Form


@dataclass(frozen=True, slots=True)
class Cursor:
    """What comes next: the samples of a day (counted in `Job.days`) from a point and, of that point, from a time."""

    day: int = 0
    point: int = 0
    ts: int = 0


@dataclass(slots=True)
class Job:
    """`days`: each day (since 1970) that has samples, and at most how many; `rows` and `bytes` are what is whole in
    the file. Times are µs UTC."""

    id: str
    owner: Owner
    order: Order
    days: list[tuple[int, int]]
    created: int
    state: State = "waiting"
    cursor: Cursor = field(default_factory=Cursor)
    rows: int = 0
    bytes: int = 0
    finished: int | None = None
    incomplete: bool = False
    words: tuple[str, str] | None = None

    @property
    def rows_expected(self) -> int:
        """An upper bound: samples that were sent twice are counted twice until the store has merged them."""
        return max(self.rows, sum(rows for _, rows in self.days))

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        if self.state == "done":
            return 1.0
        before = sum(rows for _, rows in self.days[: self.cursor.day])
        expected = self.rows_expected
        return min(0.999, max(before, self.rows) / expected) if expected else 0.0

    @property
    def active(self) -> bool:
        return self.state in {"waiting", "running"}

    def anew(self) -> None:
        """Begin from the beginning."""
        self.cursor, self.rows, self.bytes = Cursor(), 0, 0


def file_of(folder: Path, job: Job) -> Path:
    return folder / job.id / f"samples.{job.order.form}"


def create(folder: Path, job: Job) -> None:
    """Make the job's folder with its order. What changes is written by `save`."""
    own = folder / job.id
    own.mkdir(mode=0o700, parents=True)
    _write(own / "order.json", asdict(job.order))
    save(folder, job)


def save(folder: Path, job: Job) -> None:
    """How far the job is, whole or not at all."""
    _write(folder / job.id / "job.json", asdict(replace(job, order=None)))  # type: ignore[arg-type]


def load(own: Path) -> Job:
    """The job of a folder. Raises OSError, ValueError, TypeError, KeyError when it is not one."""
    order = json.loads((own / "order.json").read_text("utf-8"))
    known = json.loads((own / "job.json").read_text("utf-8"))
    known["order"] = Order(**order | {"ids": tuple(order["ids"]), "paths": tuple(order["paths"])})
    known["owner"], known["cursor"] = Owner(**known["owner"]), Cursor(**known["cursor"])
    known["days"] = [(day, rows) for day, rows in known["days"]]
    known["words"] = known["words"] and tuple(known["words"])
    return Job(**known)


def _write(path: Path, facts: object) -> None:
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(facts, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
