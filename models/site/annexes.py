"""What a site says beside its points: the map and the network (rules: see linkages). Each names equipment, areas and
gateways; here they are held against what there is, so that none of them speaks of a thing that nobody has.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from models.site.files import Folder
from models.site.minemap import features
from models.site.model import Feature
from models.site.problems import Problems
from models.site.schema import Span, validate
from models.site.there import There, unknown
from models.site.yamlfile import Document, parse
from models.site.yamlfile import Path as Place
from models.thing import Key, Names, Number, Strict


class RingEntry(Strict):
    name: Names
    switches: Annotated[tuple[Key, ...], Field(min_length=3, max_length=200)]
    mbit_per_s: Annotated[Number, Field(gt=0)]
    heals_in: Span


class LinkEntry(Strict):
    between: tuple[Key, Key]
    medium: Literal["fibre", "copper", "radio"]
    ring: Key | None = None
    mbit_per_s: Annotated[Number, Field(gt=0)] | None = None


class GatewayEntry(Strict):
    switch: Key
    connections: tuple[Key, ...]


class BaseStationEntry(Strict):
    switch: Key
    generation: Literal["4G", "5G", "WiFi6"]


class ReaderEntry(Strict):
    switch: Key


class NetworkFile(Strict):
    """network.yaml"""

    rings: dict[Key, RingEntry] = Field(default_factory=dict)
    links: dict[Key, LinkEntry] = Field(default_factory=dict)
    gateways: dict[Key, GatewayEntry] = Field(default_factory=dict)
    base_stations: dict[Key, BaseStationEntry] = Field(default_factory=dict)
    readers: dict[Key, ReaderEntry] = Field(default_factory=dict)


def check(folder: Folder, problems: Problems, there: There) -> tuple[Feature, ...]:
    """The map. Every mistake of map/*.geojson and network.yaml is added to the problems. None of them must be there."""
    seen: dict[str, str] = {}
    found = [
        feature
        for path in folder.list("map", (".geojson",))
        for feature in features(folder, path, problems, there, seen)
    ]
    network = folder.root / "network.yaml"
    if network.exists():
        document = _document(folder, network, problems)
        if document is not None:
            _network(document, problems, there)
    return tuple(found)


def _document(folder: Folder, path: Path, problems: Problems) -> Document | None:
    text = folder.read_text(path)
    return None if text is None else parse(text, folder.name(path), problems)


def _network(document: Document, problems: Problems, there: There) -> None:
    network = validate(NetworkFile, document.data, document, (), problems)
    if network is None:
        return

    def need(what: str, name: str, known: Collection[str], *place: str | int) -> None:
        message = unknown(what, name, known)
        if message:
            problems.add(document.file, document.line(place), message)

    for name, ring in network.rings.items():
        for switch in ring.switches:
            need("equipment", switch, there.equipment, "rings", name, "switches")
    for name, link in network.links.items():
        for end in link.between:
            need("equipment", end, there.equipment, "links", name, "between")
        if link.ring is not None:
            need("ring", link.ring, network.rings, "links", name, "ring")
    for name, gateway in network.gateways.items():
        if "" not in there.gateways.values():
            need("gateway", name, set(there.gateways.values()), "gateways", name)
        need("equipment", gateway.switch, there.equipment, "gateways", name, "switch")
        for connection in gateway.connections:
            place: Place = ("gateways", name, "connections")
            need("connection", connection, there.gateways, *place)
            if there.gateways.get(connection, name) not in (name, ""):
                owner = there.gateways[connection]
                message = (
                    f"连接 '{connection}' 属于网关 '{owner}' · "
                    f"the connection '{connection}' belongs to the gateway '{owner}'"
                )
                problems.add(document.file, document.line(place), message)
    for part, there_are in (("base_stations", network.base_stations), ("readers", network.readers)):
        for name, entry in there_are.items():
            need("equipment", name, there.equipment, part, name)
            need("equipment", entry.switch, there.equipment, part, name, "switch")
