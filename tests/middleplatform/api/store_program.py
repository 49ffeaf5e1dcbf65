"""The store as a program of its own, on the API tests' site or on that of a folder.

python -m tests.middleplatform.api.store_program HOME BUS_URL [FOLDER]
"""

import asyncio
import signal
import sys
from pathlib import Path

from bus import credentials
from middleplatform.store import run
from sevenones.backfill.mine import site_of
from tests.middleplatform.api.build import site


async def main(home: Path, url: str, folder: Path | None) -> None:
    kept = site_of(folder, {}) if folder else site()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(home / "site", home, url, credentials.load(home, "store"), stop, load=lambda _: kept)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]) if sys.argv[3:] else None))
