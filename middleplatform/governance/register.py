"""The register of points: everything that is known of each, from the site, the vocabulary and the dictionaries."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from middleplatform.database import Place
from middleplatform.governance import dictionaries
from middleplatform.governance.assigned import Assigned
from middleplatform.governance.dictionaries import Edition
from middleplatform.governance.parts import connection_facts, point_facts
from middleplatform.governance.search import Search
from models import vocabulary
from models.dictionaries.shape import Entry
from models.site.model import Name, Point, Site


@dataclass(frozen=True, slots=True)
class Held:
    """The dictionaries that hold on one day, by what the register takes from them."""

    codes: tuple[Edition | None, dict[str, Entry]]
    classes: tuple[Edition | None, dict[str, Entry]]
    classified: Assigned
    owned: Assigned
    owners: Edition | None
    synonyms: Sequence[Entry]

    def code_words(self) -> dict[str, Name]:
        """The words of the national sensor codes."""
        return {code: Name(entry["zh"], entry.get("en", "")) for code, entry in self.codes[1].items()}


class Register:
    """The register of one site. Thread-safe: what it remembers is replaced whole."""

    def __init__(self, where: Place, site: Site) -> None:
        self._where = where
        self.site = site
        self._held: tuple[tuple[Any, ...], Held] | None = None
        self._search: tuple[Any, Search] | None = None

    def held(self, day: datetime.date) -> Held:
        """The dictionaries that hold on a day."""
        found = {kind: dictionaries.effective(self._where, kind, day) for kind in _TAKEN}
        key = tuple(found.values())
        known = self._held
        if known is not None and known[0] == key:
            return known[1]
        rows = {kind: () if each is None else dictionaries.entries(self._where, each) for kind, each in found.items()}
        made = Held(
            (found["sensor_types"], _by_code(rows["sensor_types"])),
            (found["classification"], _by_code(rows["classification"])),
            Assigned(rows["classification"], self.site),
            Assigned(rows["owners"], self.site),
            found["owners"],
            rows["synonyms"],
        )
        self._held = (key, made)
        return made

    def find(self, q: str, held: Held, among: Iterable[int]) -> list[int]:
        """Indices of points that `q` finds, the best first: see `middleplatform.governance.search`."""
        known = self._search
        if known is None or known[0] != held.codes[0]:
            known = self._search = (held.codes[0], Search(self.site, held.code_words()))
        return known[1].find(q, among, held.synonyms)


_TAKEN = ("sensor_types", "classification", "owners", "synonyms")


def entry(point: Point, site: Site, held: Held) -> dict[str, Any]:
    """What the catalogue says of a point, as JSON has it."""
    facts = point_facts(point)
    equipment = site.equipment.get(point.equipment)
    template = site.templates.get(equipment.template) if equipment is not None else None
    connection = site.connections.get(point.connection)
    role = _role(point.role)
    owner = held.owned.of(point)
    return {
        "point": point.path,
        "id": facts["id"],
        "key": point.key,
        "name": facts["name"],
        "meaning": None if role is None else {"role": point.role, "zh": role[0], "en": role[1], "means": role[2]},
        "role": point.role,
        "kind": facts["kind"],
        "unit": point.unit,
        "range": {"low": facts["low"], "high": facts["high"]},
        "states": facts["states"],
        "limits": facts["limits"],
        "retention": facts["retention"],
        "silence_s": point.silence_s,
        "equipment": {
            "id": point.equipment,
            "name": (equipment.name if equipment else Name(point.equipment, point.equipment)).words(),
        },
        "area": [
            {"id": area, "name": site.areas[area].name.words() if area in site.areas else Name(area, area).words()}
            for area in site.areas_around(equipment.area if equipment is not None else None)
        ],
        "template": None
        if template is None
        else {
            "id": template.id,
            "name": template.name.words(),
            "subsystem": template.category,
            "digest": template.digest,
        },
        "source": {
            "gateway": connection.gateway if connection is not None else None,
            "connection": point.connection,
            "adapter": connection.adapter if connection is not None else None,
            "place": connection_facts(connection)["settings"] if connection is not None else {},
            "group": point.group,
            "address": point.address,
            "formula": facts["formula"],
        },
        "sensor_code": sensor_code(point.sensor_code, held),
        "class": classes_of(held.classified.of(point), held),
        "owner": None
        if owner is None
        else {"owner": owner["owner"], "department": owner.get("department", ""), "contact": owner.get("contact", "")},
    }


def sensor_code(code: str, held: Held) -> dict[str, Any] | None:
    """A national sensor code with its words and the dictionary that has them; None for a point without one."""
    if not code:
        return None
    edition, rows = held.codes
    found = rows.get(code)
    return {
        "code": code,
        "zh": None if found is None else found["zh"],
        "en": None if found is None else found.get("en", ""),
        "value_type": None if found is None else found["value_type"],
        "dictionary": named(edition),
    }


def classes_of(row: Entry | None, held: Held) -> list[dict[str, Any]]:
    """A point's class and those that it is within, the innermost first."""
    found = []
    while row is not None and len(found) < 10:
        found.append({"code": row["code"], "zh": row["zh"], "en": row.get("en", ""), "level": row["level"]})
        row = held.classes[1].get(row.get("parent", ""))
    return found


def named(edition: Edition | None) -> dict[str, Any] | None:
    """A dictionary's version as answers name it."""
    if edition is None:
        return None
    return {
        "kind": edition.kind,
        "version": edition.version,
        "edition": edition.edition,
        "effective_from": edition.effective_from.isoformat(),
    }


@lru_cache(maxsize=2048)
def _role(name: str) -> tuple[str, str, str] | None:
    found = vocabulary.roles().get(name)
    return None if found is None else (found.name.zh, found.name.en, found.means)


def _by_code(rows: Sequence[Entry]) -> dict[str, Entry]:
    return {row["code"]: row for row in rows}
