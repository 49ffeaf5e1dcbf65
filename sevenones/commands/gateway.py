"""`sevenones gateway`: one gateway process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sevenones.loading import loading

if TYPE_CHECKING:
    from models.site.model import Site


def gateway(
    site: Annotated[Path | None, typer.Option(help="矿井配置目录 · the site's folder")] = None,
    from_bus: Annotated[
        str | None,
        typer.Option(help="从总线获取矿井配置：矿井编码 · take the site from the bus and follow it: the mine's code"),
    ] = None,
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
    name: Annotated[
        str | None, typer.Option(help="网关名称，只有一个时可省略 · which gateway, if the site has several")
    ] = None,
    bus: Annotated[str, typer.Option(help="总线地址 · the bus server's address")] = "nats://127.0.0.1:14222",
    credential: Annotated[
        Path | None, typer.Option(help="凭证文件，默认取自数据目录 · credential file, by default the home's own")
    ] = None,
    metrics_port: Annotated[
        int, typer.Option(min=0, max=65535, help="本机指标端口，0 为任选 · port of the local metrics, 0: any free one")
    ] = 0,
    write_every: Annotated[
        float,
        typer.Option(
            min=0, max=3600, help="同一测点两次写入的最短间隔（秒） · least pause between two writes of a point, s"
        ),
    ] = 1.0,
) -> None:
    """运行物联网关 · run a gateway: read the devices, hand their samples to the bus."""
    with loading():
        import uvloop

        import gateway as edge
        from bus.credentials import Credential
        from bus.credentials import folder as credentials_of
        from bus.errors import BusError
        from gateway import logs
        from gateway.numbers import GatewayRunning
        from gateway.process import UnknownGateway
        from models.site import SiteErrors, load
        from sevenones.site_check import check_settings, check_tag, range_of, span_of

    # A site may keep what belongs to this machine, such as trusted certificates, in our home.
    environment = {**os.environ, "SEVENONES_HOME": str(home.resolve())}

    def checked(folder: Path) -> Site:
        return load(
            folder,
            check_tag=check_tag,
            check_settings=check_settings,
            span_of=span_of,
            range_of=range_of,
            environment=environment,
        )

    def proof(gateway: str) -> Credential:
        return Credential.load(credential or credentials_of(home) / f"gateway-{gateway}.json")

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        if from_bus is not None and name is not None:
            await edge.run_from_bus(
                from_bus, name, home, bus, proof(name), stop, checked, metrics_port, write_every_s=write_every
            )
            return
        loaded = checked(site or Path())
        names = loaded.gateways()
        if name is None and len(names) != 1:
            raise UnknownGateway(
                f"请用 --name 指明网关：{'、'.join(names)} · "
                f"say which gateway with --name: {', '.join(names) or 'the site has none'}"
            )
        chosen = name or names[0]
        await edge.run(loaded, chosen, home, bus, proof(chosen), stop, metrics_port, write_every_s=write_every)

    if (site is None) == (from_bus is None):
        sys.exit("请给出 --site 目录 或 --from-bus 矿井编码 · give --site FOLDER or --from-bus CODE, one of them")
    if from_bus is not None and name is None:
        sys.exit("--from-bus 需要 --name · --from-bus needs --name: which gateway this is")
    logs.never_in_the_way()
    try:
        uvloop.run(main())
    except SiteErrors as errors:
        sys.exit(f"矿井配置有误 · the site folder {site} has mistakes:\n{errors}")
    except (UnknownGateway, GatewayRunning, BusError, OSError) as error:
        sys.exit(f"网关无法运行 · the gateway cannot run: {error}")
