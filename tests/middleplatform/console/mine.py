"""A whole mine in the browser: the middle one, whose values a test tells."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

import simulators
from models.identity import point_id
from models.samples import Samples
from models.site.model import Site
from sevenones.backfill.mine import site_of
from tests.middleplatform.api.build import now
from tests.middleplatform.api.stage import Stage

MIDDLE = Path(simulators.__file__).parent / "mines" / "middle"


@cache
def middle() -> Site:
    return site_of(MIDDLE, {})


def say(stage: Stage, values: dict[str, float], quality: int = 192, ago_s: float = 0.0) -> None:
    """equipment/point → its value now, as a gateway would tell it."""
    code = middle().code
    ids = np.array([point_id(f"{code}/{name}") for name in values], np.uint64)
    times = np.full(len(ids), now() - int(ago_s * 1e6), np.int64)
    samples = Samples(ids, times, np.array(list(values.values()), float), np.full(len(ids), quality, np.uint8), None)
    assert stage.app is not None
    table = stage.app.state.live
    stage.call(lambda: table.update(samples, now()))
