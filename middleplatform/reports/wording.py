"""The words of a report's frame, which its content does not hold."""

from __future__ import annotations

from middleplatform.reports.language import Language
from models.report.content import Content
from models.site.model import Name

SUMMARY = Name("概要", "Summary")
CODE = Name("验证码", "verification code")
PERIOD = Name("统计期", "period")
MINES = Name("煤矿", "mines")
MADE = Name("编制时间", "made")
KEY_FIGURES = Name("主要指标", "Key figures")
VALUE = Name("数值", "value")
BOUNDS = Name("下限–上限", "least – most")
COVERAGE = Name("覆盖率", "coverage")
REMARK = Name("说明", "remark")
DEFINITIONS = Name("口径与定义", "Definitions")
LEFT_OUT = Name("未包含的内容", "What is left out")
VERSIONS = Name("版本", "Versions")
SOURCES = Name("依据的日数据", "kept days that it was made of")
TARGET = Name("目标", "target")
NOTHING = Name("无", "none")
CHECK = Name("核验：sevenones report verify 验证码或文件", "verify with: sevenones report verify CODE or FILE")
VERSION_OF = {
    "rules": Name("使用率口径（各日）", "rules of utilisation, by which the days were judged"),
    "standing": Name("权重与目标", "weights and targets"),
    "site": Name("矿井配置", "sites"),
    "belts": Name("皮带集中控制目标", "target of belt central control"),
    "program": Name("程序", "program"),
}


def period_of(content: Content) -> str:
    """The days of a report, ISO."""
    one = content.first == content.last
    return content.first.isoformat() if one else f"{content.first.isoformat()} – {content.last.isoformat()}"


def mines_of(content: Content) -> Name:
    """Its mines by name and code; of many, how many."""
    if len(content.mines) > 6:
        return Name(f"{len(content.mines)}座", f"{len(content.mines)} mines")
    zh = "、".join(f"{each.name.zh}（{each.code}）" for each in content.mines)
    return Name(zh, ", ".join(f"{each.name.en} ({each.code})" for each in content.mines))


def sources_of(content: Content) -> Name:
    """How many documents it was made of."""
    number = len(content.sources)
    return Name(f"{number}份", f"{number} documents")


def version_words(key: str) -> Name:
    """Of what a version is."""
    return VERSION_OF.get(key, Name(key, key))


def page_of(number: int, of: int, language: Language) -> str:
    """A page's number, and of how many."""
    return language.say(Name(f"第 {number} 页 / 共 {of} 页", f"page {number} of {of}"), "  ")
