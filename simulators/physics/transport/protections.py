"""The eight protections of a belt with their criteria (S-77, S-78), and what of nature and people sets them off."""

from __future__ import annotations

from simulators.design.transport import BeltDesign, ProtectionsDesign
from simulators.physics.transport.drive import Drive

NAMES = ("slip", "pile_up", "deviation", "smoke", "over_temperature", "tear", "pull_cord", "tension_fault")
"""By the number that a fault code has in its thousands, from 1."""
WORDS = ("打滑", "堆煤", "跑偏", "烟雾", "超温", "撕裂", "急停", "张力异常")
SLIP, PILE_UP, DEVIATION, SMOKE, OVER_TEMPERATURE, TEAR, PULL_CORD, TENSION = range(8)

DISTURBANCES = {
    "slip": "share of the drum's grip that is lost (wet drum); 1 slips for certain",
    "pile_up": "share of the head's chute that is blocked",
    "deviation": "how far the belt's edge is beyond the roller, mm",
    "smoke": "optical density at the drive, %obs/m",
    "hot_drum": "what a failing bearing adds to the drum's temperature, °C",
    "tear": "share of the coal that falls through onto the tray",
    "pull_cord": "number of the place (1 to 999) where somebody has pulled; 0 puts the switch back on the spot",
    "tension_loss": "share of the take-up's tension that is lost",
}
MOST = {"deviation": 500.0, "smoke": 100.0, "hot_drum": 200.0, "pull_cord": 999.0}
"""Largest amount; 1 where nothing is said."""
FINES_KG_PER_M = 0.5
"""What clings to an empty belt, and falls through a tear of it too."""
SMOULDERS_C = 90.0
"""Rubber begins to smoke."""


class Protections:
    """One belt's. `shown`: which alarm; `stops`: which causes of a stop stand now; `latch`: number (from 1) of
    the protection that has stopped the belt and holds it until it is reset, or 0."""

    def __init__(self, design: BeltDesign, drive: Drive) -> None:
        self._design: ProtectionsDesign = design.protections
        self._drive = drive
        self.amounts = dict.fromkeys(DISTURBANCES, 0.0)
        self.shown = [False] * 8
        self.stops = [False] * 8
        self.latch = 0
        self.place = 0
        self.spray = False
        self.tray = self.pile = 0.0
        """kg on the tray under a tear; kg that wait in the head's chute."""
        self._fines = 0.0
        """What the tray has of fines, which are in no balance, kg."""
        self.awake = False
        """Whether there is anything to look at."""
        self._held = [0.0] * 8

    @property
    def fault_code(self) -> int:
        """1000 × the protection's number + the place (of a pull cord)."""
        return 1000 * self.latch + self.place

    def disturb(self, kind: str, amount: float) -> None:
        """`kind` and its unit: `DISTURBANCES`."""
        self.amounts[kind] = amount
        drive = self._drive
        drive.lose(self.amounts["slip"], self.amounts["tension_loss"])
        drive.heat_c = self.amounts["hot_drum"]
        self.awake = True

    def step(self, dt: float, *, steady: bool, torn: float) -> None:
        """`steady`: running, neither starting nor stopping; `torn`: kg of coal that came to the tear."""
        design, drive, amounts = self._design, self._drive, self.amounts
        moving = drive.drum > 0.0
        ratio = drive.speed / drive.drum if drive.drum > 0.0 else 1.0
        self.tray += torn
        self._fines += amounts["tear"] * FINES_KG_PER_M * drive.speed * dt
        smoke = amounts["smoke"] + 0.25 * max(0.0, drive.drum_c - SMOULDERS_C)
        tension = drive.tension / drive.rated_tension
        edge = amounts["deviation"] if moving else 0.0
        hot = drive.drum_c >= (design.drum_restore_c if self.shown[OVER_TEMPERATURE] else design.drum_c)
        too_fast = drive.speed >= design.over_speed_ratio * drive.design.speed_m_per_s
        stops = [
            (self._lasts(SLIP, steady and ratio <= design.slow_ratio, design.slow_s, dt))
            or (steady and ratio <= design.very_slow_ratio)
            or too_fast,
            self._lasts(PILE_UP, self.pile > design.pile_kg, design.pile_s, dt),
            self._lasts(DEVIATION, edge > design.edge_alarm_mm, design.edge_s, dt) or edge >= design.edge_stop_mm,
            self._lasts(SMOKE, smoke >= design.smoke_obs_per_m, design.smoke_s, dt),
            hot and design.drum_stops,
            self.tray + self._fines > design.tray_kg,
            amounts["pull_cord"] > 0.0,
            self._lasts(TENSION, steady and not _within(tension, design.tension_stop), design.tension_s, dt),
        ]
        self.stops = stops
        shown = stops.copy()
        shown[DEVIATION] = edge > design.edge_alarm_mm
        shown[OVER_TEMPERATURE] = hot
        shown[TENSION] = stops[TENSION] or (steady and not _within(tension, design.tension_alarm))
        if self.latch:
            shown[self.latch - 1] = True
        elif True in stops:
            self.latch = stops.index(True) + 1
            self.place = int(amounts["pull_cord"]) if self.latch - 1 == PULL_CORD else 0
        self.shown = shown
        self.spray = shown[SMOKE] or hot
        disturbed = any(shown) or any(amounts.values()) or self.pile > 0.0
        self.awake = disturbed or drive.sliding or drive.drum_c > design.drum_c - 5.0

    def standing(self) -> str:
        """The words for what would stop the belt again at once, or nothing."""
        stops = self.stops.copy()
        # Whoever resets a mended tear has looked at its tray and emptied it.
        stops[TEAR] = self.amounts["tear"] > 0.0
        return "、".join(word for word, stands in zip(WORDS, stops, strict=True) if stands)

    def reset(self) -> float:
        """Take the latch back; returns the coal that the crew shovels from the tray back to the tail, kg."""
        shovelled, self.tray, self._fines = self.tray, 0.0, 0.0
        self.latch = self.place = 0
        self._held = [0.0] * 8
        self.awake = True
        return shovelled

    def _lasts(self, number: int, condition: bool, needed: float, dt: float) -> bool:
        self._held[number] = held = self._held[number] + dt if condition else 0.0
        return condition and held >= needed


def _within(value: float, band: tuple[float, float]) -> bool:
    return band[0] <= value <= band[1]
