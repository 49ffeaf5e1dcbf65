"""Drives runs as a process of its own, to be killed.

python -m tests.middleplatform.control.drive_program HOME BUS_URL
"""

import asyncio
import sys
from pathlib import Path

from tests.middleplatform.control.line import driving, present


async def main(home: Path, url: str) -> None:
    async with present(home, url) as (bus, live), driving(home, bus, live):
        print("listening", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
