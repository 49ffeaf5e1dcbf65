"""The way of a reading through all stages: whole deliveries against one value at a time."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from gateway.acquire import Acquisition
from gateway.points import PointTable
from models.quality import Quality
from models.site.model import Guards, Kind, Retention
from protocols.adapter import Reading
from tests.gateway.sites import Remembered, connection, point

NOW = 1_800_000_000_000_000
S = 1_000_000
KEYS = ("a", "b", "c")

row = st.tuples(
    st.integers(0, 2),
    st.sampled_from([0.0, 0.3, 1.0, 5.0, 500.0, math.nan, math.inf]),
    st.sampled_from([192, 192, 192, 64, 24, 130]),
    st.sampled_from([-40 * S, -S, -S, -1, 0, 0, 20 * 60 * S, None]),
)
deliveries = st.lists(st.lists(row, min_size=1, max_size=8), min_size=1, max_size=12)


def rig():
    points = [
        point("a", factor=2.0, offset=1.0, dead_band=0.5),
        point("b", low=0.0, high=100.0, retention=Retention.STATUTORY),
        point("c", silence_s=3.0),
    ]
    sink = Remembered()
    # How far the device's clock is off is concluded by delivery, and is test_skew's.
    spec = replace(connection(), skew_s=86_400.0)
    return Acquisition("c", PointTable.build(points, {"fast": 1.0}, 1.0), sink.put, spec), sink


def reading(rows, actual):
    index, value, quality, moment = zip(*rows, strict=True)
    return Reading(
        np.array(index, np.int32),
        np.array(value),
        np.array(quality, np.uint8),
        ts=np.array([0 if m is None else actual + m for m in moment]),
    )


@given(deliveries, st.booleans())
def test_a_delivery_of_many_rows_is_the_same_as_its_rows_one_by_one(script, current):
    (together, sink), (apart, alone) = rig(), rig()
    actual = NOW
    for some in script:
        actual += S
        # What is said again for now is said once a delivery.
        rows = list({row[0]: row for row in some}.values()) if current else some
        together.take(reading(rows, actual), instant=actual, actual=actual, current=current)
        for one in rows:
            apart.take(reading([one], actual), instant=actual, actual=actual, current=current)
    for key in KEYS:
        np.testing.assert_equal(sink.of(key), alone.of(key))
    assert together.kept == apart.kept == len(sink.samples())
    for chunk in sink.chunks:
        assert len(set(chunk.samples.point.tolist())) == len(chunk.samples), "no point twice in a chunk"
    np.testing.assert_equal(together.value, apart.value)
    assert together.taken.tolist() == apart.taken.tolist()


@given(deliveries, st.lists(st.sampled_from(["mark", "sweep", "poll", "nothing"]), min_size=12, max_size=12))
def test_no_bad_sample_has_a_value_from_nowhere_and_marks_come_after_all_before(script, between):
    acquisition, sink = rig()
    actual = NOW
    for rows, what in zip(script, between, strict=False):
        actual += S
        acquisition.take(reading(rows, actual), instant=actual, actual=actual, current=False)
        newest = acquisition.stamper.last.copy()
        count = len(sink.chunks)
        if what == "mark":
            acquisition.mark(Quality.BAD_COMMUNICATION, "gone", actual)
            assert not acquisition.answered.any()
        elif what == "sweep":
            acquisition.sweep(actual + 50 * S, subscribed_since=actual - 100 * S)
        elif what == "poll":
            polled = Reading(np.arange(3, dtype=np.int32), np.full(3, 7.0), np.full(3, 192, np.uint8))
            acquisition.take(polled, instant=actual, actual=actual + 1, current=True)
        for chunk in sink.chunks[count:]:
            rows_of_points = np.searchsorted(
                acquisition.table.ids[order := np.argsort(acquisition.table.ids)], chunk.samples.point
            )
            assert (chunk.samples.ts > newest[order[rows_of_points]]).all(), "our own times come after all before"
            if what == "mark":
                assert np.isnan(chunk.samples.value).all()
                assert (chunk.samples.quality == Quality.BAD_COMMUNICATION).all()
    everything = sink.samples()
    assert np.isfinite(everything.value[everything.quality >= 64]).all()
    assert not ((everything.quality >= 128) & (everything.quality < 192)).any()


def test_texts_are_reported_when_they_change():
    acquisition, sink = Acquisition.__new__(Acquisition), Remembered()
    acquisition.__init__("c", PointTable.build([point("s", kind=Kind.TEXT), point("v")], {}, 1.0), sink.put)
    for second, word in enumerate(["报警", "报警", "断电", None, "断电"]):
        acquisition.take(
            Reading(
                np.array([0, 1], np.int32),
                np.array([math.nan, 1.0]),
                np.full(2, 192, np.uint8),
                text=pa.array([word, None], pa.string()),
            ),
            instant=NOW + second * S,
            actual=NOW + second * S,
            current=True,
        )
    samples = sink.samples()
    rows = samples.take(samples.point == acquisition.table.ids[0])
    assert list(zip(rows.text.to_pylist(), rows.quality.tolist(), strict=True)) == [
        ("报警", 192),
        ("断电", 192),
        (None, 16),
        ("断电", 192),
    ]
    assert len(sink.of("v")) == 1


def test_how_late_an_answer_is_goes_by_when_it_was_due_also_where_it_is_the_second_one_for_that_instant():
    sink = Remembered()
    acquisition = Acquisition("c", PointTable.build([point("v")], {}, 1.0), sink.put)
    for late in (S, 3 * S):
        given = Reading(np.zeros(1, np.int32), np.array([1.0 + late]), np.full(1, 192, np.uint8))
        acquisition.take(given, instant=NOW, actual=NOW + late, current=True)
        assert acquisition.latency_us.tolist() == [late]


def test_a_clock_that_is_set_neither_floods_nor_silences_nor_marks_stale():
    acquisition, sink = rig()

    def poll(now):
        polled = Reading(np.arange(3, dtype=np.int32), np.full(3, 7.0), np.full(3, 192, np.uint8))
        acquisition.take(polled, instant=now, actual=now, current=True)

    poll(NOW)
    poll(NOW + S)
    assert len(sink.samples()) == 3
    hour = 3600 * S
    acquisition.clock_jumped(-hour)
    for second in range(2, 33):
        poll(NOW - hour + second * S)
    times = [ts for ts, _, quality in sink.of("a") if quality == 192]
    assert times[-1] <= NOW - hour + 32 * S, "a long step back is followed"
    assert len(times) in (2, 3)
    acquisition.clock_jumped(hour)
    count = len(sink.samples())
    acquisition.sweep(NOW + 33 * S, subscribed_since=NOW)
    assert len(sink.samples()) == count, "an hour forward is no hour of silence"


def test_what_a_device_kept_is_calibrated_and_its_nulls_taken_out_as_the_present_is():
    sink = Remembered()
    points = [point("a", guards=Guards(curve=((0.0, 0.0), (10.0, 100.0)), no_value=(-1.0,)))]
    acquisition = Acquisition("c", PointTable.build(points, {"fast": 1.0}, 1.0), sink.put)
    times = np.array([NOW - 3, NOW - 2, NOW - 1], np.int64)
    kept = Reading(np.zeros(3, np.int32), np.array([5.0, -1.0, 10.0]), np.full(3, 192, np.uint8), ts=times)
    acquisition.take_history(kept, NOW)
    samples = sink.samples()
    assert samples.value[[0, 2]].tolist() == [50.0, 100.0]
    assert np.isnan(samples.value[1]) and samples.quality[1] < 64
