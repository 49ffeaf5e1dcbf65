"""The map: one GeoJSON file a group of layers (domain's layer names), every feature with the equipment it shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from tools.mines import plant, safety
from tools.mines.description import Mine
from tools.mines.frame import DIP_ACROSS, DIP_ALONG, ROAD_M, Frame, Plan, Position
from tools.mines.item import Item
from tools.mines.network import links

Feature = dict[str, Any]

LAYER = {
    "belt_conveyor": "belt", "hydraulic_support": "support_line", "pump_room": "pump", "drainage_pump": "pump",
    "main_fan": "fan", "auxiliary_fan": "fan", "compressor": "equipment", "transformer": "power",
    "substation_feeder": "power", "electricity_meter": "power", "ring_switch": "network", "base_station": "network",
    "personnel_station": "person_station", "air_door": "vent_facility",
    **{name: "sensor" for name in safety.QUANTITY if name != "air_door"},
}  # fmt: skip
"""Template → layer; what is not here is equipment."""

AIR: dict[str, tuple[float, float]] = {
    "main_incline": (38, 120), "auxiliary_incline": (82, 260), "main_belt_road": (34, 180),
    "main_track_road": (70, 240), "main_return_road": (140, 780), "district_belt_road": (26, 90),
    "district_track_road": (44, 110), "district_return_road": (84, 320), "gate_belt_1": (25, 140),
    "face_line_1": (25, 60), "gate_return_1": (26, 210), "heading_road_1": (7.5, 40), "heading_road_2": (7.5, 40),
    "shaft_bottom_road": (12, 30), "pump_road": (3.3, 10), "substation_road": (3.3, 10),
}  # fmt: skip
"""Road → planned air, m³/s, and pressure, Pa."""


def files(mine: Mine) -> dict[str, str]:
    """Every file of the folder map/."""
    frame = Frame(mine)
    things = plant.items(mine)
    spots = places(frame, things)
    groups: dict[str, Iterable[Feature]] = {
        "surface": _surface(frame),
        "geology": _geology(frame),
        "roadways": _roadways(frame),
        "workings": _workings(frame),
        "ventilation": [*_ventilation(frame), *_things(frame, things, spots, ("fan", "vent_facility"))],
        "transport": _belts(frame),
        "equipment": _things(frame, things, spots, ("equipment", "power", "pump", "support_line")),
        "sensors": _things(frame, things, spots, ("sensor",)),
        "network": [*_links(frame, spots), *_things(frame, things, spots, ("network", "person_station"))],
        "escape": _escape(frame),
    }
    return {f"map/{name}.geojson": _collection(features) for name, features in groups.items()}


def _collection(features: Iterable[Feature]) -> str:
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    head = '"type": "FeatureCollection", "coordinate_system": "EPSG:4526", "axes": ["east", "north", "up"]'
    return "{" + head + ', "features": [\n' + lines + "\n]}\n"


def _feature(name: str, layer: str, zh: str, en: str, shape: str, where: Any, **more: object) -> Feature:
    properties = {"layer": layer, "name": {"zh": zh, "en": en}, **more}
    return {"type": "Feature", "id": name, "geometry": {"type": shape, "coordinates": where}, "properties": properties}


def _line(frame: Frame, points: Sequence[Plan]) -> list[Position]:
    return [frame.at(point) for point in points]


def _box(frame: Frame, u: tuple[float, float], v: tuple[float, float], up: float | None = None) -> list[list[Position]]:
    corners = ((u[0], v[0]), (u[1], v[0]), (u[1], v[1]), (u[0], v[1]), (u[0], v[0]))
    # Counter-clockwise seen from above, as GeoJSON wants its outer rings: v is to the right of u.
    return [[frame.at(corner, up) for corner in reversed(corners)]]


def _surface(frame: Frame) -> Iterator[Feature]:
    mine = frame.mine
    ground = mine.origin[2]
    yield _feature("boundary", "boundary", "井田边界", "Lease boundary", "Polygon",
                   _box(frame, (-260, frame.set_off + 320), (-520, mine.district_m + 240), ground),
                   area="mine")  # fmt: skip
    for name, zh, en, u, v in (
        ("fan_house", "主通风机房", "Main fan house", (frame.bottom + 60, frame.bottom + 120), (-170, -130)),
        ("compressor_house", "压风机房", "Compressor house", (-130, -90), (50, 130)),
        ("surface_substation", "地面10kV变电所", "Surface substation", (-170, -130), (-70, 70)),
        ("control_room", "调度楼", "Control building", (-80, -40), (-60, 140)),
    ):
        area = {} if name == "control_room" else {"area": name}
        yield _feature(name, "surface", zh, en, "Polygon", _box(frame, u, v, ground), **area)
    for name, zh, en, at, area in (
        ("shaft_main", "主斜井井口", "Main incline mouth", (0.0, 0.0), "main_incline"),
        ("shaft_auxiliary", "副斜井井口", "Auxiliary incline mouth", (0.0, ROAD_M), "auxiliary_incline"),
        ("shaft_return", "回风立井", "Return shaft", (frame.bottom + 120, -ROAD_M), "return_shaft"),
    ):
        yield _feature(name, "shaft", zh, en, "Point", frame.at(at, ground), area=area)


def _geology(frame: Frame) -> Iterator[Feature]:
    mine, d = frame.mine, frame.district
    base = round(frame.level(d, 0) / 5) * 5
    for n in range(-1, 4):
        level = base - 5 * n
        line = _contour(frame, level)
        yield _feature(f"contour_{n + 2}", "seam_contour", f"底板等高线{level:+d}", f"Floor contour {level:+d} m",
                       "LineString", [frame.at(point, level) for point in line], level=level)  # fmt: skip
    yield _feature("fault_f1", "fault", "F1正断层 H=3.5m ∠62°", "Fault F1, normal, throw 3.5 m, dip 62°", "LineString",
                   _line(frame, [(d + 180, 60), (d + 420, 160), (d + 700, 330)]), throw_m=3.5, dip_deg=62)  # fmt: skip
    yield _feature("collapse_x1", "collapse_column", "X1陷落柱", "Collapse column X1", "Polygon",
                   _box(frame, (d - 320, d - 260), (160, 205)))  # fmt: skip
    for n, at in enumerate(((d - 400, 330), (d + 300, 120), (frame.face + 120, frame.return_gate + 90)), 1):
        yield _feature(f"borehole_{n}", "borehole", f"钻孔{n}-{mine.face[0]}", f"Borehole {n}", "Point",
                       frame.at(at, mine.origin[2]))  # fmt: skip


def _contour(frame: Frame, level: float) -> list[Plan]:
    """Where the seam's floor has that height, within the lease."""
    d = frame.district
    at = frame.level(d, 0)
    most = frame.mine.district_m + 220
    every = (frame.set_off + 300 - frame.bottom) / 24
    line = [(frame.bottom + n * every, 0.0) for n in range(25)]
    found = [(u, (at - level - DIP_ALONG * (u - d)) / DIP_ACROSS) for u, _ in line]
    return [(u, v) for u, v in found if -500 <= v <= most]


def _roadways(frame: Frame) -> Iterator[Feature]:
    for name, (zh, en, function, area, width, line) in frame.roads().items():
        layer = {"face": "face", "heading": "heading"}.get(function, "roadway")
        yield _feature(name, layer, zh, en, "LineString", _line(frame, line), area=area, function=function,
                       width_m=width)  # fmt: skip
    b, d = frame.bottom, frame.district
    for name, zh, en, area, u, v in (
        ("pump_chamber", "中央水泵房", "Central pump chamber", "pump_chamber", (b + 5, b + 65), (144, 156)),
        ("sump", "中央水仓", "Main sump", "pump_chamber", (b - 70, b + 5), (150, 170)),
        ("central_substation", "中央变电所", "Central substation", "central_substation",
         (b + 115, b + 205), (144, 156)),
        ("district_substation", f"{frame.mine.district}变电所", "District substation", "district_substation",
         (d - 82, d - 68), (110, 210)),
    ):  # fmt: skip
        yield _feature(name, "chamber", zh, en, "Polygon", _box(frame, u, v), area=area)
    yield _feature("bunker", "bunker", "井底煤仓", "Bunker at the shaft bottom", "Point", frame.at((b + 5, 0)))
    yield _feature("surface_bunker", "bunker", "地面煤仓", "Surface bunker", "Point",
                   frame.at((-30, 0), frame.mine.origin[2]))  # fmt: skip


def _workings(frame: Frame) -> Iterator[Feature]:
    mine, d = frame.mine, frame.district
    gates = (frame.belt_gate, frame.return_gate)
    yield _feature("goaf_1", "goaf", f"{mine.face}采空区", f"Goaf of {mine.face}", "Polygon",
                   _box(frame, (frame.face, frame.set_off), gates), area="face_1")  # fmt: skip
    yield _feature("panel_1", "face", f"{mine.face}未采区", f"Coal left in panel {mine.face}", "Polygon",
                   _box(frame, (d + 90, frame.face), gates), area="face_1")  # fmt: skip
    yield _feature(
        "goaf_old",
        "goaf",
        "老空区",
        "Older goaf",
        "Polygon",
        _box(frame, (max(frame.bottom + 260, d - 1100), d - 130), (frame.belt_gate, frame.return_gate)),
    )
    yield _feature("pillar_district", "pillar", "采区巷道保护煤柱", "Pillar of the district's roads", "Polygon",
                   _box(frame, (d - 130, d + 90), (60, mine.district_m)))  # fmt: skip


def _ventilation(frame: Frame) -> Iterator[Feature]:
    nodes: dict[Plan, str] = {}
    roads = frame.roads()
    junctions = [point for *_, line in roads.values() for point in (line[0], line[-1])]
    for name, (zh, en, function, _, width, line) in roads.items():
        air, pressure = AIR[name]
        for n, piece in enumerate(_pieces(line, junctions), 1):
            ends = [nodes.setdefault(point, f"node_{len(nodes) + 1:02d}") for point in (piece[0], piece[-1])]
            yield _feature(f"air_{name}_{n}", "vent_edge", f"{zh}风流", f"Air in {en}", "LineString",
                           _line(frame, piece), road=name, start=ends[0], end=ends[1], air_m3_per_s=air,
                           pressure_pa=pressure, section_m2=round(width * 3.4, 1),
                           kind="return" if function == "return" else "intake")  # fmt: skip
    for point, name in nodes.items():
        yield _feature(name, "vent_node", name[-2:], f"Node {name[-2:]}", "Point", frame.at(point))
    d = frame.district
    for name, kind, zh, en, at in (
        ("air_bridge_a", "air_bridge", "采区风桥", "District air bridge", (d + ROAD_M, 0.0)),
        ("air_window_a", "air_window", "采区变电所调节风窗", "Regulator of the district substation", (d - 70, 215.0)),
        ("seal_a", "air_wall", "老空区密闭", "Seal of the older goaf", (d - 130, frame.belt_gate)),
    ):
        yield _feature(name, "vent_facility", zh, en, "Point", frame.at(at), kind=kind)


def _pieces(line: Sequence[Plan], junctions: Sequence[Plan]) -> Iterator[list[Plan]]:
    """A straight road cut where others meet it; a bent one whole."""
    if len(line) > 2:
        yield list(line)
        return
    (u0, v0), (u1, v1) = line
    length2 = (u1 - u0) ** 2 + (v1 - v0) ** 2
    cuts = {0.0: line[0], 1.0: line[1]}
    for u, v in junctions:
        share = ((u - u0) * (u1 - u0) + (v - v0) * (v1 - v0)) / length2
        off = abs((u - u0) * (v1 - v0) - (v - v0) * (u1 - u0)) / length2**0.5
        if 1e-6 < share < 1 - 1e-6 and off < 1e-6:
            cuts[round(share, 9)] = (u, v)
    ordered = [cuts[share] for share in sorted(cuts)]
    yield from ([one, other] for one, other in pairwise(ordered))


def _belts(frame: Frame) -> Iterator[Feature]:
    d, h1, h2 = frame.district, *frame.mine.heading_m
    lines: dict[str, list[Plan]] = {
        "belt_101": [(frame.bottom, 0), (0, 0)],
        "belt_102": [(d + 50, 0), (frame.bottom + 5, 0)],
        "belt_103": [(d, frame.belt_gate + 10), (d, 5)],
        "belt_104": [(frame.face - 60, frame.belt_gate), (d, frame.belt_gate)],
        "belt_105": [(d + h1 - 40, frame.next_gate), (d, frame.next_gate)],
        "belt_106": [(d + 60 + h2 - 40, 0), (d + 60, 0)],
    }
    names = {item.id: item for item in plant.items(frame.mine) if item.id in lines}
    for name, line in lines.items():
        item = names[name]
        yield _feature(name, "belt", item.zh, item.en, "LineString", _line(frame, line), equipment=name,
                       area=item.area)  # fmt: skip


def places(frame: Frame, things: Sequence[Item]) -> dict[str, Plan]:
    """Where each equipment stands: at its own spot, or in a row along its area."""
    face, d = frame.face, frame.district
    h1, h2 = frame.mine.heading_m
    own: dict[str, Plan] = {
        "shearer_1": (face, (frame.belt_gate + frame.return_gate) / 2), "ch4_shearer": (face, frame.belt_gate + 100),
        "afc_1": (face - 1, frame.belt_gate + 90), "loader_1": (face - 25, frame.belt_gate),
        "crusher_1": (face - 35, frame.belt_gate), "ch4_face_t0": (face + 1, frame.return_gate - 1),
        "ch4_face_t1": (face - 8, frame.return_gate), "ch4_face_t2": (d + 55, frame.return_gate),
        "ch4_face_t3": (face - 45, frame.belt_gate), "scale_101": (8, 0), "scale_104": (d + 20, frame.belt_gate),
        "door_3": (frame.bottom + 120, -ROAD_M / 2), "pressure_fan": (frame.bottom + 95, -140),
        "smoke_belt_101": (60, 0), "co_belt_101": (30, 0),
        "smoke_belt_104": (d + 40, frame.belt_gate), "co_belt_104": (d + 30, frame.belt_gate),
    }  # fmt: skip
    for n, (start, length, v) in enumerate(((d, h1, frame.next_gate), (d + 60, h2, 0.0)), 1):
        end = start + length
        own |= {
            f"roadheader_{n}": (end - 6, v), f"bolter_{n}": (end - 14, v), f"ch4_roadheader{n}": (end - 5, v),
            f"ch4_heading{n}_t1": (end - 4, v + 2), f"ch4_heading{n}_t2": (start + 12, v),
            f"aux_fan_{n}a": (start - 12, v + 3), f"aux_fan_{n}b": (start - 18, v + 3),
            f"fan_state_{n}a": (start - 12, v + 1), f"fan_state_{n}b": (start - 18, v + 1),
            f"duct_heading{n}": (end - 12, v + 2),
        }  # fmt: skip
    supports = [item.id for item in things if item.template == "hydraulic_support"]
    step = frame.mine.face_m / len(supports)
    own |= {name: (face + 2, frame.belt_gate + step * (n + 0.5)) for n, name in enumerate(supports)}
    left: dict[str, list[str]] = {}
    for item in things:
        if item.id not in own:
            left.setdefault(item.area, []).append(item.id)
    for area, names in left.items():
        (u0, v0), (u1, v1) = frame.along(area)
        for n, name in enumerate(names, 1):
            share = n / (len(names) + 1)
            own[name] = (round(u0 + share * (u1 - u0), 1), round(v0 + share * (v1 - v0), 1))
    return own


SURFACE = ("surface", "fan_house", "compressor_house", "surface_substation")


def _things(frame: Frame, things: Sequence[Item], spots: dict[str, Plan], layers: Sequence[str]) -> Iterator[Feature]:
    for item in things:
        layer = LAYER.get(item.template, "equipment")
        if layer not in layers:
            continue
        up = frame.mine.origin[2] if item.area in SURFACE else None
        more = {"place": item.place} if item.place else {}
        yield _feature(item.id, layer, item.zh, item.en, "Point", frame.at(spots[item.id], up), equipment=item.id,
                       area=item.area, **more)  # fmt: skip


def _links(frame: Frame, spots: dict[str, Plan]) -> Iterator[Feature]:
    called = plant.called(frame.mine)
    for link in links():
        ends = (link["from"], link["to"])
        one, other = (called[end].short for end in ends)
        way = _cable(frame, spots[ends[0]], spots[ends[1]])
        yield _feature(link["id"], "network", f"光缆 {one.zh}–{other.zh}", f"Fibre, {one.within} to {other.within}",
                       "LineString", _line(frame, way), link=link["id"])  # fmt: skip


def _cable(frame: Frame, one: Plan, other: Plan) -> list[Plan]:
    """From one place to another along the transport roads: down the auxiliary incline, then the district's."""
    corner: Plan = (frame.district - ROAD_M, ROAD_M)

    def on_the_way(point: Plan) -> tuple[float, Plan]:
        u, v = point
        if u < corner[0] - 60:
            return u, (max(0.0, u), ROAD_M)
        down = min(max(v, ROAD_M), frame.return_gate)
        return corner[0] + down, (corner[0], down)

    (first, enter), (last, leave) = on_the_way(one), on_the_way(other)
    turns = [corner] if min(first, last) < corner[0] < max(first, last) else []
    return list(dict.fromkeys((one, enter, *turns, leave, other)))


def _escape(frame: Frame) -> Iterator[Feature]:
    d, b = frame.district, frame.bottom
    out: list[Plan] = [(d - ROAD_M, ROAD_M), (b, ROAD_M), (0, ROAD_M)]
    routes: dict[str, tuple[str, str, list[Plan]]] = {
        "escape_face_fire": (f"{frame.mine.face}火灾、瓦斯避灾路线", "From the face, fire or gas",
                             [(frame.face, frame.belt_gate), (d, frame.belt_gate), (d - ROAD_M, frame.belt_gate),
                              *out]),
        "escape_heading_1": (f"{frame.mine.headings[0]}避灾路线", "From heading 1",
                             [(d + frame.mine.heading_m[0], frame.next_gate), (d, frame.next_gate),
                              (d - ROAD_M, frame.next_gate), *out]),
        "escape_heading_2": (f"{frame.mine.headings[1]}避灾路线", "From heading 2",
                             [(d + 60 + frame.mine.heading_m[1], 0), (d, 0), *out]),
        "escape_face_water": (f"{frame.mine.face}水灾避灾路线", "From the face, water",
                              [(frame.face, frame.return_gate), (d + ROAD_M, frame.return_gate),
                               (d + ROAD_M, -ROAD_M), (b + 120, -ROAD_M)]),
    }  # fmt: skip
    for name, (zh, en, line) in routes.items():
        kind = "water" if name.endswith("water") else "fire_gas"
        yield _feature(name, "escape_route", zh, en, "LineString", _line(frame, line), disaster=kind)
    yield _feature("refuge_1", "refuge", "采区永久避难硐室", "District refuge chamber", "Polygon",
                   _box(frame, (d - 90, d - 55), (frame.belt_gate - 120, frame.belt_gate - 90)),
                   area="district_1")  # fmt: skip
