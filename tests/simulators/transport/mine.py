"""The belts of the example in `simulators.design.transport`, and ways to drive them."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import yaml

from simulators.design import transport
from simulators.design.transport import BeltsDesign
from simulators.engine.block import Block
from simulators.engine.engine import Engine
from simulators.physics.belts import Belts

EXAMPLE = yaml.safe_load(re.search(r"    belts:\n(.|\n)+?\n\n", transport.__doc__)[0])["belts"]
FEED = np.array([0.0, 0.0, 0.0, 1200.0, 150.0, 150.0])
"""t/h from the face and the two headings."""
INBY = ("belt_101", "belt_102", "belt_103", "belt_104")
"""From the surface to the face."""


def design(**settings: object) -> BeltsDesign:
    """All six; `settings` of the line."""
    return BeltsDesign.model_validate({**EXAMPLE, **settings})


def one(**settings: object) -> BeltsDesign:
    """A single belt, belt_1."""
    return BeltsDesign.model_validate({"belts": {"belt_1": settings}, "crew_resets_after_s": None})


class Mine:
    """Coal falls on a belt while it is ready for it, as the longwall and the headings would have it."""

    def __init__(self, built: BeltsDesign | None = None, *, dt: float = 1.0, seed: int = 1) -> None:
        self.belts = Belts(built or design(), np.random.default_rng(seed))
        self.feed = np.zeros(len(self.belts.names))
        self.raised_t = 0.0
        self.engine = Engine([self.belts], self._wire, start_us=0, dt=dt)
        self.seconds = 0.0

    def _wire(self, dt: float) -> None:
        self.raised_t += self.belts.raised_t_per_h * dt / 3600.0
        self.belts.feed = np.where(self.belts.ready, self.feed, 0.0)
        self.seconds += dt

    def run(self, seconds: float) -> Block:
        """The block of so many seconds."""
        return self.engine.run(round(seconds / self.engine.dt))

    def until(self, condition: Callable[[], bool], every: float = 1.0, within: float = 3600.0) -> float:
        """Seconds until a condition holds, looked at `every` so many."""
        begin = self.seconds
        while not condition():
            assert self.seconds - begin < within, "it does not come about"
            self.run(every)
        return self.seconds - begin

    def running(self) -> Mine:
        """All belts run."""
        self.until(self.belts.ready.all, every=30.0)
        return self
