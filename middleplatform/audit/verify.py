"""Whether the audit log is what was written: entry by entry, and against what the bus was told.

The chain shows what was changed inside the log. Whoever writes the whole log anew can make a chain that holds; but the
digests that the bus was told meanwhile are then not in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, NoResultFound

from middleplatform.audit.entry import GENESIS, Entry
from middleplatform.audit.log import head
from middleplatform.database import DatabaseError, Place, connect
from middleplatform.database.tables.audit import audit

MOST = 100
"""Findings that are told; more would say the same."""
_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the bus was told: the newest entry then, and when (µs UTC, by the bus's clock)."""

    number: int
    digest: str
    at: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with an entry: `changed`, `missing`, `truncated`, `rewritten`, `appended`, `forged`, or with
    all of the log: `unreadable`."""

    kind: str
    number: int
    zh: str
    en: str


@dataclass
class Report:
    """`entries` and `anchors`: how many were looked at. `anchored`: up to which entry the bus vouches."""

    entries: int = 0
    anchors: int = 0
    anchored: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.findings

    def find(self, kind: str, number: int, zh: str, en: str) -> None:
        if len(self.findings) < MOST:
            self.findings.append(Finding(kind, number, zh, en))


def verify(where: Place, anchors: Iterable[Anchor] = ()) -> Report:
    """Look at every entry. `anchors` have to be read before this is called: what is appended meanwhile is no finding.
    Raises DatabaseError."""
    report = Report()
    told = {}
    for anchor in anchors:
        report.anchors += 1
        if anchor.number < 1:
            report.find(
                "forged",
                0,
                "总线上有不是锚的消息：有他人使用过 api 的凭证",
                "the bus holds a message that is no anchor: somebody else used the api's credential",
            )
            continue
        if told.setdefault(anchor.number, anchor).digest != anchor.digest:
            report.find(
                "rewritten",
                anchor.number,
                f"总线上第 {anchor.number} 条有两个不同的锚：日志曾被重写",
                f"the bus was told two different digests of entry {anchor.number}: the log was written anew",
            )
    try:
        _hold(where, told, report)
    except (DBAPIError, NoResultFound, ValueError) as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise DatabaseError(f"关系库连接中断 · the relational store went away: {error.orig}") from error
        report.find(
            "unreadable",
            0,
            f"日志无法读完，而所写的内容都可读：{error!s:.200}",
            f"the log cannot be read to its end, and all that was written could be: {error!s:.200}",
        )
    return report


def _hold(where: Place, told: dict[int, Anchor], report: Report) -> None:
    """Hold the log against its head and what the bus was told."""
    number, digest = head(where)
    last = _chain(where, told, report, (number, digest))
    if last < number:
        report.find(
            "truncated",
            number,
            f"日志头为第 {number} 条，而最后一条是第 {last} 条：末尾被截去",
            f"the head is entry {number}, but the last entry is {last}: the end was cut off",
        )
    elif last > head(where)[0]:
        report.find(
            "appended",
            last,
            f"第 {last} 条不是由本程序写入",
            f"entry {last} was not written by this program: the head does not know it",
        )
    beyond = [each for each in told if each > last]
    if beyond:
        report.find(
            "truncated",
            max(beyond),
            f"总线记有第 {max(beyond)} 条，而日志止于第 {last} 条：末尾被截去，或恢复自更早的备份",
            f"the bus was told of entry {max(beyond)}, but the log ends with {last}: "
            "the end was cut off, or an older backup restored",
        )


def _chain(where: Place, told: dict[int, Anchor], report: Report, known: tuple[int, str]) -> int:
    """Look at the entries in their order; the number of the last."""
    number, digest = 0, GENESIS
    query = select(audit).order_by(audit.c.number)
    with connect(where).connect().execution_options(stream_results=True) as connection:
        for row in connection.execute(query).yield_per(_ROWS):
            entry = Entry(*row)
            report.entries += 1
            if entry.number != number + 1:
                report.find(
                    "missing",
                    number + 1,
                    f"第 {number + 1} 条至第 {entry.number - 1} 条不见了",
                    f"entries {number + 1} to {entry.number - 1} are missing",
                )
            elif entry.previous != digest:
                report.find(
                    "changed",
                    entry.number,
                    f"第 {entry.number} 条所记的前一条与第 {number} 条不符",
                    f"entry {entry.number} does not follow entry {number} as it is now",
                )
            if entry.true_digest() != entry.digest:
                report.find(
                    "changed",
                    entry.number,
                    f"第 {entry.number} 条的内容被改动",
                    f"entry {entry.number} was changed: its content does not give its digest",
                )
            anchor = told.get(entry.number)
            if anchor is not None and anchor.digest != entry.digest:
                report.find(
                    "rewritten",
                    entry.number,
                    f"第 {entry.number} 条与总线所记不符：日志曾被重写",
                    f"entry {entry.number} is not the one that the bus was told of: the log was written anew",
                )
            elif anchor is not None:
                report.anchored = entry.number
            if entry.number == known[0] and entry.digest != known[1]:
                report.find(
                    "changed",
                    entry.number,
                    f"第 {entry.number} 条与日志头不符",
                    f"entry {entry.number} is not what the head says",
                )
            number, digest = entry.number, entry.digest
    return number
