"""The register that a meter counts in, by local time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from simulators.design.tariff import Scheme


class Clock:
    """`period(us)` and until when it holds; before the first scheme the first one holds."""

    def __init__(self, schemes: Sequence[Scheme], time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)
        self._schemes = [
            (scheme.effective_from, {month: season.hours() for season in scheme.seasons for month in season.months})
            for scheme in sorted(schemes, key=lambda scheme: scheme.effective_from)
        ]

    def period(self, us: int) -> tuple[int, int]:
        """(index in PERIODS, µs UTC of the next full local hour)."""
        local = datetime.fromtimestamp(us // 1_000_000, self.zone)
        hours = self._schemes[0][1]
        for since, known in self._schemes:
            if since <= local.date():
                hours = known
        after = local.replace(minute=0, second=0) + timedelta(hours=1)
        return hours[local.month][local.hour], round(after.timestamp() * 1e6)

    def month(self, us: int) -> tuple[int, int]:
        """(year, month) of local time."""
        local = datetime.fromtimestamp(us // 1_000_000, self.zone)
        return local.year, local.month
