"""What judging costs: batches with one sample of every point, of methane sensors and their states.

Each sensor has two points and eight rules: alarm, cut-off, the four words of its state, and the quality of both; and
each point may not be silent. Values wander below the alarm; then so many turn at once as `turning` says, as in a storm.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.alarms import Engine, Rules
from models.samples import Samples
from models.site.model import Equipment, Kind, Limit, Name, Point, Retention, Site

START = 1_800_000_000_000_000
TODAY = datetime.date(2026, 1, 1)
LIMITS = (Limit("hi", 1.0, None, "bench", "2020-01-01"), Limit("hihi", 1.5, 1.0, "bench", "2020-01-01"))
NAME = Name("测", "bench")


def run(points: int = 100_000, rounds: int = 200, turning: float = 0.05) -> dict[str, Any]:
    """Judge `rounds` quiet batches, then 20 in which the share `turning` of the sensors turns. Beside the time by the
    clock stands that of the processor, which other work on the machine hardly changes."""
    random = np.random.default_rng(1)
    site = sensors(points // 2, random)
    began = time.perf_counter()
    rules = Rules.of(site, TODAY)
    built = time.perf_counter() - began
    engine, ids, now = Engine(rules, site), site.ids(), START
    state = np.array([point.kind is Kind.STATE for point in site.points])

    def judge(high: NDArray[np.bool_]) -> tuple[float, float, int]:
        nonlocal now
        now += 1_000_000
        value = np.where(state, 0.0, np.where(high, 1.7, 0.4 + 0.2 * random.random(len(ids))))
        order = random.permutation(len(ids))
        samples = Samples(
            ids[order], now - random.integers(0, 900_000, len(ids)), value[order], np.full(len(ids), 192, np.uint8)
        )
        began, used = time.perf_counter(), time.thread_time()
        found = len(engine.judge(samples, now)) + len(engine.tick(now))
        return time.perf_counter() - began, time.thread_time() - used, found

    none = np.zeros(len(ids), np.bool_)
    quiet = np.array([judge(none)[:2] for _ in range(rounds)]).T
    high, storm, found = none, [], 0
    for _ in range(20):
        high = ~high & (random.random(len(ids)) < turning)
        *took, many = judge(high)
        storm.append(took)
        found += many
    began = time.perf_counter()
    memory = engine.memory()
    return {
        "points": len(ids),
        "alarms": len(rules.lanes) + len(rules.silences),
        "p50_ms": _ms(np.percentile(quiet[0], 50)),
        "p99_ms": _ms(np.percentile(quiet[0], 99)),
        "cpu_p50_ms": _ms(np.percentile(quiet[1], 50)),
        "cpu_p99_ms": _ms(np.percentile(quiet[1], 99)),
        "points_x_rules_per_cpu_s": round(len(rules.lanes) / float(np.mean(quiet[1]))),
        "storm_findings_a_batch": found // 20,
        "storm_p50_ms": _ms(np.percentile(np.array(storm)[:, 0], 50)),
        "storm_cpu_p50_ms": _ms(np.percentile(np.array(storm)[:, 1], 50)),
        "rules_built_s": round(built, 2),
        "memory_mb": round(len(memory) / 1e6, 2),
        "memory_ms": _ms(time.perf_counter() - began),
    }


def sensors(count: int, random: np.random.Generator) -> Site:
    """So many methane sensors, of two points each."""
    ids = iter(random.integers(1, 1 << 63, 2 * count, dtype=np.uint64).tolist())
    points, equipment = [], {}
    for number in range(count):
        name = f"gas_{number:06d}"
        equipment[name] = Equipment(name, "methane_sensor", NAME, "face")
        points.append(_point(name, "ch4", next(ids), Kind.ANALOG, LIMITS))
        points.append(_point(name, "state", next(ids), Kind.STATE, ()))
    return Site("bench", NAME, 1200, "high", "Asia/Shanghai", "1", {}, equipment, {}, tuple(points))


def _point(name: str, key: str, number: int, kind: Kind, limits: tuple[Limit, ...]) -> Point:
    role = "ch4" if kind is Kind.ANALOG else "sensor.state"
    return Point(
        path=f"bench/{name}/{key}",
        id=number,
        equipment=name,
        key=key,
        name=NAME,
        role=role,
        kind=kind,
        unit="",
        retention=Retention.STATUTORY,
        connection=f"c{number % 50}",
        group="default",
        address="",
        type="",
        order="",
        factor=1.0,
        offset=0.0,
        low=0.0,
        high=100.0,
        dead_band=0.0,
        silence_s=10.0,
        limits=limits,
    )


def _ms(seconds: Any) -> float:
    return round(float(seconds) * 1e3, 2)
