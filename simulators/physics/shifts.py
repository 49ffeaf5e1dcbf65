"""The working day: shifts in the mine's local time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from models.site.model import Shift

THREE_EIGHTS = (("00:00", "08:00"), ("08:00", "16:00"), ("16:00", "00:00"))
"""三八制, where a site names no shifts."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One shift of one day, or the time between two: `shift` is its index or -1, `day` the local day on
    which it began."""

    shift: int
    day: date
    begin_us: int
    end_us: int


class Calendar:
    """The shifts of a site, in its order; `time_zone` is an IANA name."""

    def __init__(self, shifts: Sequence[Shift], time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)
        self._times = [(shift.start, shift.end) for shift in shifts] or list(THREE_EIGHTS)

    def local(self, us: int) -> datetime:
        """Local time of µs UTC."""
        return datetime.fromtimestamp(us / 1e6, self.zone)

    def turn(self, us: int) -> Turn:
        """The shift at this moment, or the time until the next."""
        today = self.local(us).date()
        known = [
            (self._us(day, start), self._us(day + timedelta(days=end <= start), end), index, day)
            for day in (today - timedelta(days=1), today, today + timedelta(days=1))
            for index, (start, end) in enumerate(self._times)
        ]
        for begin, end, index, day in known:
            if begin <= us < end:
                return Turn(index, day, begin, end)
        ended = max(end for _, end, _, _ in known if end <= us)
        begins = min(begin for begin, _, _, _ in known if begin > us)
        return Turn(-1, today, ended, begins)

    def _us(self, day: date, clock: str) -> int:
        moment = datetime(day.year, day.month, day.day, int(clock[:2]), int(clock[3:]), tzinfo=self.zone)
        return round(moment.timestamp() * 1e6)
