"""The source's time in a payload, to µs UTC.

A number is taken by its size as s, ms, µs or ns since 1970 (below 10^11, 10^14, 10^17, above) unless
`time_unit` says which; 14 or 17 digits that are a date are yyyyMMddHHmmss with or without ms, which as
ms or µs would be six centuries away. A text is such a number, ISO 8601, or a date with - / . or 年月日
and a time of day, or is read by `time_format`. A time without a zone is refused unless `time_zone`
names one: a guess would be wrong by hours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from models.words import halves
from protocols.mqtt.address import AbsentError, Steps, find

UNITS = {"s": 1_000_000.0, "ms": 1_000.0, "us": 1.0, "ns": 0.001}
LATEST = 253_402_300_800_000_000
"""The end of the year 9999, µs: later times are no times."""
OPTIONS = frozenset({"time", "time_unit", "time_zone", "time_format"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMPACT = {14: (19700101_000000, 21000101_000000), 17: (19700101_000000_000, 21000101_000000_000)}
"""Digits, and the range in which such a number is a date."""
_DATE = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T]*(\d{1,2})[:时点](\d{1,2})(?:[:分](\d{1,2})秒?)?(?:[.,](\d{1,9}))?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?"
)


def microseconds(moment: datetime) -> int:
    """µs since 1970 of an instant with a zone, exactly."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a payload has its time and how that is written. `of_sample`: the steps begin at each sample
    and not at the payload's root."""

    steps: Steps
    unit: str = "auto"
    zone: ZoneInfo | None = None
    format: str = ""
    of_sample: bool = False

    @staticmethod
    def from_options(options: Mapping[str, Any], steps: Steps, *, of_sample: bool) -> Clock:
        """The clock of a tag whose option `time` leads along these steps. Raises ValueError."""
        unit = str(options.get("time_unit", "auto"))
        if unit != "auto" and unit not in UNITS:
            raise ValueError(
                f"选项 time_unit 为 '{unit}'，可以是 auto, {', '.join(UNITS)} · "
                f"the option time_unit is '{unit}'; it can be auto, {', '.join(UNITS)}"
            )
        name = options.get("time_zone")
        try:
            zone = ZoneInfo(str(name)) if name else None
        except (LookupError, OSError, ValueError):
            raise ValueError(
                f"选项 time_zone 为 '{name}'，不是 Asia/Shanghai 这样的时区 · "
                f"the option time_zone names '{name}', which is no zone such as Asia/Shanghai"
            ) from None
        written = str(options.get("time_format", ""))
        if written:
            _check_format(written, zone)
        return Clock(steps, unit, zone, written, of_sample)

    def read(self, document: Any) -> int:
        """µs UTC. Raises ValueError in plain words."""
        try:
            value = find(document, self.steps)
        except AbsentError as absent:
            said = halves(absent)
            raise ValueError(f"消息中没有时间：{said.zh} · the message has no time: {said.en}") from None
        if self.format:
            return self._formatted(str(value))
        if isinstance(value, str):
            return self._text(value.strip())
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"时间 {value!r} 既不是数也不是文本 · the time {value!r} is neither a number nor a text")
        return self._number(value)

    def _formatted(self, text: str) -> int:
        try:
            moment = datetime.strptime(text.strip(), self.format)
        except ValueError:
            raise ValueError(
                f"时间 '{text[:40]}' 不是 {self.format} 的格式 · "
                f"the time '{text[:40]}' is not of the form {self.format}"
            ) from None
        return self._local(moment, text)

    def _text(self, text: str) -> int:
        try:
            number = float(text)
        except ValueError:
            pass
        else:
            return self._number(int(text) if text.isdecimal() and len(text) < 30 else number)
        try:
            found = _DATE.fullmatch(text)
            moment = _dated(*found.groups("")) if found else datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"时间 '{text[:40]}' 既不是 ISO 8601，也不是日期加时刻 · "
                f"the time '{text[:40]}' is neither ISO 8601 nor a date and a time of day"
            ) from None
        return self._local(moment, text)

    def _local(self, moment: datetime, text: str) -> int:
        if moment.tzinfo is None:
            if self.zone is None:
                raise ValueError(
                    f"时间 '{text[:40]}' 没有时区，请用选项 time_zone 写明 · "
                    f"the time '{text[:40]}' has no zone: name one by the option time_zone"
                )
            moment = moment.replace(tzinfo=self.zone)
        return self._plausible(microseconds(moment))

    def _number(self, value: float) -> int:
        unit = self.unit
        if unit == "auto":
            if not math.isfinite(value):
                raise ValueError("时间不是有限的数 · the time is not a finite number")
            for digits, (first, last) in _COMPACT.items():
                if first <= value < last and value == int(value):
                    return self._compact(str(int(value)), digits)
            size = abs(value)
            unit = "s" if size < 1e11 else "ms" if size < 1e14 else "us" if size < 1e17 else "ns"
        if isinstance(value, int):
            whole = {"s": value * 1_000_000, "ms": value * 1_000, "us": value, "ns": value // 1_000}
            return self._plausible(whole[unit])
        if not math.isfinite(value):
            raise ValueError("时间不是有限的数 · the time is not a finite number")
        return self._plausible(round(value * UNITS[unit]))

    def _compact(self, digits: str, count: int) -> int:
        try:
            moment = datetime.strptime(digits[:14], "%Y%m%d%H%M%S")
        except ValueError:
            raise ValueError(
                f"时间 {digits} 不是 yyyyMMddHHmmss 形式的日期 · the time {digits} is no date as yyyyMMddHHmmss"
            ) from None
        return self._local(moment, digits) + (int(digits[14:]) * 1000 if count == 17 else 0)

    @staticmethod
    def _plausible(ts: int) -> int:
        if not 0 < ts < LATEST:
            raise ValueError(
                f"时间为 1970 年起 {ts} 微秒，不在 1970 至 9999 年之间 · "
                f"the time is {ts} µs since 1970, which is not between 1970 and 9999"
            )
        return ts


def _dated(*parts: str) -> datetime:
    """A date whose numbers need no leading zeros. Raises ValueError."""
    year, month, day, hour, minute, second, fraction, zone = parts
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
    moment += timedelta(microseconds=int(fraction[:6].ljust(6, "0")) if fraction else 0)
    return datetime.fromisoformat(f"{moment.isoformat()}{zone.replace('Z', '+00:00')}") if zone else moment


def _check_format(written: str, zone: ZoneInfo | None) -> None:
    sample = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    try:
        read = datetime.strptime(sample.strftime(written), written)
    except ValueError:
        raise ValueError(
            f"选项 time_format 为 '{written}'，无法据此读出时间 · "
            f"the option time_format is '{written}', which no time can be read by"
        ) from None
    if read.year != 2026 or read.day != 2:
        raise ValueError(
            f"选项 time_format 为 '{written}'：其中必须有年、月、日 · "
            f"the option time_format is '{written}': year, month and day must be in it"
        )
    if read.tzinfo is None and zone is None:
        raise ValueError(
            f"选项 time_format 为 '{written}'，没有时区，请用选项 time_zone 写明 · "
            f"the option time_format is '{written}', without a zone: name one by the option time_zone"
        )
