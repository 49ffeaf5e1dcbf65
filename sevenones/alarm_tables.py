"""Alarms as tables in a terminal: Chinese first, the urgent in colour, what is unacknowledged marked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

STATES = {
    "normal": "正常",
    "unacknowledged": "未确认",
    "acknowledged": "已确认",
    "returned_unacknowledged": "已恢复未确认",
    "latched_unacknowledged": "锁定未确认",
    "latched_acknowledged": "锁定已确认",
}
KINDS = {"alarm": "报警", "power_cut": "断电", "feed_fault": "馈电异常"}
ACTS = {
    "raise": "报警",
    "return": "恢复",
    "acknowledge": "确认",
    "reset": "复位",
    "escalate": "升级",
    "suppress": "抑制",
    "unsuppress": "解除抑制",
}
SUPPRESSIONS = {"shelved": "搁置", "by_design": "按设计抑制", "out_of_service": "停用"}
COLOURS = {0: "bold white on red", 1: "bold red", 2: "yellow", 3: "cyan"}
"""By priority; what is lower has none."""


def table_of(found: dict[str, Any]) -> Table:
    """A list of alarms as an operator reads it: Chinese first, the urgent in colour, what is unacknowledged marked, and
    of what is suppressed until when, by whom and why."""
    table = Table("", "编号 · no.", "优先级 · prio", "时刻 · since", "名称 · name", "规则 · rule", "值 · value",
                  "类别 · kind", "状态 · state", "升级 · level", "区域 · area",
                  box=None, pad_edge=False, header_style="bold")  # fmt: skip
    zone = found["time_zone"]
    for row in found["alarms"]:
        state = STATES.get(row["state"], row["state"]) + "".join(
            f"（{silence(each, zone)}）" for each in row["suppressions"]
        )
        mark = "" if row["state"].endswith("acknowledged") and "un" not in row["state"] else "●"
        mark += "≈" if row["chattering"] else ""
        law = "法定 " if row["statutory"] else ""
        told = (
            mark,
            str(row["id"]),
            f"{law}{row['priority']}",
            moment(row["since"], zone),
            name_of(row),
            row["rule_name"]["zh"],
            value_of(row),
        )
        area = "" if row["area"] is None else row["area"]["name"]["zh"]
        level = str(row["level"] or "")
        cells = map(Text, (*told, KINDS.get(row["kind"], row["kind"]), state, level, area))
        table.add_row(*cells, style=COLOURS.get(row["priority"], "") if row["state"] != "normal" else "dim")
    return table


def groups_of(found: dict[str, Any]) -> Table:
    """Groups, one a line: how many alarms each stands for."""
    table = Table("", "条数 · of", "优先级 · prio", "最新 · newest", "名称 · name", "规则 · rule", "值 · value",
                  "编号 · no.", "未确认 · open", "升级 · level",
                  box=None, pad_edge=False, header_style="bold")  # fmt: skip
    for row in found["groups"]:
        head = row["head"]
        machine = "" if head["equipment"] is None else head["equipment"]["name"]["zh"]
        name = f"{machine} {head['name']['zh']}".strip()
        if row["alike"]:
            name = f"{'' if head['area'] is None else head['area']['name']['zh']} 同类 · alike: {name} …"
        mark = ("●" if row["unacknowledged"] else "") + ("≈" if head["chattering"] else "")
        when = moment(row["since"], found["time_zone"])
        told = (mark, str(row["count"]), str(row["priority"]), when, name, head["rule_name"]["zh"], value_of(head))
        cells = map(Text, (*told, str(head["id"]), str(row["unacknowledged"]), str(head["level"] or "")))
        table.add_row(*cells, style=COLOURS.get(row["priority"], ""))
    return table


def figures_of(found: dict[str, Any]) -> Table:
    """Figures beside their targets."""
    table = Table("指标 · figure", "值 · is", "建议 · advised", box=None, pad_edge=False, header_style="bold")
    targets, flood, waits = found["targets"], found["flood"], found["acknowledged"]
    share = "  ".join(f"P{priority} {part:.0%}" for priority, part in found["priorities"].items())
    advised = "  ".join(f"P{priority} {part:.0%}" for priority, part in targets["priorities"].items())
    wait = "—" if waits["median_s"] is None else f"{waits['median_s']:.0f} s（95%: {waits['p95_s']:.0f} s）"
    known = f"{found['coverage']:.0%}" + ("" if found["enough"] else "，不足以评定 · too little to judge")
    for name, value, aim in (
        ("有判断的时间 · watched", known, f"≥ {found['coverage_target']:.0%}"),
        ("报警总数 · alarms", str(found["raises"]), ""),
        ("每天 · per day", _figure(found["per_day"], ".1f"), f"≤ {targets['per_day']}"),
        ("每小时 · per hour", _figure(found["per_hour"], ".2f"), f"≤ {targets['per_hour']}"),
        ("每十分钟 · per 10 min", _figure(found["per_10_min"]["mean"], ".2f"), f"≤ {targets['per_10_min']}"),
        ("最多十分钟 · most in 10 min", str(found["per_10_min"]["most"]), "≤ 10"),
        (
            "泛滥次数 · floods",
            f"{flood['count']}，占时 · of the time {_figure(flood['share'], '.1%')}",
            f"≤ {targets['flood_share']:.0%}",
        ),
        ("前十占比 · top ten", f"{found['top_ten_share']:.0%}", f"≤ {targets['top_ten_share']:.0%}"),
        ("长期未恢复 · stale", str(found["stale"]["count"]), f"< {targets['stale']}"),
        ("抖动 · chattering", str(len(found["chattering"])), "0"),
        ("优先级分布 · priorities", share, advised),
        ("确认用时 · time to acknowledge", wait, ""),
        ("已确认占比 · acknowledged", f"{waits['share']:.0%}", ""),
    ):
        table.add_row(name, value, aim)
    return table


def _figure(value: float | None, form: str) -> str:
    """None: nobody watched, and nothing is known."""
    return "—" if value is None else format(value, form)


def worst_of(found: dict[str, Any]) -> Table:
    """The alarms that came most often."""
    head = ("最多的十条 · the ten worst", "规则 · rule", "对象 · of")
    table = Table(*head, box=None, pad_edge=False, header_style="bold")
    for row in found["top_ten"]:
        table.add_row(str(row["raises"]), row["rule"], row["subject"])
    return table


def summary(found: dict[str, Any]) -> str:
    """One line of what is open, and what is wrong with the watching itself."""
    counts, watch, flood = found["counts"], found["watch"], found.get("flood")
    trouble = ""
    if not watch["alive"]:
        trouble = "报警进程无应答，以下不是现状 · the watch does not answer: what is shown is old   "
    elif watch.get("failing"):
        trouble = "报警无法写入，以下不是现状 · alarms cannot be kept: what is shown is old   "
    elif watch["deaf"]:
        trouble = "平台收不到数据 · the platform hears nothing   "
    if flood is not None:
        trouble += f"报警泛滥（十分钟 {flood['peak']} 条） · alarm flood   "
    return trouble + counted(counts)


def counted(counts: dict[str, Any]) -> str:
    """How many are open, by priority."""
    by = "  ".join(f"P{priority}: {number}" for priority, number in counts["priorities"].items())
    return (
        f"未恢复正常 {counts['open']}，未确认 {counts['unacknowledged']}，被抑制 {counts['suppressed']} · "
        f"{counts['open']} open, {counts['unacknowledged']} unacknowledged, {counts['suppressed']} suppressed  {by}"
    )


def more_than_shown(total: int, shown: int, how: str = "--rows") -> str:
    """What a list left out, as a line of its own; "" for nothing."""
    if total <= shown:
        return ""
    return f"还有 {total - shown} 条未显示（{how}） · and {total - shown} more that are not shown ({how})"


def name_of(row: dict[str, Any]) -> str:
    """The machine and its point."""
    machine = "" if row["equipment"] is None else row["equipment"]["name"]["zh"]
    name: str = row["name"]["zh"]
    return name if name == machine else f"{machine} {name}".strip()


def value_of(row: dict[str, Any]) -> str:
    """With which it was raised."""
    return "" if row["value"] is None else f"{row['value']:.6g} {row['unit']}".strip()


def silence(each: dict[str, Any], zone: str) -> str:
    """How it is suppressed, until when, by whom and why."""
    until = "直至解除 until lifted" if each["until"] is None else f"至 until {moment(each['until'], zone)}"
    allowed = f"，批准 allowed by {each['allowed_by']}" if each["allowed_by"] else ""
    return f"{SUPPRESSIONS[each['kind']]} {until}，{each['who']}{allowed}：{each['reason']}"


def moment(us: int, zone: str) -> str:
    """A time by the clock of the mine."""
    return datetime.fromtimestamp(us / 1e6, UTC).astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M:%S")
