"""The gateway's report by exception over many polls at once.

`gateway.exception` judges one poll after the other, for a live gateway has no more than that. With all polls of a
block at hand the same rule takes a few vector operations a poll, and none for points that stand still.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gateway.exception import ExceptionReport
from gateway.points import PointTable


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Polls:
    """Of each of some points in one block: its first poll's instant, µs, and how many there are."""

    begin: NDArray[np.int64]
    count: NDArray[np.int64]
    period: int

    @property
    def most(self) -> int:
        return int(self.count.max(initial=0))

    def of(self, rows: NDArray[np.intp]) -> Polls:
        """Those of some of the points."""
        return Polls(self.begin[rows], self.count[rows], self.period)

    def later(self, polls: int) -> Polls:
        """Those after the first so many."""
        return Polls(self.begin + self.period * polls, self.count - polls, self.period)


Kept = tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]
"""Rows, times, values, qualities, one a sample."""


class Report:
    """Of points of one period. The samples' times alone count for the longest silence: there is no second clock
    here that could part from them."""

    def __init__(self, table: PointTable) -> None:
        self._table = table
        self._last = ExceptionReport(table)

    def _due(self, rows: NDArray[np.intp], polls: Polls) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each row's poll at which its longest silence is over, and after how many more it is over again."""
        silence = self._table.silence_us[rows]
        due = -((polls.begin - self._last.ts[rows] - silence) // polls.period)
        return np.maximum(0, due), -(-silence // polls.period)

    def standing(
        self, rows: NDArray[np.intp], value: NDArray[np.float64], quality: NDArray[np.uint8], polls: Polls
    ) -> Kept:
        """Of points that say the same at every poll, [rows]: told at first if it is news, and then whenever the
        longest silence is over. That follows without a look at each poll."""
        last, period = self._last, polls.period
        due, every = self._due(rows, polls)
        first = np.where(last.same(rows, value, quality), due, 0)
        count = np.maximum(0, (polls.count - 1 - first) // every + 1)
        which = np.repeat(np.arange(len(rows)), count)
        turn = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        when = polls.begin[which] + period * (first[which] + turn * every[which])
        told = count > 0
        ours = rows[told]
        last.value[ours], last.quality[ours] = value[told], quality[told]
        last.ts[ours] = (polls.begin + period * (first + (count - 1) * every))[told]
        return rows[which], when, value[which], quality[which]

    def moving(
        self, rows: NDArray[np.intp], value: NDArray[np.float64], quality: NDArray[np.uint8], polls: Polls
    ) -> Kept:
        """Of other points, [polls, rows]; none infinite.

        A change of the quality, or to or from no value, is always told. So what was last told differs in these from
        a sample exactly if the sample before it does, which shows of all polls at once; left for each poll are the
        dead-band and the silence."""
        last, band = self._last, self._table.dead_band[rows]
        empty, told = np.isnan(value), last.value[rows]
        keep = np.empty(value.shape, np.bool_)
        keep[0] = (quality[0] != last.quality[rows]) | (empty[0] != np.isnan(told))
        np.not_equal(quality[1:], quality[:-1], out=keep[1:])
        keep[1:] |= empty[1:] != empty[:-1]
        due, every = self._due(rows, polls)
        whole = int(polls.count.min())
        away, silent = np.empty(len(rows)), np.empty(len(rows), np.bool_)
        with np.errstate(invalid="ignore"):
            for at, now in enumerate(value):
                news = keep[at]
                np.subtract(now, told, out=away)
                np.abs(away, out=away)
                news |= away > band
                np.less_equal(due, at, out=silent)
                news |= silent
                if at >= whole:
                    news &= polls.count > at
                np.copyto(told, now, where=news)
                np.copyto(due, every + at, where=news)
        at_poll, which = np.nonzero(keep)
        some = keep.any(axis=0)
        newest = len(keep) - 1 - np.argmax(keep[::-1, some], axis=0)
        ours = rows[some]
        last.value[ours], last.quality[ours] = told[some], quality[newest, some]
        last.ts[ours] = polls.begin[some] + polls.period * newest
        when = polls.begin[which] + polls.period * at_poll
        return rows[which], when, value[at_poll, which], quality[at_poll, which]
