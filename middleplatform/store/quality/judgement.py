"""The rules by which data is judged, out of `judgement.yaml`: as tables over the 256 quality codes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from models.quality import GOOD, UNCERTAIN

CAUSES = ("device", "link", "gateway", "clock", "configuration")
RULES = ("range", "rate", "frozen", "null")
"""Rules of validity that a code can say were broken."""
DIMENSIONS = ("completeness", "timeliness", "validity", "consistency")


@dataclass(frozen=True)
class Judgement:
    """`cause` and `breaks`: for each of the 256 codes the place in CAUSES or RULES, -1 for none."""

    cause: NDArray[np.int8]
    breaks: NDArray[np.int8]
    silence: int
    """The place in CAUSES of what silence is laid to."""
    timely_us: int
    compared_share: float
    weights: NDArray[np.float64]
    """By DIMENSIONS."""


@cache
def judgement() -> Judgement:
    """The rules of this release."""
    said: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("judgement.yaml").read_text("utf-8"))
    cause, breaks = np.full(256, -1, np.int8), np.full(256, -1, np.int8)
    for code in range(256):
        plain = code & 0xFC
        if plain >= GOOD:
            continue
        facts = said["codes"].get(plain, said["other"])
        cause[code] = CAUSES.index(facts["cause"])
        if "breaks" in facts:
            breaks[code] = RULES.index(facts["breaks"])
    weights = np.array([said["weights"][name] for name in DIMENSIONS])
    silence = CAUSES.index(said["silence"]["cause"])
    return Judgement(cause, breaks, silence, round(said["timely_s"] * 1e6), said["compared_share"], weights)


def is_uncertain(quality: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which codes are uncertain; the reserved ones (10…) are bad."""
    return (quality >= UNCERTAIN) & (quality < 128)
