"""What an import would change in a site, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.site.foreign.existing import Bound, Existing, Key, canonical
from models.site.foreign.reading import Row
from models.site.problems import Problems


@dataclass(frozen=True, slots=True)
class Change:
    """One point that is bound otherwise: column → (as it is, as it would be)."""

    key: Key
    columns: Mapping[str, tuple[Any, Any]]


@dataclass(slots=True)
class Difference:
    """`table` is the file that is written: the keys of its rows in order, and their values."""

    added: list[Key] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    removed: list[Key] = field(default_factory=list)
    unchanged: list[Key] = field(default_factory=list)
    table: dict[Key, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def difference(rows: Sequence[Row], now: Existing, file: str, problems: Problems, *, keep: bool = False) -> Difference:
    """Between the rows and the site. `file`: the table that the import writes; its rows of the same equipment that
    are not among `rows` go, unless they are kept; a point that is bound otherwise elsewhere is a problem, for two
    files would speak of it."""
    found = Difference()
    here = {key: bound for key, bound in now.bound.items() if bound.file == file}
    imported = {row.key: row for row in rows}
    machines = {equipment for equipment, _ in imported}
    for key, bound in here.items():
        if key in imported:
            continue
        if key[0] in machines and not keep:
            found.removed.append(key)
        else:
            found.table[key] = bound.values
    for key, row in imported.items():
        _place(key, row, now.bound.get(key), now, file, found, problems)
    # Rows stay where they were; what is new comes after.
    order = {key: place for place, key in enumerate(here)}
    found.table = dict(sorted(found.table.items(), key=lambda item: order.get(item[0], len(order))))
    return found


def _place(
    key: Key, row: Row, bound: Bound | None, now: Existing, file: str, found: Difference, problems: Problems
) -> None:
    defaults = now.defaults.get(key[0], {})
    wanted = {name: value for name, value in row.values.items() if name not in ("equipment", "point")}
    after = canonical(wanted, defaults)
    before = canonical(bound.values, defaults) if bound is not None else None
    if before == after:
        found.unchanged.append(key)
        if bound is not None and bound.file == file:
            found.table[key] = bound.values
        return
    if bound is not None and bound.file != file:
        where = f"{bound.file}:{bound.where}"
        problems.add(
            row.file,
            row.where("point"),
            f"测点 {'/'.join(key)} 已在 {where} 绑定且不同：在那里修改，或先从那里删除，"
            f"或用 --to 写入那张表 · the point {'/'.join(key)} is bound otherwise at {where}: change it there, take it "
            "out there first, or write that table with --to",
        )
        return
    found.table[key] = wanted
    if before is None:
        found.added.append(key)
        return
    columns = {
        name: (before.get(name, ""), after.get(name, ""))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    }
    found.changed.append(Change(key, columns))
