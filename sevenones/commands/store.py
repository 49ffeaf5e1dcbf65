"""`sevenones store`: the store process, and looking after what it keeps."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sevenones.loading import loading

if TYPE_CHECKING:
    import pyarrow as pa

app = typer.Typer(add_completion=False)

Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]
SiteFolder = Annotated[
    Path | None,
    typer.Option(help="矿井配置目录，存储未运行时需要 · the site's folder, needed while the store does not run"),
]


@app.callback(invoke_without_command=True)
def store(
    context: typer.Context,
    site: Annotated[Path | None, typer.Option(help="矿井配置目录 · the site's folder")] = None,
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
    if context.invoked_subcommand is not None:
        return
    if site is None:
        sys.exit("请给出 --site：矿井配置目录 · give --site: the site's folder")
    folder_of_site = site
    with loading():
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
        await run(folder_of_site, home, bus, proof, stop, environment=os.environ, url=os.environ.get(SETTING))

    try:
        uvloop.run(main())
    except SiteErrors as errors:
        sys.exit(f"矿井配置有误 · the site folder {site} has mistakes:\n{errors}")
    except (StoreError, BusError) as error:
        sys.exit(f"存储无法运行 · the store cannot run: {error}")


@app.command()
def check(home: Home = Path(".sevenones"), site: SiteFolder = None) -> None:
    """检查：校验和、被隔离的数据块、汇总与样本是否一致 · checksums, parts set aside, roll-ups against samples"""
    with _asked(home, site, "check") as table:
        for row in table.to_pylist():
            print(f"{'✓' if row['good'] else '✗'} {row['what']:<12} {row['zh']} · {row['en']}")
        if not all(table.column("good").to_pylist()):
            sys.exit(1)


@app.command()
def compact(home: Home = Path(".sevenones"), site: SiteFolder = None) -> None:
    """合并已关闭各日的数据块 · merge the parts of closed days, repeats taken out"""
    with _asked(home, site, "compact") as table:
        for row in table.to_pylist():
            print(f"{row['table']:<12} {row['rows']:>14,} {row['bytes'] / 1e6:>10.1f} → {row['after'] / 1e6:.1f} MB")


@app.command()
def retention(
    home: Home = Path(".sevenones"),
    site: SiteFolder = None,
    apply: Annotated[bool, typer.Option("--apply", help="执行删除 · remove what is listed")] = False,
) -> None:
    """超过保存期限的数据；加 --apply 才删除 · what is over its time; removed only with --apply"""
    with _asked(home, site, "retention", apply=apply) as table:
        for row in table.to_pylist():
            day = _day(row["from"]), _day(row["to"] - 1)
            print(f"{row['table']:<12} {day[0]} … {day[1]} {row['act']:<8} {row['rows']:>14,}{' ✓' * row['done']}")
        if not table.num_rows:
            print("没有超过保存期限的数据 · nothing is over its time")


def _day(us: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(us / 1e6, UTC).date().isoformat()


@contextmanager
def _asked(home: Path, site: Path | None, act: str, **asked: bool) -> Iterator[pa.Table]:
    """The answer of the store that runs on this home, or of its data opened here while none runs."""
    from middleplatform.store.client import StoreClient, read_endpoint
    from middleplatform.store.errors import StoreError, StoreUnavailable

    try:
        try:
            client = StoreClient(read_endpoint(home), timeout_s=24 * 3600.0)
            client.status()
        except StoreUnavailable:
            yield _here(home, site, act, asked)
            return
        yield client.upkeep(act, **asked)
    except StoreError as error:
        sys.exit(f"存储 · store: {error}")


def _here(home: Path, site: Path | None, act: str, asked: dict[str, bool]) -> pa.Table:
    from middleplatform.store.errors import StoreError
    from middleplatform.store.offline import opened
    from middleplatform.store.schema import SETTING
    from models.site import load
    from models.site.problems import SiteErrors

    url = os.environ.get(SETTING)
    if url is None and not (home / "store" / "version").exists():
        raise StoreError(f"“{home}”中没有存储的数据 · there is no store in '{home}': give its --home")
    if site is None:
        site = home / "site"
    try:
        with opened(home, load(site, environment=os.environ), url) as upkeep:
            return upkeep.handlers[act](asked)
    except SiteErrors as errors:
        sys.exit(
            f"矿井配置有误，请用 --site 指明 · the site folder {site} has mistakes, name another by --site:\n{errors}"
        )
