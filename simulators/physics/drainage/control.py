"""Who decides how many pumps run: the level, the hour's tariff, or somebody far away."""

from __future__ import annotations

from collections.abc import Sequence

from simulators.design.drainage import DrainageDesign
from simulators.design.tariff import PERIODS
from simulators.physics.drainage.pump import RUNNING, Pump
from simulators.physics.order import LOCAL, REMOTE

FLAT, VALLEY = PERIODS.index("flat"), PERIODS.index("valley")


class LevelControl:
    """`commanded`: in remote mode somebody has started or stopped a pump, and decides until the water stands
    at the lowest or the highest level."""

    def __init__(self, design: DrainageDesign) -> None:
        self.design = design
        self.commanded = False
        self._pumps = 0

    def decide(self, level: float, mode: int, period: int, pumps: Sequence[Pump]) -> None:
        """Pumps start one after the other, the least worn first."""
        design = self.design
        self.commanded = self.commanded and mode == REMOTE and design.low < level < design.high_high
        on = [pump for pump in pumps if pump.wanted]
        if self.commanded:
            self._pumps = len(on)
            return
        self._pumps = wanted = self._asked(level, design.valley_first and mode != LOCAL, period)
        if len(on) > wanted:
            max(on, key=lambda pump: pump.hours).wanted = False
        elif len(on) < wanted and all(pump.stage is RUNNING for pump in on):
            ready = [pump for pump in pumps if pump.ready]
            if ready:
                min(ready, key=lambda pump: pump.hours).wanted = True

    def _asked(self, level: float, saves: bool, period: int) -> int:
        """How many pumps the level asks for at this hour; what runs goes on until the lowest level."""
        design = self.design
        if level <= design.low:
            return 0
        if level >= design.high_high:
            return 2 + (level > design.high_high + 0.4)
        if saves and period not in (FLAT, VALLEY):
            return self._pumps if level >= design.high else 0
        begins = design.start_level if saves and period == VALLEY else design.high
        return max(self._pumps, 1) if level >= begins else self._pumps
