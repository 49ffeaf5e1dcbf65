"""How much methane a working gives off: the source method of AQ 1018-2006 (domain facts 5.9, S-89).

Contents of gas W are m³ per tonne of coal, thicknesses m, emissions m³/t or m³/min as each says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


def face_seam(
    *, rock: float, loss: float, ribs: float, seam_m: float, cut_m: float, content: float, residual: float
) -> float:
    """q1, m³/t: the seam that is being won. `rock` K1 (roof control), `loss` K2 (1/recovery), `ribs` K3 (gas already
    drained by the headings), `seam_m`/`cut_m` thickness of seam and of cut, `content` W0 and `residual` Wc."""
    return rock * loss * ribs * seam_m / cut_m * (content - residual)


@dataclass(frozen=True, slots=True)
class Adjacent:
    """A seam near the one that is won: contents W0i and Wci (m³/t), thickness mi (m), share ηi that comes out."""

    content: float
    residual: float
    thickness_m: float
    released: float


def adjacent_seams(seams: Iterable[Adjacent], cut_m: float) -> float:
    """q2, m³/t of coal won: what adjacent seams give, for a cut of `cut_m`."""
    return sum((seam.content - seam.residual) * seam.thickness_m / cut_m * seam.released for seam in seams)


def rib_strength(volatile_percent: float, content: float) -> float:
    """q0, m³/(m²·min): the first emission of a fresh coal wall, from volatiles Vr (%) and content W0 (m³/t)."""
    return 0.026 * (0.0004 * volatile_percent**2 + 0.16) * content


def heading_ribs(perimeter_m: float, advance_m_per_min: float, strength: float, length_m: float) -> float:
    """q3, m³/min: the coal walls of a heading of `length_m`, exposed along `perimeter_m` (D) at
    `advance_m_per_min` (v).
    Nothing while it has no length or does not advance (the formula is of a steady advance)."""
    if advance_m_per_min <= 0.0 or length_m <= 0.0:
        return 0.0
    return perimeter_m * advance_m_per_min * strength * max(0.0, 2.0 * math.sqrt(length_m / advance_m_per_min) - 1.0)


def heading_coal(
    section_m2: float, advance_m_per_min: float, density_t_per_m3: float, content: float, residual: float
) -> float:
    """q4, m³/min: the coal that a heading knocks down."""
    return section_m2 * advance_m_per_min * density_t_per_m3 * (content - residual)


def face_emission(per_tonne: float, tonnes_per_day: float) -> float:
    """Absolute emission of a face, m³/min, from the relative one (m³/t)."""
    return per_tonne * tonnes_per_day / 1440.0
