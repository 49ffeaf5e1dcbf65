"""What a monitoring system keeps to write its records: states, statistics, exceptions under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulators.encode import Typed

AREA_CODE = 16
"""Characters of an area's code; a base station's begins with its area's."""
NORMAL, SENSOR_FAULT = "0", "128"
EXCEPTIONS = ((128, "004"), (16, "006"), (4, "007"), (8, "008"), (2, "002"), (1, "001"))
"""Bits of a point's state → the kind of exception, the weightiest first: sensor broken, substation unreachable,
calibration, over range, cut-off, alarm (MT/T 1201.1-2023 annex B as receivers read it)."""


def exception_of(state: str, *, switch: bool) -> str:
    """The kind of exception that a state is, "" for none. A switch in state 3 is fed though it should not be."""
    if not state.isdecimal():
        return ""
    if switch and int(state) == 3:
        return "003"
    return next((kind for bit, kind in EXCEPTIONS if int(state) & bit), "")


def state_of(rows: Mapping[str, int], typed: Typed) -> str:
    """The state word of a point: the one that the site binds, or a fault where there is no value."""
    if "state" in rows:
        held = typed[rows["state"]]
        if isinstance(held, str):
            return held or NORMAL
        if held is not None:
            return str(int(held))
    return SENSOR_FAULT if "value" in rows and typed[rows["value"]] is None else NORMAL


@dataclass
class Statistics:
    """Of the values of some minutes; times in µs UTC."""

    high: float = np.nan
    low: float = np.nan
    high_us: int = 0
    low_us: int = 0
    total: float = 0.0
    count: int = 0

    def take(self, value: float, ts: int) -> None:
        """One more value; a NaN counts nothing."""
        if np.isnan(value):
            return
        if not self.high >= value:
            self.high, self.high_us = value, ts
        if not self.low <= value:
            self.low, self.low_us = value, ts
        self.total += value
        self.count += 1

    def texts(self) -> tuple[str, str, str]:
        """Highest, lowest and mean; empty without a value."""
        if not self.count:
            return "", "", ""
        return f"{self.high:.6g}", f"{self.low:.6g}", f"{self.total / self.count:.6g}"


@dataclass
class Episode:
    """An exception that runs since `since_us`."""

    kind: str
    since_us: int
    values: Statistics = field(default_factory=Statistics)


def people(mine: str, wanted: Mapping[str, int], leaders: Mapping[str, int], when: str) -> list[list[str]]:
    """RYSS records, one a person underground: so many at each base station and in each area (with those at its
    stations) as `wanted` says by code; the rest of the mine's total, `*`, are where nobody counts. `leaders`: how
    many of them lead, by code, where that is said."""
    places: list[tuple[str, str]] = []
    for code in sorted(wanted, key=len, reverse=True):
        if code == "*":
            places += [("", "")] * (wanted[code] - len(places))
        elif len(code) > AREA_CODE:
            places += [(code[:AREA_CODE], code)] * wanted[code]
        else:
            places += [(code, "")] * (wanted[code] - sum(area == code for area, _ in places))
    left, found = dict(leaders), []
    for n, (area, station) in enumerate(places, 1):
        counting = [code for code in {"*", area, station} if code in left]
        leader = bool(counting) and all(left[code] > 0 for code in counting)
        for code in counting:
            left[code] -= leader
        person = [f"{mine}{n:05d}", f"人员{n:03d}", "1", when, "", area, when if area else ""]
        person += [station, when if station else "", "三八制", "", "0", str(int(leader)), "0"]
        found.append([*person, f"{station}&{when}" if station else ""])
    return found
