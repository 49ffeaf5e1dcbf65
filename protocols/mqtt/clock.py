"""The source's time in a payload, to µs UTC.

A number is taken by its size as s, ms, µs or ns since 1970 (below 10^11, 10^14, 10^17, above) unless
`time_unit` says which; a text as ISO 8601, or as such a number. A text without a zone is refused
unless `time_zone` names one: a guess would be wrong by hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from protocols.mqtt.address import AbsentError, Steps, find, parse_path

UNITS = {"s": 1_000_000.0, "ms": 1_000.0, "us": 1.0, "ns": 0.001}
LATEST = 253_402_300_800_000_000
"""The end of the year 9999, µs: later times are no times."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """µs since 1970 of an instant with a zone, exactly."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a payload has its time and how that is written."""

    steps: Steps
    unit: str = "auto"
    zone: ZoneInfo | None = None

    @staticmethod
    def from_options(options: Any) -> Clock | None:
        """The clock that a tag's options name, None when they name none. Raises ValueError."""
        unknown = set(options) - {"time", "time_unit", "time_zone"}
        if unknown:
            raise ValueError(f"the option '{sorted(unknown)[0]}' is unknown; there are time, time_unit and time_zone")
        if "time" not in options:
            if options:
                raise ValueError("time_unit and time_zone mean nothing without the option time")
            return None
        unit = str(options.get("time_unit", "auto"))
        if unit != "auto" and unit not in UNITS:
            raise ValueError(f"the option time_unit is '{unit}'; it can be auto, {', '.join(UNITS)}")
        name = options.get("time_zone")
        try:
            zone = ZoneInfo(str(name)) if name else None
        except (LookupError, OSError, ValueError):
            raise ValueError(f"the option time_zone names '{name}', which is no zone such as Asia/Shanghai") from None
        return Clock(parse_path(str(options["time"])), unit, zone)

    def read(self, document: Any) -> int:
        """µs UTC. Raises ValueError in plain words."""
        try:
            value = find(document, self.steps)
        except AbsentError as absent:
            raise ValueError(f"the message has no time: {absent}") from None
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"the time {value!r} is neither a number nor a text")
        return self._number(value)

    def _text(self, text: str) -> int:
        try:
            number = float(text)
        except ValueError:
            pass
        else:
            return self._number(int(text) if text.isdecimal() else number)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"the time '{text[:40]}' is not ISO 8601") from None
        if moment.tzinfo is None:
            if self.zone is None:
                raise ValueError(f"the time '{text[:40]}' has no zone: name one by the option time_zone")
            moment = moment.replace(tzinfo=self.zone)
        return self._plausible(microseconds(moment))

    def _number(self, value: float) -> int:
        unit = self.unit
        if unit == "auto":
            size = abs(value)
            unit = "s" if size < 1e11 else "ms" if size < 1e14 else "us" if size < 1e17 else "ns"
        if isinstance(value, int):
            whole = {"s": value * 1_000_000, "ms": value * 1_000, "us": value, "ns": value // 1_000}
            return self._plausible(whole[unit])
        if not math.isfinite(value):
            raise ValueError("the time is not a finite number")
        return self._plausible(round(value * UNITS[unit]))

    def _plausible(self, ts: int) -> int:
        if not 0 < ts < LATEST:
            raise ValueError(f"the time is {ts} µs since 1970, which is not between 1970 and 9999")
        return ts
