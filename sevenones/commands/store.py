"""`sevenones store`: the store process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer


def store(
    site: Annotated[Path, typer.Option(help="矿井配置目录 · the site's folder")],
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
    bus: Annotated[str, typer.Option(help="总线地址 · the bus server's address")] = "nats://127.0.0.1:14222",
    credential: Annotated[
        Path | None, typer.Option(help="凭证文件，默认取自数据目录 · credential file, by default the home's own")
    ] = None,
) -> None:
    """运行存储进程 · run the store process: keep what the bus brings, answer questions about it.

    SEVENONES_STORE=clickhouse://… 时数据存于 ClickHouse 服务器或集群 · with it, the data are on a ClickHouse server
    or cluster.
    """
    import uvloop

    from bus.credentials import Credential, folder
    from bus.errors import BusError
    from middleplatform.store import run
    from middleplatform.store.errors import StoreError
    from middleplatform.store.schema import SETTING
    from models.site.problems import SiteErrors

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        proof = Credential.load(credential or folder(home) / "store.json")
        await run(site, home, bus, proof, stop, environment=os.environ, url=os.environ.get(SETTING))

    try:
        uvloop.run(main())
    except SiteErrors as errors:
        sys.exit(f"矿井配置有误 · the site folder {site} has mistakes:\n{errors}")
    except (StoreError, BusError) as error:
        sys.exit(f"存储无法运行 · the store cannot run: {error}")
