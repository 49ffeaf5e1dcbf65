"""`sevenones token …`: make, list and revoke the API's tokens."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sevenones.relational import place_of

app = typer.Typer(no_args_is_help=True, add_completion=False)
Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="用途 · what it is for")],
    role: Annotated[str, typer.Option(help="角色 · operator, engineer, analyst, bureau, administrator")] = "analyst",
    days: Annotated[
        float | None, typer.Option(help="有效天数，缺省为长期 · days until it expires; none: never")
    ] = None,
    mines: Annotated[str, typer.Option(help="矿井编码，逗号分隔；缺省为全部 · mine codes by commas; none: all")] = "",
    areas: Annotated[str, typer.Option(help="区域，含其内部区域 · areas, with those that lie in them")] = "",
    subsystems: Annotated[str, typer.Option(help="子系统 · subsystems: categories of templates")] = "",
    classes: Annotated[str, typer.Option(help="数据类别 · classes of data: bulk, statutory, events")] = "",
    home: Home = Path(".sevenones"),
) -> None:
    """生成令牌，仅显示一次 · make a token; it is shown this once and kept as a hash."""
    from middleplatform.access.errors import AccessError
    from middleplatform.access.scope import Scope
    from middleplatform.access.tokens import create_token

    given = {"mines": mines, "areas": areas, "subsystems": subsystems, "classes": classes}
    try:
        scope = Scope.of({field: text.split(",") for field, text in given.items() if text})
        print(create_token(place_of(home), name=name, role=role, days=days, scope=scope))
    except AccessError as error:
        sys.exit(f"无法生成令牌 · no token was made: {error}")


@app.command("list")
def list_all(home: Home = Path(".sevenones")) -> None:
    """列出令牌 · list the tokens' facts, never the tokens."""
    from middleplatform.access.tokens import list_tokens
    from middleplatform.api.times import iso

    table = Table("编号 · id", "名称 · name", "角色 · role", "创建 · created", "到期 · expires", "撤销 · revoked")
    for facts in list_tokens(place_of(home)):
        expires, revoked = (iso(ts)[:19] + "Z" if ts else "–" for ts in (facts.expires, facts.revoked))
        table.add_row(str(facts.id), facts.name, facts.role, iso(facts.created)[:19] + "Z", expires, revoked)
    Console().print(table)


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(min=1, help="编号，见 token list · its id, see token list")],
    home: Home = Path(".sevenones"),
) -> None:
    """撤销令牌，数秒内生效 · revoke a token; within seconds it opens nothing."""
    from middleplatform.access.tokens import revoke_token

    if not revoke_token(place_of(home), number):
        sys.exit(f"没有编号 {number} 的令牌 · there is no token {number}: see sevenones token list")
    print(f"已撤销 · revoked {number}")
