"""The live table: never back in time, and never an old number as good."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from middleplatform.api.live import NEVER, LiveTable
from models.samples import Samples
from models.site.model import Site
from tests.middleplatform.api.build import NAMES, SILENCE_S, id_of, samples, site

SECOND = 1_000_000
NOW = 1_800_000_000 * SECOND
SITE = site()
ROW = {name: index for index, name in enumerate(sorted(NAMES))}


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


def described(table, name, now=None):
    table.refresh(now)
    return table.describe(np.array([ROW[name]]), table._clock() if now is None else now)[0]


def test_what_never_came_is_waited_for():
    value = described(LiveTable(SITE, Clock()), "belt1/speed")
    assert (value["value"], value["quality"], value["ts"], value["stale"]) == (None, 32, None, False)
    assert value["quality_words"] == {"zh": "坏：等待首个数据", "en": "bad: waiting for the first value"}


def test_silence_for_twice_its_bound_makes_a_value_stale():
    clock = Clock()
    table = LiveTable(SITE, clock)
    table.update(samples(("belt1/speed", NOW, 2.5, 192)))
    clock.now = NOW + int(2 * SILENCE_S * SECOND)
    table.beat("edge1")
    value = described(table, "belt1/speed")
    assert (value["quality"], value["stale"], value["age_s"]) == (192, False, 60.0)
    clock.now += 1
    value = described(table, "belt1/speed")
    assert (value["value"], value["quality"], value["stale"]) == (2.5, 20, True)
    assert value["quality_words"]["zh"] == "坏：数据陈旧"
    table.update(samples(("belt1/speed", clock.now, 2.6, 192)))
    assert described(table, "belt1/speed")["quality"] == 192


def test_a_gateway_that_is_not_heard_makes_its_values_stale():
    clock = Clock()
    table = LiveTable(SITE, clock)
    table.update(samples(("belt1/speed", NOW, 2.5, 192)))
    clock.now = NOW + 10 * SECOND
    assert described(table, "belt1/speed")["quality"] == 192
    assert table.silent_s(clock.now) == {}
    clock.now += 1
    value = described(table, "belt1/speed")
    assert (value["value"], value["quality"], value["stale"]) == (2.5, 20, True)
    assert described(table, "pump1/flow")["stale"] is False, "what never came is waited for, not stale"
    assert list(table.silent_s(clock.now)) == ["edge1"]
    table.beat("another")
    assert described(table, "belt1/speed")["quality"] == 20
    table.beat("edge1")
    assert described(table, "belt1/speed")["quality"] == 192


def test_a_device_whose_clock_is_ahead_still_turns_stale():
    clock = Clock()
    table = LiveTable(SITE, clock)
    table.update(samples(("belt1/speed", NOW + 3600 * SECOND, 2.5, 192)))
    assert described(table, "belt1/speed")["stale"] is False
    clock.now += 61 * SECOND
    table.beat("edge1")
    assert described(table, "belt1/speed")["stale"] is True


def test_what_the_store_held_is_as_old_as_it_is():
    table = LiveTable(SITE, Clock())
    old = samples(("belt1/speed", NOW - 90 * SECOND, 2.5, 192), ("pump1/flow", NOW - SECOND, 1.0, 192))
    table.rebuild(_stored(old))
    assert described(table, "belt1/speed")["quality"] == 20
    assert described(table, "pump1/flow")["quality"] == 192


def test_the_store_does_not_undo_what_is_newer():
    table = LiveTable(SITE, Clock())
    table.update(samples(("belt1/speed", NOW, 2.0, 192)))
    table.rebuild(_stored(samples(("belt1/speed", NOW - 1, 1.0, 192))))
    assert described(table, "belt1/speed")["value"] == 2.0


def test_texts_follow_their_samples():
    table = LiveTable(SITE, Clock())
    nan = math.nan
    table.update(samples(("belt1/note", NOW, nan, 192), ("belt1/speed", NOW, 1.0, 192), texts=["检修", None]))
    value = described(table, "belt1/note")
    assert (value["text"], value["value"]) == ("检修", None)
    table.update(samples(("belt1/note", NOW + 1, 3.0, 192)))
    assert described(table, "belt1/note")["text"] is None


def test_strangers_are_counted():
    table = LiveTable(SITE, Clock())
    columns = np.array([1, 2, id_of("belt1/speed")], np.uint64)
    table.update(Samples(columns, np.full(3, NOW), np.ones(3), np.full(3, 192, np.uint8)))
    assert table.unknown == 2
    assert described(table, "belt1/speed")["value"] == 1.0
    empty = LiveTable(Site(**{**{name: getattr(SITE, name) for name in SITE.__slots__}, "points": ()}), Clock())
    empty.update(Samples(columns, np.full(3, NOW), np.ones(3), np.full(3, 192, np.uint8)))
    assert empty.unknown == 3


ONE = st.tuples(
    st.sampled_from(sorted(NAMES)),
    st.integers(-5, 5).map(lambda k: NOW + k),
    st.floats(allow_nan=False),
    st.sampled_from([0, 24, 64, 192]),
)


@given(st.lists(st.lists(ONE, min_size=1, max_size=8), max_size=8))
def test_it_never_goes_back_in_time(batches):
    table = LiveTable(SITE, Clock())
    held: dict[str, tuple[int, float, int]] = {}
    for rows in batches:
        before = table.ts.copy()
        revision = table.revision
        table.update(samples(*rows))
        assert (table.ts >= before).all()
        changed = set()
        for name, ts, value, quality in rows:
            if name not in held or ts >= held[name][0]:
                held[name] = (ts, value, quality)
                changed.add(ROW[name])
        assert changed == set(np.flatnonzero(table.changed > revision).tolist())
    for name, row in ROW.items():
        if name in held:
            assert (table.ts[row], table.value[row], table.held[row]) == held[name]
        else:
            assert table.ts[row] == NEVER


def _stored(of: Samples):
    import pyarrow as pa

    text = pa.nulls(len(of), pa.string()) if of.text is None else of.text
    told = {"point": of.point, "ts": of.ts, "value": of.value, "quality": of.quality, "text": text}
    return pa.table({**told, "manual": np.zeros(len(of), bool)})


def test_once_a_clock_that_was_ahead_is_set_right_the_present_is_shown():
    """Or an old methane value would be shown as good until the future has come."""
    clock = Clock()
    table = LiveTable(SITE, clock)
    table.update(samples(("belt1/speed", NOW + 300 * SECOND, 0.40, 192)))
    clock.now += 5 * SECOND
    table.update(samples(("belt1/speed", clock.now, 1.60, 192)))
    assert described(table, "belt1/speed")["value"] == 1.60
    table.update(samples(("belt1/speed", clock.now - SECOND, 9.0, 192)))
    assert described(table, "belt1/speed")["value"] == 1.60, "and from there it goes on as ever"


def test_what_is_history_is_never_the_present_though_a_clock_is_ahead():
    clock = Clock()
    table = LiveTable(SITE, clock)
    table.update(samples(("belt1/speed", NOW + 5 * SECOND, 2.0, 192)))
    table.update(samples(("belt1/speed", NOW - 61 * SECOND, 9.0, 192)))
    assert described(table, "belt1/speed")["value"] == 2.0
