"""Drives runs as a process of its own, to be killed or stopped.

python -m tests.middleplatform.control.drive_program HOME BUS_URL [SIGNING]

With SIGNING a command takes a second to be signed, and that file is there meanwhile; the lease is short then.
"""

import asyncio
import sys
import time
from pathlib import Path

from middleplatform.control.attend import unsigned
from models.command import Command
from tests.middleplatform.control.line import driving, present

SHORT_S = 2.0
"""A lease, s."""


async def main(home: Path, url: str, signing: Path | None = None) -> None:
    def slowly(command: Command, gateway: str) -> bytes:
        signing.touch()
        for _ in range(20):  # not in one piece, which would be over when a stopped process goes on
            time.sleep(0.05)
        signing.unlink()
        return unsigned(command, gateway)

    how = {} if signing is None else {"seal": slowly, "lease_s": SHORT_S}
    async with present(home, url) as (bus, live), driving(home, bus, live, **how):
        print("listening", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], *map(Path, sys.argv[3:])))
