"""rules/*.yaml: the linkages (联动) of the mine, and how soon each must follow."""

from __future__ import annotations

from typing import Any

from tools.mines import plant
from tools.mines.description import Mine
from tools.mines.names import Names
from tools.mines.power import FEEDERS

LOCAL = "AQ 6201：甲烷超限断电、风电闭锁不大于2s AQ 6201: local cut-off and wind-electric lock within 2 s"
ARTICLE = "《煤矿安全规程》(2022)第四百九十八条 Coal Mine Safety Regulations (2022) art. 498"
INTERLOCK = "顺煤流停车、逆煤流启车 stop with the coal, start against it (usual practice)"
PROTECTION = "MT/T 872 皮带保护 belt protections (usual practice)"
OWN = "矿方设定 set by the mine"
ACROSS = "AQ 6201：跨分站断电不大于40s AQ 6201: cut-off across substations within 40 s"
OPEN, START, STOP = 2, 1, 2
"""Of the command words of feeders and machines."""
FACE = ("shearer_1", "afc_1", "loader_1", "crusher_1")

UPSTREAM = {"belt_101": ("belt_102",), "belt_102": ("belt_103", "belt_106"), "belt_103": ("belt_104", "belt_105")}

Rules = dict[str, dict[str, Any]]


def rules(mine: Mine) -> dict[str, Rules]:
    """File → rules by id."""
    return {
        "gas": _gas(mine),
        "linkage": _linkage(mine),
        "transport": _transport(plant.called(mine)),
        "chambers": _chambers(),
    }


def _rule(zh: str, en: str, when: list[dict[str, Any]], then: dict[str, Any], within: str, source: str,
          *, every: bool = False) -> dict[str, Any]:  # fmt: skip
    return {
        "name": {"zh": zh, "en": en},
        "when": {"all" if every else "any": when},
        **then,
        "within": within,
        "by": "platform" if "command" in then else "mine",
        "source": source,
        "confirmed": False,
    }


def _least(point: str, value: float) -> dict[str, Any]:
    return {"point": point, "at_least": value}


def _is(point: str, value: int) -> dict[str, Any]:
    return {"point": point, "equals": value}


def _gas(mine: Mine) -> Rules:
    face = [_least("ch4_face_t0/ch4", 1.5), _least("ch4_face_t1/ch4", 1.5), _least("ch4_face_t2/ch4", 1.0)]
    if mine.gas_class != "low":
        face.append(_least("ch4_face_t3/ch4", 0.5))
    found = {
        "gas_cut_face": _rule("工作面甲烷断电", "Methane cut-off of the face", face,
                              {"then": [_is("feed_face/feed", 0)]}, "2 s", f"{LOCAL}；{ARTICLE}"),
        "gas_cut_shearer": _rule("采煤机机载甲烷断电", "Methane on the shearer cuts it off",
                                 [_least("ch4_shearer/ch4", 1.5)], {"then": [_is("shearer_1/running", 0)]}, "2 s",
                                 f"{LOCAL}；{ARTICLE}"),
    }  # fmt: skip
    for n in (1, 2):
        fans = [_is(f"fan_state_{n}a/running", 0), _is(f"fan_state_{n}b/running", 0)]
        dead = {"then": [_is(f"feed_heading{n}/feed", 0)]}
        found |= {
            f"gas_cut_heading_{n}": _rule(
                f"{mine.headings[n - 1]}甲烷电闭锁", f"Methane-electric lock of heading {n}",
                [_least(f"ch4_heading{n}_t1/ch4", 1.5), _least(f"ch4_heading{n}_t2/ch4", 1.0),
                 _least(f"ch4_roadheader{n}/ch4", 1.5)],
                dead, "2 s", f"{LOCAL}；{ARTICLE}"),
            f"wind_lock_heading_{n}": _rule(
                f"{mine.headings[n - 1]}风电闭锁", f"Wind-electric lock of heading {n}: both fans stand", fans, dead,
                "2 s", LOCAL, every=True),
            f"duct_lock_heading_{n}": _rule(
                f"{mine.headings[n - 1]}风筒断风闭锁", f"Wind-electric lock of heading {n}: no air in the duct",
                [_is(f"duct_heading{n}/duct", 0)], dead, "2 s", LOCAL),
        }  # fmt: skip
    return found


def _below(point: str, value: float) -> dict[str, Any]:
    return {"point": point, "below": value}


def _opened(machines: tuple[str, ...]) -> dict[str, int]:
    """The command that opens the feeders of these machines."""
    return {f"{feeder}/command": OPEN for feeder, fed in FEEDERS.items() if set(fed) & set(machines)}


def _restored(*when: dict[str, Any]) -> dict[str, Any]:
    return {"when": {"all": list(when)}, "by": "authorised"}


def _linkage(mine: Mine) -> Rules:
    """What the gateways carry out beside the mine's own hardware, which is faster and is never replaced."""
    face = [("ch4_face_t0/ch4", 1.5), ("ch4_face_t1/ch4", 1.5), ("ch4_face_t2/ch4", 1.0)]
    found = {
        "edge_cut_face": _rule(
            "工作面甲烷断电（边缘，跨网关）", "Methane cut-off of the face by the edge, across gateways",
            [_least(*place) for place in face],
            {"then": [_is("feed_face/feed", 0)], "command": _opened(FACE),
             "restore": _restored(*(_below(point, 1.0) for point, _ in face)),
             "notice": {"zh": "工作面甲烷超限，停止作业，撤出人员", "en": "Methane on the face: stop work, withdraw"}},
            "40 s", ACROSS),
    }  # fmt: skip
    for n in (1, 2):
        heading = mine.headings[n - 1]
        machines = _opened((f"roadheader_{n}", f"bolter_{n}"))
        breakers = [_is(f"{command.partition('/')[0]}/breaker", 0) for command in machines]
        sensors = [(f"ch4_heading{n}_t1/ch4", 1.5), (f"ch4_heading{n}_t2/ch4", 1.0)]
        found |= {
            f"edge_cut_roadheader_{n}": _rule(
                f"{heading}掘进机机载甲烷断电（边缘）", f"Methane on roadheader {n} opens its feeder, by the edge",
                [_least(f"roadheader_{n}/ch4", 1.5)],
                {"then": [_is(f"{next(iter(_opened((f'roadheader_{n}',)))).partition('/')[0]}/breaker", 0)],
                 "command": _opened((f"roadheader_{n}",)),
                 "restore": _restored(_below(f"roadheader_{n}/ch4", 1.0))},
                "2 s", LOCAL),
            f"edge_cut_heading_{n}": _rule(
                f"{heading}甲烷电闭锁（边缘，跨网关）", f"Methane-electric lock of heading {n} by the edge",
                [_least(*place) for place in sensors],
                {"then": [_is(f"feed_heading{n}/feed", 0)], "command": machines,
                 "restore": _restored(*(_below(point, 1.0) for point, _ in sensors)),
                 "notice": {"zh": f"{heading}甲烷超限，撤出人员", "en": f"Methane in heading {n}: withdraw"}},
                "40 s", ACROSS),
            f"edge_wind_lock_heading_{n}": _rule(
                f"{heading}风电闭锁（边缘）", f"Wind-electric lock of heading {n} by the edge: both fans stand",
                [_is(f"aux_fan_{n}a/running", 0), _is(f"aux_fan_{n}b/running", 0)],
                {"then": breakers, "command": machines,
                 "restore": {"when": {"any": [_is(f"aux_fan_{n}a/running", 1), _is(f"aux_fan_{n}b/running", 1)]},
                             "by": "authorised"},
                 "notice": {"zh": f"{heading}停风，撤出人员", "en": f"No air in heading {n}: withdraw"}},
                "2 s", LOCAL, every=True),
        }  # fmt: skip
    return found


def _transport(called: Names) -> Rules:
    found = {
        f"trip_{belt}": _rule(f"{called[belt].zh}停车联锁上游", f"{called[belt].en} stands: what feeds it stops",
                              [_is(f"{belt}/running", 0)],
                              {"then": [_is(f"{inby}/running", 0) for inby in above]}, "3 s", INTERLOCK)
        for belt, above in UPSTREAM.items()
    }  # fmt: skip
    found["trip_belt_104"] = _rule("顺槽皮带停车联锁工作面", "The gate belt stands: loader and AFC stop",
                                   [_is("belt_104/running", 0)],
                                   {"then": [_is("loader_1/running", 0), _is("crusher_1/running", 0),
                                             _is("afc_1/state", 1)]}, "5 s", INTERLOCK)  # fmt: skip
    found |= {
        f"smoke_{belt}": _rule(f"{called[belt].zh}烟雾停车", f"Smoke at the {called[belt].within} stops it",
                               [_is(f"smoke_{belt}/smoke", 1), _is(f"{belt}/smoke", 1)],
                               {"then": [_is(f"{belt}/running", 0)]}, "5 s", PROTECTION)
        for belt in ("belt_101", "belt_102", "belt_103", "belt_104")
    }  # fmt: skip
    found["smoke_spray_belt_104"] = _rule("顺槽烟雾联动喷雾", "Smoke in the belt gate starts the spray pumps",
                                          [_is("smoke_belt_104/smoke", 1), _is("belt_104/smoke", 1)],
                                          {"command": {"spray_1/command": START}}, "20 s", OWN)  # fmt: skip
    found |= {
        f"edge_trip_{belt}": _rule(f"{called[belt].zh}停车，边缘停上游",
                                   f"{called[belt].en} stands: the edge stops what feeds it",
                                   [{**_is(f"{belt}/running", 0), "lasting": "1500 ms"}],
                                   {"then": [_is(f"{inby}/running", 0) for inby in above],
                                    "command": {f"{inby}/command": STOP for inby in above}}, "5 s", INTERLOCK)
        for belt, above in UPSTREAM.items()
    }  # fmt: skip
    return found


def _chambers() -> Rules:
    return {
        "pump_high_level": _rule("水仓高水位启泵", "A pump runs when the sump is nearly full",
                                 [_least("pump_room_1/level", 3.8)], {"command": {"pump_1/command": START}}, "60 s",
                                 OWN),
        "main_fan_standby": _rule("主通风机倒机", "The standby fan takes over within ten minutes",
                                  [_is("main_fan_1/running", 0)], {"then": [_is("main_fan_2/running", 1)]}, "10 min",
                                  "《煤矿安全规程》：备用风机10min内开动 Coal Mine Safety Regulations"),
        "smoke_substation": _rule("变电所烟雾告知", "Smoke in the substation opens its spare feeders",
                                  [_is("smoke_substation/smoke", 1)],
                                  {"command": {"feeder_1_15/command": OPEN, "feeder_1_16/command": OPEN},
                                   "restore": _restored(_is("smoke_substation/smoke", 0))}, "2 s", OWN),
    }  # fmt: skip
