"""Two contents compared apart from their words: an upgrade that says a thing otherwise changes no figure."""

from __future__ import annotations

from collections.abc import Iterator

from models.report.content import Content, Table, Value
from models.site.model import Name


def different(said: Content, now: Content) -> Iterator[str]:
    """Where `said` has a figure that `now` has not, to the last digit. What `now` has besides, a column or a table that
    an upgrade added, is no difference; rows are compared in their order, and names are words."""
    figures = [(key.value, key.bounds, key.coverage) for key in now.keys if not isinstance(key.value, Name)]
    for key in said.keys:
        if not isinstance(key.value, Name) and (key.value, key.bounds, key.coverage) not in figures:
            yield key.title.en
    tables = {table.key: table for table in now.tables}
    for table in said.tables:
        own = tables.get(table.key)
        yield from [table.title.en] if own is None else _of_table(table, own)


def _of_table(said: Table, now: Table) -> Iterator[str]:
    columns = {column.key: at for at, column in enumerate(now.columns)}
    if len(said.rows) != len(now.rows) or (said.total is None) != (now.total is None):
        yield f"{said.title.en}: rows"
        return
    rows = [*zip((*said.rows, said.total or ()), (*now.rows, now.total or ()), strict=True)]
    for at, column in enumerate(said.columns):
        own = columns.get(column.key)
        if own is None or any(not _same(one[at], other[own]) for one, other in rows if one):
            yield f"{said.title.en}: {column.title.en}"


def _same(one: Value, other: Value) -> bool:
    return isinstance(one, Name) or one == other
