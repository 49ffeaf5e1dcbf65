"""A set speed that follows the coal (S-74): a belt that is half full at full speed pays for its own weight."""

from __future__ import annotations

from simulators.design.transport import BeltDesign

FULL = 0.85
"""Share of the capacity at which the belt has its full speed."""
STEP_M_PER_S = 0.1
HOLD_S = 60.0
"""How long less coal must last before the belt slows down."""


class Follow:
    """Looks at the coal on the belts that feed this one, so that it is up to speed when that arrives."""

    def __init__(self, design: BeltDesign) -> None:
        self._rated = design.speed_m_per_s
        self._least = design.least_speed_share
        self._full = FULL * design.capacity_t_per_h
        self._lower_for = 0.0

    def step(self, dt: float, goal: float, coming: float) -> float:
        """The set speed, m/s, for `coming` t/h."""
        share = min(1.0, max(self._least, coming / self._full))
        wanted = min(self._rated, -(-share * self._rated // STEP_M_PER_S) * STEP_M_PER_S)
        if wanted >= goal:
            self._lower_for = 0.0
            return wanted
        self._lower_for += dt
        if self._lower_for < HOLD_S:
            return goal
        self._lower_for = 0.0
        return wanted
