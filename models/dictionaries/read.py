"""A dictionary's file → a Dictionary, or every mistake in it.

YAML holds all; a table (CSV, XLSX) has a heading and rows, and says what it is in rows before the heading that begin
with `#` (`# kind: owners`), or its caller does.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from models.dictionaries.shape import MAX_ENTRIES, Dictionary, Entry, Kind, kinds
from models.dictionaries.sheet import MAX_BYTES, rows
from models.site.problems import Problem, Problems, hinted
from models.site.yamlfile import parse

FACTS = ("kind", "edition", "source", "effective_from")
SUFFIXES = (".yaml", ".csv", ".xlsx")


class DictionaryErrors(ValueError):
    """A dictionary that was refused. `problems` has all of its mistakes."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def read(data: bytes, file: str, facts: Mapping[str, str] | None = None) -> Dictionary:
    """The dictionary in a file whose name says its form. `facts` (see FACTS) go before those in the file. Raises
    DictionaryErrors."""
    problems = Problems()
    found = _read(data, file, {name: text for name, text in (facts or {}).items() if text}, problems)
    if found is None or problems.count:
        raise DictionaryErrors(problems.found)
    return found


def _read(data: bytes, file: str, facts: Mapping[str, str], problems: Problems) -> Dictionary | None:
    suffix = PurePath(file).suffix.lower()
    if suffix not in SUFFIXES:
        problems.add(file[:100], "", f"只收 {'、'.join(SUFFIXES)} · only {', '.join(SUFFIXES)} are taken")
        return None
    if len(data) > MAX_BYTES:
        size, most = f"{len(data) / 1e6:.1f} MB", f"{MAX_BYTES / 1e6:.1f} MB"
        message = f"有 {size}，最多接收 {most}：请拆分 · has {size}, at most {most} are taken: split the table"
        problems.add(file, "", message)
        return None
    if suffix == ".yaml":
        said, listed, where = _yaml(data, file, problems)
    else:
        said, listed, where = _table(data, suffix, file, facts.get("kind", ""), problems)
    if problems.count:
        return None
    return _made({**said, **facts}, listed, where, file, problems)


def _made(
    facts: Mapping[str, str], entries: list[Entry], where: list[int], file: str, problems: Problems
) -> Dictionary | None:
    kind = _kind(facts.get("kind", ""), file, problems)
    for name in FACTS[1:]:
        if not 0 < len(facts.get(name, "")) <= 300 or not facts[name].isprintable():
            problems.add(file, "", f"缺少 {name}，或过长 · '{name}' is missing or too long: at most 300 characters")
    effective = _day(facts.get("effective_from", ""), file, problems)
    if kind is None or effective is None:
        return None
    kind.check(entries, lambda row, column, message: problems.add(file, where[row], f"{column}: {message}"))
    if problems.count:
        return None
    return Dictionary(kind.id, facts["edition"], effective, facts["source"], tuple(entries))


def _kind(name: str, file: str, problems: Problems) -> Kind | None:
    found = kinds().get(name)
    if found is None:
        problems.add(
            file,
            "",
            hinted(f"没有字典种类 '{name[:40]}'", f"there is no kind of dictionary '{name[:40]}'", name[:40], kinds()),
        )
    return found


def _day(text: str, file: str, problems: Problems) -> datetime.date | None:
    try:
        found = datetime.date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 1900 <= found.year <= 2200:
        problems.add(file, "", "生效日期应为 2026-01-31 这样的日期 · effective_from must be a day such as 2026-01-31")
        return None
    return found


def _yaml(data: bytes, file: str, problems: Problems) -> tuple[dict[str, str], list[Entry], list[int]]:
    try:
        document = parse(data.decode("utf-8-sig"), file, problems)
    except UnicodeDecodeError:
        problems.add(file, "", "不是 UTF-8 · is not UTF-8")
        return {}, [], []
    if document is None:
        return {}, [], []
    whole = document.data
    if not isinstance(whole, dict) or not isinstance(whole.get("entries"), list):
        message = (
            f"须为映射，含 {'、'.join(FACTS)} 和列表 'entries' · "
            f"must be a mapping with {', '.join(FACTS)} and a list 'entries'"
        )
        problems.add(file, "", message)
        return {}, [], []
    for name in whole.keys() - {*FACTS, "entries"}:
        problems.add(file, document.line((name,)), f"没有 '{name!s:.40}' · there is no '{name!s:.40}' in a dictionary")
    if len(whole["entries"]) > MAX_ENTRIES:
        problems.add(file, "", f"超过 {MAX_ENTRIES} 条 · over {MAX_ENTRIES} entries")
        return {}, [], []
    entries: list[Entry] = []
    lines: list[int] = []
    for index, entry in enumerate(whole["entries"]):
        line = document.line(("entries", index))
        if not isinstance(entry, dict) or any(isinstance(value, dict | list) for value in entry.values()):
            problems.add(file, line, "每条应为 列: 文字 · an entry is a mapping from columns to text")
            continue
        entries.append({str(name): _text(value) for name, value in entry.items() if value is not None})
        lines.append(line)
    return {name: _text(whole[name]) for name in FACTS if whole.get(name) is not None}, entries, lines


def _table(
    data: bytes, suffix: str, file: str, kind_name: str, problems: Problems
) -> tuple[dict[str, str], list[Entry], list[int]]:
    said: dict[str, str] = {}
    entries: list[Entry] = []
    numbers: list[int] = []
    heading: list[str] | None = None
    for number, cells in rows(data, suffix, file, problems):
        if cells[0].startswith("#"):
            name, colon, text = cells[0].lstrip("# ").partition(":")
            if heading is None and colon and name.strip() in FACTS:
                said[name.strip()] = ",".join((text, *cells[1:])).strip(" ,")
            continue
        if heading is None:
            kind = _kind(kind_name or said.get("kind", ""), file, problems)
            if kind is None:
                break
            heading = _heading(cells, kind, number, file, problems)
            continue
        if len(entries) >= MAX_ENTRIES:
            problems.add(file, number, f"超过 {MAX_ENTRIES} 条 · over {MAX_ENTRIES} entries")
            break
        if any(cells[len(heading) :]):
            problems.add(file, number, "超出表头的列 · a cell beyond the last column")
        entries.append({name: cell for name, cell in zip(heading, cells, strict=False) if cell and name})
        numbers.append(number)
    else:
        if heading is None:
            problems.add(file, "", "没有表头 · has no heading")
    return said, entries, numbers


def _heading(cells: list[str], kind: Kind, number: int, file: str, problems: Problems) -> list[str]:
    titles = {column.title: column.name for column in kind.columns} | {
        column.name: column.name for column in kind.columns
    }
    found = [titles.get(cell, titles.get(cell.lower(), "")) for cell in cells]
    for cell, name in zip(cells, found, strict=True):
        if cell and not name:
            zh, en = f"没有列 '{cell[:40]}'", f"there is no column '{cell[:40]}'"
            problems.add(file, number, hinted(zh, en, cell[:40], titles))
    names = [name for name in found if name]
    if len(set(names)) != len(names):
        problems.add(file, number, "列重复 · a column is here twice")
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
