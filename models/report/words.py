"""What reports say in words: titles, standings, definitions."""

from __future__ import annotations

from models.alarms.standard import standards
from models.kpi.city import Belts
from models.kpi.mine import Standing
from models.kpi.period import Reason, Why
from models.site.model import Name
from models.utilisation.figure import UNKNOWN
from models.utilisation.rules import Version

STANDING = {
    Standing.MET: Name("达标", "met"),
    Standing.MISSED: Name("未达标", "missed"),
    Standing.NOT_ASSESSABLE: Name("不可评价", "not assessable"),
}
BELTS = {
    Belts.COVERED: Name("已实现", "covered"),
    Belts.NOT_COVERED: Name("未实现", "not covered"),
    Belts.NOT_ASSESSABLE: Name("不可评价", "not assessable"),
    Belts.NONE: Name("无计量皮带", "no belt measured"),
}
NOBODY_KNOWS = Name("不详（数据不足）", "nobody knows: data are missing")


def category(version: Version, key: str) -> Name:
    """A category's name; its key where this version has none of it."""
    found = version.categories.get(key)
    return Name(key, key) if found is None else Name(found.name.zh, found.name.en)


def clause(version: Version, of: str, key: str) -> Name:
    """Why time did not count."""
    if key == UNKNOWN:
        return NOBODY_KNOWS
    own = version.categories.get(of)
    found = None if own is None else next((each for each in own.clauses() if each.key == key), None)
    return Name(key, key) if found is None else Name(found.otherwise.zh, found.otherwise.en)


def rule(key: str) -> Name:
    """The name of a standard alarm; the key of one that a site made for itself."""
    known = standards()
    limits = {f"limit.{kind}": name for kind, name in known.limits.name.items()}
    own = known.rules.get(key) or known.together.get(key)
    found = own.name if own is not None else limits.get(key)
    return Name(key, key) if found is None else Name(found.zh, found.en)


def whys(version: Version, found: tuple[Why, ...]) -> Name:
    """Why a mine is not assessable, in one sentence; empty where it is."""
    parts = [_why(version, each) for each in found]
    missing = found[0].missing if found else 0
    if missing and found[0].reason is not Reason.NO_DAY:
        parts.append(Name(f"缺{missing}天", f"{missing} days are missing"))
    return Name("；".join(each.zh for each in parts), "; ".join(each.en for each in parts))


def _why(version: Version, each: Why) -> Name:
    if each.reason is Reason.NO_DAY:
        return Name("本期没有一天有数据", "no day of it was kept")
    if each.reason is Reason.NO_UNIT:
        return Name("没有可计量的设备", "it has no unit that is measured")
    if each.reason is Reason.STOOD:
        return Name("本期未生产", "nothing produced")
    own, share = category(version, each.category), 100 * (each.coverage or 0.0)
    return Name(
        f"{own.zh}数据覆盖率{share:.1f}%，低于{100 * version.coverage:.0f}%",
        f"{own.en}: coverage {share:.1f} %, below {100 * version.coverage:.0f} %",
    )


def utilisation_definitions(version: Version) -> tuple[Name, ...]:
    """What the figures of utilisation mean."""
    shares = (version.coverage, version.target.mine, version.target.category)
    least, target, per = (f"{100 * each:g}" for each in shares)
    return (
        Name(
            "使用率＝智能化运行时间÷（智能化运行时间＋人工运行时间），只计设备实际生产且方式已知的时间，不含经批准剔除的时间。",
            "Utilisation = time intelligent / (time intelligent + time by hand), of the time in which the equipment "
            "produced and it is known how, outside of approved exclusions.",
        ),
        Name(
            "覆盖率＝方式已知的生产时间÷（已生产或可能生产的时间）。未知时间从不填补；缺失的日子全天按未知计。"
            f"覆盖率低于{least}%的，不可评价。",
            "Coverage = producing time of which it is known how / all time in which it produced or may have. What is "
            f"unknown is never filled in; a missing day is unknown, all of it. Below {least} % it is not assessable.",
        ),
        Name(
            "下限：未知时间全部按人工生产计；上限：未知时间全部按其可能的最好情况计；状态变化附近时刻不定的时间同样处理。"
            "真实值必在两者之间。",
            "Least: all that is unknown was production by hand; most: it was as good as it can have been; so too what "
            "lies too near to a change to be sure of. The true figure lies between them.",
        ),
        Name(
            f"矿井使用率为各类别使用率按权重的平均（只计有生产的类别）。达标：不低于{target}%，且没有类别低于{per}%。",
            "A mine's utilisation is the mean of its categories' by weight, over those that produced. The target is "
            f"met with at least {target} % and no category below {per} %.",
        ),
        Name(
            f"口径来源：{source(version.source).zh}（{'已确认' if version.confirmed else '未经主管部门确认'}）。",
            f"Source of the definition: {source(version.source).en} "
            f"({'confirmed' if version.confirmed else 'not confirmed by an authority'}).",
        ),
    )


def source(text: str) -> Name:
    """A source in both languages: it is told as Chinese, a space, English, or in one for both."""
    for at, letter in enumerate(text):
        if letter == " " and text[at + 1 : at + 2].isascii():
            return Name(text[:at], text[at + 1 :])
    return Name(text, text)
