"""Water and power (domain facts §5.7): P = ρgQH/(3600·1000·η); pumps on a common main share its friction."""

from __future__ import annotations

import math

from simulators.design.drainage import DrainageDesign

MPA_PER_M = 9.81e-3


def shaft_kw(flow: float, head: float, efficiency: float) -> float:
    """Shaft power, kW, of a flow in m³/h lifted by a head in m."""
    return 1000.0 * 9.81 * flow * head / (3600.0 * 1000.0 * efficiency)


def flow_of(design: DrainageDesign, open_valves: float) -> float:
    """What each open pump gives, m³/h, when so many valves (a sum of openings) are open to the main:
    H0 − a·q² = Hs + r·(n·q)²."""
    lift = design.shut_off_head - design.static_head
    return math.sqrt(lift / (design.pump_drop + design.main_drop * open_valves * open_valves))
