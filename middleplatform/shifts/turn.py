"""Which shift an instant belongs to, by the site's shifts and its time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models.site.model import Name, Site


@dataclass(frozen=True, slots=True)
class Turn:
    """One shift on one day. `day`: the local date on which it begins; `start` to before `end`: µs UTC."""

    day: date
    name: Name
    start: int
    end: int


NO_SHIFT = Name("全天", "all day")
"""What stands for the shift where the site names none, or none at that hour."""


def turn_at(site: Site, at: int) -> Turn:
    """The shift of an instant (µs UTC); outside of all shifts the whole local day."""
    zone = ZoneInfo(site.time_zone)
    local = datetime.fromtimestamp(at / 1e6, UTC).astimezone(zone)
    for shift in site.shifts:
        for day in (local.date(), local.date() - timedelta(days=1)):
            begin, end = time.fromisoformat(shift.start), time.fromisoformat(shift.end)
            start = _instant(day, begin, zone)
            finish = _instant(day + timedelta(days=end <= begin), end, zone)
            if start <= at < finish:
                return Turn(day, shift.name, start, finish)
    today = local.date()
    return Turn(today, NO_SHIFT, _instant(today, time(), zone), _instant(today + timedelta(days=1), time(), zone))


def _instant(day: date, clock: time, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, clock, zone).timestamp() * 1e6)
