"""The mine's electricity: which feeder feeds what, and a meter on each consumer."""

from __future__ import annotations

from collections.abc import Iterator

from tools.mines.description import Mine
from tools.mines.item import Item
from tools.mines.names import Called, Names

FEEDERS: dict[str, tuple[str, ...]] = {
    "feeder_0_01": ("main_fan_1",),
    "feeder_0_02": ("main_fan_2",),
    "feeder_0_03": ("compressor_1",),
    "feeder_0_04": ("compressor_2",),
    "feeder_0_05": ("compressor_3",),
    "feeder_1_01": ("belt_101",),
    "feeder_1_02": ("belt_102",),
    "feeder_1_03": ("belt_103",),
    **{f"feeder_1_{n + 3:02d}": (f"pump_{n}",) for n in range(1, 6)},
    **{f"feeder_1_{n + 8:02d}": (f"transformer_{n}",) for n in range(1, 5)},
    "feeder_1_13": ("aux_fan_1a", "aux_fan_2a"),
    "feeder_1_14": ("aux_fan_1b", "aux_fan_2b"),
    "feeder_1_15": (),
    "feeder_1_16": (),
    "feeder_2_01": ("belt_105",),
    "feeder_2_02": ("roadheader_1",),
    "feeder_2_03": ("bolter_1",),
    "feeder_2_04": ("belt_106",),
    "feeder_2_05": ("roadheader_2",),
    "feeder_2_06": ("bolter_2",),
    "feeder_3_01": ("shearer_1",),
    "feeder_3_02": ("afc_1",),
    "feeder_3_03": ("loader_1",),
    "feeder_3_04": ("crusher_1",),
    "feeder_3_05": ("emulsion_1",),
    "feeder_3_06": ("spray_1",),
    "feeder_3_07": ("belt_104",),
}
"""Feeder → what hangs on it. The substations: 0 on the surface, 1 central, 2 of the district, 3 of the face."""

TRANSFORMERS: dict[str, tuple[str, ...]] = {
    "transformer_1": tuple(f"feeder_2_{n:02d}" for n in range(1, 7)),
    "transformer_2": ("feeder_1_13", "feeder_1_14"),
    "transformer_3": ("feeder_3_01", "feeder_3_02", "feeder_3_03"),
    "transformer_4": ("feeder_3_04", "feeder_3_05", "feeder_3_06", "feeder_3_07"),
}
"""Transformer → the feeders behind it: 1140 V of the headings, the auxiliary fans' own 660 V, the face's 3300 V and
1140 V."""

RATING: dict[str, tuple[int, int]] = {
    "transformer_1": (1200, 1600),
    "transformer_2": (693, 500),
    "transformer_3": (3450, 3150),
    "transformer_4": (1200, 2000),
}
"""Transformer → volts without load on its low side, kVA."""

AREAS = ("surface_substation", "central_substation", "district_substation", "gate_belt_1")
SUBSTATIONS = (
    ("地面10kV变电所", "Surface substation"),
    ("中央变电所", "Central substation"),
    ("采区变电所", "District substation"),
    ("工作面移动变电站", "Face substation"),
)


def consumers() -> list[str]:
    """All that takes power, each with a meter of its own."""
    return [name for fed in FEEDERS.values() for name in fed if not name.startswith("transformer")]


def substation_of(feeder: str) -> int:
    return int(feeder.split("_")[1])


def meter_substation(consumer: str) -> int:
    """Where the meter of a consumer hangs."""
    return next(substation_of(feeder) for feeder, fed in FEEDERS.items() if consumer in fed)


def feeder(name: str) -> Called:
    """What a feeder is called, whatever hangs on it."""
    zh, en = SUBSTATIONS[substation_of(name)]
    return Called(f"{zh}{name[-2:]}号馈出", f"{en}, feeder {name[-2:]}")


def transformers() -> Iterator[Item]:
    for n, behind in enumerate(TRANSFORMERS.values(), 1):
        substation = substation_of(behind[0])
        yield Item(f"transformer_{n}", "transformer", f"{n}号动力变压器", f"Transformer {n}", AREAS[substation],
                   f"substation_{substation}", "transformer_rtu", unit=20 + n)  # fmt: skip


def items(mine: Mine, called: Names) -> Iterator[Item]:
    """`called`: what all that takes power, and the transformers, are called."""
    yield from transformers()
    for name, fed in FEEDERS.items():
        substation = substation_of(name)
        zh, en = feeder(name)
        what = "、".join(called[each].zh for each in fed) or "备用"
        whom = ", ".join(called[each].within for each in fed) or "spare"
        yield Item(name, "substation_feeder", f"{zh} {what}", f"{en}: {whom}", AREAS[substation],
                   f"substation_{substation}", "feeder_rtu", unit=int(name[-2:]))  # fmt: skip
    units = {0: 1}
    yield Item("meter_incoming", "electricity_meter", "全矿进线电能表", "Meter of the incoming line", AREAS[0],
               "meters_0", mine.meters, unit=1)  # fmt: skip
    for consumer in consumers():
        substation = meter_substation(consumer)
        units[substation] = units.get(substation, 0) + 1
        yield Item(f"meter_{consumer}", "electricity_meter", f"{called[consumer].zh}电能表",
                   f"{called[consumer].en}, energy meter", AREAS[substation], f"meters_{substation}", mine.meters,
                   unit=units[substation])  # fmt: skip
