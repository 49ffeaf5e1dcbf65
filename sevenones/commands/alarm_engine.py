"""`sevenones alarm-engine`: the watch process, which judges and keeps the alarms."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from sevenones.loading import loading


def alarm_engine(
    site: Annotated[Path, typer.Option(help="矿井配置目录 · the site's folder")],
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
    bus: Annotated[str, typer.Option(help="总线地址 · the bus server's address")] = "nats://127.0.0.1:14222",
    credential: Annotated[
        Path | None, typer.Option(help="凭证文件，默认取自数据目录 · credential file, by default the home's own")
    ] = None,
) -> None:
    """运行报警进程：判别、记录报警 · run the watch process: it judges what comes and keeps the alarms."""
    with loading():
        import uvloop

        from bus.credentials import Credential, folder
        from bus.errors import BusError
        from middleplatform.alarms.hold import Superseded
        from middleplatform.database import DatabaseError
        from middleplatform.watch import run
        from models.site import load
        from models.site.problems import SiteErrors
        from sevenones.relational import place_of

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        proof = Credential.load(credential or folder(home) / "watch.json")
        await run(site, home, place_of(home), bus, proof, stop, lambda path: load(path, environment=os.environ))

    try:
        uvloop.run(main())
    except SiteErrors as errors:
        sys.exit(f"矿井配置有误 · the site folder {site} has mistakes:\n{errors}")
    except (BusError, DatabaseError, Superseded) as error:
        sys.exit(f"报警进程无法运行 · the watch cannot run: {error}")
