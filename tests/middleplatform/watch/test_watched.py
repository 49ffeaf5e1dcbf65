"""When alarms were judged: what figures of failures are told by."""

from __future__ import annotations

from middleplatform.alarms.hold import Hold
from middleplatform.alarms.watched import CLOSE_US, watched
from middleplatform.watch.clock import GRACE_US, Clock
from tests.middleplatform.watch.build import SECOND, now
from tests.middleplatform.watch.stage import stage
from tests.servers import CODE

HOUR = 3600 * SECOND


def judge(hold: Hold, stored: list[int]) -> None:
    """A process that is new hears messages that the bus took at these times."""
    clock = Clock(30 * SECOND, stored[0])
    for each in stored:
        broken = clock.unbroken
        clock.heard([each], each)
        if broken is not None and clock.unbroken is None:  # what had been judged was kept before
            hold.keep([], [], b"", broken)
    hold.keep([], [], b"", clock.unbroken)


def test_what_was_judged_is_kept_and_what_was_not_is_open(place):
    judge(Hold(place, CODE, "watch"), [*range(HOUR, 2 * HOUR, SECOND * 20)])
    judge(Hold(place, CODE, "watch"), [*range(2 * HOUR, 3 * HOUR, SECOND * 20)])
    assert watched(place, CODE, 0, 9 * HOUR).pairs() == [(HOUR, 3 * HOUR - 20 * SECOND)], "a start is no break"
    judge(
        Hold(place, CODE, "watch"), [*range(5 * HOUR, 6 * HOUR, SECOND * 20), *range(7 * HOUR, 8 * HOUR, SECOND * 20)]
    )
    later = [(5 * HOUR, 6 * HOUR - 20 * SECOND), (7 * HOUR, 8 * HOUR - 20 * SECOND)]
    assert watched(place, CODE, 4 * HOUR, 9 * HOUR).pairs() == later
    assert watched(place, "140500000009", 0, 9 * HOUR).pairs() == []
    assert GRACE_US < CLOSE_US, "after a start so long nothing is known to be judged"


async def test_the_alarm_process_tells_when_it_judged(tmp_path, place, monkeypatch):
    monkeypatch.setattr("middleplatform.watch.clock.GRACE_US", 0)
    begun = now()
    async with stage(tmp_path, place) as mine, mine.watching() as watching:
        for step in range(3):
            await mine.say(("gas0/ch4", begun + step * SECOND, 1.2 - step))
            await mine.until(lambda step=step: len(mine.journal()) > min(step, 1), watching=watching)
        await mine.until(lambda: watched(place, CODE, begun - HOUR, begun + HOUR).us() > 0, watching=watching)
