"""Which units' figures a caller may see: those all of whose equipment is in sight, with all its points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from middleplatform.api.catalogue import Catalogue


def in_sight(whole: Catalogue, seen: Catalogue, unit: str, equipment: Sequence[str]) -> bool:
    """Whether figures of a unit may be seen, which is made of this equipment (ids). `seen`: the caller's view."""
    if seen.scope.everything:
        return True
    if unit in whole.site.chambers and unit not in equipment and unit not in seen.site.chambers:
        return False
    if not equipment:
        return unit in seen.site.chambers
    return all(
        name in seen.site.equipment and np.array_equal(whole.equipment([name]), seen.equipment([name]))
        for name in equipment
    )
