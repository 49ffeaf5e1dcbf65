"""From a foreign point table and what the engineer chose to the files that an import would write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from models.identity import SEGMENT
from models.site.files import Folder
from models.site.foreign import reading
from models.site.foreign.difference import Difference, difference
from models.site.foreign.existing import Existing, Key, existing
from models.site.foreign.table import columns_of, to_csv
from models.site.foreign.words import MappingError, Words, mapping
from models.site.library import Library
from models.site.problems import Problem, Problems, hinted
from models.site.tables import letter
from models.site.yamlfile import parse
from models.thing import Template
from sevenones.site_change import tried

SUFFIXES = (".csv", ".xlsx")


class ImportRefused(Exception):
    """An import with mistakes; `problems` has all of them, at the cells of the table that was given; `found` what could
    be read of it all the same."""

    def __init__(self, problems: list[Problem], found: reading.Found | None = None) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems
        self.found = found


@dataclass(frozen=True, slots=True)
class Choice:
    """What the engineer said on the command line."""

    template: str = ""
    equipment: str = ""
    name: str = ""
    area: str = ""
    connection: str = ""
    group: str = ""
    mapping: Path | None = None
    table: str = ""
    first: int = 0
    to: str = ""
    skip_unknown: bool = False
    keep: bool = False


@dataclass(slots=True)
class Import:
    """What would happen: `files` to write, empty when nothing changes; `made`: those that are new; `notes`: what
    `check` would say of its rows that is no mistake, at the cells of the table that was given."""

    found: reading.Found
    difference: Difference
    files: dict[str, bytes] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def prepare(site: Path, file: Path, choice: Choice) -> Import:
    """Read, compare and check; nothing is written. Raises ImportRefused."""
    problems = Problems()
    data = _content(file, problems)
    now = existing(site)
    files: dict[str, bytes] = {}
    how = _how(site, choice, now, files, problems)
    _stop_at(problems)
    found = reading.read(data, file.suffix, file.name, how, problems)
    target = _target(file, choice, found, now)
    changes = difference(found.rows, now, target, problems, keep=choice.keep)
    _stop_at(problems, found)
    planned = Import(found, changes, made=list(files))
    if changes.changes or files:
        planned.files = files
        if changes.changes:
            planned.files[target] = to_csv(changes.table)
            _check(site, planned, target, file, choice)
    return planned


def _content(file: Path, problems: Problems) -> bytes:
    if file.suffix.lower() not in SUFFIXES:
        problems.add(str(file), "", "只读 .xlsx 和 .csv · only .xlsx and .csv are read: save it as one of them")
        return b""
    # Read as a site's own files are: plain, and of a sane size.
    content = Folder(file.parent, problems).read(file.parent.resolve() / file.name)
    return content or b""


def _stop_at(problems: Problems, found: reading.Found | None = None) -> None:
    if problems.count:
        raise ImportRefused(problems.ordered(), found)


def _how(site: Path, choice: Choice, now: Existing, files: dict[str, bytes], problems: Problems) -> reading.How:
    folder = Folder(site, problems)
    library = Library(folder, problems)
    templates: dict[str, Template] = {}
    for equipment, name in now.templates.items():
        known = _template(library, name)
        if known is not None:
            templates[equipment] = known
    chosen = _template(library, choice.template) if choice.template else templates.get(choice.equipment)
    if choice.template and chosen is None:
        problems.add("--template", "", f"没有模板 '{choice.template}' · there is no template '{choice.template}'")
    if choice.equipment and choice.equipment not in now.templates:
        _new_equipment(site, choice, files, problems)
        if chosen is not None:
            templates[choice.equipment] = chosen
    elif choice.template and choice.equipment and now.templates[choice.equipment] != choice.template:
        problems.add(
            "--template",
            "",
            f"设备 '{choice.equipment}' 的模板是 '{now.templates[choice.equipment]}' · "
            f"the template of '{choice.equipment}' is '{now.templates[choice.equipment]}'",
        )
    adapters = _adapters(site, problems)
    if choice.connection and choice.connection not in adapters:
        zh, en = f"没有连接 '{choice.connection}'", f"there is no connection '{choice.connection}'"
        problems.add("--connection", "", hinted(zh, en, choice.connection, adapters))
    if choice.table not in ("", "hr", "ir", "co", "di"):
        problems.add("--table", "", f"'{choice.table}'：写 hr、ir、co 或 di · write hr, ir, co or di")
    return reading.How(
        _words(choice.mapping, problems),
        templates,
        choice.equipment,
        chosen,
        choice.connection,
        choice.group,
        choice.table,
        choice.first,
        adapters,
        _takes,
        choice.skip_unknown,
    )


def _template(library: Library, name: str) -> Template | None:
    try:
        return library.get(name)
    except KeyError:
        return None


def _words(file: Path | None, problems: Problems) -> Words:
    if file is None:
        return Words()
    try:
        return mapping(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, MappingError) as error:
        problems.add(str(file), "", f"映射文件无法使用 · the mapping file cannot be used: {error}")
        return Words()


def _adapters(site: Path, problems: Problems) -> Mapping[str, str]:
    """Connection → adapter, as the file says."""
    text = Folder(site, problems).read_text(site.resolve() / "connections.yaml")
    document = None if text is None else parse(text, "connections.yaml", Problems())
    entries = document.data.get("connections") if document is not None and isinstance(document.data, dict) else None
    return {
        str(name): str(entry.get("adapter", ""))
        for name, entry in (entries.items() if isinstance(entries, dict) else ())
        if isinstance(entry, dict)
    }


def _takes(adapter: str, address: str) -> bool:
    """Whether the adapter reads such an address as it is written."""
    from protocols import registry
    from protocols.adapter import Tag

    try:
        registry.adapter(adapter).check(Tag(0, "import", address))
    except (ValueError, LookupError):
        return False
    return True


def _new_equipment(site: Path, choice: Choice, files: dict[str, bytes], problems: Problems) -> None:
    if not SEGMENT.fullmatch(choice.equipment):
        problems.add("--equipment", "", f"'{choice.equipment}'：1 到 40 个 a-z 0-9 _ - · 1 to 40 of a-z, 0-9, _ and -")
        return
    if not choice.template:
        problems.add(
            "--equipment",
            "",
            f"没有设备 '{choice.equipment}'，新建需要 --template · there is no '{choice.equipment}': to make it, "
            "give --template",
        )
        return
    areas = _areas(site)
    area = choice.area or (areas[0] if len(areas) == 1 else "")
    if area not in areas:
        problems.add(
            "--area",
            "",
            f"新设备 '{choice.equipment}' 要用 --area 指明所在区域 · say where '{choice.equipment}' stands with --area"
            f": {', '.join(areas[:20]) or 'areas.yaml has none'}",
        )
        return
    chinese, _, english = (choice.name or choice.equipment).partition("/")
    entry = {
        "template": choice.template,
        "name": {"zh": chinese.strip(), "en": english.strip() or chinese.strip()},
        "area": area,
    }
    path = f"equipment/{choice.equipment}.yaml"
    if (site / path).exists():
        problems.add(path, "", f"已存在，但没有设备 '{choice.equipment}' · is there, but without '{choice.equipment}'")
        return
    text = yaml.safe_dump({"equipment": {choice.equipment: entry}}, allow_unicode=True, sort_keys=False)
    files[path] = text.encode()


def _areas(site: Path) -> list[str]:
    try:
        data = yaml.safe_load((site / "areas.yaml").read_text(encoding="utf-8-sig"))
        return [str(name) for name in data["areas"]]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
        return []


def _target(file: Path, choice: Choice, found: reading.Found, now: Existing) -> str:
    """The table that is written: of one equipment its own; the one that has the points already, so that what was
    exported and edited goes back to where it came from; else that of the file's name."""
    said = choice.to.removeprefix("points/").removesuffix(".csv") or choice.equipment
    if not said:
        homes = {bound.file for row in found.rows if (bound := now.bound.get(row.key)) is not None}
        if len(homes) == 1 and (home := homes.pop()).startswith("points/") and home.endswith(".csv"):
            return home
    name = re.sub(r"[^\w-]+", "_", said or file.stem).strip("_") or "points"
    return f"points/{name}.csv"


def _check(site: Path, planned: Import, target: str, file: Path, choice: Choice) -> None:
    """What `check` would say afterwards, at the cells of the table that was given. Raises ImportRefused."""
    report = tried(site, planned.files)
    problems = report.problems
    # What was wrong before is not this table's.
    before = {(problem.file, problem.message) for problem in tried(site, {}).problems} if problems else set()
    new = [one for one in problems if (one.file, one.message) not in before]
    rows = {row.key: row for row in planned.found.rows}
    places = _places(planned.difference.table)
    if not new:
        given = (_at_its_cell(one, target, rows, places, file) for one in report.notes)
        planned.notes = [one for one, was in zip(given, report.notes, strict=True) if one is not was]
        return
    raise ImportRefused([_at_its_cell(one, target, rows, places, file) for one in new], planned.found)


def _places(table: Mapping[Key, Mapping[str, Any]]) -> dict[str, tuple[Key, str]]:
    """Cell of the table that would be written → which point's which column."""
    columns = columns_of(table.values())
    return {
        f"{letter(place)}{number}": (key, column)
        for number, key in enumerate(table, 2)
        for place, column in enumerate(columns)
    }


def _at_its_cell(
    one: Problem, target: str, rows: Mapping[Key, reading.Row], places: Mapping[str, tuple[Key, str]], file: Path
) -> Problem:
    if one.file != target or one.where not in places:
        return one
    key, column = places[one.where]
    row = rows.get(key)
    if row is None:
        return one
    return Problem(file.name, row.where(column), f"{'/'.join(key)} {column}: {one.message}")
