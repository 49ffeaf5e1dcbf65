"""Who works where and when, and how much of it intelligently: the sections `utilisation` and `crew`.

    utilisation: {face: 0.55, roadheader: 0.5, bolting: 0.45, chamber: 0.7, belt: 0.65}
    crew:
      maintenance_shift: 1
      places:
        face_1: {category: face}
        heading_1: {category: roadheader}
        bolter_1: {category: bolting, follows: heading_1}
        heading_2: {category: roadheader, maintenance_shift: 2}
        bolter_2: {category: bolting, follows: heading_2}
        belts: {category: belt}
        pump_room_1: {category: chamber}
        substation_1: {category: chamber}

Shares are of producing time, as domain facts §3.3 define it for each category.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulators.design.strict import Id, Share, Strict, rising

Category = Literal["face", "roadheader", "bolting", "chamber", "belt"]
Minutes = Annotated[float, Field(ge=0, le=240)]
ShiftIndex = Annotated[int, Field(ge=0, le=5)]


class Utilisation(Strict):
    """The intelligent share of producing time that the mine lives by, for each category."""

    face: Share = 0.55
    roadheader: Share = 0.55
    bolting: Share = 0.55
    chamber: Share = 0.55
    belt: Share = 0.55


class Place(Strict):
    """One working place. `follows`: the place whose times it keeps (a bolting rig, its heading).
    `maintenance_shift`: as in `Crew`, for this place alone; -1 is none."""

    category: Category
    follows: Id | None = None
    maintenance_shift: Annotated[int, Field(ge=-1, le=5)] | None = None


class CrewDesign(Strict):
    """Shifts are the site's; `maintenance_shift` is the index among them of the one without coal (检修班)."""

    maintenance_shift: ShiftIndex = 1
    rest_weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = ()
    """Days without coal, Monday is 0."""
    holidays: tuple[date, ...] = ()
    start_delay_min: tuple[Minutes, Minutes] = (25.0, 50.0)
    """From the shift's start until the place is taken over, min."""
    end_early_min: tuple[Minutes, Minutes] = (10.0, 25.0)
    """From the last work to the shift's end, min."""
    session_min: tuple[Annotated[float, Field(ge=1, le=240)], Annotated[float, Field(ge=1, le=240)]] = (10.0, 40.0)
    """How long one way of working is kept, min of producing time."""
    belt_lead_min: Minutes = 8.0
    """Belts run so long before the first and after the last coal."""
    automatic: Share = 0.6
    """The part of intelligent sessions that is automatic; the rest is remote control."""
    places: dict[Id, Place] = Field(default_factory=dict, max_length=60)

    @model_validator(mode="after")
    def _consistent(self) -> CrewDesign:
        rising(*self.start_delay_min, "start_delay_min")
        rising(*self.end_early_min, "end_early_min")
        rising(*self.session_min, "session_min")
        for name, place in self.places.items():
            leader = self.places.get(place.follows) if place.follows else None
            if place.follows and (leader is None or leader.follows or leader.category in ("belt", "chamber")):
                raise ValueError(f"places.{name}.follows: '{place.follows}' 不是可跟随的地点 · is no place to follow")
        return self
