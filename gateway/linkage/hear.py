"""What other gateways say of points that linkages here look at: their live values, and for how long they are silent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import structlog

from bus import subjects
from bus.connection import Bus, NotPermitted
from bus.link import Listening
from models.quality import Quality
from models.samples import Batch, WireError
from models.site.model import Point

log = structlog.get_logger(__name__)

AGAIN_S = 30.0
"""How often it is tried to hear a gateway that may not be heard."""
NEVER = -(1 << 62)
"""Long ago, of the monotonic clock."""
SET_BACK_US = 2_000_000
"""A value that is by more than this older than the last one is no old value: its gateway's clock was set back."""
SLACK_S = 2.0
"""A value may come so much later than the longest silence of its point before it is silent."""


class Far:
    """The points of one other gateway, in the order given. How long it is silent is of the monotonic clock, µs: setting
    the wall clock makes no dead gateway speak."""

    def __init__(self, gateway: str, points: Sequence[Point]) -> None:
        self.gateway = gateway
        ids = np.array([point.id for point in points], np.uint64)
        self._order = np.argsort(ids)
        self._ids = ids[self._order]
        self._places = {int(point): place for place, point in enumerate(ids)}
        self._patience = np.array([round((point.silence_s + SLACK_S) * 1e6) for point in points], np.int64)
        self.value = np.full(len(points), np.nan)
        self._said = np.full(len(points), int(Quality.BAD_WAITING), np.uint8)
        self.ts = np.zeros(len(points), np.int64)
        self._heard = np.full(len(points), NEVER, np.int64)

    def carry_on(self, before: Far) -> None:
        """What was heard of the same points goes on."""
        for point, here in self._places.items():
            there = before._places.get(point)
            if there is not None:
                for name in ("value", "_said", "ts", "_heard"):
                    getattr(self, name)[here] = getattr(before, name)[there]

    def take(self, batch: Batch, now: int) -> bool:
        """Take what is newer than what is known, or of a clock that was set back. Whether any of it is ours."""
        samples = batch.samples
        places = np.searchsorted(self._ids, samples.point)
        places[places == len(self._ids)] = 0
        ours = np.flatnonzero(self._ids[places] == samples.point)
        if not len(ours):
            return False
        # The last sample of a point in a batch is its newest.
        rows = self._order[places[ours]]
        ahead = self.ts[rows] - samples.ts[ours]
        newer = (ahead <= 0) | (ahead > SET_BACK_US)
        rows, ours = rows[newer], ours[newer]
        self.value[rows], self._said[rows] = samples.value[ours], samples.quality[ours]
        self.ts[rows], self._heard[rows] = samples.ts[ours], now
        return bool(len(rows))

    def quality(self, now: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """By point: as it was said, last known where nothing has come for too long."""
        silent = now - self._heard > self._patience
        return np.where(silent, np.uint8(Quality.BAD_LAST_KNOWN), self._said)


class Hearing:
    """Listens to the live subjects of other gateways over the bus, as long as `run` runs. `told` is called with what
    may have changed."""

    def __init__(self, code: str, monotonic: Callable[[], int], told: Callable[[Far], None]) -> None:
        self._code, self._monotonic, self._told = code, monotonic, told
        self._far: Mapping[str, Far] = {}
        self._changed = asyncio.Event()
        self.malformed = 0

    def set(self, far: Mapping[str, Far]) -> None:
        """Hear these gateways from now on."""
        self._far = far
        self._changed.set()

    async def run(self, bus: Bus) -> None:
        """Until cancelled."""
        heard: dict[str, Listening] = {}
        while True:
            self._changed.clear()
            for name in heard.keys() - self._far.keys():
                await heard.pop(name).stop()
            for name in self._far.keys() - heard.keys():
                try:
                    heard[name] = await bus.listen(subjects.live(self._code, name), self._take)
                except NotPermitted as error:
                    # The rules that need it see their sensors lost, and do what they say of that.
                    log.error("linkage_hears_nothing", gateway=name, error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._changed.wait()

    async def _take(self, subject: str, data: bytes) -> None:
        far = self._far.get(subjects.source_of(subject))
        if far is None:
            return
        try:
            batch = Batch.decode(data)
        except WireError as error:
            self.malformed += 1
            log.warning("live_malformed", subject=subject, error=str(error))
            return
        if far.take(batch, self._monotonic()):
            self._told(far)
