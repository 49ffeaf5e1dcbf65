"""What figures read of a real store: what all its samples say, to the microsecond, and far fewer rows."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from middleplatform.kpi.ahead import Ahead
from middleplatform.kpi.reading import Reader
from middleplatform.store.answers import Answers
from middleplatform.store.client import StoreClient
from middleplatform.store.flight import Door
from middleplatform.store.latest import Latest
from middleplatform.store.rollup_tables import HOUR
from middleplatform.store.schema import open_store
from middleplatform.store.turns import Turns, handlers
from models.spans import Spans
from models.utilisation import asked
from models.utilisation.figure import figure
from models.utilisation.judge import UnitFacts, judge
from models.utilisation.signal import Signal
from tests.middleplatform.store.test_rollups import BASE, Stage
from tests.models.utilisation.test_asked import RATINGS, VERSION, unit_of

HOURS = 5
HOLD = 80_000_000
EVENTS = {"patrol": Spans.of([(BASE + HOUR, BASE + 2 * HOUR)])}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with five units at work for five hours around a midnight: told every 30 s and at every change, some of it
    bad, some not at all, some late, some twice; and whoever asks it."""
    engine = open_store(tmp_path_factory.mktemp("store"))
    stage = Stage(engine, {})
    stage.ages = dict.fromkeys((point.id for unit in _units() for some in unit.points.values() for point in some), HOLD)
    stage.now = BASE + 10 * HOUR
    random = np.random.default_rng(11)
    rows = np.concatenate([_said(number, random) for number in stage.ages])
    late = random.random(len(rows)) < 0.02
    for ver, part in enumerate((rows[~late], rows[late], rows[::50]), start=1):
        points, ts = part["point"].copy(), part["ts"].copy()
        with stage.windows.touching(points, ts, HOLD):
            columns = [part[name].copy() for name in ("point", "ts", "value", "quality")]
            engine.insert(
                "samples",
                pa.table(
                    [*columns, pa.nulls(len(part), pa.string()), np.full(len(part), ver, np.uint64)],
                    names=["point", "ts", "value", "quality", "text", "ver"],
                ),
            )
        if ver == 1:
            stage.roll()
    _tell_of_a_patrol(engine)
    asks = Turns(engine, stage.windows, stage.history)
    door = Door({**Answers(stage.history, Latest(), lambda: True, dict).handlers, **handlers(asks, lambda: True)})
    client = StoreClient(door.endpoint)
    yield stage, client
    client.close()
    door.shutdown()
    engine.close()


def _tell_of_a_patrol(engine) -> None:
    """One that goes on, and one of another mine."""
    facts = {
        "kind": "patrol",
        "start": BASE - HOUR,
        "end": None,
        "quality": 192,
        "source": "x",
        "attributes": "{}",
        "ver": 1,
    }
    rows = [{"id": mine, "equipment": f"{mine}/pump_room", **facts} for mine in ("1405", "1406")]
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("id", "equipment", "kind")),
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("quality", pa.uint8()),
            ("source", pa.string()),
            ("attributes", pa.string()),
            ("ver", pa.uint64()),
        ]
    )
    engine.insert("events", pa.Table.from_pylist(rows, schema))


def _units():
    """One of each category, and no two with a point in common."""
    for number, key in enumerate(VERSION.categories):
        unit = unit_of(key)
        own = {
            pair: tuple(dataclasses.replace(point, id=point.id + 100_000 * number + 7) for point in points)
            for pair, points in unit.points.items()
        }
        yield dataclasses.replace(unit, points=own)


def _said(point: int, random: np.random.Generator) -> np.ndarray:
    count = HOURS * 120
    rows = np.zeros(count, [("point", np.uint64), ("ts", np.int64), ("value", float), ("quality", np.uint8)])
    rows["point"] = point
    rows["ts"] = BASE + np.arange(count) * 30_000_000 + random.integers(0, 30_000_000, count)
    lasts = int(random.integers(1, 30))
    rows["value"] = np.repeat(random.integers(0, 4, count // lasts + 1), lasts)[:count]
    rows["quality"] = np.where(random.random(count) < 0.01, 0, 192)
    silent = random.integers(0, count)
    return np.delete(rows, np.s_[silent : silent + 8])


def _judged(unit, signals: dict[int, Signal]):
    category = VERSION.categories[unit.category]
    return judge(category, UnitFacts(unit, category, lambda point: signals[point.id], RATINGS, EVENTS))


@pytest.mark.parametrize("rolled", [False, True])
def test_verdicts_of_turns_are_those_of_all_samples(store, rolled):
    stage, client = store
    if rolled:
        stage.roll()
    start, end = BASE + HOUR // 2, BASE + HOURS * HOUR
    for unit in _units():
        category = VERSION.categories[unit.category]
        points = [point for some in unit.points.values() for point in some]
        levels = asked.of_points(category, unit, UnitFacts(unit, category, lambda _: None, RATINGS))
        raw = client.raw([point.id for point in points], start - HOLD, end, 1_000_000)
        told = {point.id: raw.filter(pa.compute.equal(raw.column("point"), point.id)) for point in points}
        whole = {
            point.id: Signal.of(*(told[point.id].column(n).to_numpy() for n in ("ts", "value", "quality")), 40.0)
            for point in points
        }
        less = Reader(client).signals(points, start, end, levels)
        assert sum(len(one.ts) for one in less.values()) < 0.7 * raw.num_rows
        one, other = _judged(unit, whole), _judged(unit, less)
        for mine, theirs in zip(other.producing + other.intelligent, one.producing + one.intelligent, strict=True):
            for side in ("yes", "no"):
                a, b = (getattr(each[1], side).within(start + HOUR, end) for each in (mine, theirs))
                assert a == b, (unit.category, mine[0].key, side)
        # What follows on the last value says since when it may not have held any more.
        until = end - HOLD
        assert figure(other, start + HOUR, until) == figure(one, start + HOUR, until)
        every = Reader(client).signals(points, start, end)
        assert figure(_judged(unit, every), start + HOUR, until) == figure(one, start + HOUR, until)


def test_a_point_that_told_nothing_has_an_empty_signal(store):
    _, client = store
    unit = next(_units())
    point = dataclasses.replace(next(iter(unit.points.values()))[0], id=999)
    (signal,) = Reader(client).signals([point], BASE, BASE + HOUR).values()
    assert len(signal.ts) == 0 and np.isnan(signal.at(np.array([BASE]))).all()


def test_a_day_read_ahead_is_the_day_read_by_itself(store):
    _, client = store
    unit = next(_units())
    points = [point for some in unit.points.values() for point in some]
    ahead = Ahead(client, BASE - HOUR, BASE + 6 * HOUR, points, counters=points[:3])
    plain = Reader(client)
    edges = np.arange(BASE, BASE + 3 * HOUR, HOUR // 2)
    for start, end in ((BASE, BASE + HOUR), (BASE + 12_345, BASE + 4 * HOUR), (BASE + HOUR, BASE + 9 * HOUR)):
        one, other = ahead.signals(points, start, end), plain.signals(points, start, end)
        for number, signal in other.items():
            for name in ("ts", "end", "value", "good"):
                assert np.array_equal(getattr(one[number], name), getattr(signal, name)), name
        mine, theirs = (each.counters(points[:4], start, end) for each in (ahead, plain))
        for number, counter in theirs.items():
            for name in ("amount", "spread", "covered_us"):
                assert np.array_equal(getattr(mine[number].over(edges), name), getattr(counter.over(edges), name))
        for reader in (ahead, plain):
            for longest, lasts in ((50 * HOUR, end), (HOUR + HOUR // 4, min(end, BASE + HOUR // 4))):
                found = reader.records("patrol", "1405", ["pump_room"], start, end, longest)
                assert found == {"pump_room": Spans.of([(start, lasts)] if lasts > start else [])}
