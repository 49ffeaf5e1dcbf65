"""The mirror as a program of its own, on the tests' small site.

python -m tests.middleplatform.mirror.mirror_program FOLDER BUS_URL CREDENTIAL
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from bus.credentials import Credential
from middleplatform.mirror import run
from middleplatform.mirror.settings import Settings
from tests.middleplatform.store.build import site_of


async def main(folder: Path, url: str, credential: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    site = site_of({"edge1": ["speed", "load", "text_1"]})
    settings = Settings.load(folder / "mirror.yaml", os.environ)
    await run(folder, folder, settings, url, Credential.load(credential), stop, lambda _: site)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
