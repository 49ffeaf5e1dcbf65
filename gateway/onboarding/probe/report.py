"""What a probe found, for people and for programs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """How far a probe goes. `units`: Modbus unit ids to ask besides the target's; `at`: an address that the device is
    known to have; times in seconds; `rounds`: how often the round trip is measured."""

    units: Sequence[int] = (*range(1, 11), 247, 255)
    at: str = ""
    timeout_s: float = 1.0
    pause_s: float = 0.05
    rounds: int = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: `level` good, note or bad; said in Chinese and English; `facts` for programs."""

    level: str
    zh: str
    en: str
    facts: dict[str, Any]


@dataclass(slots=True)
class Report:
    """All findings of one probe, in the order in which they were made."""

    target: str
    findings: list[Finding] = field(default_factory=list)

    def good(self, zh: str, en: str, **facts: Any) -> None:
        self.findings.append(Finding("good", zh, en, facts))

    def note(self, zh: str, en: str, **facts: Any) -> None:
        self.findings.append(Finding("note", zh, en, facts))

    def bad(self, zh: str, en: str, **facts: Any) -> None:
        self.findings.append(Finding("bad", zh, en, facts))

    @property
    def answers(self) -> bool:
        """Whether the protocol that was asked for answers there."""
        return bool(self.findings) and not any(one.level == "bad" for one in self.findings)

    def round_trip(self, took: Sequence[float]) -> None:
        """Round trips in seconds."""
        if not took:
            return
        low, middle, high = (1000 * f(took) for f in (min, statistics.median, max))
        self.good(
            f"往返时间 最小 {low:.1f} / 中位 {middle:.1f} / 最大 {high:.1f} 毫秒（{len(took)} 次）",
            f"round trip min {low:.1f} / median {middle:.1f} / max {high:.1f} ms over {len(took)}",
            round_trip_ms=[low, middle, high],
        )
