"""Shares and a score out of sums."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from middleplatform.store.quality.judgement import DIMENSIONS, judgement

Share = NDArray[np.float64]


def shares(sums: Mapping[str, NDArray[Any]]) -> dict[str, Share]:
    """The dimensions and `uniqueness`, each from 0 to 1 or NaN where nothing is known, and the `score` of 0 to 100.

    completeness: the share of the time in which something was known, or of the polls that were answered where that
    is worse; timeliness: of the samples that came in time; validity: of the known time in which it was good;
    consistency: of the compared minutes in which the two sides agreed; uniqueness: of the samples that came, those
    that came once.
    """
    known = sums["good_us"] + sums["uncertain_us"] + sums["bad_us"]
    found = {
        "completeness": np.fmin(_share(known, sums["expected_us"]), _share(sums["answered"], sums["due"])),
        "timeliness": _share(sums["timely"], sums["arrived"]),
        "validity": _share(sums["good_us"], known),
        "consistency": _share(sums["agreed"], sums["compared"]),
    }
    parts = np.array([found[name] for name in DIMENSIONS])
    weights = judgement().weights[:, None] * ~np.isnan(parts)
    total = weights.sum(axis=0)
    # Without any sign of life there is nothing else to weigh, and the score says so.
    weighed = np.nansum(parts * weights, axis=0)
    score = np.divide(100 * weighed, total, out=np.full(len(total), np.nan), where=total > 0)
    return {**found, "uniqueness": _share(sums["distinct"], sums["arrived"]), "score": score}


def _share(part: NDArray[Any], whole: NDArray[Any]) -> Share:
    share = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return np.clip(share, 0.0, 1.0)
