"""What a face and a heading give off, forecast from their seams by `emission` where a design says so."""

from __future__ import annotations

from simulators.design.air import FaceDesign, HeadingDesign
from simulators.physics.air import emission


def face_gas(face: FaceDesign) -> tuple[float, float, float]:
    """Of the ribs and of the goaf, m³/min, and with each tonne cut, m³/t."""
    gas = face.gas
    if gas is None:
        return face.rib_m3_per_min, face.goaf_m3_per_min, face.gas_m3_per_t
    seams = [emission.Adjacent(s.content, s.residual, s.thickness_m, s.released) for s in gas.adjacent]
    per_t = emission.adjacent_seams(seams, gas.cut_m) + emission.face_seam(
        rock=gas.rock,
        loss=gas.loss,
        ribs=gas.ribs_drained,
        seam_m=gas.seam_m,
        cut_m=gas.cut_m,
        content=gas.content,
        residual=gas.residual,
    )
    whole = emission.face_emission(per_t, gas.tonnes_per_day)
    return whole * gas.ribs, whole * gas.goaf, per_t * (1.0 - gas.ribs - gas.goaf)


def heading_gas(heading: HeadingDesign) -> tuple[float, float]:
    """Of the walls, m³/min, and with each tonne, m³/t."""
    gas = heading.gas
    if gas is None:
        return heading.rib_m3_per_min, heading.gas_m3_per_t
    strength = emission.rib_strength(gas.volatile_percent, gas.content)
    walls = emission.heading_ribs(gas.perimeter_m, gas.advance_m_per_day / 1440.0, strength, heading.length_m)
    return walls, gas.content - gas.residual
