"""simulation.yaml: what the mine's machines, gas and people are like, where simulators need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.mines import network, plant, power, safety, thresholds
from tools.mines.description import SUPPORT_M, Mine

HEAD = (
    "What is simulated here beyond what the site says; simulators/design/*.py have each section, its units, defaults.",
    "Shares are of producing time; the mine's utilisation is their mean: {mean:.2f}.",
)


def sections(mine: Mine) -> dict[str, Any]:
    """All sections."""
    common: dict[str, Any] = {
        "utilisation": dict(mine.utilisation),
        "crew": _crew(),
        "belts": _belts(mine),
        "longwalls": [_longwall(mine)],
        "headings": {f"heading_{n}": {"roadheader": f"roadheader_{n}", "rig": f"bolter_{n}"} for n in (1, 2)},
        "flows": {
            "coal": {"face_1": "belt_104", "heading_1": "belt_105", "heading_2": "belt_106"},
            "roads": {f"belt_road_{n}": f"belt_{n}" for n in (101, 102, 103)},
        },
        "drainage": {"room": "pump_room_1", "pumps": [f"pump_{n}" for n in range(1, 6)], "in_repair": ["pump_5"]},
        "compressors": {"machines": [f"compressor_{n}" for n in (1, 2, 3)]},
        "chambers": {"pump_room_1": {"equipment": True, "heat_k": 6}, "substation_1": {}},
        "people": {
            "entrance": "station_01",
            "stations": {item.id: _station(item.area) for item in plant.people(mine)},
        },
        "network": {
            "switches": {switch: {} for switch in network.RING},
            "stations": {base: {"generation": 5} for base in network.BASES},
        },
        "power": _power(mine),
        "ventilation": _ventilation(mine),
        "sensors": {"sensors": {sensor.id: _sensor(mine, sensor) for sensor in safety.sensors(mine)}},
        "gas_lock": {"ranges": _ranges()},
        "thresholds": list(thresholds.thresholds(mine)),
    }
    return _merged(common, {**mine.simulation, "longwalls": [mine.simulation.get("longwalls", {})]})


def _merged(common: Any, own: Any) -> Any:
    if isinstance(common, Mapping) and isinstance(own, Mapping):
        both = {key: _merged(common[key], own[key]) if key in own else common[key] for key in common}
        return {**both, **{key: own[key] for key in own if key not in common}}
    if isinstance(common, list) and isinstance(own, list) and own and isinstance(own[0], Mapping):
        return [_merged(one, other) for one, other in zip(common, own, strict=True)]
    return own


def _crew() -> dict[str, Any]:
    return {
        "maintenance_shift": 1,
        "places": {
            "face_1": {"category": "face"},
            "heading_1": {"category": "roadheader"},
            "bolter_1": {"category": "bolting", "follows": "heading_1"},
            "heading_2": {"category": "roadheader", "maintenance_shift": 2},
            "bolter_2": {"category": "bolting", "follows": "heading_2"},
            "belts": {"category": "belt"},
            "pump_room_1": {"category": "chamber"},
            "substation_1": {"category": "chamber"},
        },
    }


def _belts(mine: Mine) -> dict[str, Any]:
    small = {"capacity_t_per_h": 400, "speed_m_per_s": 2.5, "motors": 1, "motor_kw": 160}
    return {
        "belts": {
            "belt_101": {"length_m": mine.incline_m, "lift_m": mine.lift_m, "capacity_t_per_h": 1600, "motors": 2,
                         "motor_kw": 800, "volts": 10000, "scale": "scale_101"},
            "belt_102": {"onto": "belt_101", "length_m": mine.main_m, "lift_m": 12, "capacity_t_per_h": 1600,
                         "motors": 2, "motor_kw": 315, "volts": 10000, "follow_flow": True},
            "belt_103": {"onto": "belt_102", "length_m": mine.district_m, "lift_m": 8, "capacity_t_per_h": 1500,
                         "volts": 10000},
            "belt_104": {"onto": "belt_103", "length_m": mine.panel_m - mine.advanced_m, "capacity_t_per_h": 1500,
                         "motor_kw": 315, "scale": "scale_104"},
            "belt_105": {"onto": "belt_103", "length_m": mine.heading_m[0], **small},
            "belt_106": {"onto": "belt_102", "length_m": mine.heading_m[1], **small},
        }
    }  # fmt: skip


def _longwall(mine: Mine) -> dict[str, Any]:
    return {
        "id": "face_1",
        "shearer": {"id": "shearer_1"},
        "supports": {"id": "supports_1", "first": "support_001", "count": mine.supports, "pitch_m": SUPPORT_M},
        "afc": {"id": "afc_1", "length_m": mine.face_m},
        **{name: {"id": f"{name}_1"} for name in ("loader", "crusher", "emulsion", "spray")},
    }


RATED: dict[str, tuple[float, bool]] = {
    "belt_101": (1600, True), "belt_102": (630, True), "belt_103": (500, True), "belt_104": (630, True),
    "belt_105": (160, True), "belt_106": (160, True),
    "shearer_1": (1210, False), "afc_1": (800, True), "loader_1": (250, True), "crusher_1": (160, False),
    "emulsion_1": (750, False), "spray_1": (150, False),
    "roadheader": (318, False), "bolter": (75, False), "aux_fan": (60, True), "pump": (560, False),
    "main_fan": (800, True), "compressor": (250, False),
}  # fmt: skip
"""Rated kW of consumers, by id or kind; whether an inverter feeds them."""


PLACES = {"face_1": "face_1", "heading_1": "heading_1", "heading_2": "heading_2", "pump_chamber": "pump_room_1",
          "central_substation": "substation_1"}  # fmt: skip
"""Area of a card station → the place of the crew, or the chamber, that it watches."""


def _station(area: str) -> dict[str, Any]:
    if area not in PLACES:
        return {}
    if PLACES[area] == area:
        return {"place": area, **({} if area == "face_1" else {"quota": 20})}
    return {"place": PLACES[area], "produce": 0, "maintain": 0, "idle": 0}


def _power(mine: Mine) -> dict[str, Any]:
    source = {feeder: name for name, feeders in power.TRANSFORMERS.items() for feeder in feeders}
    above = {fed: feeder for feeder, names in power.FEEDERS.items() for fed in names}
    consumers = {}
    for name in power.consumers():
        kw, inverter = RATED.get(name) or RATED[name.rpartition("_")[0]]
        consumers[name] = {"feeder": above[name], "kw": kw, **({"inverter": True} if inverter else {})}
    return {
        "volts": 10000,
        "feeders": {feeder: {"source": source[feeder]} if feeder in source else {} for feeder in power.FEEDERS},
        "transformers": {
            name: {"source": above[name], "low_v": volts, "kva": kva} for name, (volts, kva) in power.RATING.items()
        },
        "consumers": consumers,
    }


def _ventilation(mine: Mine) -> dict[str, Any]:
    left = mine.panel_m - mine.advanced_m
    return {
        "main_fans": {"names": ["main_fan_1", "main_fan_2"], "air_m3_per_s": 150, "pressure_pa": 2500,
                      "shut_off_pa": 3800},
        "districts": {"district_1": {"length_m": mine.district_m}},
        "faces": {"face_1": {"district": "district_1", "length_m": mine.face_m, "gate_m": left}},
        "headings": {
            f"heading_{n}": {"district": "district_1", "fans": [f"aux_fan_{n}a", f"aux_fan_{n}b"],
                             "length_m": mine.heading_m[n - 1]}
            for n in (1, 2)
        },
        "roads": {
            "belt_road_101": {"length_m": mine.incline_m},
            "belt_road_102": {"length_m": mine.main_m},
            "belt_road_103": {"length_m": mine.district_m, "air_m3_per_min": 800},
        },
        "chambers": {"pump_room": {}, "substation": {"temperature_c": 26}},
        "doors": {door: {"branch": place} for door, place in safety.DOORS.items()},
    }  # fmt: skip


CUTS = {"T0": "face_1", "T1": "face_1", "T2": "face_1", "T3": "face_1", "shearer": "shearer_1"}
"""Where a methane sensor hangs → the range that it cuts."""


def _sensor(mine: Mine, sensor: safety.Sensor) -> dict[str, Any]:
    """One sensor: in the air, or a contact of a thing."""
    kind = sensor.template
    found: dict[str, Any] = {"template": kind}
    if kind in CONTACTS:
        thing = FEEDS.get(sensor.id) or sensor.place.partition(".")[0]
        return {**found, "source": {safety.QUANTITY[kind]: CONTACTS[kind].format(thing)}}
    found["place"] = sensor.place
    if kind == "methane_sensor":
        # The intake sensor T3 cuts the face in high-gas and outburst mines; in the others it only alarms.
        low = mine.gas_class == "low" and sensor.limit_set == "T3"
        cut = CUTS.get(sensor.limit_set) or _heading_range(sensor)
        found["rule"] = sensor.limit_set
        return found if low or not cut or sensor.place == "substation" else {**found, "ranges": [cut]}
    return found | thresholds.alarms(sensor)


CONTACTS = {"equipment_state_sensor": "{}.running", "air_duct_sensor": "{}.duct", "air_door": "{}.door",
            "feed_sensor": "lock_{}.live"}  # fmt: skip
"""Kinds that watch a contact → its name."""
FEEDS = {"feed_face": "face_1", "feed_heading1": "heading_1", "feed_heading2": "heading_2"}


def _heading_range(sensor: safety.Sensor) -> str:
    place = sensor.place.partition(".")[0]
    if sensor.limit_set == "machine":
        return place.replace("heading", "roadheader")
    return place if sensor.limit_set.startswith("H-") else ""


def _ranges() -> dict[str, Any]:
    found: dict[str, Any] = {
        "face_1": {"equipment": ["shearer_1", "afc_1", "loader_1", "crusher_1", "belt_104"], "feed": "feed_face"},
        "shearer_1": {"equipment": ["shearer_1"]},
    }
    for n, belt in ((1, "belt_105"), (2, "belt_106")):
        found[f"heading_{n}"] = {
            "equipment": [f"roadheader_{n}", f"bolter_{n}", belt],
            "feed": f"feed_heading{n}",
            "wind": {
                "heading": f"heading_{n}",
                "duct": f"duct_heading{n}",
                "fans": [f"fan_state_{n}a", f"fan_state_{n}b"],
            },
        }
        found[f"roadheader_{n}"] = {"equipment": [f"roadheader_{n}"]}
    return found
