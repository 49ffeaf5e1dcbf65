"""What points were at an instant, against a reference in plain Python."""

import random

import numpy as np
import pyarrow as pa
import pytest

from middleplatform.store.client import BACK_US
from middleplatform.store.errors import StoreError
from middleplatform.store.instant import Instants
from middleplatform.store.schema import SAMPLE_COLUMNS
from models.identity import MANUAL_FLOOR

MIDNIGHT = 1_795_420_800_000_000
SECOND = 1_000_000


def insert(engine, rows):
    columns = zip(*rows, strict=True)
    arrays = [pa.array(list(column), field.type) for column, field in zip(columns, SAMPLE_COLUMNS, strict=True)]
    engine.insert("samples", pa.table(arrays, schema=SAMPLE_COLUMNS))


@pytest.fixture
def instants(engine):
    engine.execute("TRUNCATE TABLE samples")
    return Instants(engine, lambda points: np.full(len(points), 60 * SECOND, np.int64))


def told(table):
    return {row["point"]: (row["ts"], row["value"], row["quality"], row["text"]) for row in table.to_pylist()}


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_last_sample_of_each_point_whatever_came_when(engine, instants, seed):
    rng = random.Random(seed)
    rows = []
    for point in range(1, 30):
        # Some speak each second, some once an hour, some hardly ever: each is found in another step.
        apart = rng.choice([1, 30, 3_600, 86_400, 400_000]) * SECOND
        for step in rng.sample(range(-15, 15), rng.randrange(12)):
            ts = MIDNIGHT + step // 3 * apart + step % 3
            rows.append((point, ts, rng.uniform(-5, 5), rng.choice([192, 0, 84]), rng.choice([None, "断线"]), 1))
    # The same instants once more, corrected: the higher version holds.
    rows += [(point, ts, value + 1, 192, None, 2) for point, ts, value, *_ in rng.sample(rows, len(rows) // 3)]
    for start in range(0, len(rows), 40):
        insert(engine, rows[start : start + 40])
    for at in (MIDNIGHT, MIDNIGHT - 1, MIDNIGHT + 2, *(rng.choice(rows)[1] for _ in range(4))):
        want = {}
        for point, ts, value, quality, text, version in rows:
            if at - BACK_US <= ts <= at and (ts, version) >= want.get(point, (0, 0))[:2]:
                want[point] = (ts, version, value, quality, text)
        got = instants.instant(range(1, 40), at)
        assert told(got) == {point: (ts, *rest) for point, (ts, _, *rest) in want.items()}, at
        assert got["point"].to_pylist() == sorted(want)


def test_what_is_too_old_is_not_told_and_what_a_person_entered_is_told_as_such(engine, instants):
    insert(
        engine,
        [
            (1, MIDNIGHT - BACK_US - 1, 1.0, 192, None, 1),
            (2, MIDNIGHT - BACK_US, 2.0, 192, None, 1),
            (3, MIDNIGHT - 5, 3.0, 192, None, 1),
            (3, MIDNIGHT - 5, 3.5, 192, None, MANUAL_FLOOR + 1),
            (4, MIDNIGHT + 1, 4.0, 192, None, 1),
        ],
    )
    found = instants.instant([1, 2, 3, 4], MIDNIGHT)
    assert told(found) == {2: (MIDNIGHT - BACK_US, 2.0, 192, None), 3: (MIDNIGHT - 5, 3.5, 192, None)}
    assert found["manual"].to_pylist() == [False, True]
    assert instants.instant([], MIDNIGHT).num_rows == 0
    with pytest.raises(StoreError, match="range"):
        instants.instant([1], 2**62)
