"""Plays a scenario on the simulated mine alone, as fast as it goes, and looks whether what must be noticed is there
to be noticed. What only the platform can tell (qualities, what a connection does) is left to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.site.model import Site
from simulators.design.mine import load_design
from simulators.engine.block import Block
from simulators.faults.dispatch import Faults
from simulators.faults.scenario import Expectation, Read
from simulators.faults.schedule import Schedule, play
from simulators.plant import Plant
from simulators.plant.recorder import Recorder
from simulators.plant.sketch import sketch
from simulators.truth import expected
from simulators.truth.records import TruthWriter

ALARMS = {"hi": "alarm", "lo": "alarm", "hihi": "cut", "lolo": "cut", "cut": "cut"}
SETTLE_S = 1800.0
"""So long the mine runs before a scenario begins: belts are up to speed, the air has mixed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`met`: None where the mine alone cannot tell. `after_s`: when it was first seen, from the expectation's
    `at`; None where it was not."""

    expectation: Expectation
    met: bool | None
    after_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """What the channels of interest were over the whole scenario: `values` [steps, names]."""

    ts: NDArray[np.int64]
    values: NDArray[np.float64]
    names: tuple[str, ...]

    def of(self, point: str) -> NDArray[np.float64]:
        return self.values[:, self.names.index(point.replace("/", "."))]


def rehearse(
    found: Read,
    site: Site,
    home: Path | None = None,
    told: Callable[[float], None] = lambda share: None,
    settle_s: float = SETTLE_S,
) -> list[Verdict]:
    """Play it and judge each expectation. With `home`, the truth and the expected alarms are written there.
    `told` hears how much is done, 0 to 1. Raises SiteErrors, FaultError."""
    scenario = found.scenario
    design = load_design(found.folder) or sketch(site)
    start = scenario.start_us - round(settle_s * 1e6)
    plant = Plant(site, design, seed=scenario.seed, start_us=start)
    recorder = Recorder(plant)
    faults = Faults(site, plant)
    connections = {entry.fault for entry in scenario.faults if _at_device(entry.fault)}
    played = scenario.model_copy(
        update={"faults": tuple(entry for entry in scenario.faults if entry.fault not in connections)}
    )
    names = _names(found)
    paths = {point.path: f"{point.equipment}.{point.key}" for point in site.points}
    writer = TruthWriter(home, plant.columns, start) if home is not None else None
    blocks: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []

    def take(block: Block) -> None:
        shown = block.pick(names)
        columns = {path: names.index(name) for path, name in paths.items() if name in names}
        faults.distortions.apply(block.ts, shown, columns)
        blocks.append((block.ts, shown))
        if writer is not None:
            writer.take(block, recorder.take())
        told(min(1.0, (int(block.ts[-1]) - start) / (scenario.end_us - start)))

    play(plant.engine, Schedule(played, faults), scenario.end_us, take)
    if writer is not None:
        writer.close()
    shown = _Shown(np.concatenate([ts for ts, _ in blocks]), np.concatenate([rows for _, rows in blocks]), names)
    alarms = _alarms(found, shown)
    if home is not None:
        expected.write(home, alarms)
    return [_judge(each, scenario.start_us, shown, alarms, found) for each in scenario.expect]


def _at_device(fault: str) -> bool:
    from simulators.faults.catalogue import fault_of

    return fault_of(fault).target in ("device", "link")


def _names(found: Read) -> tuple[str, ...]:
    """The channels that expectations and thresholds look at."""
    wanted = [each.point.replace("/", ".") for each in found.scenario.expect if each.point is not None]
    for each in found.scenario.thresholds:
        wanted += [f"{each.sensor}.{each.point}", *([f"{each.sensor}.{each.state}"] if each.state else [])]
    return tuple(dict.fromkeys(wanted))


def _alarms(found: Read, shown: _Shown) -> list[expected.Expected]:
    """What must follow from the values that the sensors transmitted."""
    ts = shown.ts.tolist()
    alarms: list[expected.Expected] = []
    for each in found.scenario.thresholds:
        values = shown.of(f"{each.sensor}/{each.point}").tolist()
        states = np.nan_to_num(shown.of(f"{each.sensor}/{each.state}")).astype(int).tolist() if each.state else []
        alarms += expected.expected(each, zip(ts, values, states or [0] * len(ts), strict=True))
    return alarms


def _judge(each: Expectation, start_us: int, shown: _Shown, alarms: list[expected.Expected], found: Read) -> Verdict:
    begin = start_us + round(each.at * 1e6)
    end = begin + round(each.within * 1e6)
    if each.point is None or each.quality is not None:
        return Verdict(each, None)
    if each.value is not None or each.alarm == "state":
        rows = shown.of(each.point)
        during = (shown.ts >= begin) & (shown.ts <= end)
        if np.isnan(rows[during]).all():
            return Verdict(each, None)
        seen = rows == each.value if each.value is not None else (rows != 0) & ~np.isnan(rows)
        times = shown.ts[seen & during].tolist()
    else:
        sensor, _, point = each.point.partition("/")
        if not any((one.sensor, one.point) == (sensor, point) for one in found.scenario.thresholds):
            return Verdict(each, None)
        kind = ALARMS[each.alarm or ""]
        times = [
            max(alarm.start, begin)
            for alarm in alarms
            if (alarm.sensor, alarm.point, alarm.kind) == (sensor, point, kind)
            and alarm.start <= end
            and (alarm.end is None or alarm.end > begin)
        ]
    after = (min(times) - begin) / 1e6 if times else None
    return Verdict(each, bool(times) is not each.absent, after)
