"""The table of latest values: never back in time, right after a restart."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from middleplatform.store.latest import Latest
from middleplatform.store.schema import SAMPLE_COLUMNS
from models.samples import Samples

some_rows = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 6), st.integers(1, 5), st.sampled_from([None, "a", "断线"])),
    max_size=30,
)


def samples_of(batch) -> tuple[Samples, np.ndarray]:
    text = pa.array([x for *_, x in batch], pa.string())
    column = [np.array(c, t) for c, t in zip(zip(*batch, strict=True), (np.uint64, np.int64, np.uint64), strict=False)]
    value = column[1] * 10.0 + column[2]
    samples = Samples(
        column[0], column[1], value, np.full(len(batch), 192, np.uint8), text if text.null_count < len(text) else None
    )
    return samples, column[2]


@given(st.lists(some_rows, max_size=6))
def test_it_holds_the_newest_of_each_point_in_any_order(batches):
    latest, holds = Latest(), {}
    for rows in batches:
        # The same (point, ts, version) is the same sample.
        batch = list({row[:3]: (*row[:3], None if row[3] is None else f"{row[3]}{row[:3]}") for row in rows}.values())
        for point, ts, ver, text in batch:
            if (ts, ver) >= holds.get(point, (-1, -1))[:2]:
                holds[point] = (ts, ver, text)
        if batch:
            latest.update(*samples_of(batch))
    got = {row["point"]: (row["ts"], row["value"], row["text"]) for row in latest.table().to_pylist()}
    assert got == {point: (ts, ts * 10.0 + ver, text) for point, (ts, ver, text) in holds.items()}
    asked = [0, 3, 8, 77]
    assert latest.table(asked).column("point").to_pylist() == [point for point in asked if point in holds]
    assert latest.table([]).num_rows == 0


def test_it_is_rebuilt_from_the_store_however_long_ago_a_point_spoke(engine):
    now = 1_795_420_368_000_000
    ages = {1: 0, 2: 3_600_000_000, 3: 3 * 86_400_000_000, 4: 300 * 86_400_000_000}
    table = [
        {"point": point, "ts": now - age - back, "value": float(point), "quality": 64, "text": text, "ver": 1}
        for point, age in ages.items()
        for back, text in ((0, "now"), (1_000_000, None))
    ]
    engine.insert("samples", pa.Table.from_pylist(table, SAMPLE_COLUMNS))
    engine.insert(
        "samples", pa.Table.from_pylist([{**table[0], "value": 99.0, "text": None, "ver": 2}], SAMPLE_COLUMNS)
    )
    latest = Latest()
    latest.rebuild(engine, np.array([1, 2, 3, 4, 5], np.uint64), now)
    got = {
        row["point"]: (now - row["ts"], row["value"], row["quality"], row["text"]) for row in latest.table().to_pylist()
    }
    assert got == {
        1: (0, 99.0, 64, None),
        **{point: (age, float(point), 64, "now") for point, age in ages.items() if point != 1},
    }


def test_once_a_clock_that_was_ahead_is_set_right_the_present_is_held():
    now = 1_795_420_368_000_000
    latest = Latest(lambda: now)
    for number, ts in enumerate((now + 300_000_000, now, now - 1_000_000)):
        row = Samples(
            *(np.array([x], t) for x, t in ((1, np.uint64), (ts, np.int64), (number, float), (192, np.uint8)))
        )
        latest.update(row, np.array([number + 1], np.uint64))
    assert latest.table().column("value").to_pylist() == [1.0]
