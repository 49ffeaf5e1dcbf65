"""Whether points that belong together agree: minute by minute, by their time-weighted means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from middleplatform.store.catalogue import Catalogue
from middleplatform.store.history import History
from middleplatform.store.quality.assessment import Asked
from middleplatform.store.quality.judgement import judgement
from middleplatform.store.rollup_tables import HOUR, MINUTE
from models.site.model import Relation

MOST_HOURS = 20_000
"""Relations times hours that are compared for one answer; of more nothing is said."""
_AT_ONCE = 24 * HOUR
"""µs that are compared at once."""


class Consistency:
    """Compares by the relations of the present catalogue."""

    def __init__(self, history: History, catalogue: Callable[[], Catalogue]) -> None:
        self._history, self._catalogue = history, catalogue

    def sums(self, asked: Asked) -> dict[str, NDArray[Any]]:
        """compared and agreed: minutes, of the relations that the points of each group take part in."""
        compared, agreed = (np.zeros((len(asked.groups), asked.windows), np.int64) for _ in range(2))
        relations = [each for each in self._catalogue().site.relations if np.isin(_ids(each), asked.points).any()]
        end = min(asked.end, asked.now)
        if len(relations) * (end - asked.start) <= MOST_HOURS * HOUR:
            for relation in relations:
                groups = np.unique(asked.group[np.isin(asked.points, _ids(relation))])
                for begin in range(asked.start, end, _AT_ONCE):
                    ts, agree = self._minutes(relation, begin, min(begin + _AT_ONCE, end))
                    window = asked.window(ts)
                    compared[groups] += np.bincount(window, minlength=asked.windows)
                    agreed[groups] += np.bincount(window[agree], minlength=asked.windows)
        return {"compared": compared.ravel(), "agreed": agreed.ravel()}

    def _minutes(self, relation: Relation, start: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The minutes in which enough is known of every point, and whether they agree in each."""
        ids = np.sort(_ids(relation))
        buckets = self._history.buckets(ids.tolist(), start, end, MINUTE)
        count = -(-(end - start) // MINUTE)
        mean = np.full((len(ids), count), np.nan)
        good_us = buckets.column("good_us").to_numpy()
        known = good_us >= judgement().compared_share * MINUTE
        point = np.searchsorted(ids, buckets.column("point").to_numpy()[known])
        mean[point, (buckets.column("ts").to_numpy()[known] - start) // MINUTE] = buckets.column("mean").to_numpy()[
            known
        ]
        whole = ~np.isnan(mean).any(axis=0)
        ts = start + np.flatnonzero(whole) * MINUTE
        sides = [mean[np.searchsorted(ids, np.array(side, np.uint64))][:, whole] for side in relation.sides]
        return ts, _agree(relation, sides)


def _agree(relation: Relation, sides: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """One side: its points are the same. Two: their sums are."""
    values = sides[0] if len(sides) == 1 else np.array([side.sum(axis=0) for side in sides])
    apart = values.max(axis=0) - values.min(axis=0)
    allowed = np.maximum(relation.within, relation.share * np.abs(values).max(axis=0))
    agree: NDArray[np.bool_] = apart <= allowed
    return agree


def _ids(relation: Relation) -> NDArray[np.uint64]:
    return np.array([point for side in relation.sides for point in side], np.uint64)
