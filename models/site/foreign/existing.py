"""What a site binds now: each point's binding, with its equipment's defaults filled in, and where it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.site import tables
from models.site.files import Folder
from models.site.problems import Problems
from models.site.schema import Binding
from models.site.yamlfile import parse

Key = tuple[str, str]
"""Equipment and point."""

_DEFAULTS = Binding()


@dataclass(frozen=True, slots=True)
class Bound:
    """One binding: `values` as written, without defaults; `row` its number in the file, 0 for one inline."""

    values: Mapping[str, Any]
    file: str
    where: str
    row: int


@dataclass(frozen=True, slots=True)
class Existing:
    """`bound` in the order of the files; `defaults` and `templates` by equipment (the template's id)."""

    bound: Mapping[Key, Bound]
    defaults: Mapping[str, Mapping[str, Any]]
    templates: Mapping[str, str]


def existing(folder: Path) -> Existing:
    """From the files as they are. What is wrong in them is left out: `check` is who names it."""
    problems = Problems()
    files = Folder(folder, problems)
    bound: dict[Key, Bound] = {}
    defaults: dict[str, Mapping[str, Any]] = {}
    templates: dict[str, str] = {}
    for path in files.list("equipment", (".yaml",)):
        text = files.read_text(path)
        document = None if text is None else parse(text, files.name(path), problems)
        data = document.data if document is not None else None
        entries = data.get("equipment") if isinstance(data, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            if document is None or not isinstance(entry, dict):
                continue
            templates[str(name)] = str(entry.get("template", ""))
            given = entry.get("defaults")
            defaults[str(name)] = given if isinstance(given, dict) else {}
            points = entry.get("points")
            for key, binding in points.items() if isinstance(points, dict) else ():
                if isinstance(binding, dict):
                    line = document.line(("equipment", name, "points", key))
                    bound.setdefault((str(name), str(key)), Bound(binding, files.name(path), str(line), 0))
    for path in files.list("points", (".csv", ".xlsx")):
        data = files.read(path)
        if data is None:
            continue
        read = tables.read_csv if path.suffix.lower() == ".csv" else tables.read_xlsx
        for row in read(data, files.name(path), problems):
            values = dict(row.values)
            equipment, point = values.pop("equipment", None), values.pop("point", None)
            if equipment is not None and point is not None:
                found = Bound(values, row.file, row.where("point"), row.number)
                bound.setdefault((str(equipment), str(point)), found)
    return Existing(bound, defaults, templates)


def canonical(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A binding as it is compared: defaults filled in, numbers as numbers, and what says nothing left out."""
    whole = {**defaults, **values}
    found: dict[str, Any] = {}
    for name in Binding.model_fields:
        if name not in whole or whole[name] in ("", None):
            continue
        value = whole[name]
        if name in ("scale", "offset", "low", "high", "dead_band", "silence"):
            try:
                value = float(value)
            except (TypeError, ValueError):
                value = str(value)
        elif not isinstance(value, dict | list):
            value = str(value)
        if value != getattr(_DEFAULTS, name):
            found[name] = value
    return found
