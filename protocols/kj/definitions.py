"""What the latest definition files say: points, areas, substations, and a switch's words for 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.exchange import Records
from models.exchange.dictionaries import sensor_types
from protocols.adapter import Node

KINDS = ("CDDY", "FZDY", "RYQY", "RYJZ", "RYXX")
"""Types of files that define rather than tell."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point as CDDY defines it; `off` and `on` are a switch's words, "" where there are none."""

    code: str
    place: str
    sensor_type: str
    value_type: str
    unit: str
    off: str
    on: str


def _words(code: str) -> tuple[str, str]:
    """The dictionary's words for a switch's 0 and 1, by the type that is in a 28-digit point code."""
    known = sensor_types().get(code[16:20]) if len(code) == 28 else None
    if known is None or known.zero is None or known.one is None:
        return "", ""
    return known.zero.zh, known.one.zh


@dataclass(slots=True)
class Definitions:
    """Of each kind the newest file holds; an older one that comes later changes nothing."""

    sent: dict[str, int] = field(default_factory=dict)
    points: Mapping[str, Point] = field(default_factory=dict)
    stations: Mapping[str, str] = field(default_factory=dict)
    areas: Mapping[str, str] = field(default_factory=dict)

    def take(self, records: Records) -> bool:
        """Whether the file is the newest of its kind, and holds from now on."""
        if records.kind not in KINDS or records.sent < self.sent.get(records.kind, 0):
            return False
        self.sent[records.kind] = records.sent
        if records.kind == "CDDY":
            names = ("point", "place", "sensor_type", "value_type", "unit", "off_text", "on_text")
            rows = zip(*(records.text(name).to_pylist() for name in names), strict=True)
            self.points = {row[0]: Point(*row) for row in rows}
        elif records.kind == "FZDY":
            self.stations = _pairs(records, "station", "place")
        elif records.kind == "RYQY":
            self.areas = _pairs(records, "area", "area_name")
        return True

    def switch_words(self, code: str) -> tuple[str, str]:
        """A switch's words for 0 and 1; ("", "") where they are not known."""
        point = self.points.get(code)
        return (point.off, point.on) if point and point.off and point.on else _words(code)

    def nodes(self) -> Sequence[Node]:
        """All that is defined, as addresses."""
        types = sensor_types()
        found = []
        for code, point in self.points.items():
            known = types.get(point.sensor_type)
            words = f"{point.place} {known.name.zh if known else point.sensor_type}"
            found.append(Node(f"CDSS:{code}", words.strip(), point.unit or point.value_type, ""))
        found += [Node(f"FZSS:{code}", place, "run", "") for code, place in self.stations.items()]
        found += [Node(f"RYSS:{code}", name, "people", "") for code, name in self.areas.items()]
        return found


def _pairs(records: Records, key: str, value: str) -> dict[str, str]:
    return dict(zip(records.text(key).to_pylist(), records.text(value).to_pylist(), strict=True))
