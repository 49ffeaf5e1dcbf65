"""Which alarms and cut-offs must follow from what a sensor transmitted: a plain reference, one sample at a time.

A level is reached at the value itself and left only beyond the restoring value. While a sensor says that it
is being calibrated, or that it is broken, not polled or paused, or while it has no value, its values count
for nothing: what had begun goes on, and nothing begins. The bits are those of the national exchange files
(domain facts 1.4); a calibration is no alarm, a broken sensor is a fault.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from simulators.design.thresholds import Threshold

CALIBRATION = 4
FAULT = 16 | 128
"""Of the substation or of the sensor."""
SILENT = 32 | 64
"""Not polled, paused."""
FEED_ABNORMAL = 3
"""Not a sum of bits: cut off, and the load is still live."""

SCHEMA = pa.schema(
    [
        pa.field("sensor", pa.string(), nullable=False),
        pa.field("point", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=True),
        pa.field("peak", pa.float64(), nullable=True),
    ]
)


@dataclass(frozen=True, slots=True)
class Expected:
    """`kind`: alarm, cut, calibration, fault or feed_abnormal. `end` is None while it goes on; `peak`: the worst
    value meanwhile, None where the kind has none. Times in µs UTC."""

    sensor: str
    point: str
    kind: str
    start: int
    end: int | None
    peak: float | None = None


Sample = tuple[int, float, int]
"""Time in µs UTC, value, state word (0 where the sensor has none)."""


def expected(threshold: Threshold, samples: Iterable[Sample]) -> list[Expected]:
    """All that must follow, in the order in which it begins."""
    samples = list(samples)
    found = [
        *_level(threshold, "alarm", threshold.alarm, threshold.restore, samples),
        *_level(threshold, "cut", threshold.cut, _back(threshold), samples),
        *_said(threshold, "calibration", samples),
        *_said(threshold, "fault", samples),
        *_said(threshold, "feed_abnormal", samples),
    ]
    return sorted(found, key=lambda each: (each.start, each.kind))


def _back(threshold: Threshold) -> float | None:
    """Where power may come back."""
    if threshold.cut_restore is not None or threshold.cut is None or threshold.restore is None:
        return threshold.cut_restore
    return threshold.restore


def counts(value: float, state: int) -> bool:
    """Whether the platform may judge this value."""
    if math.isnan(value):
        return False
    return state == FEED_ABNORMAL or not state & (CALIBRATION | FAULT | SILENT)


def _level(
    threshold: Threshold, kind: str, level: float | None, back: float | None, samples: Sequence[Sample]
) -> list[Expected]:
    if level is None:
        return []
    sign = 1.0 if threshold.side == "above" else -1.0
    level, back = sign * level, sign * (level if back is None else back)
    found: list[Expected] = []
    since: int | None = None  # since when the level is held, while the delay runs
    start: int | None = None
    peak = -math.inf
    for ts, value, state in samples:
        if not counts(value, state):
            since = None
            continue
        height = sign * value
        if start is not None:
            if height < back:
                found.append(Expected(threshold.sensor, threshold.point, kind, start, ts, sign * peak))
                start = None
            else:
                peak = max(peak, height)
            continue
        if height < level:
            since = None
            continue
        if since is None:
            since, peak = ts, height
        peak = max(peak, height)
        if ts - since >= threshold.delay_s * 1e6:
            start, since = ts, None
    if start is not None:
        found.append(Expected(threshold.sensor, threshold.point, kind, start, None, sign * peak))
    return found


def _said(threshold: Threshold, kind: str, samples: Sequence[Sample]) -> list[Expected]:
    """What the sensor itself says by its state word."""
    found: list[Expected] = []
    start: int | None = None
    for ts, _, state in samples:
        special = state == FEED_ABNORMAL
        says = {
            "calibration": bool(state & CALIBRATION),
            "fault": bool(state & FAULT),
            "feed_abnormal": special,
        }[kind]
        if says and start is None:
            start = ts
        elif not says and start is not None:
            found.append(Expected(threshold.sensor, threshold.point, kind, start, ts))
            start = None
    if start is not None:
        found.append(Expected(threshold.sensor, threshold.point, kind, start, None))
    return found


def write(home: Path, found: Iterable[Expected]) -> Path:
    """All of it as `<home>/truth/expected.parquet`, whole or not at all."""
    rows = sorted(found, key=lambda each: (each.start, each.sensor, each.point, each.kind))
    table = pa.table([[getattr(row, name) for row in rows] for name in SCHEMA.names], schema=SCHEMA)
    path = home / "truth" / "expected.parquet"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_suffix(".writing")
    pq.write_table(table, aside, compression="zstd")
    aside.replace(path)
    return path


def read(home: Path) -> pa.Table:
    """What `write` wrote (SCHEMA). Raises FileNotFoundError."""
    return pq.read_table(home / "truth" / "expected.parquet", schema=SCHEMA)
