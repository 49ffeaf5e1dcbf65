"""A scenario plays at its instants, whatever the size of a block."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.engine.block import Block
from simulators.faults.dispatch import Faults
from simulators.faults.scenario import Scenario
from simulators.faults.schedule import Schedule, play
from tests.simulators.faults.parts import START, demo, engine

SCENARIO = Scenario.model_validate(
    {
        "name": {"zh": "例", "en": "case"},
        "mine": "demo",
        "start": "2023-11-14T22:13:20+00:00",
        "duration": "2 min",
        "faults": [
            {"at": "20 s", "fault": "belt_slip", "target": "belt_101", "amount": 0.25, "for": "15 s"},
            {"at": "50 s", "fault": "gas_rise", "target": "face_1", "amount": 9},
            {"at": "60 s", "fault": "belt_slip", "target": "belt_101", "amount": 0.5, "for": "10 s"},
        ],
    }
)


def played(block: int) -> tuple[np.ndarray, Faults]:
    machines, _ = engine()
    faults = Faults(demo(), machines)
    blocks: list[Block] = []
    assert SCENARIO.start_us == START
    play(machines, Schedule(SCENARIO, faults), SCENARIO.end_us, blocks.append, block)
    return np.concatenate([each.values for each in blocks]), faults


@pytest.mark.parametrize("block", [1, 7, 600])
def test_faults_begin_and_end_at_their_second(block: int):
    values, faults = played(block)
    slip, gas = values[:, 0], values[:, 2]
    expected = np.zeros(120)
    expected[20:35], expected[60:70] = 0.25, 0.5
    assert np.array_equal(slip, expected)
    assert np.array_equal(gas, np.where(np.arange(120) >= 50, 9.0, 0.0))
    assert [each.id for each in faults.running()] == ["gas_rise"]


def test_without_anything_to_come_blocks_are_as_large_as_wished():
    machines, _ = engine()
    schedule = Schedule(SCENARIO.model_copy(update={"faults": ()}), Faults(demo(), machines))
    assert schedule.next_us() is None
    assert schedule.steps(START, 1.0, 600) == 600
