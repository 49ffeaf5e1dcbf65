"""The files of one mine's folder, as text by name."""

from __future__ import annotations

from collections.abc import Iterable

from tools.mines import (
    connections,
    consistency,
    figures,
    interlocks,
    layers,
    maps,
    network,
    patrols,
    plant,
    readme,
    rules,
    safety,
    sequences,
    simulation,
)
from tools.mines.description import Mine
from tools.mines.item import Item
from tools.mines.text import document, table

FICTION = "虚构的矿井，仅用于仿真。A fictional mine, for simulation only. Written by python -m tools.mines."
KINDS = {
    "transport.yaml": ("belt_conveyor", "belt_scale"),
    "face.yaml": ("shearer", "afc", "stage_loader", "crusher", "emulsion_pump_station", "spray_pump"),
    "supports.yaml": ("hydraulic_support",),
    "headings.yaml": ("roadheader", "bolting_rig", "auxiliary_fan"),
    "chambers.yaml": ("pump_room", "drainage_pump", "main_fan", "compressor"),
    "power.yaml": ("transformer", "substation_feeder"),
    "meters.yaml": ("electricity_meter",),
    "network.yaml": ("ring_switch", "base_station"),
    "people.yaml": ("personnel_station",),
    "safety.yaml": tuple(safety.QUANTITY),
}


def files(mine: Mine) -> dict[str, str]:
    """Every file of the folder: name → text."""
    things = plant.items(mine)
    return {
        "README.md": readme.page(mine),
        "site.yaml": _site(mine),
        "areas.yaml": _areas(mine),
        "connections.yaml": document(connections.connections(mine), 4, (FICTION,)),
        **{f"equipment/{name}": _equipment(things, kinds) for name, kinds in KINDS.items()},
        **_points(mine, things),
        "simulation.yaml": _simulation(mine),
        "network.yaml": document(network.network(mine), 2, (FICTION,)),
        "consistency.yaml": document(consistency.relations(mine), 3, (FICTION, *consistency.HEAD)),
        "interlocks/belts.yaml": document({"interlocks": interlocks.interlocks(mine)}, 3, (FICTION, *interlocks.HEAD)),
        **layers.files(mine),
        **{
            f"rules/{name}.yaml": document({"rules": found}, 3, (FICTION,)) for name, found in rules.rules(mine).items()
        },
        "patrols/chambers.yaml": document(patrols.patrols(), 3, (FICTION,)),
        "figures.yaml": document(figures.figures(mine), 2, (FICTION, *figures.HEAD)),
        "rotations.yaml": document(sequences.rotations(), 4, (FICTION,)),
        **{
            f"sequences/{name}.yaml": document({"sequences": found}, 5, (FICTION,))
            for name, found in sequences.sequences(mine).items()
        },
    }


def _site(mine: Mine) -> str:
    x, y, z = mine.origin
    shifts = [
        {"name": {"zh": zh, "en": en}, "start": start, "end": end}
        for zh, en, start, end in (
            ("夜班", "night", "00:00", "08:00"),
            ("早班", "morning", "08:00", "16:00"),
            ("中班", "afternoon", "16:00", "00:00"),
        )
    ]
    return document(
        {
            "code": mine.code,
            "name": {"zh": mine.zh, "en": mine.en},
            "capacity_kt": 1200,
            "gas_class": mine.gas_class,
            "time_zone": "Asia/Shanghai",
            "shifts": shifts,
            "coordinates": {"system": "EPSG:4526", "origin": {"x": x, "y": y, "z": z}},
        },
        2,
        (FICTION, "EPSG:4526 is CGCS2000, 3-degree zone 38: x is north, y is east, the zone before it."),
    )


def _simulation(mine: Mine) -> str:
    mean = sum(mine.utilisation.values()) / len(mine.utilisation)
    return document(simulation.sections(mine), 3, (FICTION, *(line.format(mean=mean) for line in simulation.HEAD)))


def _areas(mine: Mine) -> str:
    entries = {
        name: {"name": {"zh": zh, "en": en}, **({"parent": parent} if parent else {})}
        for name, (zh, en, parent) in plant.areas(mine).items()
    }
    return document({"areas": entries}, 2)


def _equipment(things: Iterable[Item], kinds: tuple[str, ...]) -> str:
    entries = {
        item.id: {
            "template": item.template,
            "name": {"zh": item.zh, "en": item.en},
            "area": item.area,
            **({"limit_set": item.limit_set} if item.limit_set else {}),
        }
        for item in things
        if item.template in kinds
    }
    return document({"equipment": entries}, 2)


def _points(mine: Mine, things: Iterable[Item]) -> dict[str, str]:
    adapters = connections.adapters(mine)
    by_connection: dict[str, list[dict[str, str]]] = {name: [] for name in adapters}
    for item in things:
        if item.map:
            by_connection[item.connection] += maps.rows(item, adapters[item.connection], mine.code)
    for row in safety.rows(mine):
        by_connection[row["connection"]].append(row)
    return {f"points/{name}.csv": table(rows, maps.COLUMNS) for name, rows in by_connection.items()}
