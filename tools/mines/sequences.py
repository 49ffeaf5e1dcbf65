"""sequences/*.yaml: the belt line started against its coal and stopped with it, the face, the pumps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tools.mines import plant
from tools.mines.description import Mine
from tools.mines.names import Names
from tools.mines.simulation import sections

BELTS = ("belt_101", "belt_102", "belt_103", "belt_104")
"""The main line, the surface first; each is fed by the next."""
SIDE = ("belt_105", "belt_106")
"""The headings' belts, which feed it from the side."""
FACE = (
    ("crusher_1", "破碎机", "crusher", "running", 1, 0, 60),
    ("loader_1", "转载机", "stage loader", "running", 1, 0, 60),
    ("afc_1", "刮板输送机", "AFC", "state", 2, 1, 60),
    ("shearer_1", "采煤机", "shearer", "running", 1, 0, 120),
)
"""In the order of their start: machine, names, the point that says that it runs, its values running and standing, s."""
PUMPS = ("pump_1", "pump_2", "pump_3", "pump_4")
WARNING = "10 s"
MARGIN = "15 s"
COAL = "逆煤流启车、顺煤流停车，速度达90-95%保持5-10s usual practice: against the coal, with the coal"
CHAIN = "皮带→破碎机→转载机→刮板机→采煤机（通用做法） usual practice: belt, crusher, loader, AFC, shearer"
WATER = "引水、启泵、升压、开阀由泵控制器完成 priming, pressure and valve are the pump controller's own"

Steps = dict[str, dict[str, Any]]


def sequences(mine: Mine) -> dict[str, dict[str, Any]]:
    """File → sequences by id."""
    belts = sections(mine)["belts"]["belts"]
    called = plant.called(mine)
    return {"transport": _transport(belts, called), "face": _face(), "drainage": _drainage()}


def rotations() -> dict[str, Any]:
    """rotations.yaml: the levels at which the pumps of the main drainage take turns."""
    turns = {
        pump: {
            "start": f"start_{pump}", "stop": f"stop_{pump}", "state": f"{pump}/state", "running": [1, 2, 3],
            "hours": f"{pump}/run_time",
        }
        for pump in PUMPS
    }  # fmt: skip
    main = {
        "name": _name("主排水泵轮换", "The main drainage pumps take turns"),
        "level": "pump_room_1/level", "low": 1.2, "start": 2.2, "high": 3.0, "high_high": 3.8, "tariff": "shanxi",
        "pumps": turns, "source": "避峰填谷，高高水位强制 usual practice: pump in the valley, forced at high-high",
    }  # fmt: skip
    return {"rotations": {"main_drainage": main}}


def _name(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _is(point: str, value: float, lasting: str = "") -> dict[str, Any]:
    return {"point": point, "equals": value, **({"lasting": lasting} if lasting else {})}


def _stop(machine: str, name: Mapping[str, str], running: str, standing: int, within: str = "60 s") -> dict[str, Any]:
    return {
        "name": name,
        "command": {f"{machine}/command": "stop"},
        "until": {"all": [_is(f"{machine}/{running}", standing)]},
        "within": within,
    }


def _transport(belts: Mapping[str, Any], called: Names) -> dict[str, Any]:
    stops = {belt: _name(f"停止{called[belt].zh}", f"Stop the {called[belt].within}") for belt in (*SIDE, *BELTS)}
    start: Steps = {}
    for belt in BELTS:
        start[belt] = {
            "name": _name(f"启动{called[belt].zh}", f"Start the {called[belt].within}"),
            "command": {f"{belt}/command": "start"},
            "until": {
                "all": [
                    {"point": f"{belt}/speed", "of": f"{belt}/speed_set", "at_least": 0.95, "lasting": "7 s"},
                    _is(f"{belt}/running", 1),
                ]
            },
            "keep": [_is(f"{belt}/running", 1)],
            "within": "3 min",
        }
    back = {belt: _stop(belt, stops[belt], "running", 0) for belt in reversed(BELTS)}
    stop: Steps = {}
    for belt in (*SIDE, *reversed(BELTS)):
        stop[f"empty_{belt}"] = _emptying(belt, called, belts[belt])
        stop[f"stop_{belt}"] = {**_stop(belt, stops[belt], "running", 0, "15 min"), "on_failure": "hold"}
    everything = {belt: _stop(belt, stops[belt], "running", 0) for belt in (*SIDE, *reversed(BELTS))}
    return {
        "start_belts": {
            "name": _name("主运输逆煤流启动", "Start of the belt line, against the coal"),
            "direction": "start",
            "warning": WARNING,
            "needs": [
                need
                for belt in BELTS
                for need in ({"point": f"{belt}/mode", "one_of": [2, 3]}, _is(f"{belt}/fault_code", 0))
            ],
            "steps": start,
            "abort": back,
            "source": COAL,
        },
        "stop_belts": {
            "name": _name("主运输顺煤流停止", "Stop of the belt line, with the coal"),
            "direction": "stop",
            "needs": [_is("loader_1/running", 0)],
            "steps": stop,
            "abort": everything,
            "source": COAL,
        },
    }


def _emptying(belt: str, called: Names, design: Mapping[str, Any]) -> dict[str, Any]:
    length, speed = float(design["length_m"]), float(design.get("speed_m_per_s", 3.5))
    slowest = length / (0.4 * speed) + 60.0
    return {
        "name": _name(f"{called[belt].zh}排空", f"{called[belt].en} runs empty"),
        "empties": {"speed": f"{belt}/speed", "length_m": length, "margin": MARGIN},
        "within": f"{math.ceil(slowest / 60.0)} min",
        "on_failure": "hold",
    }


def _face() -> dict[str, Any]:
    start: Steps = {"belts": {"sequence": "start_belts"}}
    for machine, zh, en, key, running, _, within in FACE:
        start[machine] = {
            "name": _name(f"启动{zh}", f"Start the {en}"),
            "command": {f"{machine}/command": "start"},
            "until": {"all": [_is(f"{machine}/{key}", running, "5 s")]},
            "keep": [_is(f"{machine}/{key}", running, "2 s")],
            "within": f"{within} s",
        }
    stop: Steps = {}
    stops = {machine: _name(f"停止{zh}", f"Stop the {en}") for machine, zh, en, *_ in FACE}
    for machine, _, _, key, _, standing, _ in reversed(FACE):
        stop[machine] = {**_stop(machine, stops[machine], key, standing, "2 min"), "on_failure": "hold"}
        if machine in ("shearer_1", "afc_1"):
            stop[f"after_{machine}"] = {
                "name": _name("排空", "run empty"), "wait": "3 min" if machine == "shearer_1" else "1 min",
                "within": "4 min",
            }  # fmt: skip
    back = {
        machine: _stop(machine, stops[machine], key, standing, "30 s")
        for machine, _, _, key, _, standing, _ in reversed(FACE)
    }
    return {
        "start_face": {
            "name": _name("综采工作面逆煤流启动", "Start of the face, against the coal"),
            "direction": "start",
            "warning": WARNING,
            "needs": [_is("afc_1/lockout", 0)],
            "steps": start,
            "abort": back,
            "source": CHAIN,
        },
        "stop_face": {
            "name": _name("综采工作面顺煤流停止", "Stop of the face, with the coal"),
            "direction": "stop",
            "steps": stop,
            "abort": back,
            "source": CHAIN,
        },
    }


def _drainage() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for n, pump in enumerate(PUMPS, 1):
        stop = _stop(pump, _name("停泵", "Stop the pump"), "state", 0, "3 min")
        found[f"start_{pump}"] = {
            "name": _name(f"启动{n}号主排水泵", f"Start drainage pump {n}"),
            "direction": "start",
            "warning": "5 s",
            "needs": [_is("pump_room_1/mode", 2), _is(f"{pump}/fault_code", 0), _is(f"{pump}/state", 0)],
            "steps": {
                "start": {
                    "name": _name("启泵", "Start the pump"),
                    "command": {f"{pump}/command": "start"},
                    "until": {
                        "all": [_is(f"{pump}/state", 2), {"point": f"{pump}/flow", "at_least": 100, "lasting": "10 s"}]
                    },
                    "within": "8 min",
                }
            },
            "abort": {"stop": stop},
            "source": WATER,
        }
        found[f"stop_{pump}"] = {
            "name": _name(f"停止{n}号主排水泵", f"Stop drainage pump {n}"),
            "direction": "stop",
            "needs": [_is("pump_room_1/mode", 2)],
            "steps": {"stop": stop},
            "abort": {"stop": stop},
            "source": WATER,
        }
    return found
