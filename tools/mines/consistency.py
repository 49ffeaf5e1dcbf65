"""consistency.yaml: points of the mine that must say the same, and flows whose sides must be equal."""

from __future__ import annotations

from typing import Any

from tools.mines import plant, power
from tools.mines.description import Mine
from tools.mines.names import Names
from tools.mines.power import FEEDERS, TRANSFORMERS

PUMPS = 5
SCALES = (101, 104)
UNSTEADY = ("emulsion_1", "crusher_1")
"""Their power is another every few seconds: what relay and meter saw at their own moments is no minute's mean."""

HEAD = (
    "Each tolerance is what resolution, dead-bands and periods leave the two sides apart in a minute's mean while both",
    "are well, and about as much again; a test runs the simulator and holds them against it.",
)

Entries = dict[str, dict[str, Any]]


def relations(mine: Mine) -> dict[str, Entries]:
    """The whole file."""
    return {"relations": {**_power(plant.called(mine)), **_drainage(), **_belts()}}


def _power(called: Names) -> Entries:
    found: Entries = {
        "power_incoming": _balance(
            "全矿进线与10kV馈出功率", "Power of the incoming line and of the 10 kV feeders",
            [_power_of("meter_incoming")], [_power_of(feeder) for feeder in FEEDERS if not _behind(feeder)],
            within=150, share=0.1,
        )
    }  # fmt: skip
    for feeder, fed in FEEDERS.items():
        name, within = f"power_{feeder}", 15 if feeder < "feeder_2" else 6
        meters = [_power_of(f"meter_{each}") for each in fed]
        if not fed or fed[0] in UNSTEADY:
            continue
        if fed[0] in TRANSFORMERS:
            zh, en = f"{called[fed[0]].zh}高低压侧功率", f"Power into {called[fed[0]].within} and out of it"
            out = [_power_of(each) for each in TRANSFORMERS[fed[0]]]
            found[name] = _balance(zh, en, [_power_of(feeder)], out, within=within, share=0.06)
        elif len(fed) == 1:
            machine = called[fed[0]]
            zh, en = f"{machine.zh}保护装置与电能表功率", f"{machine.en}: power by its relay and by its meter"
            found[name] = _redundant(zh, en, [_power_of(feeder), *meters], within=within, share=0.05)
        else:
            line = power.feeder(feeder)
            zh, en = f"{line.zh}与各用户功率", f"{line.en}: its power and that of what hangs on it"
            found[name] = _balance(zh, en, [_power_of(feeder)], meters, within=within, share=0.05)
    return found


def _drainage() -> Entries:
    pumps = [f"pump_{n}/flow" for n in range(1, PUMPS + 1)]
    return {
        "drainage": _balance(
            "各泵流量之和与干管流量", "Flow of the pumps and of the main pipe", pumps, ["pump_room_1/main_flow"],
            within=15, share=0.03,
        )
    }  # fmt: skip


def _belts() -> Entries:
    return {
        f"speed_belt_{n}": _redundant(
            f"{n}皮带测速与皮带秤测速", f"Speed of belt {n} by its drive and by its scale",
            [f"belt_{n}/speed", f"scale_{n}/speed"], within=0.1, share=0.03,
        )
        for n in SCALES
    }  # fmt: skip


def _power_of(equipment: str) -> str:
    return f"{equipment}/active_power"


def _behind(feeder: str) -> bool:
    """Whether a transformer feeds it."""
    return any(feeder in fed for fed in TRANSFORMERS.values())


def _redundant(zh: str, en: str, points: list[str], **allowed: float) -> dict[str, Any]:
    return {"name": {"zh": zh, "en": en}, "kind": "redundant", "points": points, **allowed}


def _balance(zh: str, en: str, into: list[str], out: list[str], **allowed: float) -> dict[str, Any]:
    return {"name": {"zh": zh, "en": en}, "kind": "balance", "into": into, "out": out, **allowed}
