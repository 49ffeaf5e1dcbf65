"""Where a value comes from: from a figure, a roll-up or a derived point back to the points, the address of the device,
its connection and gateway, and the versions of the rule, the template and the dictionary that were in force.

The answer is a graph: nodes with their facts, and edges from what was made to what it was made of.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from middleplatform.database import Place
from middleplatform.governance import dictionaries, manual
from middleplatform.governance.parts import parts
from middleplatform.governance.register import named
from middleplatform.governance.sight import Sees
from middleplatform.governance.versions import SiteVersion, parts_since, version_at
from models import vocabulary
from models.site.model import Site

MAX_POINTS = 500
"""Points that one answer follows."""
HOLDS = 2.0
"""A value holds for at most this many times its point's longest silence, as in the store."""

Facts = Mapping[str, Any]


class NotThen(LookupError):
    """The site had no such point at that time; `version` is the one that was asked, None for what runs now."""

    def __init__(self, point: str, version: int | None) -> None:
        super().__init__(point)
        self.point, self.version = point, version


@dataclass(slots=True)
class Graph:
    """Nodes by id (`<kind>:<name>`), and edges (from, to, how)."""

    root: str
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)
    hidden: int = 0
    """Inputs that the caller may not see, and points beyond MAX_POINTS."""

    def node(self, kind: str, name: str, facts: Facts) -> str:
        """Add a node once; returns its id."""
        identity = f"{kind}:{name}"
        self.nodes.setdefault(identity, {**facts, "id": identity, "kind": kind, "name": name})
        return identity

    def edge(self, made: str, of: str, how: str) -> None:
        if (made, of, how) not in self.edges:
            self.edges.append((made, of, how))


class Sources:
    """The parts of the site that held at an instant (µs UTC): of the version then, or, when none is on record, of what
    runs now."""

    def __init__(self, where: Place, site: Site, at: int) -> None:
        self._where = where
        self.mine = site.code
        self.version: SiteVersion | None = version_at(where, site.code, at)
        self._running = None if self.version is not None else parts(site)

    def get(self, kind: str, names: Iterable[str]) -> dict[str, tuple[int | None, dict[str, Any]]]:
        """The parts of these names that there are, each with the version since which it is so."""
        wanted = sorted(set(names))
        if self._running is not None:
            found = {name: self._running.get((kind, name)) for name in wanted}
            return {name: (None, json.loads(body)) for name, body in found.items() if body is not None}
        assert self.version is not None  # noqa: S101 - or there would be what runs
        return dict(parts_since(self._where, self.mine, self.version.version, kind, wanted))


def of_point(where: Place, site: Site, sees: Sees, point: str, at: int) -> Graph:
    """The lineage of a point's value at an instant. Raises NotThen."""
    sources = Sources(where, site, at)
    graph = Graph(f"point:{point}")
    _points(graph, where, sources, sees, [point], at)
    _corrections(graph, where, sources, point, at, at + 1)
    return graph


def of_rollup(where: Place, site: Site, sees: Sees, point: str, start: int, width: int) -> Graph:
    """The lineage of a bucket of a point: `width` µs from `start`. Raises NotThen."""
    sources = Sources(where, site, start)
    name = f"{point}@{start}/{width}"
    graph = Graph(f"rollup:{name}")
    (_, facts), *_ = sources.get("point", [point]).values() or [(None, {"silence_s": 0})]
    held = round(HOLDS * facts["silence_s"] * 1e6)
    root = graph.node(
        "rollup",
        name,
        {
            "start": start,
            "end": start + width,
            "width": width,
            "samples_from": start - held,
            "rule": "time-weighted, step-hold bounded by the hold age, bad time left out",
        },
    )
    _points(graph, where, sources, sees, [point], start)
    graph.edge(root, f"point:{point}", "aggregates")
    _corrections(graph, where, sources, point, start - held, start + width)
    return graph


def of_figure(where: Place, site: Site, sees: Sees, figure: str, facts: Facts, points: Iterable[str], at: int) -> Graph:
    """The lineage of a figure that was computed of points: `facts` say its rule and version."""
    sources = Sources(where, site, at)
    graph = Graph(f"figure:{figure}")
    root = graph.node("figure", figure, facts)
    wanted = list(points)
    _points(graph, where, sources, sees, wanted, at)
    for point in wanted:
        if f"point:{point}" in graph.nodes:
            graph.edge(root, f"point:{point}", "computed from")
    return graph


def _points(graph: Graph, where: Place, sources: Sources, sees: Sees, wanted: list[str], at: int) -> None:
    """Follow points, and the inputs of derived ones, to their devices."""
    for point in wanted:
        if not sources.get("point", [point]):
            raise NotThen(point, None if sources.version is None else sources.version.version)
    front, seen = list(dict.fromkeys(wanted)), set(wanted)
    while front:
        found = sources.get("point", front)
        front = []
        for path, (since, facts) in found.items():
            node = graph.node("point", path, _point(facts, since))
            _device(graph, sources, node, facts)
            _meaning(graph, where, sources, node, facts, at)
            formula = facts["formula"]
            for other in formula["inputs"] if formula is not None else ():
                if not sees("point", other) or len(seen) >= MAX_POINTS:
                    graph.hidden += 1
                    continue
                graph.edge(node, f"point:{other}", "computed from")
                if other not in seen:
                    seen.add(other)
                    front.append(other)


def _point(facts: Facts, since: int | None) -> dict[str, Any]:
    names = ("unit", "role", "retention", "factor", "offset", "low", "high", "dead_band", "silence_s")
    formula = facts["formula"]
    return {
        "label": facts["name"],
        "point_id": facts["id"],
        "since_version": since,
        **{name: facts[name] for name in names},
        "rule": None if formula is None else {"expression": formula["text"], "since_version": since},
    }


def _device(graph: Graph, sources: Sources, node: str, facts: Facts) -> None:
    """The address, the connection and the gateway of a measured point."""
    name = facts["connection"]
    for since, connection in sources.get("connection", [name]).values():
        line = graph.node(
            "connection",
            name,
            {"since_version": since, "adapter": connection["adapter"], "place": connection["settings"]},
        )
        gateway = graph.node("gateway", connection["gateway"], {})
        graph.edge(line, gateway, "run by")
        if facts["formula"] is not None:
            graph.edge(node, gateway, "computed by")
            continue
        told = {
            "address": facts["address"],
            "type": facts["type"],
            "order": facts["order"],
            "group": facts["group"],
            "period_s": connection["groups"].get(facts["group"]),
        }
        address = graph.node("address", f"{name} {facts['address']}", told)
        graph.edge(node, address, "read at")
        graph.edge(address, line, "over")


def _meaning(graph: Graph, where: Place, sources: Sources, node: str, facts: Facts, at: int) -> None:
    """The template, the role and the dictionary by which a point means what it does."""
    for since, equipment in sources.get("equipment", [facts["equipment"]]).values():
        machine = graph.node(
            "equipment",
            facts["equipment"],
            {"label": equipment["name"], "area": equipment["area"], "since_version": since},
        )
        graph.edge(node, machine, "of")
        for known_since, template in sources.get("template", [equipment["template"]]).values():
            told = {"label": template["name"], "digest": template["digest"], "since_version": known_since}
            graph.edge(machine, graph.node("template", equipment["template"], told), "instance of")
    role = vocabulary.roles().get(facts["role"])
    if role is not None:
        graph.edge(node, graph.node("role", facts["role"], {"means": role.means}), "means")
    if facts["sensor_code"]:
        day = datetime.datetime.fromtimestamp(at / 1e6, datetime.UTC).date()
        edition, rows = dictionaries.rows_of(where, "sensor_types", day)
        row = next((row for row in rows if row["code"] == facts["sensor_code"]), None)
        if edition is not None:
            told = {"code": facts["sensor_code"], "entry": None if row is None else dict(row), **(named(edition) or {})}
            told.pop("kind", None)
            name = f"sensor_types {edition.version} {facts['sensor_code']}"
            graph.edge(node, graph.node("dictionary", name, told), "coded by")


def _corrections(graph: Graph, where: Place, sources: Sources, point: str, start: int, end: int) -> None:
    """What people entered or corrected of the point in a range."""
    for entry in manual.touching(where, sources.mine, point, start, end):
        rows = [row for row in manual.samples(where, entry.id) if start <= row["ts"] < end]
        if rows:
            told = {
                "who": entry.who,
                "decided_by": entry.decided_by,
                "reason": entry.reason,
                "samples": len(rows),
                "first": {name: rows[0][name] for name in ("ts", "value", "quality", "was_value", "was_quality")},
            }
            graph.edge(f"point:{point}", graph.node("manual", str(entry.id), told), "corrected by")
