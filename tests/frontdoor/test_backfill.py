"""A store that is filled with a simulated past holds what the gateway would have sent of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.acquire import SWEEP_S, Acquisition
from gateway.chunk import Chunk
from gateway.numbers import BatchNumbers
from gateway.points import PointTable
from gateway.schedule import phases
from middleplatform.store.schema import open_store
from models.quality import GOOD
from models.samples import Samples, concat
from models.site import load
from models.site.model import Site
from protocols.adapter import Reading
from sevenones.backfill import BackfillError, Span, fill, read_points, span
from sevenones.backfill.held import Held
from sevenones.backfill.lanes import Schedule
from sevenones.backfill.span import check_disk
from simulators.encode import RegisterLayout
from tests.frontdoor.backfilled import MACHINES, broken, make, write_site

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]

START = 1_790_000_000_000_000
NOW = 1_795_000_000_500_000
SECOND = 1_000_000
Rows = dict[tuple[int, int], tuple[float, int]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return load(write_site(tmp_path_factory.mktemp("site")))


def rows_of(samples: Samples) -> Rows:
    found = {
        (point, ts): (value, quality)
        for point, ts, value, quality in zip(
            *(column.tolist() for column in (samples.point, samples.ts, samples.value, samples.quality)), strict=True
        )
    }
    assert len(found) == len(samples), "a point has two samples at one time"
    return found


def in_columns(site: Site, steps: int, blocks: tuple[int, ...]) -> Rows:
    points, connections = read_points(site), dict(site.connections)
    schedule, engine = Schedule(points, connections, SECOND), make(START)
    held = Held(schedule.points, [connections[point.connection] for point in schedule.points])
    parts: list[Samples] = []
    turn = 0
    while steps:
        block = engine.run(min(steps, blocks[turn % len(blocks)]))
        parts += [
            taken for _, taken in schedule.take(int(block.ts[0]), block.pick(held.names), held.unknown(block.columns))
        ]
        steps -= len(block.ts)
        turn += 1
    return rows_of(concat(parts))


def poll_by_poll(site: Site, steps: int) -> Rows:
    """The same minutes through the gateway's acquisition, each connection and group for itself."""
    block = make(START).run(steps)
    parts: list[Samples] = []

    def send(chunk: Chunk) -> None:
        parts.append(chunk.samples)

    end = int(block.ts[-1]) + SECOND
    for gateway in site.gateways():
        staggered = phases([c for c in site.connections.values() if c.gateway == gateway])
        for connection in (c for c in site.connections.values() if c.gateway == gateway):
            points = tuple(sorted(site.points_of(connection.name), key=lambda point: point.group))
            periods = {group.name: group.period_s for group in connection.groups.values()}
            acquisition = Acquisition(connection.name, PointTable.build(points, periods, SWEEP_S), send, connection)
            raw = Held(points, [connection] * len(points)).of(block)
            polls: list[tuple[int, str]] = []
            for group in connection.groups.values():
                period = round(group.period_s * SECOND)
                while period < SECOND:
                    period += round(group.period_s * SECOND)
                first = round(staggered[connection.name, group.name] * SECOND)
                polls += [
                    (at, group.name)
                    for at in range(int(block.ts[0]) + (first - int(block.ts[0])) % period, end, period)
                ]
            if not connection.groups:
                polls = [(at, "") for at in block.ts.tolist()]
            for at, name in sorted(polls):
                index = np.flatnonzero([point.group == name for point in points]).astype(np.int32)
                value = raw[(at - int(block.ts[0])) // SECOND, index]
                ts = None if connection.groups else np.full(len(index), at)
                reading = Reading(index, value, np.full(len(index), GOOD, np.uint8), ts)
                acquisition.take(reading, instant=at, actual=at, current=bool(connection.groups), source=name)
    return rows_of(concat(parts))


def test_columns_give_what_the_gateway_gives_poll_by_poll(site: Site) -> None:
    steps = 900
    expected = poll_by_poll(site, steps)
    found = in_columns(site, steps, (600,))
    assert found == expected
    qualities = {quality for _, quality in found.values()}
    assert len(qualities) >= 2, "the small mine has states that nobody knows, and values out of range"
    counts = {key[0]: value for key, (value, _) in sorted(found.items(), key=lambda item: item[0][1])}
    rolled = [counts[point.id] for point in site.points if point.key == "count"]
    assert min(rolled) > 65_536, "each counter rolled over, and its total went on"
    interval = steps * len(site.points) / len(found)
    assert 1.5 < interval < 30


@pytest.mark.parametrize("blocks", [(1, 7, 250), (899, 1)])
def test_the_cut_into_blocks_changes_nothing(site: Site, blocks: tuple[int, ...]) -> None:
    assert in_columns(site, 900, blocks) == in_columns(site, 900, (900,))


def test_devices_hold_what_the_simulated_ones_would(site: Site) -> None:
    """Against the simulators' own layout of registers."""
    plc = site.connections["plc"]
    points = site.points_of("plc")
    block = make(START).run(50)
    held = Held(points, [plc] * len(points))
    raw = held.of(block)
    layout = RegisterLayout(points)
    images = {(1, "hr"): np.zeros(2 * 100, np.uint8)}
    factor, offset = (np.array([getattr(point, name) for point in points]) for name in ("factor", "offset"))
    wanted, full = block.pick(held.names), np.array([point.guards.rollover or np.inf for point in points])
    assert (wanted > full).any(axis=0).sum() == 0
    for step in range(50):
        # What a counter shows is its total; its registers begin again.
        shown = np.fmod(layout.encode(wanted[step], images), full)
        assert (shown == raw[step] * factor + offset).all()


def stored(home: Path) -> Rows:
    engine = open_store(home / "store")
    try:
        table = engine.query("SELECT point, ts, value, quality FROM samples FINAL")
    finally:
        engine.close()
    columns = (table.column(name).to_numpy() for name in ("point", "ts", "value", "quality"))
    return rows_of(Samples(*columns))


def test_the_store_holds_it_and_a_second_run_replaces_it(site: Site, tmp_path: Path) -> None:
    when = Span(START, START + 900 * SECOND)
    seen: list[tuple[int, int]] = []
    done = fill(site, tmp_path, when, make, {"start_us": START}, lambda *now: seen.append(now))
    expected = in_columns(site, 900, (600,))
    assert stored(tmp_path) == expected
    assert (done.seconds, done.samples, done.points) == (900, len(expected), 5 * MACHINES)
    assert seen == [(600, seen[0][1]), (900, len(expected))]
    assert done.told.unknown == []
    producing, intelligent = done.told.producing_s, done.told.intelligent_s
    assert producing["m0"] == 600 and intelligent["m0"] == 600 and intelligent["m1"] == 0
    assert done.mean_interval_s == pytest.approx(900 * 25 / len(expected))
    fill(site, tmp_path, when, make, {"start_us": START, "seed": 1})
    assert stored(tmp_path) == expected


def test_an_interruption_leaves_whole_blocks(site: Site, tmp_path: Path) -> None:
    when = Span(START, START + 200_000 * SECOND)

    def after_one(seconds: int, _samples: int) -> None:
        if seconds == 600:
            signal.raise_signal(signal.SIGINT)

    assert threading.current_thread() is threading.main_thread()
    done = fill(site, tmp_path, when, make, {"start_us": START}, after_one)
    assert 600 <= done.seconds < 200_000
    assert stored(tmp_path) == in_columns(site, done.seconds, (600,))


def a_gateway_runs(home: Path) -> Any:
    return BatchNumbers(home / "gateway" / "edge2")


def the_store_runs(home: Path) -> Any:
    return open_store(home / "store")


@pytest.mark.parametrize(("begin", "words"), [(a_gateway_runs, "edge2"), (the_store_runs, "stop the store")])
def test_what_is_running_is_named(site: Site, tmp_path: Path, begin: Callable[[Path], Any], words: str) -> None:
    code = (
        f"import sys; from pathlib import Path; from tests.frontdoor.test_backfill import {begin.__name__} as begin; "
        f"held = begin(Path({str(tmp_path)!r})); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BackfillError, match=words):
            fill(site, tmp_path, Span(START, START + 600 * SECOND), make, {"start_us": START})
    finally:
        other.communicate(timeout=30)


def test_a_mine_that_cannot_be_built_is_told(site: Site, tmp_path: Path) -> None:
    with pytest.raises(BackfillError, match=f"no mine at {START}"):
        fill(site, tmp_path, Span(START, START + 600 * SECOND), broken, {"start_us": START})


def test_a_disk_that_is_too_small_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackfillError, match="not enough disk"):
        check_disk(tmp_path / "not" / "yet", 1_000_000_000, 400 * 86_400)
    check_disk(tmp_path, 10, 600)


@pytest.mark.parametrize(
    ("length", "until", "words"),
    [
        ("30x", "", "30x"),
        ("-3d", "", "-3d"),
        ("0d", "", "1m"),
        ("401d", "", "400d"),
        ("1d", "yesterday", "ISO"),
        ("1d", "2026-11-01T08:00", "time zone"),
        ("1d", "2036-11-01T08:00Z", "future"),
    ],
)
def test_impossible_ranges_are_refused(length: str, until: str, words: str) -> None:
    with pytest.raises(BackfillError, match=words):
        span(length, until, NOW)


def test_ranges() -> None:
    assert span("30d", "", NOW) == Span(NOW - 500_000 - 30 * 86_400 * SECOND, NOW - 500_000)
    assert span("1.5h", "2026-09-01T08:00:00+08:00", NOW).seconds == 5400
    assert span("1.5h", "2026-09-01T08:00:00+08:00", NOW).end == 1_788_220_800 * SECOND
