"""Which conditions of linkages hold: columns over the points that they look at, no clock, no sockets.

Points stand in parts (one a connection, one for what other gateways read), and each part's points and comparisons are
neighbours, so that a poll costs a few operations on short slices. A sample that is older than `oldest_s` says nothing;
a point without one is lost after its rule's time. What trips may be uncertain, what lets restore must be good. While a
sensor's own state says that it is being calibrated (标校), its values count for nothing: what had begun goes on,
nothing begins; a calibration that does not end is a loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.quality import GOOD, UNCERTAIN, Quality
from models.site.linkages import times
from models.site.model import Comparison, Linkage, OnLost

NEVER = 1 << 62
WAITING = int(Quality.BAD_WAITING)
CALIBRATION = 4
"""A bit of a sensor's own state (national exchange files, domain facts 1.4): 3, "cut and still live", has it not."""
Bools = NDArray[np.bool_]
Times = NDArray[np.int64]


class Of(StrEnum):
    """Which of a linkage's conditions."""

    WHEN = "when"
    THEN = "then"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Seen:
    """One comparison and the sample that it was last judged by. `ts`: µs UTC, 0 for none."""

    comparison: Comparison
    value: float
    quality: int
    ts: int
    met: bool
    lost: bool


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The points of one source: their places in the judge's columns, and those of their comparisons. `sensors`: which
    of its points have a state of their own, `states`: where in the judge's columns that stands."""

    points: slice
    comparisons: slice
    sensors: NDArray[np.intp]
    states: NDArray[np.intp]


class Judge:
    """`parts`: source → the paths read there that linkages may look at; `states`: sensor's value → its own state, by
    paths. Times are µs UTC."""

    def __init__(
        self,
        linkages: Sequence[Linkage],
        parts: Mapping[str, Sequence[str]],
        now: int,
        states: Mapping[str, str] | None = None,
    ) -> None:
        self.linkages = tuple(linkages)
        flat = [
            (number, of, comparison)
            for number, one in enumerate(linkages)
            for of, comparisons in _groups(one)
            for comparison in comparisons
        ]
        compared = {comparison.point for _, _, comparison in flat}
        of_state = {path: state for path, state in (states or {}).items() if path in compared}
        wanted = compared | set(of_state.values())
        slices: dict[str, tuple[slice, slice]] = {}
        paths: list[str] = []
        rows: list[tuple[int, int, Of, Comparison]] = []
        for source, there in parts.items():
            first, first_row = len(paths), len(rows)
            paths += [path for path in there if path in wanted]
            place = {path: first + n for n, path in enumerate(paths[first:])}
            rows += [(place[c.point], number, of, c) for number, of, c in flat if c.point in place]
            slices[source] = slice(first, len(paths)), slice(first_row, len(rows))
        # A point that nobody reads stands in no part: it is never seen, and so lost.
        nobody = sorted(wanted - set(paths))
        place = {path: len(paths) + n for n, path in enumerate(nobody)}
        rows += [(place[c.point], number, of, c) for number, of, c in flat if c.point in place]
        self.paths, self._read = (*paths, *nobody), len(paths)
        places = {path: place for place, path in enumerate(self.paths)}
        self.parts = {
            source: Part(
                points,
                comparisons,
                np.array([n for n, path in enumerate(self.paths[points]) if path in of_state], np.intp),
                np.array([places[of_state[path]] for path in self.paths[points] if path in of_state], np.intp),
            )
            for source, (points, comparisons) in slices.items()
        }
        self._build(rows, now)

    def _build(self, rows: Sequence[tuple[int, int, Of, Comparison]], now: int) -> None:
        n, m = len(self.paths), len(rows)
        self.value, self.quality = np.full(n, np.nan), np.full(n, int(Quality.BAD_WAITING), np.uint8)
        self.ts, self.fresh = np.zeros(n, np.int64), np.zeros(n, np.bool_)
        self._calibrated = np.zeros(n, np.bool_)
        self._calibration = int(times()["calibrating_s"] * 1e6)
        self._oldest = int(times()["oldest_s"] * 1e6)
        self._starting = max(int((times()["starting_s"] - times()["lost_after_s"]) * 1e6), 0)
        self._lost_since = np.full(n, now + self._starting, np.int64)
        self.comparisons = tuple(comparison for _, _, _, comparison in rows)
        self._point = np.array([point for point, *_ in rows], np.intp)
        self._low = np.array([c.low for c in self.comparisons])
        self._high = np.array([c.high for c in self.comparisons])
        self._lasting = np.array([round(c.lasting_s * 1e6) for c in self.comparisons], np.int64)
        self._keys = [(self.linkages[number].id, kind, comparison) for _, number, kind, comparison in rows]
        of = [kind for _, _, kind, _ in rows]
        self._floor = np.array([GOOD if kind is Of.RESTORE else UNCERTAIN for kind in of], np.uint8)
        self._holds = np.array([kind is Of.WHEN for kind in of], np.bool_)
        rules = [self.linkages[number] for _, number, _, _ in rows]
        self._trips = np.array(
            [k is Of.WHEN and r.on_lost is OnLost.TRIP for k, r in zip(of, rules, strict=True)], np.bool_
        )
        self._lost_after = np.array([round(r.lost_after_s * 1e6) for r in rules], np.int64)
        self._met, self._since = np.zeros(m, np.bool_), np.zeros(m, np.int64)
        # Comparisons by linkage and kind, so that what holds of each is one reduction.
        keys = [(number, kind) for _, number, kind, _ in rows]
        groups = sorted(set(keys), key=lambda key: (key[0], str(key[1])))
        at = {key: place for place, key in enumerate(groups)}
        group = np.array([at[key] for key in keys], np.intp)
        self._order = np.argsort(group, kind="stable")
        self._starts = np.searchsorted(group[self._order], np.arange(len(groups)))
        self._every = np.array([_every(self.linkages[number], kind) for number, kind in groups], np.bool_)
        self._groups = at
        self._rows = {key: self._order[group[self._order] == place] for key, place in at.items()}
        self._whens = np.array([at[number, Of.WHEN] for number in range(len(self.linkages))], np.intp)

    def carry_on(self, before: Judge, now: int) -> None:
        """What the judge before this one knew goes on: samples, since when they are lost, and of every comparison that
        is still the same since when it is met, and that it is held. What nobody reads any more is lost from now on."""
        known = {path: place for place, path in enumerate(before.paths)}
        both = [(here, known[path]) for here, path in enumerate(self.paths) if path in known]
        if both:
            here, there = (np.array(places, np.intp) for places in zip(*both, strict=True))
            for name in ("value", "quality", "ts", "fresh", "_calibrated", "_lost_since"):
                getattr(self, name)[here] = getattr(before, name)[there]
        unread = slice(self._read, None)
        self._lost_since[unread][self.fresh[unread]] = now
        self.fresh[unread] = False
        same = {key: row for row, key in enumerate(before._keys)}
        rows = [(row, same[key]) for row, key in enumerate(self._keys) if key in same]
        if rows:
            here, there = (np.array(places, np.intp) for places in zip(*rows, strict=True))
            self._met[here], self._since[here] = before._met[there], before._since[there]

    def take(
        self,
        part: Part,
        value: NDArray[np.float64],
        quality: NDArray[np.uint8],
        ts: Times,
        now: int,
    ) -> bool:
        """The present samples of a part's points, in its order. Whether anything may follow from them."""
        points, rows = part.points, part.comparisons
        fresh = (quality >= UNCERTAIN) & (now - ts <= self._oldest)
        self.value[points], self.quality[points], self.ts[points] = value, quality, ts
        calibrated = self._states(part, now)
        fresh &= ~calibrated
        at = self._point[rows] - points.start
        compared = value[at]
        met = (compared >= self._low[rows]) & (compared <= self._high[rows])
        old = self._met[rows]
        usable = fresh[at] & (quality[at] >= self._floor[rows])
        met = np.where(usable, met, old & self._holds[rows])
        known, was = self.fresh[points], self._calibrated[points]
        if bool((met == old).all()) and bool((fresh == known).all()) and bool((calibrated == was).all()):
            return False
        self._since[rows][met & ~old] = now
        # Silence begins when it does, or when a calibration ends in it or has lasted for too long; a device whose
        # connection is new gets the time that it gets after a start.
        begins = ~fresh & (known | (was & ~calibrated))
        patience = np.where(calibrated, self._calibration, np.where(quality == WAITING, self._starting, 0))
        self._lost_since[points][begins] = now + patience[begins]
        self._calibrated[points] = calibrated
        self._met[rows] = met
        self.fresh[points] = fresh
        return True

    def _states(self, part: Part, now: int) -> Bools:
        """Which of a part's points are being calibrated, as their sensors say."""
        found = np.zeros(part.points.stop - part.points.start, np.bool_)
        if len(part.sensors):
            known = (self.quality[part.states] >= UNCERTAIN) & (now - self.ts[part.states] <= self._oldest)
            word = np.nan_to_num(np.where(known, self.value[part.states], 0.0)).astype(np.int64)
            found[part.sensors] = word & CALIBRATION != 0
        return found

    def standing(self, now: int) -> tuple[Bools, Bools]:
        """By linkage: whether its `when` holds, and whether a sensor of it is lost."""
        so, lost = self._so(now)
        if not len(so):
            none = np.zeros(len(self.linkages), np.bool_)
            return none, none
        ordered = lost[self._order] & self._holds[self._order]
        any_lost = np.logical_or.reduceat(ordered, self._starts)
        return so[self._whens], any_lost[self._whens]

    def holds(self, number: int, of: Of, now: int) -> bool:
        """Whether these conditions of a linkage hold; those that it does not have do not."""
        place = self._groups.get((number, of))
        return place is not None and bool(self._so(now)[0][place])

    def seen(self, number: int, of: Of, now: int) -> list[Seen]:
        """What these conditions were judged by."""
        _, lost = self._so(now)
        found = []
        for row in self._rows.get((number, of), ()):
            point = int(self._point[row])
            found.append(
                Seen(
                    self.comparisons[row],
                    float(self.value[point]),
                    int(self.quality[point]),
                    int(self.ts[point]),
                    bool(self._met[row]),
                    bool(lost[row]),
                )
            )
        return found

    def unknown(self, number: int, now: int) -> list[Seen]:
        """Of a linkage's `when`: what nobody knows now, if it might hold for all that is known."""
        rows = self._rows.get((number, Of.WHEN), np.zeros(0, np.intp))
        at = self._point[rows]
        known = self.fresh[at] & (now - self.ts[at] <= self._oldest)
        if known.all() or (self.linkages[number].when.every and not (self._met[rows] | ~known).all()):
            return []
        return [one for one, sure in zip(self.seen(number, Of.WHEN, now), known, strict=True) if not sure]

    def due(self, now: int) -> int | None:
        """When next something follows from time alone; None when nothing does."""
        waits = self._met & (now - self._since < self._lasting)
        silent = ~self.fresh[self._point]
        loses = silent & (now - self._lost_since[self._point] < self._lost_after)
        found = np.concatenate(
            [(self._since + self._lasting)[waits], (self._lost_since[self._point] + self._lost_after)[loses]]
        )
        return int(found.min()) if len(found) else None

    def clock_jumped(self, moved: int) -> None:
        """The wall clock was set by so much."""
        self._since += moved
        self._lost_since += moved

    def _so(self, now: int) -> tuple[Bools, Bools]:
        lost = ~self.fresh[self._point] & (now - self._lost_since[self._point] >= self._lost_after)
        force = (self._met & (now - self._since >= self._lasting)) | (lost & self._trips)
        if not len(force):
            return force, lost
        ordered = force[self._order]
        every = np.logical_and.reduceat(ordered, self._starts)
        some = np.logical_or.reduceat(ordered, self._starts)
        return np.where(self._every, every, some), lost


def _groups(one: Linkage) -> list[tuple[Of, tuple[Comparison, ...]]]:
    restore = () if one.restore is None else one.restore.when.comparisons
    return [(Of.WHEN, one.when.comparisons), (Of.THEN, one.then), (Of.RESTORE, restore)]


def _every(one: Linkage, of: Of) -> bool:
    if of is Of.WHEN:
        return one.when.every
    return of is Of.THEN or (one.restore is not None and one.restore.when.every)
