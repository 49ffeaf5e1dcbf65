"""The way of a mine's days to the bureau: one file, taken in whole or not at all."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from middleplatform.audit.log import tell
from middleplatform.database import Place
from middleplatform.kpi import book, parcel
from middleplatform.kpi.mines import Mine, keep_mine, mines
from middleplatform.kpi.parcel import ExchangeRefused, Header, Problem
from models.site.model import Name


@dataclass(frozen=True, slots=True)
class Taken:
    """(section, day) of what a file held: `new` here, `newer` than what was here, the `same`, `older`: left aside.
    `facts`: what it says of the mine otherwise than was known, as (before, after), None for a mine that was not;
    `old_facts`: the same, left aside, as what is known was said later."""

    mine: str
    new: list[tuple[str, date]] = field(default_factory=list)
    newer: list[tuple[str, date]] = field(default_factory=list)
    same: list[tuple[str, date]] = field(default_factory=list)
    older: list[tuple[str, date]] = field(default_factory=list)
    facts: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    old_facts: dict[str, tuple[Any, Any]] = field(default_factory=dict)


def export(where: Place, mine: str, first: date, last: date, to: Path, now: int | None = None) -> int:
    """Write the days of a mine from `first` to `last` to a file; returns how many documents it holds. A day that is not
    over is left out. Raises KeyError for a mine of which nothing is known, LookupError where no day is kept."""
    own = next((each for each in mines(where) if each.mine == mine), None)
    if own is None:
        raise KeyError(mine)
    kept = [
        each
        for section in parcel.SECTIONS
        for each in book.read(where, mine, section, first, last).values()
        if not each.provisional
    ]
    if not kept:
        raise LookupError(f"{mine}: no day that is over is kept from {first} to {last}")
    parcel.write(own, kept, first, last, to, time.time_ns() // 1000 if now is None else now)
    return len(kept)


def take(where: Place, file: Path, mine: str = "", now: int | None = None) -> Taken:
    """Take in what a file holds; a day is replaced by one that the mine made later, and by nothing else. `mine`: refuse
    a file of another; one of a mine whose days are made here is always refused. Raises ExchangeRefused, before anything
    is taken; OSError."""
    at = time.time_ns() // 1000 if now is None else now
    header, lines = parcel.read(file, mine, at)
    if book.made_here(where, header.mine):
        own = Problem(
            1,
            f"{header.mine} 的日数据由本平台自己编制，不从文件接收",
            f"the days of {header.mine} are made here, from its samples: they are not taken from a file",
        )
        raise ExchangeRefused(file.name, [own])
    days = [date.fromisoformat(line.day) for line in lines]
    here = {section: book.read(where, header.mine, section, min(days), max(days)) for section in parcel.SECTIONS}
    taken = Taken(header.mine)
    for line, day in zip(lines, days, strict=True):
        known = here[line.section].get(day)
        what = (line.section, day)
        if known is not None and known.digest == line.digest:
            taken.same.append(what)
        elif known is not None and known.made_at >= line.made_at:
            taken.older.append(what)
        else:
            (taken.new if known is None else taken.newer).append(what)
            versions = book.Versions(line.rules, line.site, line.program, line.rules_digest)
            book.keep(
                *(where, header.mine, line.section, day, line.document, versions), at=line.made_at, received_at=at
            )
    _learn(where, header, max(line.made_at for line in lines), taken)
    numbers = {which: len(getattr(taken, which)) for which in ("new", "newer", "same", "older")}
    before = {f"mine.{key}": was for key, (was, _) in taken.facts.items()}
    facts = {f"mine.{key}": now_is for key, (_, now_is) in taken.facts.items()}
    tell(where, "kpi.import", header.mine, before=before or None, after={"file": file.name, **numbers, **facts})
    return taken


def _learn(where: Place, header: Header, made_at: int, taken: Taken) -> None:
    """Take over what the file says of the mine, unless what is known was said later. `made_at`: of the newest day."""
    known = next((each for each in mines(where) if each.mine == header.mine), None)
    said_at = made_at if header.written_at is None else header.written_at
    facts = (header.capacity_kt, header.gas_class, header.time_zone, header.belt_central)
    said = Mine(header.mine, Name(header.zh, header.en), *facts, said_at)
    later = known is None or said_at >= known.updated
    (taken.facts if later else taken.old_facts).update(
        {
            key: (None if known is None else _plain(getattr(known, key)), _plain(getattr(said, key)))
            for key in ("name", "capacity_kt", "gas_class", "time_zone", "belt_central")
            if known is None or getattr(known, key) != getattr(said, key)
        }
    )
    if later:
        own = (said.name, said.time_zone, said.capacity_kt, said.gas_class, said.belt_central)
        keep_mine(where, said.mine, *own, at=said_at)


def _plain(value: Any) -> Any:
    return f"{value.zh} {value.en}" if isinstance(value, Name) else value
