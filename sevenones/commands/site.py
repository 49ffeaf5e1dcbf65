"""`sevenones site …`: the site's versions on the bus: publish, list, show, compare, go back."""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from sevenones.commands.site_record import record

if TYPE_CHECKING:
    from bus.connection import Bus
    from bus.sites import Version
    from models.site.model import Site

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(record)

T = TypeVar("T")
LOOK_S = 2.0
BEATS_S = 2.6
"""A gateway says every two seconds which version it runs."""

Home = Annotated[Path, typer.Option(help="数据目录 · the home with the credential")]
BusUrl = Annotated[str, typer.Option("--bus", help="总线地址 · the bus server's address")]
Proof = Annotated[Path | None, typer.Option(help="工程师凭证，默认取自数据目录 · the engineer's credential file")]
Who = Annotated[str | None, typer.Option(help="发布人，默认为登录名 · who publishes, by default your login")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 · do not ask")]
Note = Annotated[str, typer.Option(help="说明 · what this version is for")]
HERE = Path(".sevenones")
URL = "nats://127.0.0.1:14222"


class SiteError(Exception):
    """It cannot be done: why, and what to do."""


@app.command()
def publish(
    folder: Annotated[Path, typer.Argument(help="矿井配置目录 · the site folder")],
    who: Who = None,
    note: Note = "",
    yes: Yes = False,
    home: Home = HERE,
    bus: BusUrl = URL,
    credential: Proof = None,
) -> None:
    """检查并发布新版本，先显示差异 · check a folder, show what differs from the newest version, publish it."""

    async def work(connection: Bus) -> None:
        from bus import sites

        site = _examined(folder)
        data = sites.pack(folder)
        newest = await _newest(connection)
        if newest is not None and newest.digest == sites.digest(data):
            typer.echo(
                f"与版本 {newest.number} 相同，无需发布 · the same as version {newest.number}: nothing to publish"
            )
            return
        if newest is not None and (was := _code_of(newest)) not in (None, site.code):
            raise SiteError(
                f"{folder} 是矿井 {site.code} 的配置，总线上是 {was} · {folder} is the site of the mine {site.code}, "
                f"and this bus has {was}: is --bus right, or site.yaml's code?"
            )
        _show_difference(newest, site)
        await _confirm(yes, "发布？ · publish it?")
        after = 0 if newest is None else newest.number
        number = await sites.publish(connection, site.code, data, who or getpass.getuser(), note=note, after=after)
        typer.echo(f"已发布版本 {number} · version {number} is published")

    _run(home, bus, credential, work)


@app.command()
def versions(home: Home = HERE, bus: BusUrl = URL, credential: Proof = None) -> None:
    """版本列表，以及各网关正在运行的版本 · the versions, and which one each gateway runs."""

    async def work(connection: Bus) -> None:
        from bus import sites

        numbers = await sites.numbers(connection)
        if not numbers:
            typer.echo("尚未发布过版本 · no version has been published yet")
        for number in numbers:
            version = await sites.fetch(connection, number)
            back = f"  ← {version.back_to}" if version.back_to is not None else ""
            typer.echo(f"{number:>5}  {_when(version.at)}  {version.who}  {version.digest[:12]}{back}  {version.note}")
        for name, state in sorted((await _gateways(connection)).items()):
            if (of_site := state.get("site")) is None:
                continue
            typer.echo(f"  {name}: 版本 version {of_site['number'] or '—'}")
            if refused := of_site["refused"]:
                typer.echo(f"    拒绝了版本 refused version {refused['number']}: {refused['reason']}")

    _run(home, bus, credential, work)


@app.command()
def show(
    number: Annotated[int | None, typer.Argument(help="版本号，默认最新 · the version, by default the newest")] = None,
    to: Annotated[Path | None, typer.Option(help="导出到新目录 · write its files into this new folder")] = None,
    home: Home = HERE,
    bus: BusUrl = URL,
    credential: Proof = None,
) -> None:
    """一个版本的内容 · what a version holds; with --to, its files."""

    async def work(connection: Bus) -> None:
        from bus import sites
        from sevenones.commands.check import summary

        version = await _version(connection, number)
        typer.echo(f"版本 version {version.number}  {_when(version.at)}  {version.who}  {version.note}")
        if to is not None:
            try:
                to.mkdir(parents=True)
            except FileExistsError:
                raise SiteError(f"{to} 已存在，请换一个新目录 · {to} is there already: name a new folder") from None
            sites.unpack(version.data, to)
            typer.echo(f"已导出 · written to {to}")
            return
        for line in summary(_of_version(version)):
            typer.echo(line)

    _run(home, bus, credential, work)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="版本号或目录 · a version's number, or a folder")],
    new: Annotated[str | None, typer.Argument(help="版本号或目录，默认最新 · by default the newest version")] = None,
    home: Home = HERE,
    bus: BusUrl = URL,
    credential: Proof = None,
) -> None:
    """两个版本的差异 · what differs from one version or folder to another."""

    async def work(connection: Bus) -> None:
        from models.site.difference import difference

        async def found(word: str | None) -> Site:
            if word is None or word.isdigit():
                return _of_version(await _version(connection, None if word is None else int(word)))
            return _examined(Path(word))

        for line in difference(await found(old), await found(new)).lines():
            typer.echo(line)

    _run(home, bus, credential, work)


@app.command()
def rollback(
    number: Annotated[int, typer.Argument(help="版本号 · the version to go back to")],
    who: Who = None,
    note: Note = "",
    yes: Yes = False,
    home: Home = HERE,
    bus: BusUrl = URL,
    credential: Proof = None,
) -> None:
    """回到旧版本：把它的内容作为新版本发布 · go back: publish an old version's content as the newest one."""

    async def work(connection: Bus) -> None:
        from bus import sites

        newest = await _version(connection, None)
        version = await _version(connection, number)
        if version.digest == newest.digest:
            typer.echo(f"最新版本 {newest.number} 与之相同 · the newest version {newest.number} is the same")
            return
        site = _of_version(version)
        _show_difference(newest, site)
        await _confirm(yes, f"回到版本 {number}？ · go back to version {number}?")
        made = await sites.publish(
            connection, site.code, version.data, who or getpass.getuser(), note=note, back_to=number,
            after=newest.number,
        )  # fmt: skip
        typer.echo(f"已发布版本 {made}，内容同版本 {number} · version {made} is published, with what {number} held")

    _run(home, bus, credential, work)


@app.command()
def follow(
    folder: Annotated[Path, typer.Argument(help="本机目录 · a folder of this machine's for the versions")],
    once: Annotated[bool, typer.Option("--once", help="只取一次 · take the newest version and end")] = False,
    home: Home = HERE,
    bus: BusUrl = URL,
    credential: Proof = None,
) -> None:
    """让本机目录始终为最新版本 · keep FOLDER/live at the newest version, for a store: --site FOLDER/live.

    A version with mistakes is left out; without the bus the last one stays. Runs until it is stopped."""

    async def work(connection: Bus) -> None:
        from bus import sites
        from bus.errors import BusError
        from bus.versions import Versions

        kept = Versions(folder)
        seen = 0
        while True:
            try:
                found = await sites.numbers(connection)
                if found and found[-1] != seen:
                    seen = found[-1]
                    version = await sites.fetch(connection, seen)
                    _of_version(version)
                    kept.accept(kept.take(version))
                    typer.echo(f"版本 {seen} 已取到 {folder / 'live'} · version {seen} is at {folder / 'live'}")
            except (SiteError, sites.SiteFolderError) as error:
                typer.echo(f"版本 {seen} 未采用 · version {seen} is not taken: {error}", err=True)
            except BusError as error:
                if once:
                    raise
                typer.echo(f"总线不可用 · the bus is away: {error}", err=True)
            if once:
                return
            await asyncio.sleep(LOOK_S)

    _run(home, bus, credential, work)


def _run(home: Path, url: str, credential: Path | None, work: Callable[[Bus], Awaitable[T]]) -> T:
    from bus.credentials import Credential, folder
    from bus.errors import BusError, NotPermitted
    from bus.sites import SiteFolderError

    async def main() -> T:
        from bus.connection import Bus

        proof = Credential.load(credential or folder(home) / "engineer.json")
        async with await Bus.connect(url, proof, name="site", wait_s=10) as connection:
            return await work(connection)

    try:
        return asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
    except NotPermitted as error:
        sys.exit(
            f"凭证不允许：需要本矿总线的 engineer 凭证 · {error}: this needs the credential 'engineer' of the bus of "
            "this very mine"
        )
    except (BusError, SiteError, SiteFolderError, OSError) as error:
        sys.exit(str(error))


def _examined(folder: Path) -> Site:
    """The site in a folder. Raises SiteError with all of its mistakes."""
    from sevenones.site_check import examine

    report = examine(folder)
    if report.site is None:
        mistakes = "\n".join(map(str, report.problems))
        raise SiteError(f"矿井配置有误，未发布 · the site folder {folder} has mistakes:\n{mistakes}")
    return report.site


def _of_version(version: Version) -> Site:
    from bus import sites

    with tempfile.TemporaryDirectory() as folder:
        sites.unpack(version.data, Path(folder))
        return _examined(Path(folder))


def _code_of(version: Version) -> str | None:
    """The mine that a version is of; None where it cannot be checked here."""
    try:
        return _of_version(version).code
    except SiteError:
        return None


async def _newest(bus: Bus) -> Version | None:
    from bus import sites

    numbers = await sites.numbers(bus)
    return await sites.fetch(bus, numbers[-1]) if numbers else None


async def _version(bus: Bus, number: int | None) -> Version:
    from bus import sites

    numbers = await sites.numbers(bus)
    if not numbers or (number is not None and number not in numbers):
        kept = ", ".join(map(str, numbers)) or "—"
        raise SiteError(f"没有该版本，现有：{kept} · there is no such version; there are: {kept}")
    return await sites.fetch(bus, numbers[-1] if number is None else number)


def _show_difference(newest: Version | None, site: Site) -> None:
    from models.site.difference import difference

    old: Site | None = None
    if newest is not None:
        try:
            old = _of_version(newest)
        except SiteError:
            typer.echo(
                f"版本 {newest.number} 在本机无法检查，按全新显示 · version {newest.number} cannot be checked here"
            )
    for line in difference(old, site).lines():
        typer.echo(line)


async def _confirm(yes: bool, question: str) -> None:
    if not yes and not await asyncio.to_thread(typer.confirm, question, False):
        raise SiteError("未发布 · nothing was published")


async def _gateways(bus: Bus) -> dict[str, dict[str, Any]]:
    from bus import sites, subjects

    found: dict[str, dict[str, Any]] = {}

    async def beat(subject: str, data: bytes) -> None:
        process = subjects.source_of(subject)
        if process.startswith("gateway-"):
            found[process.removeprefix("gateway-")] = json.loads(data)

    await bus.listen(subjects.state(await sites.code(bus), "*"), beat)
    await asyncio.sleep(BEATS_S)
    return found


def _when(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
