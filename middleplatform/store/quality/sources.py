"""Which connection and poll group each point is read by: what is counted of these speaks for their points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from middleplatform.store.catalogue import Catalogue


class Sources:
    """Of one catalogue: `points` ascending; `connection` and `poll` are places in `connections` (names) and `polls`
    (names of connection and group) for each point."""

    def __init__(self, catalogue: Catalogue) -> None:
        points = sorted(catalogue.site.points, key=lambda point: point.id)
        self.points: NDArray[np.uint64] = np.array([point.id for point in points], np.uint64)
        self.connections = sorted({point.connection for point in points})
        self.polls = sorted({(point.connection, point.group) for point in points})
        of_connection = {name: place for place, name in enumerate(self.connections)}
        of_poll = {name: place for place, name in enumerate(self.polls)}
        self.connection = np.array([of_connection[point.connection] for point in points], np.int64)
        self.poll = np.array([of_poll[point.connection, point.group] for point in points], np.int64)

    def among(self, points: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """The place of each of `points`, and whether it is there at all."""
        if not len(self.points):
            return np.zeros(len(points), np.intp), np.zeros(len(points), bool)
        place = np.minimum(np.searchsorted(self.points, points), len(self.points) - 1)
        return place, self.points[place] == points
