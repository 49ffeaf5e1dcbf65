"""Personnel positioning: the section `people`.

    people:
      entrance: station_01
      stations:
        station_01: {}
        station_02: {}
        station_06: {place: face_1}
        station_08: {place: heading_1, quota: 20}
        station_04: {place: substation_1, produce: 0, maintain: 0, idle: 0}

`place` is a working place of the crew or a chamber; a station without one sees who passes by.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulators.design.strict import Id, Strict

Head = Annotated[int, Field(ge=0, le=500)]


class StationDesign(Strict):
    """How many are there while the place produces, is maintained, and is idle."""

    place: Id | None = None
    produce: Head = 9
    maintain: Head = 16
    idle: Head = 1
    quota: Annotated[int, Field(ge=1, le=5000)] = 25


class PeopleDesign(Strict):
    """`entrance`: the station by which all go in and out."""

    entrance: Id = "station_01"
    stations: dict[Id, StationDesign] = Field(default_factory=lambda: {"station_01": StationDesign()}, max_length=100)
    walkers: Head = 6
    """Who is on the way through the roads at any time: they are seen by the stations without a place."""
    spare_cards: Annotated[int, Field(ge=0, le=20)] = 1
    """Cards of vehicles, seen at the entrance."""

    @model_validator(mode="after")
    def _known(self) -> PeopleDesign:
        if self.entrance not in self.stations:
            raise ValueError(f"entrance: 没有分站 '{self.entrance}' · there is no such station")
        if self.stations[self.entrance].place is not None:
            raise ValueError("entrance: 入口分站不属于工作地点 · the entrance is no working place")
        return self
