"""What is computed over the samples of a range: integral, state durations, quantiles, points on a grid.

All stand on one reading of history: a value holds until the next sample, at most for the hold age, is
seeded from before the range, and counts only while it is good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.store.answers import said
from middleplatform.store.asked import points, whole_number
from middleplatform.store.errors import StoreError
from middleplatform.store.flight import Handler
from middleplatform.store.grid import Grid
from middleplatform.store.held import Holding, Spans
from middleplatform.store.history import MAX_BUCKETS, MAX_POINTS, MAX_ROWS, MAX_WIDTH, History
from middleplatform.store.integrate import Rows
from middleplatform.store.quantiles import MILLION, Quantiles
from middleplatform.store.states import StateDurations
from middleplatform.store.stays import Stayed

MAX_SHARES = 20
"""Quantiles that one request may ask for."""


class _Gathers(Protocol):
    def add(self, spans: Spans) -> None: ...
    def result(self) -> pa.Table: ...


class Aggregates:
    """Aggregates of points over start ≤ t < end, µs, in buckets of `width` µs from `start` on; the last
    bucket ends at `end`. All raise StoreError for what cannot be."""

    def __init__(self, history: History, stayed: Stayed | None = None) -> None:
        """With `stayed`, states come from the stays where these hold what is asked; without, all from the samples."""
        self._history = history
        self._stayed = stayed

    def integral(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """point, ts, integral (unit · s), good_us: over good time only, of every bucket that has some. Nothing
        is made up for the rest: its length is the width less good_us."""
        buckets = self._history.buckets(points, start, end, width)
        good_us = buckets.column("good_us").to_numpy()
        known = good_us > 0
        integral = buckets.column("mean").to_numpy()[known] * (good_us[known] / 1e6)
        kept = buckets.select(["point", "ts", "good_us"]).filter(pa.array(known))
        return kept.add_column(2, "integral", pa.array(integral))

    def states(self, points: Sequence[int], start: int, end: int, width: int) -> pa.Table:
        """point, ts, state, duration_us, times: see `StateDurations.result`."""
        _check_width(width)
        stayed = self._stayed.spans if self._stayed is not None else None
        return self._gathered(
            points, start, end, width, MAX_BUCKETS, lambda p: StateDurations(p, start, end, width), stayed
        )

    def quantiles(self, points: Sequence[int], start: int, end: int, width: int, shares: Sequence[int]) -> pa.Table:
        """point, ts, good_us and a column for each share of a million: see `Quantiles.result`."""
        _check_width(width)
        if not 0 < len(shares) <= MAX_SHARES or len(set(shares)) < len(shares):
            raise StoreError(f"from 1 to {MAX_SHARES} different quantiles are given at once, got {len(shares)}")
        if not all(0 <= share <= MILLION for share in shares):
            raise StoreError("a quantile is from 0 to 1")
        return self._gathered(points, start, end, width, MAX_BUCKETS, lambda p: Quantiles(p, start, end, width, shares))

    def grid(self, points: Sequence[int], start: int, end: int, step: int) -> pa.Table:
        """point, ts, value, quality at start, start + step, …: see `Grid.result`."""
        _check_width(step)
        return self._gathered(points, start, end, step, MAX_ROWS, lambda p: Grid(p, start, end, step))

    def _gathered(
        self,
        points: Sequence[int],
        start: int,
        end: int,
        width: int,
        most: int,
        into: Callable[[Any], _Gathers],
        spans: Callable[[Any, Any, int, int], Iterator[Spans]] | None = None,
    ) -> pa.Table:
        named, age, rows = self._history.reading(points, start, end)
        count = -(-(end - start) // width) * len(named)
        if count > most:
            raise StoreError(f"{count} buckets or instants are asked for, at most {most} are given: take wider ones")
        gathers = into(named)
        for some in spans(named, age, start, end) if spans else _held(age, rows, start, end):
            gathers.add(some)
        return gathers.result()


def _held(age: NDArray[np.int64], rows: Iterator[Rows], start: int, end: int) -> Iterator[Spans]:
    holding = Holding(age, start, end)
    for chunk in rows:
        yield holding.add(chunk)
    yield holding.rest()


def handlers(aggregates: Aggregates, settle: Callable[[], bool]) -> dict[str, Handler]:
    """The aggregates as the door serves them; each covers all that had come off the bus when it was asked."""

    def served(aggregate: Callable[..., pa.Table], *more: Callable[[Mapping[str, Any]], Any]) -> Handler:
        def answer(asked: Mapping[str, Any]) -> pa.Table:
            named = points(asked, MAX_POINTS)
            start, end, width = (whole_number(asked, name) for name in ("start", "end", "width"))
            rest = [take(asked) for take in more]
            whole = settle()
            return said(aggregate(named, start, end, width, *rest), whole)

        return answer

    return {
        "integral": served(aggregates.integral),
        "states": served(aggregates.states),
        "quantiles": served(aggregates.quantiles, _shares),
        "grid": served(aggregates.grid),
    }


def _shares(asked: Mapping[str, Any]) -> list[int]:
    shares = asked.get("shares")
    if not isinstance(shares, list) or not all(type(share) is int for share in shares):
        raise StoreError("'shares' must be a list of whole numbers, parts of a million")
    return shares


def _check_width(width: int) -> None:
    if not 0 < width <= MAX_WIDTH:
        raise StoreError(f"a width must be from 1 to {MAX_WIDTH} µs, got {width}")
