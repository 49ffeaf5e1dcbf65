"""Heading faces: the section `headings`.

    headings:
      heading_1: {roadheader: roadheader_1, rig: bolter_1}
      heading_2: {roadheader: roadheader_2, rig: bolter_2, section: 18}

Defaults are of the EBZ200 class and of the bolting cycle in domain facts §5.5 and §5.6: 8 to 20 m a day.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulators.design.strict import Id, NotNegative, Positive, Share, Strict, rising

Range = tuple[Positive, Positive]


class HeadingDesign(Strict):
    """One heading. Lengths in m, times in s, power in kW."""

    roadheader: Id
    rig: Id
    model: str = Field(default="EBZ200", max_length=40)
    section: Annotated[float, Field(ge=4, le=40)] = 16.0
    """m²; a machine of this class cuts up to 28."""
    density: Annotated[float, Field(ge=1.0, le=3.0)] = 1.55
    """Of what is cut, coal with the rock in it, t/m³."""
    rock_share: Share = 0.15
    row: Annotated[float, Field(ge=0.4, le=2.0)] = 0.9
    """Advance between two rows of bolts."""
    cut_t_per_h: Positive = 70.0
    """While it cuts, before the hardness of the place."""
    hardness: tuple[Annotated[float, Field(ge=0.3, le=3)], Annotated[float, Field(ge=0.3, le=3)]] = (0.8, 1.3)
    bolts: Annotated[int, Field(ge=1, le=40)] = 10
    """Holes a row, roof and ribs."""
    hole: Positive = 2.4
    drill_s: Range = (60.0, 180.0)
    stir_s: Range = (20.0, 30.0)
    wait_s: Range = (30.0, 60.0)
    tighten_s: Range = (10.0, 16.0)
    move_s: Range = (30.0, 60.0)
    torque: Range = (300.0, 400.0)
    """N·m at which a bolt is tight."""
    walk_s: Range = (90.0, 180.0)
    """The machine drives up or back."""
    load_s: Range = (60.0, 150.0)
    """From the last cut until all is loaded."""
    restart_s: Range = (60.0, 180.0)
    """From the return of power until work goes on."""
    cut_kw: Positive = 200.0
    pump_kw: Positive = 90.0
    loader_kw: NotNegative = 22.0
    rig_kw: Positive = 55.0
    volts: Annotated[float, Field(ge=380, le=3300)] = 1140.0
    person_every_h: Positive = 8.0
    """How seldom somebody comes too near the machine, h of its work."""

    @model_validator(mode="after")
    def _ranges_rise(self) -> HeadingDesign:
        for name in ("hardness", "drill_s", "stir_s", "wait_s", "tighten_s", "move_s", "torque", "walk_s", "load_s"):
            rising(*getattr(self, name), name)
        rising(*self.restart_s, "restart_s")
        return self


class HeadingsDesign(Strict):
    """By the heading's name."""

    headings: dict[Id, HeadingDesign] = Field(default_factory=dict, max_length=20)

    @model_validator(mode="after")
    def _machines_differ(self) -> HeadingsDesign:
        machines = [machine for one in self.headings.values() for machine in (one.roadheader, one.rig)]
        if len(set(machines)) < len(machines):
            raise ValueError("同一设备出现在两处 · a machine works in two headings")
        return self
