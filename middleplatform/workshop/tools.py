"""What the workshop works with and the platform does not know: protocols, the site's folder, the judge of linkages.

Whoever starts the API brings it (`sevenones.workshop`); without it, the workshop asks devices and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Facts = dict[str, Any]
"""What JSON can hold."""


class WorkshopRefused(Exception):
    """It cannot be done: why, and what to do, in both languages. `code` is for programs."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code, self.zh, self.en = code, zh, en


@dataclass(frozen=True, slots=True)
class NewConnection:
    """A device that the site has not. `groups`: name → period, as connections.yaml writes it. `settings` may hold
    secrets: they are never written, logged or answered."""

    gateway: str
    adapter: str
    settings: Mapping[str, Any]
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """Points of one equipment that come into the site, with what is needed for it.

    `connection`: its name; `new` is what it is where the site has none of that name. `table`: a point table of any
    headings as a file's bytes, `file` its name. `words`: their words → ours by columns, types, orders, tables, units
    and points. `register` and `first`: where its addresses do not say it.
    """

    connection: str
    new: NewConnection | None
    equipment: str
    template: str
    name_zh: str
    name_en: str
    area: str
    group: str
    file: str
    table: bytes
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    register: str = ""
    first: int = 0
    skip_unknown: bool = False
    keep: bool = True


class Tools(Protocol):
    """Each may take seconds, and is called in a thread. Each raises WorkshopRefused."""

    def protocols(self) -> list[Facts]:
        """Every installed protocol with the fields of its settings: see protocols.forms."""
        ...

    def folder(self) -> Facts:
        """What the site's folder has: connections, equipment, areas, templates with points; whether it may be
        written, how a version is published, and the `digest` of its files, None where they have mistakes."""
        ...

    def review(self, draft: Draft) -> Facts:
        """What a draft would change, and every mistake in it. Nothing is written."""
        ...

    def commit(self, draft: Draft, seen: str, who: str) -> Facts:
        """Write what was reviewed; `seen`: the review's own digest."""
        ...

    def undo(self) -> Facts:
        """Take the latest change back that was not."""
        ...

    def rules(self) -> list[Facts]:
        """The folder's linkages in words, with what each looks at."""
        ...

    def trial(self, rules: list[str], rows: list[Facts], until_s: float) -> Facts:
        """What these rules (none: all) would do on values over time. A row: `at_s` and `values` by point; a value
        holds until the next row that has one, null is a value that is not there."""
        ...
