"""The intervals of the truth against a plain form, step by step, and over any cut into blocks and segments."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.engine.block import Block
from simulators.truth.intervals import Tracker
from simulators.truth.records import TruthWriter, read_events, read_intervals

CHANNELS = ("belt_1.speed", "belt_1!state", "belt_1!tonnes", "belt_1!kwh", "pump_1!mode", "pump_1!producing")
COLUMNS = {name: column for column, name in enumerate(CHANNELS)}
FOLLOWED = (("belt_1", "state"), ("pump_1", "mode"), ("pump_1", "producing"))
START = 1_700_000_000_000_000
STEP = 500_000


def blocks(values: np.ndarray, cut: list[int]) -> list[Block]:
    ts = START + STEP * np.arange(1, len(values) + 1, dtype=np.int64)
    found, at = [], 0
    for steps in [*cut, len(values)]:
        piece = slice(at, min(len(values), at + steps))
        if piece.start < piece.stop:
            found.append(Block(ts[piece], values[piece], COLUMNS))
        at = piece.stop
    return found


def plainly(values: np.ndarray) -> set[tuple]:
    """One step after the other."""
    found = set()
    for owner, kind in FOLLOWED:
        shown = values[:, COLUMNS[f"{owner}!{kind}"]]
        since, tonnes, kwh = START, 0.0, 0.0
        for step in range(len(values)):
            ends = step + 1 == len(values) or not (
                shown[step] == shown[step + 1] or (np.isnan(shown[step]) and np.isnan(shown[step + 1]))
            )
            if not ends:
                continue
            end = START + STEP * (step + 1)
            has = owner == "belt_1"
            total = (values[step, 2], values[step, 3]) if has else (None, None)
            if not np.isnan(shown[step]):
                grown = (total[0] - tonnes, total[1] - kwh) if has else (None, None)
                found.add((owner, kind, shown[step], since, end, *grown))
            since, tonnes, kwh = end, *total
    return found


def mine(states: list[tuple[float, float, float]], seed: int = 1) -> np.ndarray:
    values = np.full((len(states), len(CHANNELS)), np.nan)
    values[:, [1, 4, 5]] = states
    # Quarters are exact in binary, so that sums are the same in any order.
    values[:, 2:4] = np.cumsum(np.random.default_rng(seed).integers(0, 9, (len(states), 2)), axis=0) / 4.0
    return values


def told(tracker: Tracker, found: list) -> set[tuple]:
    return {
        (*tracker.names[channel], value, start, end, *(None if np.isnan(x) else x for x in (tonnes, kwh)))
        for part in found
        for channel, value, start, end, tonnes, kwh in zip(
            *(getattr(part, name).tolist() for name in ("channel", "value", "start", "end", "tonnes", "kwh")),
            strict=True,
        )
    }


STATES = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, np.nan]), st.integers(0, 4).map(float), st.integers(0, 1).map(float)),
    min_size=1,
    max_size=40,
)


@settings(deadline=None)
@given(STATES, st.lists(st.integers(1, 12), max_size=5))
def test_intervals_are_those_of_the_plain_form_however_blocks_are_cut(states, cut):
    values = mine(states)
    tracker = Tracker(COLUMNS, START)
    found = [tracker.take(block) for block in blocks(values, cut)]
    assert told(tracker, [*found, tracker.cut()]) == plainly(values)


@settings(deadline=None, max_examples=40)
@given(STATES, st.lists(st.integers(1, 12), max_size=5), st.sampled_from([0.5, 3.0, 1e6]))
def test_segments_on_disk_are_joined_to_the_same_intervals(tmp_path_factory, states, cut, every_s):
    values, home = mine(states), tmp_path_factory.mktemp("truth")
    writer = TruthWriter(home, COLUMNS, START, every_s=every_s)
    for block in blocks(values, cut):
        writer.take(block)
    writer.close()
    rows = read_intervals(home).to_pylist()
    assert {tuple(row.values()) for row in rows} == plainly(values)
    assert len(rows) == len(plainly(values))


def test_without_a_start_the_truth_begins_at_the_end_of_the_first_step():
    values = mine([(0.0, 1.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 1.0)])
    tracker = Tracker(COLUMNS)
    found = [tracker.take(block) for block in blocks(values, [1, 1, 1])]
    whole = told(tracker, [*found, tracker.cut()])
    gained = values[1, 2:4] - values[0, 2:4]
    assert ("belt_1", "state", 0.0, START + STEP, START + 2 * STEP, *gained) in whole
    assert min(start for _, _, _, start, *_ in whole) == START + STEP


def test_totals_that_were_there_before_are_not_counted():
    values = mine([(1.0, 0.0, 0.0)])
    values[0, 2] = 1000.5
    tracker = Tracker(COLUMNS, START, {"belt_1!tonnes": 1000.0})
    tracker.take(blocks(values, [])[0])
    assert tracker.cut().tonnes[0] == 0.5


@dataclass
class Hole:
    equipment: str
    kind: str
    begin_us: int
    end_us: int
    attributes: dict[str, object] = field(default_factory=dict)


def test_records_are_kept_with_their_attributes(tmp_path: Path):
    values = mine([(1.0, 0.0, 0.0)] * 4)
    writer = TruthWriter(tmp_path, COLUMNS, START, every_s=1.0)
    for number, block in enumerate(blocks(values, [1, 1, 1, 1])):
        writer.take(block, [Hole("bolter_1", "hole", START + number, START + number + 5, {"深度": 2.4, "mode": 3})])
    writer.close()
    rows = read_events(tmp_path).to_pylist()
    assert [row["begin"] - START for row in rows] == [0, 1, 2, 3]
    assert json.loads(rows[0]["attributes"]) == {"深度": 2.4, "mode": 3}


def test_a_kill_costs_what_was_not_written_and_nothing_else(tmp_path: Path):
    values = mine([(1.0, 2.0, 1.0)] * 6)
    writer = TruthWriter(tmp_path, COLUMNS, START, every_s=1.0)
    for block in blocks(values, [2, 2, 1])[:3]:
        writer.take(block)
    (tmp_path / "truth" / "intervals-0000000000000001.writing").write_bytes(b"half a segment")
    # Killed here: the two whole seconds are there, and the half one is not.
    assert set(read_intervals(tmp_path)["end"].to_pylist()) == {START + 4 * STEP}


def test_an_empty_home_has_no_truth(tmp_path: Path):
    assert len(read_intervals(tmp_path)) == 0
    assert len(read_events(tmp_path)) == 0


@pytest.mark.parametrize("columns", [{}, {"belt_1.speed": 0}])
def test_a_mine_without_truth_channels_writes_none(tmp_path: Path, columns):
    writer = TruthWriter(tmp_path, columns, START)
    writer.take(Block(np.array([START + STEP]), np.ones((1, len(columns))), columns))
    writer.close()
    assert list((tmp_path / "truth").iterdir()) == []
