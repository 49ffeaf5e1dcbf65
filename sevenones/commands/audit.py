"""`sevenones audit …`: who did what, and whether the log of it is what was written."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sevenones.relational import Database, place_of

app = typer.Typer(no_args_is_help=True, add_completion=False)
Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]
BusUrl = Annotated[str | None, typer.Option(help="总线地址，省略则自动 · the bus; by default that of this home")]
WAIT_S = 10.0


@app.command("list")
def list_all(
    who: Annotated[str, typer.Option(help="谁 · a user, token:<id>:<name>, or a login")] = "",
    what: Annotated[str, typer.Option(help="行为或其前缀，如 user. · an act, or how acts begin: user.")] = "",
    about: Annotated[str, typer.Option(help="对象 · whom or what it touched")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="最多条数 · how many at most")] = 50,
    home: Home = Path(".sevenones"),
    database: Database = None,
) -> None:
    """列出审计日志，最新在前 · the audit log, the newest first."""
    from middleplatform.api.times import iso
    from middleplatform.audit.log import entries
    from middleplatform.database import DatabaseError

    table = Table(
        "编号", "时间 · time", "谁 · who", "来自 · from", "行为 · what", "对象 · about", "前 → 后 · before → after"
    )
    try:
        for each in entries(place_of(home, database), who=who, what=what, about=about, limit=limit):
            change = " → ".join(text for text in (each.before, each.after) if text)
            facts = (each.who, each.origin, each.what, each.about, change)
            # As text: what somebody typed must not be read as colours, or hide itself.
            table.add_row(str(each.number), iso(each.at)[:19] + "Z", *map(Text, facts))
    except DatabaseError as error:
        sys.exit(str(error))
    Console().print(table)


@app.command()
def verify(
    without_bus: Annotated[
        bool, typer.Option("--without-bus", help="只查链，不与总线核对 · the chain alone, not the bus's anchors")
    ] = False,
    home: Home = Path(".sevenones"),
    database: Database = None,
    bus: BusUrl = None,
    credential: Annotated[
        Path | None, typer.Option(help="审计凭证，默认取自数据目录 · the auditor's credential file")
    ] = None,
) -> None:
    """核验审计日志未被改动、截断或重写 · whether the log was changed, cut off or written anew.

    Ends with 0 when it is whole, 1 when it is not, 3 when the bus could not be asked."""
    from bus.errors import BusError
    from middleplatform.audit import verify as check
    from middleplatform.database import DatabaseError

    where = place_of(home, database)
    try:
        anchors = [] if without_bus else asyncio.run(_anchors(home, bus, credential))
        report = check.verify(where, anchors)
    except BusError as error:
        print(f"无法读取总线上的锚 · the bus's anchors cannot be read: {error}", file=sys.stderr)
        raise typer.Exit(3) from None
    except DatabaseError as error:
        sys.exit(str(error))
    for finding in report.findings:
        print(f"✗ {finding.zh}\n  {finding.en}")
    said = f"{report.entries} 条 · entries, {report.anchors} 个锚 · anchors, "
    said += f"总线证明至第 {report.anchored} 条 · vouched for by the bus up to {report.anchored}"
    print(said)
    if not report.whole:
        sys.exit("审计日志不可信 · the audit log is not what was written")
    print("审计日志完整 · the audit log is whole")


@app.command()
def anchor(
    home: Home = Path(".sevenones"),
    database: Database = None,
    bus: BusUrl = None,
    credential: Annotated[Path | None, typer.Option(help="api 凭证 · the api's credential file")] = None,
) -> None:
    """立即把最新一条告知总线 · tell the bus the newest entry now, without waiting for the minute."""
    from bus.credentials import Credential, folder, load_all
    from bus.errors import BusError
    from middleplatform.audit.anchor import anchor as tell
    from middleplatform.database import DatabaseError
    from sevenones.home import bus_of

    where = place_of(home, database)

    async def main() -> int:
        from bus.connection import Bus

        proof = Credential.load(credential or folder(home) / "api.json")
        async with await Bus.connect(bus or bus_of(home), proof, name="audit-anchor", wait_s=WAIT_S) as connection:
            return await tell(connection, where, load_all(home).code)

    try:
        number = asyncio.run(main())
    except (BusError, DatabaseError) as error:
        sys.exit(f"未能告知总线 · the bus was not told: {error}")
    print(f"已锚定第 {number} 条 · entry {number} is anchored")


async def _anchors(home: Path, url: str | None, credential: Path | None) -> list:  # type: ignore[type-arg]
    from bus.connection import Bus
    from bus.credentials import Credential, folder
    from middleplatform.audit.anchor import every
    from sevenones.home import bus_of

    proof = Credential.load(credential or folder(home) / "auditor.json")
    async with await Bus.connect(url or bus_of(home), proof, name="audit-verify", wait_s=WAIT_S) as connection:
        return await every(connection)
