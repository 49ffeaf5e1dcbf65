"""What an adapter met and could not use, kept for the person who has to find out why.

A bounded book: the same kind of thing at the same place is one finding with a count; when the book is
full the one not seen for the longest goes, and is counted as forgotten.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

KEPT_BYTES = 256
KEPT_CHARACTERS = 512
LIMIT = 100


@dataclass(slots=True)
class Finding:
    """`kind` in few words, the same for all of its kind; `where`: topic, file or address; `reason` and
    `payload` (its first 256 bytes) are of the last time; `first` and `last` are µs UTC."""

    kind: str
    where: str
    reason: str
    payload: bytes
    first: int
    last: int
    count: int = 1


class FindingBook:
    """The last findings of one adapter, and how many there were of each kind."""

    def __init__(self, limit: int = LIMIT, now: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._limit = limit
        self._now = now
        self._kept: OrderedDict[tuple[str, str], Finding] = OrderedDict()
        self.counts: dict[str, int] = {}
        self.forgotten = 0

    def note(self, kind: str, where: str, reason: str, payload: bytes = b"") -> None:
        """Once more: this was met."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self._keep(Finding(kind, _printable(where), _printable(reason), payload[:KEPT_BYTES], 0, 0))

    def _keep(self, new: Finding) -> None:
        now = self._now()
        key = (new.kind, new.where)
        known = self._kept.get(key)
        if known is None:
            new.first = new.last = now
            self._kept[key] = new
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
                self.forgotten += 1
            return
        known.reason, known.payload, known.last, known.count = new.reason, new.payload, now, known.count + 1
        self._kept.move_to_end(key)

    def all(self) -> Sequence[Finding]:
        """The findings, the latest last."""
        return tuple(self._kept.values())


def _printable(words: str) -> str:
    """So much of it as is kept; a half of a character, which no page can show, becomes a question mark."""
    return words[:KEPT_CHARACTERS].encode("utf-8", "replace").decode()


def joined(before: Sequence[Finding], after: Sequence[Finding], most: int = LIMIT) -> Sequence[Finding]:
    """The findings of an adapter's life after those of the lives before it: at most so many, the latest."""
    kept = {(finding.kind, finding.where): finding for finding in before}
    for finding in after:
        known = kept.get((finding.kind, finding.where))
        if known is not None:
            finding = replace(finding, first=known.first, count=known.count + finding.count)  # noqa: PLW2901
        kept[finding.kind, finding.where] = finding
    return sorted(kept.values(), key=lambda finding: finding.last)[-most:]
