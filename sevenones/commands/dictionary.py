"""`sevenones dictionary …`: dictionaries in the relational store: load, list, show."""

from __future__ import annotations

import datetime
import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sevenones.relational import place_of

app = typer.Typer(no_args_is_help=True, add_completion=False)
Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]
HERE = Path(".sevenones")


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="字典文件：YAML、CSV 或 XLSX · the dictionary's file")],
    kind: Annotated[str, typer.Option(help="种类，文件内未写时必填 · the kind, where the file does not say it")] = "",
    edition: Annotated[str, typer.Option(help="版次 · the edition")] = "",
    source: Annotated[str, typer.Option(help="来源 · the source")] = "",
    effective_from: Annotated[
        str, typer.Option(help="生效日期 · the day from which it holds, such as 2026-01-31")
    ] = "",
    who: Annotated[str | None, typer.Option(help="装载人，默认为登录名 · who loads it, by default your login")] = None,
    home: Home = HERE,
) -> None:
    """装载字典：整体检查，有错则全部拒绝 · load a dictionary: checked whole, one mistake refuses all of it."""
    from middleplatform.governance import dictionaries
    from models.dictionaries.read import DictionaryErrors, read
    from models.dictionaries.sheet import MAX_BYTES

    facts = {"kind": kind, "edition": edition, "source": source, "effective_from": effective_from}
    try:
        with file.open("rb") as opened:
            dictionary = read(opened.read(MAX_BYTES + 1), file.name, facts)
        found, new = dictionaries.load(place_of(home), dictionary, who or getpass.getuser())
    except DictionaryErrors as errors:
        sys.exit(f"字典有误，未装载 · the dictionary has mistakes and was not loaded:\n{errors}")
    except (OSError, dictionaries.DictionaryRefused) as error:
        sys.exit(f"未装载 · not loaded: {error}")
    if not new:
        print(f"内容相同，已是版本 {found.version} · this content is version {found.version} already")
        return
    day = found.effective_from.isoformat()
    print(
        f"已装载 {found.kind} 版本 {found.version}，{found.entries} 条，{day} 起生效 · "
        f"loaded {found.kind} version {found.version} with {found.entries} entries, which holds from {day}"
    )


@app.command("list")
def list_all(home: Home = HERE) -> None:
    """字典及版本 · the kinds and their versions; * holds today, version 0 came with the program."""
    from middleplatform.governance import dictionaries

    where, today = place_of(home), datetime.datetime.now(datetime.UTC).date()
    found = dictionaries.editions(where)
    held = {dictionaries.effective(where, kind, today) for kind in {each.kind for each in found}}
    table = Table(
        "种类 · kind", "版本 · version", "版次 · edition", "生效 · from", "条数 · entries", "装载 · by", "来源 · source"
    )
    for each in found:
        version = f"{each.version}{' *' if each in held else ''}"
        day = each.effective_from.isoformat()
        table.add_row(each.kind, version, each.edition, day, str(each.entries), each.who, each.source)
    Console().print(table)


@app.command()
def show(
    kind: Annotated[str, typer.Argument(help="种类 · the kind")],
    version: Annotated[int | None, typer.Option(help="版本，默认今天生效者 · by default the one of today")] = None,
    home: Home = HERE,
) -> None:
    """一个字典的内容 · the rows of a dictionary."""
    from middleplatform.governance import dictionaries
    from models.dictionaries.shape import kinds

    where, today = place_of(home), datetime.datetime.now(datetime.UTC).date()
    there = dictionaries.editions(where, kind)
    if version is None:
        found = dictionaries.effective(where, kind, today)
    else:
        found = next((each for each in there if each.version == version), None)
    if found is None:
        versions = ", ".join(str(each.version) for each in there) or "—"
        known = ", ".join(kinds())
        sys.exit(
            f"没有该字典或版本，种类有 {known}，版本有 {versions} · "
            f"there is no such dictionary or version; kinds: {known}; versions: {versions}"
        )
    columns = [column.name for column in kinds()[found.kind].columns]
    table = Table(*columns, title=f"{found.kind} {found.version} · {found.edition} · {found.source}")
    for row in dictionaries.entries(where, found):
        table.add_row(*(row.get(column, "") for column in columns))
    Console().print(table)
