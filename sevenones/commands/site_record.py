"""`sevenones site record`: the versions of the site that the platform has kept, and what differs between two."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def record(
    old: Annotated[
        int | None, typer.Argument(min=1, help="版本，默认列出全部 · a version; by default all are listed")
    ] = None,
    new: Annotated[int | None, typer.Argument(min=1, help="与之比较的版本 · the version to compare it with")] = None,
    rows: Annotated[int, typer.Option(min=1, max=1_000, help="最多行数 · rows shown")] = 100,
    url: Annotated[str | None, typer.Option(help="平台地址 · the platform's address")] = None,
    token: Annotated[str | None, typer.Option(envvar="SEVENONES_TOKEN", help="令牌 · token")] = None,
    home: Annotated[Path, typer.Option(help="演示的数据目录 · the demo's home")] = Path(".sevenones"),
) -> None:
    """平台所存的全部版本、一个版本、两个版本的差异 · every version that the platform keeps, one, or what differs.

    The bus keeps the last ones (`site versions`, `site diff`); the platform all of them, with who and when."""
    from sevenones.client import Client, ClientError

    try:
        client = Client.of_home(home, url, token)
        if old is None:
            for version in client.get("site/versions", limit=rows)["versions"]:
                print(_line(version))
        elif new is None:
            found = client.get(f"site/versions/{old}")
            print(_line(found))
            for kind, count in found["parts"].items():
                print(f"  {kind:<11} {count:>6}")
        else:
            _difference(client.get(f"site/versions/{old}/diff", to=new, limit=rows))
    except ClientError as error:
        sys.exit(str(error))


def _difference(found: dict[str, Any]) -> None:
    if not found["changes"]:
        print(f"版本 {found['old']} 与 {found['new']} 相同 · versions {found['old']} and {found['new']} are the same")
    for change in found["changes"]:
        print(f"{_SIGNS[change['change']]} {change['kind']} {change['name']}")
        for name, (was, is_) in change["fields"].items():
            print(f"    {name}: {was} → {is_}")
    if found["truncated"]:
        total = sum(sum(counts.values()) for counts in found["counts"].values())
        print(f"共 {total} 处，用 --rows 看更多 · {total} changes, more of them with --rows")


def _line(version: dict[str, Any]) -> str:
    when = datetime.fromtimestamp(version["at"] / 1e6, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    bus = "" if version["number"] is None else f"  总线 bus {version['number']}"
    back = "" if version["back_to"] is None else f"  ← {version['back_to']}"
    return f"{version['version']:>5}  {when}  {version['who']}  {version['digest'][:12]}{bus}{back}  {version['note']}"
