"""What each sensor alarms and cuts off at, as the mine itself has set it: the section `thresholds`.

    thresholds:
      - {sensor: ch4_face_t1, point: ch4, alarm: 1.0, cut: 1.5, restore: 1.0}
      - {sensor: wind_return, point: speed, side: below, alarm: 0.25, delay_s: 10}
      - {sensor: smoke_belt_101, point: smoke, alarm: 1, cut: 1}

A list of its own, apart from the limits that the platform judges with, so that a wrong limit there is found.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulators.design.strict import Id, Strict

Level = Annotated[float, Field(ge=-1e9, le=1e9)]


class Threshold(Strict):
    """Of one point of one sensor, in the point's unit. `side`: on which side of `alarm` and `cut` it is bad; at
    the value itself it already is. `restore`: where the alarm ends, `cut_restore`: where power may come back
    (both only beyond it, not at it); by default the level itself, and for the cut-off `restore` if that is
    given. `delay_s`: how long it must last before it counts. `state`: the key of the sensor's own state word."""

    sensor: Id
    point: Id
    side: Literal["above", "below"] = "above"
    alarm: Level | None = None
    restore: Level | None = None
    cut: Level | None = None
    cut_restore: Level | None = None
    delay_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    state: Id | None = "state"

    @model_validator(mode="after")
    def _possible(self) -> Threshold:
        if self.alarm is None and self.cut is None:
            raise ValueError("给出 alarm 或 cut · give alarm, cut or both")
        for name, level, back in (
            ("restore", self.alarm, self.restore),
            ("cut_restore", self.cut, self.cut_restore),
        ):
            if level is None or back is None:
                continue
            if (back > level) if self.side == "above" else (back < level):
                raise ValueError(
                    f"{name} {back:g} 在 {level:g} 的错误一侧 · is on the wrong side of {level:g}: it would never hold"
                )
        return self
