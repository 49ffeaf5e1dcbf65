"""The utilisation of the truth against seconds that are counted one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.design.utilisation import categories, members, overall
from simulators.truth.records import INTERVALS
from simulators.truth.utilisation import Share, by_category, of_equipment, totals

S = 1_000_000


def table(*rows: tuple[str, str, float, int, int, float | None, float | None]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(INTERVALS.names, row, strict=True)) for row in rows], INTERVALS)


def runs(owner: str, kind: str, flags: list[bool]) -> list[tuple]:
    cuts = [0, *(np.flatnonzero(np.diff(flags)) + 1).tolist(), len(flags)]
    return [(owner, kind, float(flags[a]), a * S, b * S, None, None) for a, b in itertools.pairwise(cuts)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40), st.integers(0, 40), st.integers(0, 40)
)
def test_seconds_counted_one_by_one(flags, start, end):
    start, end = min(start, end), max(start, end)
    producing, intelligent = [p for p, _ in flags], [i for _, i in flags]
    found = of_equipment(
        table(*runs("shearer_1", "producing", producing), *runs("shearer_1", "intelligent", intelligent)),
        "shearer_1",
        start * S,
        end * S,
    )
    assert found.producing_s == sum(producing[start:end])
    assert found.intelligent_s == pytest.approx(sum(p and i for p, i in flags[start:end]), abs=1e-9)


def test_a_category_is_weighed_by_time_and_the_mine_by_categories():
    intervals = table(
        ("belt_101", "producing", 1.0, 0, 90 * S, 10.0, 1.0),
        ("belt_101", "intelligent", 1.0, 0, 90 * S, 10.0, 1.0),
        ("belt_102", "producing", 1.0, 0, 10 * S, None, None),
        ("belt_102", "intelligent", 0.0, 0, 10 * S, None, None),
    )
    shares = by_category(intervals, {"belt": ("belt_101", "belt_102"), "face": ("shearer_1",)})
    assert shares["belt"] == Share(100.0, 90.0)
    assert math.isnan(shares["face"].share)
    assert overall({"belt": 0.9, "face": 0.5, "bolting": float("nan")}) == pytest.approx(0.7)


def test_totals_are_those_of_the_kind_that_covers_most():
    intervals = table(
        ("belt_101", "state", 1.0, 0, 50 * S, 5.0, 2.0),
        ("belt_101", "state", 0.0, 50 * S, 60 * S, 1.0, 0.5),
        ("belt_101", "mode", 3.0, 0, 30 * S, 2.0, 1.0),
        ("door_1", "state", 0.0, 0, 60 * S, None, None),
    )
    found = totals(intervals)
    assert found["belt_101"] == (6.0, 2.5)
    assert all(map(math.isnan, found["door_1"]))


def test_members_are_equipment_by_template_and_chambers_by_place():
    assert list(categories()) == ["face", "roadheader", "bolting", "chamber", "belt"]
    found = members(
        {"belt_101": "belt_conveyor", "shearer_1": "shearer", "pump_room_1": "pump_room", "afc_1": "afc"},
        {"face_1": "face", "pump_room_1": "chamber", "substation_1": "chamber"},
    )
    assert found["belt"] == ("belt_101",)
    assert found["face"] == ("shearer_1",)
    assert found["chamber"] == ("pump_room_1", "substation_1")
