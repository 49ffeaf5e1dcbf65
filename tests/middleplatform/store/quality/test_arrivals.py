"""The delay from source to store: counted once, over restarts, against the delays themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.store.catalogue import Catalogue
from middleplatform.store.engine import EngineError
from middleplatform.store.quality.arrivals import BINS, EDGES, Arrivals, bins_of
from middleplatform.store.quality.assessment import Asked
from middleplatform.store.rollup_tables import HOUR
from tests.middleplatform.store.build import batch_of, id_of, parts_of, sent, site_of
from tests.middleplatform.store.test_rollups import BASE

A, B, C = id_of("a"), id_of("b"), id_of("c")


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**9), 4 * 10**12))
def test_a_delay_lies_in_its_bin(delay):
    place = int(bins_of(np.array([delay]))[0])
    assert delay <= EDGES[place] * (1 + 1e-9) or place == BINS - 1
    assert place == 0 or delay > EDGES[place - 1] * (1 - 1e-9)


@pytest.fixture
def arrivals(engine):
    engine.execute("TRUNCATE TABLE arrivals")
    clock = [BASE]
    site = site_of({"edge1": ["a", "b"], "edge2": ["c"]})

    def start() -> Arrivals:
        made = Arrivals(engine, Catalogue(site), lambda: clock[0])
        made.clock = clock
        return made

    return start


def sums(arrivals, groups, hours=2):
    asked = Asked([A, B, C], groups, BASE, BASE + hours * HOUR, HOUR, BASE + hours * HOUR)
    return {name: column.reshape(-1, hours).tolist() for name, column in arrivals.sums(asked).items()}


def tell(arrivals, point, *delays_s, hour=0):
    """Samples at the begin of an hour that come so much later."""
    for delay in delays_s:
        arrivals.clock[0] = BASE + hour * HOUR + round(delay * 1e6)
        arrivals.add(np.array([point], np.uint64), np.array([BASE + hour * HOUR]))


def test_counts_and_quantiles_by_the_connection(arrivals):
    told = arrivals()
    tell(told, A, 0.1, 0.1, 0.2, 30.0)
    tell(told, C, *[1.0] * 98, 60.0, 61.0, hour=1)
    told.add(np.array([12345], np.uint64), np.array([BASE]))  # no point of ours
    found = sums(told, [0, 1, 2])
    assert found["arrived"] == [[4, 0], [4, 0], [0, 100]]
    assert found["timely"] == [[3, 0], [3, 0], [0, 98]]
    p50, p99 = np.array(found["p50_us"]), np.array(found["p99_us"])
    assert p50[0, 0] == p50[1, 0] == pytest.approx(100_000, rel=0.1) and p50[2, 1] == pytest.approx(1e6, rel=0.1)
    assert p99[0, 0] == pytest.approx(30e6, rel=0.1) and p99[2, 1] == pytest.approx(60e6, rel=0.1)
    assert np.isnan(p50[0, 1]) and np.isnan(p99[2, 0])
    assert sums(told, [7, 7, 7])["arrived"] == [[4, 100]]  # a connection counts once for a group


def test_counts_add_up_over_flushes_hours_and_restarts_and_none_counts_twice(arrivals):
    told = arrivals()
    for round_ in range(1, 4):
        tell(told, A, 0.5, 0.5)
        told.flush()
        told.flush()
        assert sums(told, [0, 0, 1])["arrived"][0] == [2 * round_, 0]
    tell(told, A, 2 * 3600)  # the clock is in another hour: a new run
    tell(told, A, 0.5)
    told.flush()
    tell(told, A, 0.5)
    again = arrivals()
    told.flush()
    tell(again, B, 0.5)
    assert sums(again, [0, 0, 1])["arrived"][0] == [10, 0]
    again.adopt(Catalogue(site_of({"edge1": ["a", "b"], "edge2": ["c"]})))
    assert sums(again, [0, 0, 1])["arrived"][0] == [10, 0]


def test_what_cannot_be_written_is_written_later(arrivals, engine, monkeypatch):
    told = arrivals()
    tell(told, A, 0.5)

    def full(*_):
        raise EngineError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "insert", full)
        with pytest.raises(EngineError):
            told.flush()
    tell(told, A, 0.5)
    told.flush()
    assert sums(told, [0, 0, 1])["arrived"][0] == [2, 0]


def test_the_writer_tells_of_what_is_on_disk_and_of_nothing_else(engine, tmp_path):
    told = []
    parts = parts_of(engine, tmp_path, site_of({"edge1": ["a", "b"]}))
    parts.writer._arrived = lambda point, ts: told.append((point.tolist(), ts.tolist()))
    parts.writer.write(
        [("SAMPLES", sent(batch_of(1, [(A, BASE, 1.0, 192), (12345, BASE, 1.0, 192), (B, BASE, 2.0, 0)])))]
    )
    assert told == [([A, B], [BASE, BASE])]
