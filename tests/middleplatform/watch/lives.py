"""A watch that is killed and lives again, time after time, without paying for its imports and its rules each time.

python -m tests.middleplatform.watch.lives DATABASE BUS_URL CREDENTIAL GAS

Each line on standard input begins a life; its process number is the answer. When the input ends, so do all. A line is
`<moment> <times>`: it dies by itself when it keeps something for that time, `before` the transaction, `within` it when
all is written and not yet committed, or `after` it before the bus hears of it; `never` does not.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import structlog
from sqlalchemy import event

from bus.connection import Bus
from bus.credentials import Credential
from bus.process import die_with_parent
from middleplatform.alarms.hold import Hold
from middleplatform.database import Place, connect
from middleplatform.watch.judging import Judging
from middleplatform.watch.process import today
from middleplatform.watch.watching import Watching
from tests.middleplatform.watch.build import site


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def doom(moment: str, times: int, place: Place) -> None:
    """Let this process die at its `times`th keeping."""
    keep, left = Hold.keep, [times]

    def kept(self: Hold, *given: object) -> None:
        left[0] -= 1
        if moment == "before" and not left[0]:
            die()
        if moment == "within" and not left[0]:
            event.listen(connect(place), "commit", lambda _: die())
        keep(self, *given)
        if moment == "after" and not left[0]:
            die()

    Hold.keep = kept


async def live(where: str, url: str, credential: Path, judging: Judging, moment: str, times: int) -> None:
    bus = await Bus.connect(url, Credential.load(credential), name="watch", wait_s=0)
    place = where if "://" in where else Path(where)
    doom(moment, times, place)
    await Watching(bus, place, judging, ack_wait_s=1.0).run()


def main() -> None:
    where, url, credential, gas = sys.argv[1:5]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    die_with_parent()
    made = site(gas=int(gas), belts=int(gas))
    unborn = Judging(made, today(made))
    for line in sys.stdin:
        moment, times = line.split()
        child = os.fork()
        if not child:
            die_with_parent()
            asyncio.run(live(where, url, Path(credential), unborn, moment, int(times)))
            os._exit(1)
        print(child, flush=True)


if __name__ == "__main__":
    main()
