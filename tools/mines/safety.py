"""The safety sensors: what hangs where, and whether its system tells it in files or its own station over MQTT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import yaml

from models.site.library import LIBRARY
from tools.mines.description import Mine
from tools.mines.item import Item

FILES, MQTT = "safety_files", "chamber_mqtt"


@dataclass(frozen=True)
class Sensor:
    """`quantity`: the template's point beside its state. `place`: of the air, or the thing it watches."""

    id: str
    template: str
    zh: str
    en: str
    area: str
    place: str
    limit_set: str = ""
    over: str = FILES


DOORS = {"door_3": "district_1"}
"""Air door → the branch whose air it lets slip when it stands open."""

QUANTITY = {
    "methane_sensor": "ch4", "co_sensor": "co", "dust_sensor": "dust", "temperature_sensor": "temperature",
    "wind_speed_sensor": "velocity", "wind_pressure_sensor": "pressure", "smoke_sensor": "smoke",
    "feed_sensor": "feed", "equipment_state_sensor": "running", "air_duct_sensor": "duct", "air_door": "door",
    "humidity_sensor": "humidity", "o2_sensor": "o2", "co2_sensor": "co2", "water_level_sensor": "level",
}  # fmt: skip


def sensors(mine: Mine) -> list[Sensor]:
    face = mine.face
    found = [
        Sensor("ch4_face_t0", "methane_sensor", f"{face}回风隅角甲烷T0", "Methane T0, return corner", "face_1",
               "face_1.corner", "T0"),
        Sensor("ch4_face_t1", "methane_sensor", f"{face}工作面甲烷T1", "Methane T1, face", "face_1", "face_1.face",
               "T1"),
        Sensor("ch4_face_t2", "methane_sensor", f"{face}回风巷甲烷T2", "Methane T2, face return", "gate_return_1",
               "face_1.return", "T2"),
        Sensor("ch4_face_t3", "methane_sensor", f"{face}进风巷甲烷T3", "Methane T3, face intake", "gate_belt_1",
               "face_1.intake", "T3"),
        Sensor("ch4_shearer", "methane_sensor", f"{face}采煤机机载甲烷", "Methane on the shearer", "face_1",
               "face_1.face", "shearer"),
        Sensor("co_face", "co_sensor", f"{face}回风巷一氧化碳", "CO, face return", "gate_return_1", "face_1.return"),
        Sensor("temp_face", "temperature_sensor", f"{face}回风巷温度", "Air temperature, face return", "gate_return_1",
               "face_1.return", "face"),
        Sensor("dust_face", "dust_sensor", f"{face}回风巷粉尘", "Dust, face return", "gate_return_1", "face_1.return",
               "total"),
        Sensor("wind_face", "wind_speed_sensor", f"{face}回风巷风速", "Air velocity, face return", "gate_return_1",
               "face_1.return", "conveyor_road"),
        Sensor("feed_face", "feed_sensor", f"{face}馈电", "Feed of the face", "gate_belt_1", "shearer_1"),
        Sensor("ch4_district_return", "methane_sensor", f"{mine.district}回风甲烷", "Methane, district return",
               "district_return_road", "district_1.return", "district_return"),
        Sensor("co_district_return", "co_sensor", f"{mine.district}回风一氧化碳", "CO, district return",
               "district_return_road", "district_1.return"),
        Sensor("wind_district_return", "wind_speed_sensor", f"{mine.district}回风风速", "Air velocity, district return",
               "district_return_road", "district_1.return", "conveyor_road"),
        Sensor("ch4_main_return", "methane_sensor", "总回风甲烷", "Methane, main return", "main_return_road",
               "main_return", "main_return"),
        Sensor("co_main_return", "co_sensor", "总回风一氧化碳", "CO, main return", "main_return_road", "main_return"),
        Sensor("wind_return", "wind_speed_sensor", "总回风风速", "Air velocity, main return", "main_return_road",
               "main_return", "main_road"),
        Sensor("door_3", "air_door", "主回风联巷风门", "Air door to the main return", "main_return_road", "door_3"),
        Sensor("pressure_fan", "wind_pressure_sensor", "主通风机风硐负压", "Pressure in the fan drift", "fan_house",
               "main_return"),
    ]  # fmt: skip
    for n, name in enumerate(mine.headings, 1):
        area = f"heading_{n}"
        found += [
            Sensor(f"ch4_heading{n}_t1", "methane_sensor", f"{name}掘进面甲烷T1", f"Methane T1, heading {n}", area,
                   f"heading_{n}.face", "H-T1"),
            Sensor(f"ch4_heading{n}_t2", "methane_sensor", f"{name}回风流甲烷T2", f"Methane T2, heading {n} return",
                   area, f"heading_{n}.return", "H-T2"),
            Sensor(f"ch4_roadheader{n}", "methane_sensor", f"{name}掘进机机载甲烷", f"Methane on roadheader {n}", area,
                   f"heading_{n}.face", "machine"),
            Sensor(f"co_heading{n}", "co_sensor", f"{name}回风流一氧化碳", f"CO, heading {n} return", area,
                   f"heading_{n}.return"),
            Sensor(f"temp_heading{n}", "temperature_sensor", f"{name}温度", f"Air temperature, heading {n}", area,
                   f"heading_{n}.return", "face"),
            Sensor(f"dust_heading{n}", "dust_sensor", f"{name}粉尘", f"Dust, heading {n}", area, f"heading_{n}.return",
                   "total"),
            Sensor(f"wind_heading{n}", "wind_speed_sensor", f"{name}风速", f"Air velocity, heading {n} return", area,
                   f"heading_{n}.return", "face"),
            Sensor(f"duct_heading{n}", "air_duct_sensor", f"{name}风筒", f"Air duct of heading {n}", area,
                   f"heading_{n}.face"),
            Sensor(f"feed_heading{n}", "feed_sensor", f"{name}馈电", f"Feed of heading {n}", area, f"roadheader_{n}"),
            Sensor(f"fan_state_{n}a", "equipment_state_sensor", f"{name}主局扇开停", f"Auxiliary fan {n}a running",
                   area, f"aux_fan_{n}a"),
            Sensor(f"fan_state_{n}b", "equipment_state_sensor", f"{name}备局扇开停", f"Auxiliary fan {n}b running",
                   area, f"aux_fan_{n}b"),
        ]  # fmt: skip
    for belt, zh, en, area, place in (
        ("belt_101", "主斜井胶带", "main incline belt", "main_incline", "belt_road_101"),
        ("belt_102", "大巷胶带", "main road belt", "main_belt_road", "belt_road_102"),
        ("belt_103", f"{mine.district}胶带", "district belt", "district_belt_road", "belt_road_103"),
        ("belt_104", f"{face}顺槽胶带", "gate belt", "gate_belt_1", "face_1.intake"),
    ):
        found += [
            Sensor(f"smoke_{belt}", "smoke_sensor", f"{zh}烟雾", f"Smoke, {en}", area, place),
            Sensor(f"co_{belt}", "co_sensor", f"{zh}一氧化碳", f"CO, {en}", area, place),
        ]
    found += [
        Sensor("temp_pump_room", "temperature_sensor", "中央水泵房温度", "Air temperature, pump room", "pump_chamber",
               "pump_room", "chamber", MQTT),
        Sensor("humidity_pump_room", "humidity_sensor", "中央水泵房湿度", "Humidity, pump room", "pump_chamber",
               "pump_room", "", MQTT),
        Sensor("co_pump_room", "co_sensor", "中央水泵房一氧化碳", "CO, pump room", "pump_chamber", "pump_room", "",
               MQTT),
        Sensor("door_1", "air_door", "中央水泵房门", "Door of the pump room", "pump_chamber", "pump_room_1", "", MQTT),
        Sensor("temp_substation", "temperature_sensor", "中央变电所温度", "Air temperature, substation",
               "central_substation", "substation", "chamber", MQTT),
        Sensor("ch4_substation", "methane_sensor", "中央变电所甲烷", "Methane, substation", "central_substation",
               "substation", "T3", MQTT),
        Sensor("smoke_substation", "smoke_sensor", "中央变电所烟雾", "Smoke, substation", "central_substation",
               "substation", "", MQTT),
        Sensor("door_2", "air_door", "中央变电所门", "Door of the substation", "central_substation", "substation_1", "",
               MQTT),
    ]  # fmt: skip
    return found


def items(mine: Mine) -> Iterator[Item]:
    for sensor in sensors(mine):
        yield Item(sensor.id, sensor.template, sensor.zh, sensor.en, sensor.area, sensor.over, "",
                   limit_set=sensor.limit_set, place=sensor.place)  # fmt: skip


@cache
def _type(template: str) -> str:
    """The national type of a sensor, four digits."""
    data = yaml.safe_load((LIBRARY / f"{template}.yaml").read_text(encoding="utf-8"))
    return str(data["points"][QUANTITY[template]]["sensor_code"])


def codes(mine: Mine) -> dict[str, str]:
    """The bureau's code of each sensor that is told in files: mine, 01, kind, type, number of its own."""
    found = {}
    for number, sensor in enumerate((one for one in sensors(mine) if one.over == FILES), 1):
        kind = _type(sensor.template)
        found[sensor.id] = f"{mine.code}01{'MN' if kind < '1000' else 'KG'}{kind}{number:08d}"
    return found


def rows(mine: Mine) -> Iterator[dict[str, str]]:
    """The rows of the sensors' point tables."""
    code = codes(mine)
    for sensor in sensors(mine):
        for key in (QUANTITY[sensor.template], "state"):
            row = {"equipment": sensor.id, "point": key, "connection": sensor.over}
            if sensor.over == FILES:
                yield {**row, "group": "files", "address": code[sensor.id] + ("#state" if key == "state" else "")}
            else:
                # This station's maker sends temperatures in tenths and methane in ppm.
                odd = {"temperature": {"scale": "0.1"}, "ch4": {"unit": "ppm"}}.get(key, {})
                yield {**row, "group": "normal", "address": f"mine/{sensor.id}/state#values.{key}",
                       "options": "time=ts", **odd}  # fmt: skip
