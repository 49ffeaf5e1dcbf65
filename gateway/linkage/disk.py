"""What is told of the latches on this gateway's disk: that they could not be read, that the disk does not take them."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping

from gateway.linkage.latches import Latch, Latches
from gateway.linkage.telling import Saying
from models.site.model import Name

NAME = "latches"


class Disk:
    """Watches the latches, tells, and has what the disk refused written again."""

    def __init__(self, latches: Latches, saying: Saying, counts: MutableMapping[str, int]) -> None:
        self._latches, self._saying, self._counts = latches, saying, counts
        counts["unsaved_total"] = 0
        self._doubted: frozenset[str] = frozenset()
        self._doubted_since = 0
        self._unsaved_since: int | None = None

    def stands_for(self, latches: Iterable[Latch], now: int) -> None:
        """These are all that there may have been, if what there was could not be read."""
        if self._latches.unreadable:
            self._latches.doubt(latches, now)
        self._tell_doubt(now)

    def tick(self, now: int) -> None:
        """To be called again and again. µs UTC."""
        self._tell_doubt(now)
        self._latches.try_again()
        if self._latches.unsaved != (self._unsaved_since is not None):
            self._tell_unsaved(now)

    def _tell_doubt(self, now: int) -> None:
        """One event, until no latch is in doubt."""
        left = {latch.rule: latch.at for latch in self._latches.doubted}
        if left.keys() == self._doubted:
            return
        self._doubted, self._doubted_since = frozenset(left), min(left.values(), default=self._doubted_since)
        reason = Name("已全部复位", "all of them were restored")
        if left:
            reason = Name(
                f"闭锁记录无法读取，不知哪些联动已动作，下列均视为已闭锁，须逐一复位：{'、'.join(sorted(left))}",
                "the latches could not be read: what was tripped is not known, and these are locked until each is "
                f"restored: {', '.join(sorted(left))}",
            )
        self._saying.say("unreadable", NAME, self._doubted_since, reason, end=None if left else now)

    def _tell_unsaved(self, now: int) -> None:
        if self._unsaved_since is None:
            self._unsaved_since = now
            self._counts["unsaved_total"] += 1
            reason = Name(
                "本机磁盘未能保存已动作的联动，网关重启后将不知其已动作",
                "this gateway's disk does not take what is tripped: after a restart it would be forgotten",
            )
            self._saying.say("unsaved", NAME, now, reason)
        else:
            self._saying.say("unsaved", NAME, self._unsaved_since, Name("已保存", "the disk has it"), end=now)
            self._unsaved_since = None
