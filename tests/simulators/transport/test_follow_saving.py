"""A belt whose speed follows its coal carries the same coal for less electricity (domain facts 5.1, S-74)."""

from __future__ import annotations

import numpy as np

from simulators.design.transport import BeltsDesign
from simulators.physics.belts import Belts

HOURS = 2


def carried(*, follows: bool) -> tuple[float, float]:
    """kWh and tonnes of the second of two belts over a shift's coal: a web of 900 t/h, then a pause, on and on."""
    design = BeltsDesign.model_validate(
        {
            "belts": {
                "outby": {"length_m": 760, "lift_m": 60, "capacity_t_per_h": 1600, "follow_flow": follows},
                "inby": {"onto": "outby", "length_m": 1600, "lift_m": 12, "capacity_t_per_h": 1600,
                         "follow_flow": follows},
            }
        }
    )  # fmt: skip
    part = Belts(design, np.random.default_rng(1))
    part.run = True
    rows = np.zeros((60, len(part.channels)))
    at = {name: column for column, name in enumerate(part.channels)}
    before = after = rows[0]
    for minute in range(HOURS * 60 + 20):
        web = minute >= 10 and minute % 40 < 28 and minute < HOURS * 60
        for second in range(60):
            part.feed[1] = 900.0 if web else 0.0
            part.step(1.0, rows[second])
        part.observe(1.0, rows)
        after = rows[-1].copy()
        if minute == 9:
            before = after
    kwh, tonnes = (after - before)[[at["inby!kwh"], at["inby!tonnes"]]]
    return float(kwh), float(tonnes)


def test_following_the_coal_saves_and_loses_none_of_it():
    fixed_kwh, fixed_t = carried(follows=False)
    kwh, tonnes = carried(follows=True)
    assert abs(tonnes - fixed_t) < 0.01 * fixed_t and tonnes > 700
    assert 0.05 < 1.0 - (kwh / tonnes) / (fixed_kwh / fixed_t) < 0.6
