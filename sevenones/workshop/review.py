"""What a draft would change in a site's folder: files, rows, and every mistake, before anything is written."""

from __future__ import annotations

import difflib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from middleplatform.workshop.tools import Draft, Facts, NewConnection
from models.identity import SEGMENT
from models.site.foreign.reading import Row
from models.site.problems import Problem
from models.words import halves
from sevenones.point_import import Choice, Import, ImportRefused, prepare
from sevenones.site_check import examine
from sevenones.workshop.connections import CannotInsert, entry_of, inserted

CONNECTIONS = "connections.yaml"
SUFFIXES = (".csv", ".xlsx")
MOST_LINES = 400
"""Of one file's difference."""


@dataclass(slots=True)
class Reviewed:
    """`files` are written when there are no `problems`; `variables` hold secrets on the gateway's machine."""

    files: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    rows: Sequence[Row] = ()
    unknown: Sequence[str] = ()
    planned: Import | None = None


def reviewed(site: Path, draft: Draft, secrets_of: Callable[[str], frozenset[str]]) -> Reviewed:
    """Read, compare and check. `secrets_of`: the secret settings of an adapter."""
    found = Reviewed()
    with tempfile.TemporaryDirectory(prefix="sevenones-") as kept:
        stage = Path(kept) / site.resolve().name
        shutil.copytree(site, stage, ignore=shutil.ignore_patterns(".*"), symlinks=True)
        if draft.new is not None and _has(stage, draft.connection) is False:
            _connect(stage, draft, draft.new, secrets_of, found)
        table = Path(kept) / _file_name(draft.file, found)
        if found.problems:
            return found
        table.write_bytes(draft.table)
        _points(stage, table, draft, Path(kept) / "words.yaml", found)
    return found


def _has(site: Path, connection: str) -> bool | None:
    """Whether the site has the connection; None where its file cannot be read, which `prepare` tells."""
    try:
        return connection in yaml.safe_load((site / CONNECTIONS).read_text("utf-8-sig"))["connections"]
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError):
        return None


def _connect(
    stage: Path, draft: Draft, new: NewConnection, secrets_of: Callable[[str], frozenset[str]], found: Reviewed
) -> None:
    if not SEGMENT.fullmatch(draft.connection):
        found.problems.append(
            Problem(
                CONNECTIONS,
                "",
                f"连接名 '{draft.connection}'：1 到 40 个 a-z 0-9 _ - · the connection's name: "
                "1 to 40 of a-z, 0-9, _ and -",
            )
        )
        return
    try:
        entry, found.variables = entry_of(draft.connection, new, secrets_of(new.adapter))
        text = inserted((stage / CONNECTIONS).read_text("utf-8-sig"), draft.connection, entry)
    except ValueError as error:
        words = f"{error}：地址中有密码，请写入密码栏 · a password within the address: give it in its own field"
        found.problems.append(Problem(CONNECTIONS, "", words))
    except (CannotInsert, OSError):
        words = (
            "此文件的写法不能由程序修改，请手工加入该连接 · the form of this file is not changed by a program: "
            "add the connection by hand"
        )
        found.problems.append(Problem(CONNECTIONS, "", words))
    else:
        before = {(one.file, one.message) for one in examine(stage).problems}
        (stage / CONNECTIONS).write_text(text, "utf-8")
        found.files[CONNECTIONS] = text.encode()
        # What was wrong before is not this connection's.
        found.problems += [one for one in examine(stage).problems if (one.file, one.message) not in before]


def _file_name(name: str, found: Reviewed) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        words = "只读 .xlsx 和 .csv · only .xlsx and .csv are read: save it as one of them"
        found.problems.append(Problem(name[:80], "", words))
    stem = "".join(char for char in Path(name).stem if char.isprintable() and char not in '/\\:\0"').lstrip(".")[:60]
    return (stem or "table") + suffix


def _points(stage: Path, table: Path, draft: Draft, words: Path, found: Reviewed) -> None:
    names = "/".join(filter(None, (draft.name_zh, draft.name_en)))
    for name in (draft.name_zh, draft.name_en):
        # It parts the two names of `sevenones import`: what is written is what was entered, or nothing.
        if "/" in name:
            said = (
                f"名称 '{name}' 中不能有“/”：请改写，如用“-”或全角“／” · the name '{name}' must not have a '/': write "
                "another sign, such as '-'"
            )
            found.problems.append(Problem(f"equipment/{draft.equipment}.yaml", "name", said))
    if draft.words:
        words.write_text(yaml.safe_dump({kind: dict(said) for kind, said in draft.words.items()}, allow_unicode=True))
    choice = Choice(
        template=draft.template,
        equipment=draft.equipment,
        name=names,
        area=draft.area,
        connection=draft.connection,
        group=draft.group,
        mapping=words if draft.words else None,
        table=draft.register,
        first=draft.first,
        # What the template has not is told apart, so that it can be chosen what it is.
        skip_unknown=True,
        keep=draft.keep,
    )
    try:
        planned = prepare(stage, table, choice)
    except ImportRefused as refused:
        found.problems += refused.problems
        if refused.found is not None:
            found.rows, found.unknown = refused.found.rows, refused.found.skipped
        planned = None
    else:
        found.planned, found.rows, found.unknown = planned, planned.found.rows, planned.found.skipped
        found.files |= planned.files
    if not draft.skip_unknown:
        for each in found.unknown:
            where, _, said = each.partition(" ")
            found.problems.append(
                Problem(
                    table.name,
                    where,
                    f"模板没有测点 '{said}'：选择它是哪个测点，或略过 · the template has no point "
                    f"'{said}': choose which one it is, or leave it out",
                )
            )


def as_facts(site: Path, found: Reviewed) -> Facts:
    """A review as JSON."""
    planned = found.planned
    change = None if planned is None else planned.difference
    whole = not found.problems
    return {
        "problems": [_problem(one) for one in found.problems[:500]],
        "problems_left_out": max(0, len(found.problems) - 500),
        "notes": [] if planned is None else [_problem(one) for one in planned.notes[:100]],
        "rows": [_row(row) for row in found.rows],
        "unknown": [dict(zip(("where", "said"), each.split(" ", 1), strict=False)) for each in found.unknown],
        "unused": [] if planned is None else planned.found.unused,
        "added": [] if change is None else ["/".join(key) for key in change.added],
        "changed": [
            {"point": "/".join(one.key), "columns": {name: list(pair) for name, pair in one.columns.items()}}
            for one in (change.changed if change is not None else ())
        ],
        "removed": [] if change is None else ["/".join(key) for key in change.removed],
        "unchanged": 0 if change is None else len(change.unchanged),
        "files": [_file(site, name, data) for name, data in found.files.items()] if whole else [],
        "variables": found.variables,
        "seen": digest(site, found) if whole and found.files else None,
    }


def digest(site: Path, found: Reviewed) -> str:
    """Of what would be written and of what is there now."""
    whole = hashlib.sha256()
    for name, data in sorted(found.files.items()):
        there = (site / name).read_bytes() if (site / name).exists() else b""
        for part in (name.encode(), data, there):
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def _problem(one: Problem) -> Facts:
    return {"file": one.file, "where": one.where, **halves(one.message).words()}


def _row(row: Row) -> Facts:
    values = {name: value for name, value in row.values.items() if name not in ("equipment", "point")}
    return {"equipment": row.key[0], "point": row.key[1], "where": row.where("point"), "values": values}


def _file(site: Path, name: str, data: bytes) -> Facts:
    """What differs, line by line; nothing of what stands around it, which may be secret."""
    path = site / name
    old = path.read_bytes().decode("utf-8-sig", "replace").splitlines() if path.exists() else []
    new = data.decode("utf-8-sig").splitlines()
    lines = [line for line in difflib.unified_diff(old, new, n=0, lineterm="") if not line.startswith(("---", "+++"))]
    return {
        "name": name,
        "made": not path.exists(),
        "lines": lines[:MOST_LINES],
        "left_out": max(0, len(lines) - MOST_LINES),
    }
