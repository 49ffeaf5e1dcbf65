"""`sevenones opcua …`: look at the certificates of OPC UA servers, trust them, forget them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from protocols.opcua.settings import OpcUaSettings

app = typer.Typer(no_args_is_help=True, add_completion=False)
Which = Annotated[str, typer.Argument(help="连接名或 opc.tcp://… · a connection of the site, or the server's URL")]
Site = Annotated[
    Path | None, typer.Option(help="矿井配置目录，用连接名时需要 · the site's folder, to name a connection")
]
Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]

FAULTS = {
    "expired": "已过期",
    "not_yet_valid": "尚未生效",
    "host_name": "主机名不符",
    "application_uri": "应用标识不符",
}


def _settings(which: str, site: Path | None, home: Path) -> OpcUaSettings:
    """The settings of a connection, or those that a bare URL has."""
    from pydantic import ValidationError

    from models.words import at
    from protocols.opcua.settings import OpcUaSettings
    from protocols.words import of_settings

    found: dict[str, object] = {"url": which, "certificate_dir": str(home / "opcua")}
    if not which.startswith("opc.tcp://"):
        if site is None:
            sys.exit(
                f"请用 --site 指明矿井配置目录 · '{which}' is no opc.tcp:// URL: name the site's folder with --site"
            )
        found = _of_connection(which, site, home)
    try:
        return OpcUaSettings.model_validate(found)
    except ValidationError as error:
        sys.exit(at("设置有误 · the settings are wrong", of_settings(error)))


def _of_connection(name: str, site: Path, home: Path) -> dict[str, object]:
    """From connections.yaml alone: a server is browsed for its points before the rest of its site is there."""
    from models.site.loader import connection
    from models.site.problems import SiteErrors

    try:
        found = connection(site, name, environment={**os.environ, "SEVENONES_HOME": str(home.resolve())})
    except SiteErrors as errors:
        sys.exit(f"矿井配置有误 · the site folder {site} has mistakes:\n" + "\n".join(map(str, errors.problems)))
    if found.adapter != "opcua":
        sys.exit(
            f"连接 {name} 不是 OPC UA，是 {found.adapter} · the connection '{name}' is no OPC UA but {found.adapter}"
        )
    return dict(found.settings)


def _show(certificate: bytes) -> list[str]:
    from protocols.opcua.trust import fingerprint, subject, validity

    begins, ends = validity(certificate)
    return [
        f"  主体 subject       {subject(certificate)}",
        f"  指纹 SHA-256       {fingerprint(certificate)}",
        f"  有效期 validity    {begins:%Y-%m-%d %H:%M} … {ends:%Y-%m-%d %H:%M} UTC",
    ]


@app.command()
def trust(
    which: Which,
    site: Site = None,
    home: Home = Path(".sevenones"),
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 · do not ask: the fingerprint was compared")] = False,
) -> None:
    """查看服务器证书并确认信任 · show a server's certificate and, once confirmed, trust it."""
    from models.words import at
    from protocols.adapter import LinkLost
    from protocols.opcua.session import look
    from protocols.opcua.trust import faults, known_server
    from protocols.opcua.trust import trust as pin

    settings = _settings(which, site, home)
    try:
        name, shown, offered = asyncio.run(look(settings))
        before = known_server(settings)
    except LinkLost as error:
        sys.exit(at("无法取得证书 · no certificate was got", error))
    typer.echo(f"{settings.url}  {name}")
    typer.echo(f"  应用标识 URI       {shown.uri}")
    for line in _show(shown.certificate):
        typer.echo(line)
    typer.echo(f"  提供 offers        {', '.join(offered)}")
    wrong = faults(shown)
    for fault, what in wrong.items():
        accepted = "（已接受 · accepted）" if fault in settings.accept else ""
        typer.echo(f"  注意 {FAULTS[fault]} · {fault}: {what}{accepted}")
    if before == shown.certificate:
        typer.echo("此证书已受信任 · this certificate is trusted already")
        return
    if settings.server_certificate:
        sys.exit(
            f"该连接只认 {settings.server_certificate} 中的证书，与此不同 · the connection takes only the certificate "
            f"in {settings.server_certificate}, which is another one"
        )
    if before is not None:
        typer.echo("此前信任的是另一证书 · until now another certificate was trusted:")
        for line in _show(before):
            typer.echo(line)
    typer.echo("请与服务器上显示的指纹核对 · compare the fingerprint with the one that the server itself shows")
    if not yes and not typer.confirm("信任此证书？ · trust this certificate?"):
        sys.exit("未信任 · nothing was trusted")
    typer.echo(f"已信任 · trusted: {pin(settings, shown.certificate, instead=True)}")
    left = sorted(set(wrong) - settings.accept)
    if left:
        typer.echo(f"连接设置中还需写入 · the connection's settings need too:  accept: [{', '.join(left)}]")


@app.command("list")
def list_all(
    home: Home = Path(".sevenones"),
    certificates: Annotated[
        Path | None,
        typer.Option("--dir", help="连接的 certificate_dir · a connection's certificate_dir, if it has its own"),
    ] = None,
) -> None:
    """列出受信任的证书 · list the certificates that are trusted."""
    from protocols.opcua.trust import pinned

    folder = certificates or home / "opcua"
    found = list(pinned(folder))
    for path, certificate in found:
        host, _, port = path.stem.rpartition("_")
        typer.echo(f"{host}:{port}  {path}")
        for line in _show(certificate) if certificate else ["  无法读取 · cannot be read"]:
            typer.echo(line)
    if not found:
        typer.echo(f"{folder} 中没有受信任的证书 · no certificate is trusted in {folder}")


@app.command()
def forget(which: Which, site: Site = None, home: Home = Path(".sevenones")) -> None:
    """不再信任服务器的证书 · trust a server's certificate no more."""
    from protocols.opcua.trust import forget as remove

    settings = _settings(which, site, home)
    path = remove(settings)
    if path is None:
        sys.exit(f"未信任过 {settings.url} 的证书 · no certificate of {settings.url} is trusted")
    typer.echo(f"已删除 · removed: {path}")
