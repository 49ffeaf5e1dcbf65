"""From the bus to the journal, with real processes: nothing that turned is missing, whoever reads beside it."""

from __future__ import annotations

import pytest

from sevenones.bench import alarm_latency


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_every_turn_is_told_alone_and_beside_readers() -> None:
    found = alarm_latency.run(samples=2_000_000, seconds=60)
    assert found["alone_turns"] > 50
    assert found["beside_turns"] > 50
    assert found["alone_missing"] == found["beside_missing"] == 0
    assert found["exported_rows"] > 0
    assert found["queries"] > 0
