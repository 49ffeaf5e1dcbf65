"""The store as a program of its own, on a site made from `points.json` ({gateway: [keys]}) in its folder.

python -m tests.middleplatform.store.store_program HOME BUS_URL
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from bus import credentials
from middleplatform.store import run
from middleplatform.store.schema import SETTING
from models.site.model import Site
from tests.middleplatform.store.build import site_of


def load(folder: Path) -> Site:
    return site_of(json.loads((folder / "points.json").read_text()))


async def main(home: Path, url: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    place = os.environ.get(SETTING)
    await run(home / "site", home, url, credentials.load(home, "store"), stop, load=load, url=place)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
