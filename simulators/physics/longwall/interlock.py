"""The interlock of the three machines: started against the flow of coal, belt → crusher → loader → AFC → shearer, and
stopped with it. What has no way on for its coal stops at once, and with it all that feeds it (domain facts §5.4)."""

from __future__ import annotations

from simulators.physics.longwall.conveyors import Conveyor, Crusher

WARNING_S = 10.0
"""The warning before the first start."""
GAP_S = 5.0
"""From one running confirmed to the next start."""
CLEARED_S = 20.0
LONGEST_S = 900.0
"""So long are conveyors run empty at most."""


class Interlock:
    """Sets what crusher, loader and AFC want; `shearer` tells whether the shearer may run."""

    def __init__(self, crusher: Crusher, loader: Conveyor, afc: Conveyor) -> None:
        self.crusher, self.loader, self.afc = crusher, loader, afc
        self.shearer = False
        self._warned = self._after_crusher = self._after_loader = self._after_afc = 0.0
        self._afc_cleared = self._loader_cleared = 0.0
        self._clearing = 0.0

    def step(self, dt: float, wanted: bool, locked: bool, transport: bool) -> None:
        """`wanted`: coal is to be won; `locked`: the AFC is locked out (somebody works at the drums); `transport`: all
        belts to the surface run."""
        crusher, loader, afc = self.crusher, self.loader, self.afc
        loading, carrying, crushing = loader.running, afc.running, crusher.running
        self._warned = self._warned + dt if wanted else 0.0
        self._clearing = 0.0 if wanted else self._clearing + dt
        winds_up = self._clearing < LONGEST_S
        self._after_crusher = self._after_crusher + dt if crushing else 0.0
        self._after_loader = self._after_loader + dt if loading else 0.0
        self._after_afc = self._after_afc + dt if carrying else 0.0
        self._afc_cleared = 0.0 if afc.loaded else self._afc_cleared + dt
        self._loader_cleared = 0.0 if loader.loaded or afc.want else self._loader_cleared + dt
        begins = wanted and self._warned >= WARNING_S
        crusher.want = not crusher.control.held and (
            begins or (crusher.want and (loader.want or loader.on) and winds_up)
        )
        may_load = transport and crushing and not loader.control.held
        empties = loader.want and self._loader_cleared < CLEARED_S and winds_up
        loader.want = may_load and (empties or (begins and self._after_crusher >= GAP_S))
        may_carry = loading and loader.want and not afc.control.held
        empties = afc.want and self._afc_cleared < CLEARED_S and winds_up
        begins = begins and not locked and self._after_loader >= GAP_S
        afc.want = may_carry and (empties or begins)
        self.shearer = wanted and afc.want and carrying and (afc.control.tripped is False) and self._after_afc >= GAP_S
