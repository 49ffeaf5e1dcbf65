"""Which time is to be filled, and whether it can be."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

LEAST_S = 60
MOST_S = 400 * 86_400
_UNITS_S = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw])")
BYTES_EACH = 6
"""On disk for a sample, while what was written is being merged; then it is about 2."""
MEAN_INTERVAL_S = 8.0
"""Between two samples of a point, as the disk is estimated before anything is simulated."""
KEEP_FREE = 1 << 30


class BackfillError(Exception):
    """What cannot be filled: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Span:
    """From (not with) `start` to `end`, µs UTC, whole seconds."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        return (self.end - self.start) // 1_000_000


def span(length: str, until: str, now_us: int) -> Span:
    """`30d` up to an ISO time, or to now. Raises BackfillError."""
    match = _SPAN.fullmatch(length.strip().lower())
    if match is None:
        raise BackfillError(f"--backfill {length}：应为 30d、12h、90m、2w · must be like 30d, 12h, 90m or 2w")
    seconds = round(float(match[1]) * _UNITS_S[match[2]])
    if not LEAST_S <= seconds <= MOST_S:
        raise BackfillError(f"--backfill {length}：1m … 400d · from 1m to 400d")
    end = now_us
    if until:
        try:
            moment = datetime.fromisoformat(until)
        except ValueError:
            raise BackfillError(
                f"--until {until}：不是 ISO 时间 · is no ISO time such as 2026-11-01T08:00+08:00"
            ) from None
        if moment.tzinfo is None:
            raise BackfillError(f"--until {until}：缺少时区 · names no time zone: write +08:00 or Z behind it")
        end = round(moment.astimezone(UTC).timestamp() * 1e6)
        if end > now_us:
            raise BackfillError(f"--until {until}：在将来 · lies in the future")
    end -= end % 1_000_000
    return Span(end - seconds * 1_000_000, end)


def check_disk(folder: Path, points: int, seconds: int) -> None:
    """Raises BackfillError when so much will not fit."""
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    needed = round(points * seconds / MEAN_INTERVAL_S * BYTES_EACH) + KEEP_FREE
    if free < needed:
        raise BackfillError(
            f"磁盘空间不足：约需 {needed / 1e9:.1f} GB，{there} 只有 {free / 1e9:.1f} GB · not enough disk: about "
            f"{needed / 1e9:.1f} GB are needed, {there} has {free / 1e9:.1f} GB free; fill less, or use another --home"
        )
