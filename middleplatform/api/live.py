"""The current value of every point of the site, as columns, and which of them are stale.

A value never goes back in time: a sample older than the one held is ignored, unless what is held was
stamped by a clock that was ahead (`models.present`). What a person entered for the instant that is held takes
its place, and the gateway's word for that instant does not undo it. A point is stale without
a sample for twice its maximum silence, and as soon as its gateway has not been heard for 10 s, for then
nobody would have told of a change. A stale point's quality reads BAD_LAST_KNOWN whatever the sample
said; a point that never had one reads BAD_WAITING and has no value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from middleplatform.api.times import iso, now_us
from models.identity import MANUAL
from models.present import supersedes
from models.quality import Quality, label
from models.samples import Samples
from models.site.model import Site

NEVER = np.iinfo(np.int64).min
GATEWAY_SILENCE_US = 10_000_000
"""A gateway gives a sign of life every 2 s: five of them are missing."""

_WORDS = [{"zh": label(code, "zh"), "en": label(code, "en")} for code in range(256)]


class LiveTable:
    """Columns of length n in the site's order: `value` float64, `ts` int64 µs (NEVER: no sample yet),
    `held` uint8 (the sample's own quality), `shown` uint8 (what to present), `text` object (str or None),
    `manual` bool (a person entered or corrected it), `changed` int64: the revision at which the row last
    changed. Not thread-safe: one event loop owns it."""

    def __init__(self, site: Site, clock: Callable[[], int] = now_us) -> None:
        n = len(site.points)
        ids = site.ids()
        self._order = np.argsort(ids, kind="stable")
        self._sorted = ids[self._order]
        self._clock = clock
        self._most_age = np.array([2e6 * point.silence_s for point in site.points], np.float64).astype(np.int64)
        names = site.gateways()
        of_name = {name: index for index, name in enumerate(names)}
        of_connection = {name: of_name[found.gateway] for name, found in site.connections.items()}
        self._gateway = np.array([of_connection[point.connection] for point in site.points], np.intp)
        self._gateways = of_name
        of_source = {name: index for index, name in enumerate(dict.fromkeys(point.connection for point in site.points))}
        self._source = np.array([of_source[point.connection] for point in site.points], np.intp)
        self._beats = np.full(len(names), clock(), np.int64)
        self.value = np.full(n, np.nan)
        self.ts = np.full(n, NEVER, np.int64)
        self.points = site.points
        self.held = np.full(n, Quality.BAD_WAITING, np.uint8)
        self.shown = self.held.copy()
        self.text = np.full(n, None, object)
        self.manual = np.zeros(n, np.bool_)
        self.changed = np.zeros(n, np.int64)
        self.stale = np.zeros(n, np.bool_)
        self._heard = np.full(n, NEVER, np.int64)
        self.revision = 0
        self.unknown = 0
        """Samples of points that are not in the site."""
        self.foreign = 0
        """Samples of points that another gateway reads."""
        self.old = 0
        """Samples that came later than a newer one."""
        self.messages = 0
        self.malformed = 0
        self.heard: int | None = None
        """When the last batch came in, µs."""

    def __len__(self) -> int:
        return len(self.value)

    def update(self, samples: Samples, heard: int | None = None, gateway: str | None = None) -> None:
        """Take what is newer than what is held. `heard`: when it reached this process (None: now); `gateway`: who
        said it, whose own points alone are taken (None: anybody's; MANUAL: a person, of any)."""
        heard = self._clock() if heard is None else heard
        self.heard = heard
        self.messages += 1
        manual = np.full(len(samples), gateway == MANUAL)
        self._take(samples, np.full(len(samples), heard, np.int64), manual, None if gateway == MANUAL else gateway)

    def beat(self, gateway: str) -> None:
        """A sign of life of a gateway."""
        index = self._gateways.get(gateway)
        if index is not None:
            self._beats[index] = self._clock()

    def silent_s(self, now: int) -> dict[str, float]:
        """The gateways that are not heard, and for how many seconds."""
        ages = {name: now - int(self._beats[index]) for name, index in self._gateways.items()}
        return {name: age / 1e6 for name, age in ages.items() if age > GATEWAY_SILENCE_US}

    def rebuild(self, latest: pa.Table) -> None:
        """Take the store's newest samples (point, ts, value, quality, text, manual): they count as heard when they
        were taken, so that what is old there is stale here."""
        table = latest.combine_chunks()
        text = pa.concat_arrays(table["text"].chunks) if table["text"].num_chunks else None
        samples = Samples(
            table["point"].to_numpy(),
            table["ts"].to_numpy(),
            table["value"].to_numpy(),
            table["quality"].to_numpy(),
            text,
        )
        manual = table["manual"].to_numpy()
        self._take(samples, np.minimum(samples.ts, self._clock()), manual)

    def age_s(self, now: int | None = None) -> NDArray[np.float64]:
        """Seconds since each point's sample was taken, or heard when its clock is ahead of ours; NaN for none."""
        now = self._clock() if now is None else now
        seen = self.ts != NEVER
        since = np.where(seen, np.minimum(self.ts, self._heard), now)
        return np.where(seen, np.maximum(now - since, 0) / 1e6, np.nan)

    def refresh(self, now: int | None = None) -> None:
        """Let time pass: what became stale, or is not any more, changes its shown quality and its revision."""
        now = self._clock() if now is None else now
        seen = self.ts != NEVER
        since = np.where(seen, np.minimum(self.ts, self._heard), now)
        unheard = now - self._beats > GATEWAY_SILENCE_US
        self.stale = seen & ((now - since > self._most_age) | unheard[self._gateway])
        shown = np.where(self.stale, np.uint8(Quality.BAD_LAST_KNOWN), self.held)
        turned = shown != self.shown
        if turned.any():
            self.revision += 1
            self.shown = shown
            self.changed[turned] = self.revision

    def describe(self, rows: NDArray[np.intp], now: int) -> list[dict[str, Any]]:
        """The rows as JSON has them. Call `refresh(now)` before."""
        age = self.age_s(now)[rows].tolist()
        columns = zip(
            rows.tolist(),
            self.value[rows].tolist(),
            self.text[rows].tolist(),
            self.shown[rows].tolist(),
            self.ts[rows].tolist(),
            age,
            self.stale[rows].tolist(),
            self.manual[rows].tolist(),
            strict=True,
        )
        return [
            {
                "point": self.points[row].path,
                "id": str(self.points[row].id),
                "value": value if math.isfinite(value) else None,
                "text": text,
                "unit": self.points[row].unit,
                "quality": quality,
                "quality_words": _WORDS[quality],
                "time": None if ts == NEVER else iso(ts),
                "ts": None if ts == NEVER else ts,
                "age_s": None if ts == NEVER else round(seconds, 3),
                "stale": stale,
                "manual": manual,
            }
            for row, value, text, quality, ts, seconds, stale, manual in columns
        ]

    def waiting(self) -> int:
        """How many points never had a sample."""
        return int((self.ts == NEVER).sum())

    def bad(self) -> int:
        """How many points have a sample that is bad by its own word, not by its age. Call `refresh` before."""
        return int((self._known_now() & (self.shown < Quality.UNCERTAIN)).sum())

    def down(self) -> int:
        """How many connections have nothing to tell but that they do not reach their devices. Call `refresh` before."""
        known, code = self._known_now(), self.shown & np.uint8(0xFC)
        cut = known & ((code == Quality.BAD_COMMUNICATION) | (code == Quality.BAD_NOT_CONNECTED))
        n = int(self._source.max(initial=-1)) + 1
        lost, told = (np.bincount(self._source[each], minlength=n) for each in (cut, known))
        return int(((lost > 0) & (lost == told)).sum())

    def _known_now(self) -> NDArray[np.bool_]:
        return (self.ts != NEVER) & ~self.stale

    def _take(
        self, samples: Samples, heard: NDArray[np.int64], manual: NDArray[np.bool_], gateway: str | None = None
    ) -> None:
        if not len(samples) or not len(self):
            self.unknown += len(samples)
            return
        position = np.minimum(np.searchsorted(self._sorted, samples.point), len(self._sorted) - 1)
        known = self._sorted[position] == samples.point
        self.unknown += int(len(samples) - known.sum())
        rows = np.flatnonzero(known)
        index = self._order[position[rows]]
        if gateway is not None:
            own = self._gateway[index] == self._gateways.get(gateway, -1)
            self.foreign += int(len(rows) - own.sum())
            rows, index = rows[own], index[own]
        fresh = supersedes(samples.ts[rows], self.ts[index], np.maximum(heard[rows], self._heard[index]))
        fresh &= ~(self.manual[index] & ~manual[rows] & (samples.ts[rows] == self.ts[index]))
        self.old += int(len(rows) - fresh.sum())
        rows, index = rows[fresh], index[fresh]
        if not len(rows):
            return
        # Of several samples of one point the newest holds; of equal times, the last one.
        by_time = np.lexsort((np.arange(len(rows)), samples.ts[rows], index))
        last = np.append(index[by_time][1:] != index[by_time][:-1], True)
        rows, index = rows[by_time][last], index[by_time][last]
        self.revision += 1
        self.value[index] = samples.value[rows]
        self.ts[index] = samples.ts[rows]
        self.held[index] = self.shown[index] = samples.quality[rows]
        self.manual[index] = manual[rows]
        self._heard[index] = heard[rows]
        self.text[index] = (
            None if samples.text is None else samples.text.take(pa.array(rows)).to_numpy(zero_copy_only=False)
        )
        self.changed[index] = self.revision
