"""docs/adapters.md: the sheet, the settings and the counters of every installed adapter of this tree."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from protocols.adapter import Adapter, Delivers, Supports
from protocols.registry import GROUP
from tools.reference.markdown import WRITTEN, table

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = "sevenones"
"""The distribution whose adapters the page shows; one from outside has its own page."""


def adapters() -> list[type[Adapter[Any, Any]]]:
    """The adapters of this tree, by name, as its entry points name them."""
    found = [entry for entry in entry_points(group=GROUP) if entry.dist is not None and entry.dist.name == OURS]
    return [entry.load() for entry in sorted(found, key=lambda entry: entry.name)]


def page() -> str:
    """docs/adapters.md."""
    kinds = adapters()
    lines = [
        "# 协议适配器 · Adapters", "", WRITTEN, "",
        "What each installed protocol can do and how well it delivers: its *sheet*, from the code. How one is made: "
        "[adding-a-protocol.md](adding-a-protocol.md).", "",
        *table(
            ("Adapter", "", *(str(one.name).lower() for one in Supports), "delivers", "source time"),
            (_sheet_row(kind) for kind in kinds),
        ), "",
    ]  # fmt: skip
    lines += [f"* **{delivers.value}**: {_DELIVERS[delivers]}" for delivers in Delivers] + [""]
    words = counters_in_words()
    for kind in kinds:
        lines += _adapter_lines(kind, words)
    return "\n".join(lines)


_DELIVERS = {
    Delivers.LATEST: "each poll yields the value at that instant; what changed between polls was never seen.",
    Delivers.EVERY_CHANGE: "the device reports each change while the link is up; what changed during an outage is not "
    "seen, unless the adapter says below that it fetches it.",
    Delivers.AT_LEAST_ONCE: "the other side keeps what it sent until it is acknowledged, and it is acknowledged only "
    "when the bus has it on disk; a repeat is possible, a loss is not.",
}


def _sheet_row(kind: type[Adapter[Any, Any]]) -> tuple[str, ...]:
    sheet = kind.sheet
    marks = ("✓" if one in sheet.supports else "" for one in Supports)
    time = "yes" if sheet.source_time else "no"
    return f"[`{sheet.name}`](#{sheet.name})", sheet.title.en, *marks, sheet.delivers.value, time


def _adapter_lines(kind: type[Adapter[Any, Any]], words: dict[str, str]) -> Iterator[str]:
    sheet = kind.sheet
    title = sheet.title.en if sheet.title.zh == sheet.title.en else f"{sheet.title.zh} · {sheet.title.en}"
    yield from (f'<a id="{sheet.name}"></a>', "", f"## {title} `{sheet.name}`", "")
    yield from (sheet.remarks.zh, "", sheet.remarks.en, "")
    folder = Path(inspect.getfile(kind)).parent
    if (folder / "README.md").exists():
        at = folder.relative_to(ROOT).as_posix()
        yield from (f"Addresses, options, and what holds when it fails: [{at}/README.md](../{at}/README.md).", "")
    for limit in sheet.limits:
        yield f"* {limit.zh} · {limit.en}"
    if sheet.limits:
        yield ""
    rows = list(setting_rows(kind))
    if rows:
        yield from table(("Setting", "Default", "May be", "Meaning"), rows)
        yield ""
    counters = counters_of(kind)
    if counters:
        yield from table(("Counter", "Counts"), ((f"`{name}`", words.get(name, "")) for name in counters))
        yield ""


def setting_rows(kind: type[Adapter[Any, Any]]) -> Iterator[tuple[str, ...]]:
    """Name, default, what it may be, and meaning of each setting, those within a setting too."""
    schema = kind.Settings.model_json_schema()
    yield from _fields(schema, schema.get("$defs", {}), "", 0)


def _fields(schema: dict[str, Any], shared: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, ...]]:
    needed = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        whole = {**_resolved(field, shared), **field}
        default = "*needed*" if name in needed else _default(field.get("default"))
        yield f"`{prefix}{name}`", default, _may_be(whole, shared), whole.get("description", "")
        if "properties" in whole and depth < 3:
            yield from _fields(whole, shared, f"{prefix}{name}.", depth + 1)


def _resolved(field: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """A field's schema with its reference followed, or that of the one thing it can be beside nothing."""
    if "$ref" in field:
        return dict(shared[field["$ref"].rsplit("/", 1)[1]])
    choices = [choice for choice in field.get("anyOf", ()) if choice.get("type") != "null"]
    return {**choices[0], **_resolved(choices[0], shared)} if len(choices) == 1 else {}


def _default(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else f"`{value}`" if value not in ("", {}, []) else "–"


def _may_be(field: dict[str, Any], shared: dict[str, Any]) -> str:
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("format") == "password":
        return "secret text"
    choices = [
        _may_be({**_resolved(one, shared), **one}, shared)
        for one in field.get("anyOf", ())
        if one.get("type") != "null"
    ]
    if len(choices) > 1:
        return " or ".join(dict.fromkeys(choices))
    names = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true, false",
             "object": "mapping", "array": "list"}  # fmt: skip
    bounds = [
        f"{sign} {field[key]:g}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in field
    ]
    return " ".join([names.get(field.get("type", ""), ""), ", ".join(bounds)]).strip()


def counters_of(kind: type[Adapter[Any, Any]]) -> list[str]:
    """The names of all counters in an adapter's code, and in that of other adapters that it builds on."""
    names: set[str] = set()
    waiting, seen = [_place(Path(inspect.getfile(kind)))], set()
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        for file in [place] if place.is_file() else place.rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            names.update(re.findall(r"[\"']([a-z][a-z0-9_]*_total)[\"']", text))
            for module in re.findall(r"^from (protocols\.[a-z0-9_.]+) import", text, re.M):
                found = ROOT.joinpath(*module.split("."))
                found = found if found.is_dir() else found.with_suffix(".py")
                if found.parent != ROOT / "protocols":
                    waiting.append(found)
    return sorted(names)


def _place(file: Path) -> Path:
    """An adapter's folder, or its one file."""
    return file if file.parent == ROOT / "protocols" else file.parent


def counters_in_words(page: Path = ROOT / "protocols" / "counters.md") -> dict[str, str]:
    """What each counter counts: the rows of protocols/counters.md."""
    rows = re.findall(r"^\| `([a-z0-9_]+_total)` \| (.+?) \|$", page.read_text(encoding="utf-8"), re.M)
    return dict(rows)
