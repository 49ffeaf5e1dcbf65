"""What counters remember over a kill, and that a broken memory stops nothing."""

import numpy as np
import pytest

from gateway.counter import Counters
from gateway.memory import TURNED_S, USUAL_S, Memory
from models.site.model import Guards, Kind
from tests.gateway.sites import point

S = 1_000_000
NOW = 1_800_000_000_000_000


def counters():
    return Counters([point("a"), point("c", kind=Kind.COUNTER, guards=Guards(rollover=65536.0))])


def count(made, raw, second=0):
    return made.count(np.array([0]), np.array([float(raw)]), np.array([NOW + second * S]), None)[0][0]


async def test_the_total_goes_on_after_a_kill_before_and_after_the_turn_was_written(tmp_path):
    path = tmp_path / "counters" / "plc.json"
    made = counters()
    memory = Memory(path, made)
    memory.recall()
    count(made, 65_000, 0)
    count(made, 65_400, 1)
    await memory.keep(0.0)
    assert count(made, 100, 2) == 65_636
    # Killed here: the turn was not written.
    again = counters()
    Memory(path, again).recall()
    assert count(again, 400, 4) == 65_936
    # Killed after it was written.
    await memory.keep(TURNED_S)
    third = counters()
    Memory(path, third).recall()
    assert count(third, 400, 4) == 65_936


async def test_writes_are_bounded(tmp_path):
    path = tmp_path / "plc.json"
    made = counters()
    memory = Memory(path, made)
    written = []
    write = memory._replace
    memory._replace = lambda data: (written.append(data), write(data))
    for tenth in range(600):  # a minute of a device that sends rubbish ten times a second
        count(made, 65_000 if tenth % 2 else 3, tenth)
        await memory.keep(tenth / 10)
    assert len(written) <= 60 / TURNED_S + 1
    written.clear()
    for second in range(60):
        count(made, 65_000, 1000 + second)
        await memory.keep(100 + second)
    assert len(written) <= 60 / USUAL_S + 1


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"counters": 5}', b'{"counters": {"a": [1]}}', b"\xff" * 100])
def test_a_broken_memory_is_counted_and_stops_nothing(tmp_path, broken):
    path = tmp_path / "plc.json"
    path.write_bytes(broken)
    made = counters()
    memory = Memory(path, made)
    memory.recall()
    assert memory.failures == 1
    assert count(made, 5) == 5
    memory.keep_now()
    again = Memory(path, counters())
    again.recall()
    assert again.failures == 0
