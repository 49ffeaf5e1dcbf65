"""A mine on its simulated clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.site.model import Site
from simulators.design.mine import MineDesign
from simulators.engine.block import Block
from simulators.engine.engine import Engine
from simulators.plant.parts import build
from simulators.plant.wiring import Wiring


class Plant:
    """All that is simulated of a site. Deterministic: the same site, design, seed, start and `dt` (s a step)
    give the same mine. Raises ValueError when the design names what is not there."""

    def __init__(self, site: Site, design: MineDesign, *, seed: int, start_us: int, dt: float = 1.0) -> None:
        self.site, self.design = site, design
        self.parts = build(site, design, seed, start_us)
        self.engine = Engine(Wiring(self.parts, design).sequence, start_us=start_us, dt=dt)

    @property
    def now_us(self) -> int:
        """µs UTC of the last step."""
        return self.engine.now_us

    @property
    def columns(self) -> Mapping[str, int]:
        """Channel → column of a block."""
        return self.engine.columns

    def run(self, steps: int) -> Block:
        """Go on by so many steps."""
        return self.engine.run(steps)

    def warm_up(self, seconds: float) -> None:
        """Go on by so many seconds in steps of one, so that belts are up to speed and motors warm."""
        dt, self.engine.dt = self.engine.dt, 1.0
        while seconds > 0:
            self.engine.run(max(1, min(600, int(seconds))))
            seconds -= 600
        self.engine.dt = dt

    def command(self, equipment: str, key: str, value: float) -> None:
        """Between two runs: a device was told to set a point (the template's unit). Raises Refused."""
        self.engine.command(equipment, key, value)

    def disturb(self, equipment: str, kind: str, amount: float) -> None:
        """Between two runs: a fault begins, or ends with 0. Raises Refused."""
        self.engine.disturb(equipment, kind, amount)

    def disturbances(self) -> Mapping[str, Sequence[str]]:
        """Equipment → kinds of disturbance that it knows."""
        return self.engine.disturbances()

    def texts(self) -> Mapping[str, str]:
        """Text channels now."""
        return self.engine.texts()
