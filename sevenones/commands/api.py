"""`sevenones api`: the API process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from sevenones.loading import loading


def api(
    site: Annotated[Path, typer.Option(help="矿井配置目录 · the site's folder")],
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
    bus: Annotated[str, typer.Option(help="总线地址 · the bus server's address")] = "nats://127.0.0.1:14222",
    host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="监听端口 · port to listen on")] = 8700,
    credential: Annotated[
        Path | None, typer.Option(help="凭证文件，默认取自数据目录 · credential file, by default the home's own")
    ] = None,
) -> None:
    """运行开放接口进程 · run the API process: live values, history and events for people and programs.

    SEVENONES_DATABASE=postgresql://… 时关系库在 PostgreSQL · with it, the relational store is in PostgreSQL.
    """
    with loading():
        import uvloop

        from bus.credentials import Credential, folder
        from bus.errors import BusError
        from middleplatform.api.process import PortTaken, run
        from middleplatform.database import SETTING, DatabaseError
        from models.site import SiteErrors, load
        from sevenones.workshop import Workshop

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        proof = Credential.load(credential or folder(home) / "api.json")
        made = load(site, environment=os.environ)
        await run(made, home, bus, proof, host, port, stop, os.environ.get(SETTING), Workshop(site, home))

    try:
        uvloop.run(main())
    except SiteErrors as errors:
        sys.exit(f"矿井配置有误 · the site folder {site} has mistakes:\n{errors}")
    except (PortTaken, BusError, DatabaseError) as error:
        sys.exit(f"接口无法运行 · the API cannot run: {error}")
