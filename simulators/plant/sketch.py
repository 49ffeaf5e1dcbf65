"""What is simulated of a site that has no simulation.yaml: something plausible for each of its equipments, by
template. Belts are taken to be numbered from the surface inwards, and crews to produce all day, also where a shift
ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.site.model import Site
from simulators.design.mine import MineDesign
from simulators.design.sensing import kinds

MOST_SUPPORTS = (40, 400)


def sketch(site: Site) -> MineDesign:
    """A design for all that has a model; the rest is told by whoever serves the site."""
    found: dict[str, list[str]] = {}
    for name, equipment in sorted(site.equipment.items()):
        found.setdefault(equipment.template, []).append(name)

    def of(template: str) -> list[str]:
        return found.get(template, [])

    places: dict[str, Any] = {"belts": {"category": "belt", "maintenance_shift": -1}}
    always = (0.0, 0.0)
    data: dict[str, Any] = {"crew": {"places": places, "start_delay_min": always, "end_early_min": always}}
    belts = of("belt_conveyor")
    if belts:
        scales = dict(zip(belts, of("belt_scale"), strict=False))
        data["belts"] = {
            "belts": {name: {"onto": belts[number - 1]} if number else {} for number, name in enumerate(belts)}
        }
        for name, scale in scales.items():
            data["belts"]["belts"][name]["scale"] = scale
    data["longwalls"] = [_longwall(number, name, of) for number, name in enumerate(of("shearer")[:4])]
    headings = {
        f"heading_{number + 1}": {"roadheader": name, "rig": _nth(of("bolting_rig"), number, f"rig_of_{name}")}
        for number, name in enumerate(of("roadheader")[:20])
    }
    if headings:
        data["headings"] = headings
    for face in data["longwalls"]:
        places[face["id"]] = {"category": "face", "maintenance_shift": -1}
    for number, name in enumerate(headings):
        places[name] = {"category": "roadheader", "maintenance_shift": -1}
        places[f"bolting_{number + 1}"] = {"category": "bolting", "follows": name}
    rooms = of("pump_room") or (["pump_room_of_pumps"] if of("drainage_pump") else [])
    if rooms:
        pumps = of("drainage_pump")[:12] or [f"pump_{number + 1}_of_{rooms[0]}" for number in range(3)]
        data["drainage"] = {"room": rooms[0], "pumps": pumps}
        data["chambers"] = {rooms[0]: {"equipment": True}}
        places[rooms[0]] = {"category": "chamber"}
    if of("compressor"):
        data["compressors"] = {"machines": of("compressor")[:8]}
    if of("personnel_station"):
        stations = of("personnel_station")[:100]
        data["people"] = {"entrance": stations[0], "stations": {name: {} for name in stations}}
    if of("ring_switch") or of("base_station"):
        data["network"] = {
            "switches": {name: {} for name in of("ring_switch")[:60]},
            "stations": {name: {} for name in of("base_station")[:100]},
        }
    _power(data, of)
    _air(data, of, list(headings))
    return MineDesign.model_validate(data)


def _longwall(number: int, shearer: str, of: Any) -> dict[str, Any]:
    face: dict[str, Any] = {"id": f"face_{number + 1}", "shearer": {"id": shearer}}
    least, most = MOST_SUPPORTS
    supports = of("hydraulic_support")
    if number == 0 and least <= len(supports) <= most:
        face["supports"] = {"first": supports[0], "count": len(supports)}
        face["afc"] = {"length_m": 1.5 * len(supports)}
    else:
        face["supports"] = {"id": f"supports_{number + 1}", "first": f"support_{number + 1}_001"}
    for key, template in (
        ("afc", "afc"),
        ("loader", "stage_loader"),
        ("crusher", "crusher"),
        ("emulsion", "emulsion_pump_station"),
        ("spray", "spray_pump"),
    ):
        face.setdefault(key, {})["id"] = _nth(of(template), number, f"{key}_of_{shearer}")
    return face


def _power(data: dict[str, Any], of: Any) -> None:
    machines: list[str] = [
        *of("belt_conveyor"), *of("shearer"), *of("afc"), *of("stage_loader"), *of("crusher"), *of("roadheader"),
        *of("bolting_rig"), *of("drainage_pump"), *of("compressor"), *of("main_fan")[:2], *of("auxiliary_fan"),
    ]  # fmt: skip
    feeders, meters = of("substation_feeder")[:300], of("electricity_meter")
    if not machines or not (feeders or meters):
        return
    feeders = feeders or ["feeder_of_all"]
    consumers: dict[str, Any] = {
        name: {"feeder": feeders[number % len(feeders)], "kw": 500} for number, name in enumerate(machines[:500])
    }
    for name, meter in zip(consumers, meters[1:], strict=False):
        consumers[name]["meter"] = meter
    transformers = {name: {"source": feeders[0]} for name in of("transformer")[:100]}
    data["power"] = {"feeders": {name: {} for name in feeders}, "consumers": consumers, "transformers": transformers}
    if meters:
        data["power"]["incoming"] = meters[0]


def _air(data: dict[str, Any], of: Any, headings: Sequence[str]) -> None:
    sensors = [(template, name) for template in kinds() for name in of(template)][:2000]
    fans = of("main_fan")[:2]
    auxiliary = of("auxiliary_fan")
    if not (sensors or fans or auxiliary):
        return
    air: dict[str, Any] = {
        "districts": {"district_1": {}},
        "faces": {face["id"]: {"district": "district_1"} for face in data["longwalls"]},
        "headings": {},
        "chambers": {"chamber_1": {}},
    }
    if fans:
        air["main_fans"] = {"names": [*fans, *(f"standby_of_{fan}" for fan in fans)][:2]}
    for number, name in enumerate(headings or [f"heading_{n + 1}" for n in range((len(auxiliary) + 1) // 2)]):
        pair = [_nth(auxiliary, 2 * number + side, f"aux_fan_of_{name}_{side + 1}") for side in (0, 1)]
        air["headings"][name] = {"district": "district_1", "fans": pair}
    data["ventilation"] = air
    place = f"{data['longwalls'][0]['id']}.return" if data["longwalls"] else "main_return"
    data["sensors"] = {"sensors": {name: _sensor(template, name, place) for template, name in sensors}}


def _sensor(template: str, name: str, place: str) -> dict[str, Any]:
    contacts = {
        key: f"{name}.{key}"
        for key, point in kinds()[template].points.items()
        if point.quantity is None and point.own is None
    }
    return {"template": template, "place": place, "source": contacts}


def _nth(names: Sequence[str], number: int, other: str) -> str:
    return names[number] if number < len(names) else other[:40]
