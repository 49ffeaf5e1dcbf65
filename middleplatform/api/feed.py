"""Live values as frames: encoded once for all clients that want the same points at the same pace."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from middleplatform.api.live import NEVER, LiveTable
from middleplatform.api.responses import encode
from middleplatform.api.times import now_us

QUEUE = 4
"""Frames that wait for one client. When they are full they are dropped, and the client gets one frame
with all that changed since the last one that it took."""


class Client:
    """One client's frames. `behind`: frames were dropped since the last one that was taken."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._frames: deque[tuple[str, int]] = deque()
        self._there = asyncio.Event()
        self._taken = -1
        self.behind = False
        self.coalesced = 0
        """Frames that were dropped in favour of one."""

    def push(self, frame: str, revision: int) -> None:
        """A frame that brings the client up to `revision`."""
        if self.behind or len(self._frames) >= QUEUE:
            self.coalesced += len(self._frames) + 1
            self._frames.clear()
            self.behind = True
        else:
            self._frames.append((frame, revision))
        self._there.set()

    async def next(self) -> str:
        """The next frame, or the one that makes up for those that were dropped."""
        await self._there.wait()
        if self.behind:
            self.behind = False
            frame, revision = self._feed.make_up(self._taken), self._feed.revision
        else:
            frame, revision = self._frames.popleft()
        if not self._frames:
            self._there.clear()
        self._taken = revision
        return frame


class Feed:
    """Frames of some rows of the live table, one every `interval_s`, also when nothing changed."""

    def __init__(self, table: LiveTable, rows: NDArray[np.intp], interval_s: float) -> None:
        self._table = table
        self._rows = rows
        self._interval_s = interval_s
        self._told = 0
        self.clients: set[Client] = set()
        self.encoded = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def revision(self) -> int:
        return self._table.revision

    def join(self) -> Client:
        """A client whose first frame is the snapshot."""
        client = Client(self)
        self._table.refresh()
        client.push(self._snapshot(), self.revision)
        self.clients.add(client)
        if self._task is None:
            self._told = self.revision
            self._task = asyncio.create_task(self._run(), name="feed")
        return client

    def leave(self, client: Client) -> None:
        self.clients.discard(client)
        if not self.clients and self._task is not None:
            self._task.cancel()
            self._task = None

    def since(self, revision: int) -> str:
        """One frame with what changed after a revision."""
        places = np.flatnonzero(self._table.changed[self._rows] > revision)
        return self._encode({}, places)

    def make_up(self, taken: int) -> str:
        """One frame instead of those that were dropped; the snapshot for a client that took none yet (-1)."""
        return self._snapshot() if taken < 0 else self.since(taken)

    def _snapshot(self) -> str:
        points = [self._table.points[row] for row in self._rows.tolist()]
        head = {
            "points": [point.path for point in points],
            "ids": [str(point.id) for point in points],
            "units": [point.unit for point in points],
            "interval_s": self._interval_s,
        }
        return self._encode({"snapshot": head}, np.arange(len(self._rows)))

    def _encode(self, head: dict[str, Any], places: NDArray[np.intp]) -> str:
        table, rows = self._table, self._rows[places]
        ts = table.ts[rows]
        frame = {
            **head,
            "t": now_us(),
            "i": places,
            "v": table.value[rows],
            "q": table.shown[rows],
            "ts": np.where(ts == NEVER, 0, ts),
        }
        text = table.text[rows]
        if (text != None).any():  # noqa: E711 - each element of the column is compared
            frame["s"] = text.tolist()
        if table.manual[rows].any():
            frame["m"] = table.manual[rows]
        self.encoded += 1
        return encode(frame).decode()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._interval_s, loop.time())
            await asyncio.sleep(due - loop.time())
            self._table.refresh()
            frame = self.since(self._told)
            self._told = self.revision
            for client in self.clients:
                client.push(frame, self._told)


class Hub:
    """The feeds that somebody listens to now."""

    def __init__(self, table: LiveTable) -> None:
        self._table = table
        self._feeds: dict[tuple[bytes, float], Feed] = {}
        self.sockets = 0
        """WebSocket connections now."""
        self.slow = 0
        """Clients let go because they took no frame in time."""

    def join(self, rows: NDArray[np.intp], interval_s: float) -> Client:
        key = (rows.tobytes(), interval_s)
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(self._table, rows, interval_s)
        return feed.join()

    def leave(self, client: Client) -> None:
        for key, feed in list(self._feeds.items()):
            feed.leave(client)
            if not feed.clients:
                del self._feeds[key]

    def feeds(self) -> int:
        return len(self._feeds)
