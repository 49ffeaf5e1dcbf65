"""Methane that leaves a mine with its return air: the integral of its part by the air's volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.utilisation.signal import Signal

Times = NDArray[np.int64]

NO_MEASUREMENT = 4 | 8 | 16 | 32 | 64 | 128
"""Bits of a sensor's state (`models/alarms/standard.yaml`): calibration, over its range, not polled, paused, faults.
What it shows then is no methane of the mine: calibration gas would count as tonnes of it."""


def volume(ch4: Signal, air: Sequence[Signal], states: Sequence[Signal], edges: Times) -> tuple[list[float], list[int]]:
    """m³ of pure methane, and µs of which they are known, in each bucket between `edges` [n + 1] µs UTC.

    `ch4`: %CH4; `air`: m³/s, which add up; `states`: of the methane sensor. Each value holds until the next; known is
    only the time in which all of them are, and the sensor measures."""
    said = [ch4, *air, *states]
    turns = np.concatenate([edges, *(part for each in said for part in (each.ts, each.end))])
    at = np.unique(np.clip(turns, edges[0], edges[-1]))
    begin, lasts = at[:-1], np.diff(at)
    flow = ch4.at(begin) / 100 * np.sum([each.at(begin) for each in air], axis=0)
    for state in states:
        shown = state.at(begin)
        bits = np.where(np.isnan(shown), 0, shown).astype(np.int64)
        # 3 is "feed abnormal", no sum of bits; neither it nor smaller ones say anything against the value.
        flow = np.where(np.isnan(shown) | ((bits & NO_MEASUREMENT) != 0), np.nan, flow)
    bucket = np.searchsorted(edges, begin, "right") - 1
    # As one what is the same, so that how often it was told leaves no trace in the last digit.
    same = (bucket[1:] == bucket[:-1]) & ((flow[1:] == flow[:-1]) | (np.isnan(flow[1:]) & np.isnan(flow[:-1])))
    first = np.flatnonzero(np.append(True, ~same))
    flow, bucket, lasts = flow[first], bucket[first], np.add.reduceat(lasts, first)
    known = ~np.isnan(flow)
    amount = np.where(known, flow, 0.0) * (lasts / 1e6)
    count = len(edges) - 1
    m3 = np.bincount(bucket, weights=amount, minlength=count)
    us = np.zeros(count, np.int64)
    np.add.at(us, bucket[known], lasts[known])
    return m3.tolist(), us.tolist()
