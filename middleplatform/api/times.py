"""Times and durations as a caller writes them, and as they are answered."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from middleplatform.api.errors import ApiError, shown

SECOND = 1_000_000
LATEST = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp()) * SECOND
"""Times are from 1970 up to here."""

_UNITS = {"ms": 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND, "w": 604_800 * SECOND}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d|w)")
_EPOCH = re.compile(r"[0-9]{1,18}")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{4,16}(?:Z|z|[ +-][0-9]{2}:?[0-9]{2})?", re.ASCII)
_HINT = "ISO 8601 with a zone (2026-01-31T08:00:00+08:00), now, -10m (units ms s m h d w), or µs since 1970"
_HINT_ZH = "带时区的 ISO 8601（2026-01-31T08:00:00+08:00）、now、-10m（单位 ms s m h d w）或自 1970 年起的微秒数"


def now_us() -> int:
    return time.time_ns() // 1000


def parse_time(text: str, now: int, where: str) -> int:
    """µs UTC. Raises ApiError 400 that says what was expected."""
    text = text.strip()
    if text == "now":
        return now
    if _EPOCH.fullmatch(text):
        return _within(int(text), text, where)
    if text.startswith("-") and _DURATION.fullmatch(text[1:]):
        return _within(now - parse_duration(text[1:], where), text, where)
    if not _ISO.fullmatch(text):
        raise _wrong(text, where, "is not a time", "不是时间")
    # A '+' that was not escaped arrives as a space.
    text = re.sub(r" ([0-9]{2}:?[0-9]{2})$", r"+\1", text) if text[10] in "Tt" or text.count(" ") > 1 else text
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        raise _wrong(text, where, "is not a time that exists", "不是存在的时间") from None
    if found.tzinfo is None:
        raise _wrong(text, where, "has no time zone: add Z or +08:00", "缺少时区：请加 Z 或 +08:00")
    try:
        since = found - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        raise _wrong(text, where, "is out of range", "超出范围") from None
    return _within((since.days * 86_400 + since.seconds) * SECOND + since.microseconds, text, where)


def parse_duration(text: str, where: str) -> int:
    """µs of `10m`, `1.5h` and the like. Raises ApiError 400."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ApiError(
            400,
            "invalid_duration",
            f"“{shown(text)}”不是时长：数字加 ms、s、m、h、d、w 之一，如 60s",
            f"'{shown(text)}' is not a duration: a number and one of ms, s, m, h, d, w, such as 60s",
            where,
        )
    return int(float(found[1]) * _UNITS[found[2]])


def parse_range(start: str, end: str, now: int) -> tuple[int, int]:
    """Start and end, µs UTC. Raises ApiError 400 when they are wrong or the start is not before the end."""
    first, last = parse_time(start, now, "start"), parse_time(end, now, "end")
    if first >= last:
        raise ApiError(
            400,
            "empty_range",
            f"起始时间（{iso(first)}）应早于结束时间（{iso(last)}）",
            f"the start ({iso(first)}) must be before the end ({iso(last)})",
            "start",
        )
    return first, last


def iso(us: int) -> str:
    """A time for people: ISO 8601 in UTC, with six decimals."""
    try:
        found = datetime(1970, 1, 1) + timedelta(microseconds=us)
    except OverflowError:
        return f"{us} µs"
    return found.isoformat(timespec="microseconds") + "Z"


def local(us: int, zone: ZoneInfo) -> str:
    """An instant by the clock of the mine: ISO 8601 with its offset, to the second."""
    return datetime.fromtimestamp(us // SECOND, UTC).astimezone(zone).isoformat()


def _within(us: int, text: str, where: str) -> int:
    if not 0 <= us <= LATEST:
        raise _wrong(text, where, "is not between 1970 and 2200", "不在 1970 年至 2200 年之间")
    return us


def _wrong(text: str, where: str, what: str, what_zh: str) -> ApiError:
    return ApiError(
        400,
        "invalid_time",
        f"“{shown(text)}”{what_zh}。请用{_HINT_ZH}",
        f"'{shown(text)}' {what}. Take {_HINT}",
        where,
    )
