"""`sevenones bus`: the bus server of a mine or of an edge box, with its credentials and streams."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

if TYPE_CHECKING:
    from bus.credentials import Person
    from bus.server import ServerConfig

RESTART_S = 1.0


def bus(
    site: Annotated[Path, typer.Option(help="矿井配置目录 · the site folder: mine code and gateways")],
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
    name: Annotated[str, typer.Option(help="服务器名称 · the server's name: mine, or that of the edge box")] = "mine",
    port: Annotated[int, typer.Option(min=1, max=65535, help="端口 · port for our own processes")] = 14222,
    host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
    mqtt_port: Annotated[int | None, typer.Option(help="MQTT 设备端口 · port for MQTT devices")] = None,
    mqtt_host: Annotated[str, typer.Option(help="MQTT 监听地址 · address for MQTT devices")] = "127.0.0.1",
    gateway: Annotated[
        list[str] | None,
        typer.Option(help="接入本服务器的网关 · gateways that connect here (all that no --edge names)"),
    ] = None,
    edge: Annotated[
        list[str] | None,
        typer.Option(help="接入的边缘服务器 · an edge's server that joins, with its gateways: edge1=gw1,gw2"),
    ] = None,
    leaf_port: Annotated[int | None, typer.Option(help="边缘服务器接入端口 · port for the edges' servers")] = None,
    leaf_host: Annotated[str, typer.Option(help="边缘接入监听地址 · address for the edges' servers")] = "127.0.0.1",
    leaf_cert: Annotated[Path | None, typer.Option(help="边缘接入证书 · TLS certificate for the edges' port")] = None,
    leaf_key: Annotated[Path | None, typer.Option(help="证书私钥 · its key")] = None,
    upstream: Annotated[
        str | None, typer.Option(help="上级服务器 · the mine's server that this edge joins: tls://host:7422")
    ] = None,
    upstream_credential: Annotated[
        Path | None, typer.Option(help="上级凭证 · the file leaf-<name>.json that the mine's home made")
    ] = None,
    upstream_ca: Annotated[Path | None, typer.Option(help="上级证书颁发者 · CA of the mine's certificate")] = None,
    share: Annotated[
        float, typer.Option(min=0.001, max=0.8, help="大容量缓存占磁盘比例 · share of the disk for bulk samples")
    ] = 0.2,
) -> None:
    """运行消息总线 · run the bus server with its credentials and streams; it is restarted if it dies."""
    from bus import credentials, server
    from bus.config import Tls, Upstream
    from bus.errors import BusError
    from models.site import SiteErrors, load
    from sevenones.home import HomeError, open_home

    try:
        # The devices' passwords may not exist yet: the bus makes some of them and needs none.
        loaded = load(site, environment={"SEVENONES_MQTT_PASSWORD": "-", "SEVENONES_OPCUA_PASSWORD": "-", **os.environ})
        folder = open_home(home)
        leaves = dict(_edge(text) for text in edge or ())
        behind = {name for names in leaves.values() for name in names}
        local = tuple(gateway) if gateway else tuple(known for known in loaded.gateways() if known not in behind)
        credentials.make_all(folder, loaded.code, local, leaves)
        joined = None
        if upstream is not None:
            if upstream_credential is None:
                raise typer.BadParameter("--upstream needs --upstream-credential, the file leaf-<name>.json")
            ca = str(upstream_ca.resolve()) if upstream_ca else None
            joined = Upstream(upstream, credentials.Credential.load(upstream_credential), ca)
        tls = None
        if leaf_cert is not None and leaf_key is not None:
            tls = Tls(str(leaf_cert.resolve()), str(leaf_key.resolve()))
        prepare = partial(
            server.prepare,
            folder,
            name=name,
            port=port,
            host=host,
            mqtt_port=mqtt_port,
            mqtt_host=mqtt_host,
            leaf_port=leaf_port,
            leaf_host=leaf_host,
            leaf_tls=tls,
            upstream=joined,
        )
        with_sites = joined is None
        asyncio.run(_run(folder, prepare, loaded.code, local, leaves, share, with_sites=with_sites))
    except (BusError, HomeError, SiteErrors, ValueError) as error:
        sys.exit(str(error))


def _edge(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, gateways = text.partition("=")
    return name, tuple(gateways.split(",")) if gateways else (name,)


async def _run(
    home: Path,
    prepare: Callable[..., ServerConfig],
    code: str,
    gateways: tuple[str, ...],
    edges: Mapping[str, tuple[str, ...]],
    share: float,
    *,
    with_sites: bool,
) -> None:
    from bus.process import ServerProcess
    from sevenones.hearing import follow

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    config = prepare()
    process = ServerProcess(config, log=sys.stderr)
    await process.start()
    structlog.get_logger("bus").info("总线已打开 · bus open", url=config.url, name=config.name)
    setting_up = asyncio.create_task(
        _set_up(home, config.url, code, gateways if edges else None, edges, share, with_sites=with_sites)
    )

    def let_in(people: list[Person]) -> None:
        prepare(people=people, running=True)
        process.reload()

    # People are the mine's: an edge's server has no relational store to ask.
    following = asyncio.create_task(follow(home, code, let_in)) if with_sites else None
    try:
        await process.keep(stop)
    finally:
        for task in (setting_up, following):
            if task is not None:
                task.cancel()


async def _set_up(
    home: Path,
    url: str,
    code: str,
    gateways: tuple[str, ...] | None,
    edges: Mapping[str, tuple[str, ...]],
    share: float,
    *,
    with_sites: bool,
) -> None:
    """Make the streams, however often the server dies meanwhile."""
    from bus import credentials, streams
    from bus.connection import Bus
    from bus.errors import BusError

    async with await Bus.connect(url, credentials.load(home, "admin"), name="bus") as admin:
        while True:
            try:
                limits = streams.Limits.of_disk(home, share)
                await streams.ensure(admin, code, limits, gateways=gateways, edges=edges, with_sites=with_sites)
            except BusError as error:
                print(f"数据流尚未就绪 · the streams are not ready: {error}", file=sys.stderr)
                await asyncio.sleep(RESTART_S)
            else:
                return
