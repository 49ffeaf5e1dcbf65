"""A scenario played on the middle mine: what was transmitted, and what the engine found in it.

What a gateway makes of a device or a link that fails is played too, in its plain form: samples that are bad, uncertain,
or missing.
"""

from __future__ import annotations

import datetime
from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.alarms import Act, Engine, Finding, Rules
from models.quality import Quality
from models.samples import Samples
from models.site.model import Site
from simulators.design.mine import load_design
from simulators.design.thresholds import Threshold
from simulators.engine.block import Block
from simulators.faults.dispatch import Faults
from simulators.faults.scenario_check import load_scenario
from simulators.faults.schedule import Schedule, play
from simulators.plant import Plant

SCAN_S = 5
"""Between two scans, and between two steps of the mine: of what it did in between nothing would be read."""
SETTLE_S = 600
BLOCK = 60
"""Scans."""
TOGETHER_S = 60
MISSING = -1
SEEN_AS: Mapping[str, int] = {
    **dict.fromkeys(("reset", "hang", "garbage", "word_order", "cut"), Quality.BAD_COMMUNICATION),
    "clock_jump": Quality.UNCERTAIN,
    **dict.fromkeys(("slow", "loss"), MISSING),
    "delay": Quality.GOOD,
}
"""By what befalls a connection: the quality of its samples; MISSING: every other one is."""

Told = tuple[int, int | None, bool]
"""Raised and returned when (µs), and whether chattering held it."""


class Connection:
    """A device with its link, as faults see them."""

    def __init__(self) -> None:
        self.now: dict[str, float] = {}

    def faults(self) -> Mapping[str, str]:
        return dict.fromkeys(SEEN_AS, "")

    def fault(self, kind: str, amount: float) -> None:
        self.now = {kind: amount} if amount else {}


class Played:
    """`ts` [scans]; `shown`, `quality` [scans, points]: of the points of `site`, which is the mine without what is not
    judged here. `quality` is MISSING where there is no sample."""

    def __init__(self, path: Path, roles: Container[str]) -> None:
        """`roles`: which points are judged, besides those that have a threshold."""
        found, whole = load_scenario(path, {})
        design = load_design(found.folder)
        assert design is not None
        start = found.scenario.start_us - SETTLE_S * 1_000_000
        plant = Plant(whole, design, seed=found.scenario.seed, start_us=start, dt=float(SCAN_S))
        self.thresholds: tuple[Threshold, ...] = (*design.thresholds, *found.scenario.thresholds)
        held = {(each.sensor, each.point) for each in self.thresholds}
        known = set(plant.columns)
        points = tuple(
            each
            for each in whole.points
            if (each.role in roles or (each.equipment, each.key) in held) and f"{each.equipment}.{each.key}" in known
        )
        self.site: Site = replace(whole, points=points, linkages=())
        self.names = tuple(f"{point.equipment}.{point.key}" for point in points)
        self.index = {name: place for place, name in enumerate(self.names)}
        self.engine = Engine(Rules.of(self.site, datetime.date(2026, 3, 2)), self.site)
        self.findings: list[Finding] = []
        self._ids = self.site.ids()
        self._connection = np.array([point.connection for point in points])
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int16]]] = []
        self.batches: list[NDArray[np.intp]] = []
        """The scans of each batch that was judged."""
        self._scans = 0
        devices = {name: Connection() for name in whole.connections}
        faults = Faults(whole, plant, devices)
        columns = {point.path: place for place, point in enumerate(points)}

        def take(block: Block) -> None:
            shown = block.pick(self.names)
            faults.distortions.apply(block.ts, shown, columns)
            self._judge(block.ts, shown, self._quality(block.ts, shown, devices))

        play(plant.engine, Schedule(found.scenario, faults), found.scenario.end_us, take, BLOCK)
        self.ts, self.shown, self.quality = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        self._of: dict[tuple[str, str], list[Finding]] = {}
        for each in self.findings:
            self._of.setdefault((each.rule, each.subject), []).append(each)

    def _quality(
        self, ts: NDArray[np.int64], shown: NDArray[np.float64], devices: Mapping[str, Connection]
    ) -> NDArray[np.int16]:
        quality = np.where(np.isnan(shown), MISSING, Quality.GOOD).astype(np.int16)
        odd = ts // 1_000_000 // SCAN_S % 2 == 1
        for name, device in devices.items():
            for kind in device.now:
                befallen = (self._connection == name) & (quality != MISSING)
                if SEEN_AS[kind] == MISSING:
                    befallen &= odd[:, np.newaxis]
                quality[befallen] = SEEN_AS[kind]
        return quality

    def _judge(self, ts: NDArray[np.int64], shown: NDArray[np.float64], quality: NDArray[np.int16]) -> None:
        if not len(ts):
            return
        shown = np.where(quality == Quality.BAD_COMMUNICATION, np.nan, shown)
        self._parts.append((ts, shown, quality))
        minute = ts // (TOGETHER_S * 1_000_000)
        for each in np.unique(minute):
            of = np.flatnonzero(minute == each)
            self.batches.append(self._scans + of)
            row, column = np.nonzero(quality[of] != MISSING)
            row = of[row]
            samples = Samples(self._ids[column], ts[row], shown[row, column], quality[row, column].astype(np.uint8))
            now = int(ts[of[-1]])
            self.findings += self.engine.judge(samples, now) + self.engine.tick(now)
        self._scans += len(ts)

    def heard(self) -> dict[str, NDArray[np.bool_]]:
        """By connection, at which scans anything came of it: what is told of a link that is cut is nothing."""
        came = (self.quality != MISSING) & (self.quality != Quality.BAD_COMMUNICATION)
        return {name: came[:, self._connection == name].any(axis=1) for name in np.unique(self._connection).tolist()}

    def told(self, rule: str, subject: str) -> list[Told]:
        found: list[Told] = []
        for each in self._of.get((rule, subject), []):
            if each.act is Act.RAISE:
                found.append((each.ts, None, False))
            else:
                found[-1] = (found[-1][0], each.ts, each.chattering)
        return found

    def samples(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
        """Of a point (equipment.key): times, values, and which say nothing as they are bad."""
        place = self.index[name]
        there = self.quality[:, place] != MISSING
        return self.ts[there], self.shown[there, place], self.quality[there, place] == Quality.BAD_COMMUNICATION
