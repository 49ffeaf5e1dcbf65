"""`sevenones kpi show|days|remake|verify|rules`: utilisation, what is kept of each day, made again and verified."""

from __future__ import annotations

import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

First = Annotated[str, typer.Argument(help="首日，如 2026-03-02，默认今日 · the first day, by default today")]
Last = Annotated[str, typer.Argument(help="末日（含），默认首日 · the last day, by default the first")]
Url = Annotated[str | None, typer.Option(help="平台地址 · the platform's address")]
Token = Annotated[str | None, typer.Option(envvar="SEVENONES_TOKEN", help="令牌 · token")]
Home = Annotated[Path, typer.Option(help="数据目录 · the home")]
Mine = Annotated[str, typer.Option(help="矿井编码，只有一个时可省 · the mine's code, where there are several")]

STANDING = {
    "met": "达标 · met",
    "missed": "未达标 · missed",
    "not_assessable": "不可评价 · not assessable",
    "part": "部分 · a part of the mine",
}
PARTIAL = "仅您可见的单元，不是全矿指标 · the units that you may see: no figure of the mine"
OUTCOME = {
    "same": "一致，逐位相同 · the same to the last digit",
    "other": "不一致 · another figure follows from its evidence",
    "damaged": "已损坏 · the document or its evidence is damaged",
    "no_evidence": "没有依据 · no evidence is kept of it",
    "no_rules": "规则版本未知 · this program does not know its rules any more",
    "other_rules": "同名规则的内容已变 · its rules say something else now under the same name",
}


class By(StrEnum):
    """How a range is divided."""

    WHOLE = ""
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


def show(
    first: First = "",
    last: Last = "",
    by: Annotated[By, typer.Option(help="分段 · how the range is divided")] = By.WHOLE,
    shift: Annotated[str, typer.Option(help="班次序号 · a shift's number")] = "",
    units: Annotated[bool, typer.Option("--units", help="各设备及未计入的原因 · each unit, and why not")] = False,
    url: Url = None,
    token: Token = None,
    home: Home = Path(".sevenones"),
) -> None:
    """智能化设备使用率 · utilisation of the mine, by category or by unit."""
    from sevenones.client import Client, ClientError
    from sevenones.terminal import open_console

    asked: dict[str, Any] = {"first": first or None, "last": last or None}
    try:
        client = Client.of_home(home, url, token)
        if units:
            found = client.get("kpi/units", **asked)
        else:
            found = client.get("kpi/figure", by=by.value, shift=shift, **asked)
    except ClientError as error:
        sys.exit(str(error))
    console = open_console()
    if units:
        console.print(_units(found["units"]))
    else:
        if found["partial"]:
            console.print(PARTIAL, soft_wrap=True)
        for each in found["periods"]:
            console.print(_head(each), style="bold", soft_wrap=True)
            if each["why"]:
                console.print(f"  {each['why_words']['zh']} · {each['why_words']['en']}", soft_wrap=True)
            console.print(_categories(each["categories"]))
    for each in found["trouble"]:
        console.print(f"{each['zh']} · {each['en']}", style="yellow", soft_wrap=True)


def list_days(
    first: First = "",
    last: Last = "",
    section: Annotated[str, typer.Option(help="utilisation、energy、production")] = "utilisation",
    all_: Annotated[bool, typer.Option("--all", help="含被替代的 · also revisions that others replaced")] = False,
    url: Url = None,
    token: Token = None,
    home: Home = Path(".sevenones"),
) -> None:
    """各日保存的版本 · what is kept of each day, with the versions that it was made by."""
    from rich.table import Table

    from sevenones.client import Client, ClientError
    from sevenones.terminal import open_console

    asked: dict[str, Any] = {"first": first or None, "last": last or None}
    try:
        found = Client.of_home(home, url, token).get("kpi/days", section=section, all=all_, **asked)
    except ClientError as error:
        sys.exit(str(error))
    table = Table("日 · day", "修订 · revision", "计算 · made", "规则 · rules", "配置 · site", "摘要 · digest",
                  box=None, pad_edge=False, header_style="bold")  # fmt: skip
    for each in found["revisions"]:
        state = "（未结 open）" if each["provisional"] else "（已替代 superseded）" if each["superseded"] else ""
        made = datetime.fromtimestamp(each["made_us"] / 1e6).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(each["day"], f"{each['revision']}{state}", made, _rules(each), each["site"][:12],
                      each["digest"][:16])  # fmt: skip
    open_console().print(table)


def remake(
    first: Annotated[str, typer.Argument(help="首日 · the first day")],
    last: Last = "",
    mine: Mine = "",
    database: Annotated[str | None, typer.Option(help="PostgreSQL 地址 · its URL")] = None,
    home: Home = Path(".sevenones"),
) -> None:
    """让指标进程重算这些日 · have the figures process make these days again; a day that comes out otherwise is another
    revision."""
    from middleplatform.audit.log import tell
    from middleplatform.kpi.wishes import wish
    from models.kpi.calendar import days
    from sevenones.relational import place_of

    where = place_of(home, database)
    code = _mine(where, mine)
    begin, end = _day(first), _day(last or first)
    if not 0 <= (end - begin).days <= 800:
        sys.exit("末日不得早于首日，且至多 800 天 · the last day is not before the first, and at most 800 days after")
    wish(where, code, days(begin, end))
    tell(where, "kpi.remake", code, after={"first": begin.isoformat(), "last": end.isoformat()})
    print(f"{begin} … {end}：指标进程将在一分钟内开始重算 · the figures process begins within a minute")


def verify(
    first: Annotated[str, typer.Argument(help="首日 · the first day")],
    last: Last = "",
    revision: Annotated[int | None, typer.Option(min=1, help="修订号，默认最新 · by default the newest")] = None,
    mine: Mine = "",
    database: Annotated[str | None, typer.Option(help="PostgreSQL 地址 · its URL")] = None,
    home: Home = Path(".sevenones"),
) -> None:
    """由依据重算已保存的指标，逐位比对 · reckon kept figures from their evidence, and compare to the last digit."""
    from middleplatform.kpi.verify import Outcome
    from middleplatform.kpi.verify import verify as verified
    from models.kpi.calendar import days
    from sevenones.relational import place_of

    where = place_of(home, database)
    code = _mine(where, mine)
    wrong = found = 0
    for day in days(_day(first), _day(last or first)):
        each = verified(where, code, day, revision)
        if each is None:
            print(f"– {day}  没有保存 · not kept")
            continue
        found += 1
        wrong += each.outcome is not Outcome.SAME
        mark = "✓" if each.outcome is Outcome.SAME else "✗"
        print(f"{mark} {day}  r{each.kept.revision}  {each.kept.digest[:16]}  {OUTCOME[each.outcome]}")
    if wrong or not found:
        sys.exit(1)


def rules(
    file: Annotated[Path | None, typer.Argument(help="规则文件，默认本程序的 · by default this program's")] = None,
) -> None:
    """口径规则：检查文件，列出版本 · check a file of rules, and list its versions."""
    from models.site.problems import SiteErrors
    from models.utilisation.rules import read, standard

    try:
        found = standard() if file is None else read(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        sys.exit(f"无法读取 · cannot be read: {error}")
    except SiteErrors as errors:
        sys.exit(f"规则有误，不予采用 · the rules have mistakes and are refused:\n{errors}")
    for version in found.versions:
        print(f"{version.version}  {version.digest[:8]}  自 from {version.effective_from}  {version.source}")
        for key, category in version.categories.items():
            print(f"  {key:<12} {category.weight:g}  {category.name.zh} · {category.name.en}")


COMMANDS = {"show": show, "days": list_days, "remake": remake, "verify": verify, "rules": rules}


def _mine(where: Any, mine: str) -> str:
    from middleplatform.kpi.mines import mines

    known = [each.mine for each in mines(where)]
    if mine and mine not in known:
        sys.exit(f"没有矿井 {mine} 的指标 · there are no figures of a mine {mine}: {', '.join(known) or '—'}")
    if not mine and len(known) != 1:
        sys.exit(f"请用 --mine 指明矿井 · name the mine by --mine: {', '.join(known) or '还没有指标 none yet'}")
    return mine or known[0]


def _rules(each: dict[str, Any]) -> str:
    """What they are called, and the beginning of the digest of what they say."""
    return f"{each['rules']} {each['rules_digest'][:8]}".strip()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        sys.exit(f"“{text}”不是日期，如 2026-03-02 · '{text}' is no day such as 2026-03-02")


def _head(each: dict[str, Any]) -> str:
    span = each["first"] if each["first"] == each["last"] else f"{each['first']} … {each['last']}"
    words = [span, f"{_share(each['rate'])}（{_share(each['least'])} … {_share(each['most'])}）"]
    words += [f"覆盖 coverage {_share(each['coverage'])}", STANDING[each["standing"]]]
    if each["provisional"]:
        words.append("未结 day not over")
    if each["missing"]:
        words.append(f"缺 {each['missing']} 天 days lack")
    if each["below"]:
        words.append(f"低于类别指标 below target: {', '.join(each['below'])}")
    if each.get("absent"):
        words.append(f"无此类别 not had: {', '.join(each['absent'])}")
    if each.get("idle"):
        words.append(f"未生产 did not produce: {', '.join(each['idle'])}")
    return "  ".join(words)


def _categories(rows: list[dict[str, Any]]) -> Table:
    table = _table("类别 · category")
    for each in rows:
        table.add_row(f"{each['name']['zh']} · {each['name']['en']}", *_columns(each))
    return table


def _units(rows: list[dict[str, Any]]) -> Table:
    table = _table("单元 · unit")
    table.add_column("未计入的主因 · why not, mainly")
    for each in rows:
        why = next((f"{r['words']['zh']} {r['seconds'] / 3600:.1f} h" for r in each["reasons"]), "—")
        table.add_row(f"{each['name']['zh']} {each['id']}", *_columns(each), why)
    return table


def _table(of: str) -> Table:
    from rich.table import Table

    table = Table(of, box=None, pad_edge=False, header_style="bold")
    for head in ("使用率 · rate", "下限…上限 · bounds", "覆盖 · coverage", "按产出 · by output", "生产 h · producing",
                 "可用 h · available", "剔除 h · excluded"):  # fmt: skip
        table.add_column(head, justify="right")
    return table


def _columns(each: dict[str, Any]) -> list[str]:
    rate = _share(each["rate"]) if each["assessable"] or each["rate"] is None else f"{_share(each['rate'])} ?"
    return [
        rate,
        f"{_share(each['least'])} … {_share(each['most'])}",
        _share(each["coverage"]),
        "—" if each["output"] is None else _share(each["output"]["rate"]),
        f"{each['seconds']['producing'] / 3600:.1f}",
        f"{each['seconds']['available'] / 3600:.1f}",
        _excluded(each["seconds"]),
    ]


def _excluded(seconds: dict[str, float]) -> str:
    """And so much of it in which it produced all the same."""
    told = f"{seconds['excluded'] / 3600:.1f}"
    if seconds["excluded_producing"]:
        told += f"（仍生产 producing {seconds['excluded_producing'] / 3600:.1f}）"
    return told


def _share(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f} %"
