"""`sevenones mirror`: the mirror process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from sevenones.loading import loading


def mirror(
    site: Annotated[Path, typer.Option(help="矿井配置目录 · the site's folder")],
    settings: Annotated[Path, typer.Option(help="镜像设置文件 · YAML: url, org, bucket, points")],
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
    bus: Annotated[str, typer.Option(help="总线地址 · the bus server's address")] = "nats://127.0.0.1:14222",
    credential: Annotated[
        Path | None, typer.Option(help="凭证文件，默认取自数据目录 · credential file, by default the home's own")
    ] = None,
) -> None:
    """镜像选定测点到 InfluxDB v2 接口 · copy chosen points to a server that takes InfluxDB's v2 write API.

    令牌取自环境变量 SEVENONES_MIRROR_TOKEN · the token comes from the environment.
    """
    with loading():
        import uvloop

        from bus.credentials import Credential, folder
        from bus.errors import BusError
        from middleplatform.mirror import run
        from middleplatform.mirror.settings import MirrorError, Settings
        from models.site import load
        from models.site.problems import SiteErrors

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        proof = Credential.load(credential or folder(home) / "mirror.json")
        chosen = Settings.load(settings, os.environ)
        await run(site, home, chosen, bus, proof, stop, lambda path: load(path, environment=os.environ))

    try:
        uvloop.run(main())
    except SiteErrors as errors:
        sys.exit(f"矿井配置有误 · the site folder {site} has mistakes:\n{errors}")
    except (MirrorError, BusError) as error:
        sys.exit(f"镜像无法运行 · the mirror cannot run: {error}")
