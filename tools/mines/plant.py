"""What all three mines have: machines, chambers, posts; where each stands and over which connection it is read."""

from __future__ import annotations

from collections.abc import Iterator

from tools.mines import power, safety
from tools.mines.description import Mine
from tools.mines.item import Item
from tools.mines.names import Names, names

STATIONS = (
    ("副斜井井口", "Auxiliary incline mouth", "auxiliary_incline"),
    ("井底车场", "Shaft bottom", "shaft_bottom"),
    ("大巷中部", "Middle of the main roads", "main_belt_road"),
    ("采区变电所", "District substation", "district_substation"),
    ("{face}运输顺槽口", "Mouth of belt gate {face}", "gate_belt_1"),
    ("{face}工作面", "Face {face}", "face_1"),
    ("{face}回风顺槽", "Return gate {face}", "gate_return_1"),
    ("{heading1}口", "Mouth of heading 1", "heading_1"),
    ("{heading2}口", "Mouth of heading 2", "heading_2"),
    ("回风立井", "Return shaft", "return_shaft"),
    ("中央水泵房", "Central pump room", "pump_chamber"),
    ("中央变电所", "Central substation", "central_substation"),
)


def areas(mine: Mine) -> dict[str, tuple[str, str, str]]:
    """Area → (zh, en, parent)."""
    face, district = mine.face, mine.district
    one, two = mine.headings
    return {
        "mine": (mine.zh, mine.en, ""),
        "surface": ("地面", "Surface", "mine"),
        "fan_house": ("主通风机房", "Main fan house", "surface"),
        "compressor_house": ("压风机房", "Compressor house", "surface"),
        "surface_substation": ("地面10kV变电所", "Surface 10 kV substation", "surface"),
        "main_incline": ("主斜井", "Main incline", "mine"),
        "auxiliary_incline": ("副斜井", "Auxiliary incline", "mine"),
        "return_shaft": ("回风立井", "Return shaft", "mine"),
        "shaft_bottom": ("井底车场", "Shaft bottom", "mine"),
        "main_belt_road": ("胶带运输大巷", "Main belt road", "mine"),
        "main_track_road": ("辅助运输大巷", "Main transport road", "mine"),
        "main_return_road": ("总回风大巷", "Main return road", "mine"),
        "pump_chamber": ("中央水泵房", "Central pump chamber", "shaft_bottom"),
        "central_substation": ("中央变电所", "Central substation", "shaft_bottom"),
        "district_1": (district, f"District {district[0]}", "mine"),
        "district_substation": (f"{district}变电所", "District substation", "district_1"),
        "district_belt_road": (f"{district}胶带巷", "District belt road", "district_1"),
        "district_return_road": (f"{district}回风巷", "District return road", "district_1"),
        "face_1": (f"{face}综采工作面", f"Longwall face {face}", "district_1"),
        "gate_belt_1": (f"{face}运输顺槽", f"Belt gate {face} (intake)", "district_1"),
        "gate_return_1": (f"{face}回风顺槽", f"Return gate {face}", "district_1"),
        "heading_1": (f"{one}掘进工作面", f"Heading {one[:4]} belt gate", "district_1"),
        "heading_2": (f"{two}掘进工作面", "Heading of the main belt road", "district_1"),
    }


def items(mine: Mine) -> list[Item]:
    """Everything that has points, in a fixed order."""
    machines = [*_transport(mine), *_face(mine), *_headings(mine), *_chambers(mine)]
    fed = names([*machines, *power.transformers()])
    return [*machines, *power.items(mine, fed), *safety.items(mine), *people(mine), *_network(mine)]


def called(mine: Mine) -> Names:
    """Equipment → what it is called."""
    return names(items(mine))


def _transport(mine: Mine) -> Iterator[Item]:
    belts = (
        ("belt_101", "主斜井带式输送机", "Main incline belt", "main_incline", "belt_plc_1", 0),
        ("belt_102", "大巷带式输送机", "Main road belt", "main_belt_road", "belt_plc_2", 0),
        ("belt_103", f"{mine.district}带式输送机", "District belt", "district_belt_road", "belt_plc_2", 100),
        ("belt_104", f"{mine.face}顺槽带式输送机", f"Gate belt of face {mine.face}", "gate_belt_1", "belt_plc_3", 0),
        ("belt_105", f"{mine.headings[0]}带式输送机", "Belt of heading 1", "heading_1", "belt_plc_4", 0),
        ("belt_106", f"{mine.headings[1]}带式输送机", "Belt of heading 2", "heading_2", "belt_plc_4", 100),
    )
    for name, zh, en, area, connection, base in belts:
        yield Item(name, "belt_conveyor", zh, en, area, connection, mine.belts[name], base)
    yield Item("scale_101", "belt_scale", "主斜井皮带秤", "Scale on belt 101", "surface", "scales", "scale_rtu", unit=1)
    yield Item("scale_104", "belt_scale", f"{mine.face}顺槽皮带秤", "Scale on belt 104", "gate_belt_1", "scales",
               "scale_rtu", unit=2)  # fmt: skip


def _face(mine: Mine) -> Iterator[Item]:
    face = mine.face
    yield Item("shearer_1", "shearer", f"{face}采煤机", f"Shearer of face {face}", "face_1", "face_opcua",
               "shearer_opcua")  # fmt: skip
    yield Item("afc_1", "afc", f"{face}刮板输送机", f"AFC of face {face}", "face_1", "face_opcua", "afc_opcua")
    yield Item("loader_1", "stage_loader", f"{face}转载机", "Stage loader", "gate_belt_1", "face_opcua",
               "loader_opcua")  # fmt: skip
    yield Item("crusher_1", "crusher", f"{face}破碎机", "Crusher", "gate_belt_1", "face_opcua", "crusher_opcua")
    yield Item("emulsion_1", "emulsion_pump_station", f"{face}乳化液泵站", "Emulsion pump station", "gate_belt_1",
               "pump_station", "emulsion_modbus")  # fmt: skip
    yield Item("spray_1", "spray_pump", f"{face}喷雾泵站", "Spray pump station", "gate_belt_1", "pump_station",
               "spray_modbus", 200)  # fmt: skip
    hosts = mine.support_hosts
    each = -(-mine.supports // hosts)
    stride = 8 if mine.support_map == "support_block" else 1
    for number in range(1, mine.supports + 1):
        host, place = divmod(number - 1, each)
        yield Item(f"support_{number:03d}", "hydraulic_support", f"{number}号支架", f"Support {number}", "face_1",
                   f"support_host_{host + 1}", mine.support_map, place * stride)  # fmt: skip


def _headings(mine: Mine) -> Iterator[Item]:
    for n, name in enumerate(mine.headings, 1):
        area = f"heading_{n}"
        yield Item(f"roadheader_{n}", "roadheader", f"{name}掘进机", f"Roadheader of heading {n}", area,
                   f"roadheader_plc_{n}", mine.roadheaders[n - 1])  # fmt: skip
        yield Item(f"bolter_{n}", "bolting_rig", f"{name}锚杆钻车", f"Bolting rig of heading {n}", area, "bolters_mqtt",
                   "bolter_mqtt")  # fmt: skip
        for k, (letter, zh, en) in enumerate((("a", "主", "duty"), ("b", "备", "standby"))):
            base = 200 * (n - 1) + 100 * k
            yield Item(f"aux_fan_{n}{letter}", "auxiliary_fan", f"{name}局部通风机（{zh}）",
                       f"Auxiliary fan {n}{letter} ({en})", area,
                       "aux_fans", mine.aux_fans, base)  # fmt: skip


def _chambers(mine: Mine) -> Iterator[Item]:
    yield Item("pump_room_1", "pump_room", "中央水泵房", "Central drainage pump room", "pump_chamber", "pump_plc",
               "pump_room_modbus", 0)  # fmt: skip
    for n in range(1, 6):
        yield Item(f"pump_{n}", "drainage_pump", f"{n}号主排水泵", f"Drainage pump {n}", "pump_chamber", "pump_plc",
                   "pump_modbus", 100 * n)  # fmt: skip
    for n in (1, 2):
        yield Item(f"main_fan_{n}", "main_fan", f"{n}号主通风机", f"Main fan {n}", "fan_house", "main_fans",
                   "main_fan_sparkplug")  # fmt: skip
    for n in (1, 2, 3):
        yield Item(f"compressor_{n}", "compressor", f"{n}号空压机", f"Compressor {n}", "compressor_house",
                   "compressor_plc", "compressor_modbus", 100 * (n - 1))  # fmt: skip


def people(mine: Mine) -> Iterator[Item]:
    """The card stations."""
    words = {"face": mine.face, "heading1": mine.headings[0], "heading2": mine.headings[1]}
    for n, (zh, en, area) in enumerate(STATIONS, 1):
        yield Item(f"station_{n:02d}", "personnel_station", f"读卡分站{n:02d} {zh.format(**words)}",
                   f"Card station {n:02d}, {en.format(**words)}", area, "personnel_sql", "station_sql")  # fmt: skip


def _network(mine: Mine) -> Iterator[Item]:
    switches = (("地面调度室", "Control room", "surface"), ("中央变电所", "Central substation", "central_substation"),
                ("采区变电所", "District substation", "district_substation"),
                (f"{mine.face}运输顺槽口", f"Belt gate {mine.face}", "gate_belt_1"))  # fmt: skip
    for n, (zh, en, area) in enumerate(switches, 1):
        yield Item(f"switch_{n}", "ring_switch", f"{n}号环网交换机 {zh}", f"Ring switch {n}, {en}", area,
                   "network_mqtt", "switch_mqtt")  # fmt: skip
    stations = (("井底车场", "Shaft bottom", "shaft_bottom"), ("大巷", "Main roads", "main_track_road"),
                ("采区", "District", "district_1"), (f"{mine.face}运输顺槽", f"Belt gate {mine.face}", "gate_belt_1"),
                (f"{mine.face}回风顺槽", f"Return gate {mine.face}", "gate_return_1"),
                ("掘进工作面", "Headings", "heading_1"))  # fmt: skip
    for n, (zh, en, area) in enumerate(stations, 1):
        yield Item(f"base_{n}", "base_station", f"5G基站{n} {zh}", f"5G base station {n}, {en}", area, "network_mqtt",
                   "base_mqtt")  # fmt: skip
