"""What the board asks each second of the last day's raises: the same as the whole journal says, reading what is new."""

from __future__ import annotations

import datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from middleplatform.alarms import book
from middleplatform.alarms.annunciation import annunciation
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.alarms.floods import floods
from middleplatform.alarms.recent import DAY_S, SECOND, RecentRaises
from middleplatform.database import connect
from tests.middleplatform.database.conftest import place
from tests.postgres import postgres

__all__ = ["place", "postgres"]
HOW = annunciation(datetime.date(2026, 11, 26))
MINE, T = "140525000001", 1_800_000_000


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 14)), max_size=40),
    st.integers(0, 4000),
)
def test_a_flood_is_the_one_that_the_whole_journal_shows(bursts, now):
    raised = np.sort(np.repeat([at for at, _ in bursts], [many for _, many in bursts])).astype(np.int64)
    lasting = [each for each in floods(raised[raised <= now] * SECOND, HOW, now * SECOND) if each.end is None]
    counts = np.bincount(raised[raised <= now], minlength=now + 1)[: now + 1].astype(np.int64)
    found = RecentRaises._found(counts, 0, HOW)
    assert (found is None) == (not lasting)
    if lasting:
        assert found == {"start": lasting[0].start, "peak": lasting[0].peak}


def tell(where, mine, numbers, ts, *, late=False, act=Act.RAISE):
    changes = [Change(f"r{n}", f"{mine}/p", act, ts * SECOND, 1, 3, late=late) for n in numbers]
    assert book.record(where, mine, Position("test", mine, ts, tell.number), changes)
    tell.number += 1


tell.number = 1


def test_only_what_is_new_is_read_and_the_day_passes(place):
    raises, read = RecentRaises(place, MINE), []
    tell(place, MINE, range(8), T)
    tell(place, "140581000000", range(20), T)
    tell(place, MINE, range(20), T, late=True)
    tell(place, MINE, range(8), T + 1, act=Act.RETURN)
    assert raises.flood(HOW, (T + 2) * SECOND) is None
    event.listen(connect(place), "before_cursor_execute", lambda *all_: read.append((all_[2], all_[3])))
    tell(place, MINE, range(8, 12), T + 3)
    read.clear()
    assert raises.flood(HOW, (T + 5) * SECOND) == {"start": (T + 3) * SECOND, "peak": 12}
    (grouped,) = [with_ for text, with_ in read if "GROUP BY" in text]
    values = list(grouped.values() if isinstance(grouped, dict) else grouped)
    assert 56 in values, "from behind the last line that was read: 8 + 20 + 20 + 8"
    read.clear()
    assert raises.flood(HOW, (T + 6) * SECOND) == {"start": (T + 3) * SECOND, "peak": 12}
    assert not any("GROUP BY" in text for text, _ in read), "nothing is new"
    assert raises.flood(HOW, (T + 603) * SECOND) is None
    assert raises.flood(HOW, (T + 3 * DAY_S) * SECOND) is None
    assert raises.flood(HOW, (T + 5) * SECOND) == {"start": (T + 3) * SECOND, "peak": 12}, "the clock was ahead"
    assert RecentRaises(place, MINE).flood(HOW, (T + 5) * SECOND) == {"start": (T + 3) * SECOND, "peak": 12}
