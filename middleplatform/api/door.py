"""The way to the store: finds its door anew when it was restarted, and keeps the event loop free."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import anyio

from middleplatform.api.errors import ApiError, shown, unavailable
from middleplatform.store.client import StoreClient, StoreError, StoreUnavailable, read_endpoint

T = TypeVar("T")
CONCURRENT = 4
"""Questions at once."""
WAITING = 32
"""Questions that may wait for their turn; more are refused at once."""
TURN_S = 10.0
"""How long one waits for its turn. Behind a store that hangs, waits would add up to minutes."""


class StoreDoor:
    """Asks the store that the home's endpoint file names."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._client: StoreClient | None = None
        self._endpoint: dict[str, str] | None = None
        self._limit = anyio.CapacityLimiter(CONCURRENT)

    async def ask(self, question: Callable[[StoreClient], T]) -> T:
        """Run `question` with a client in a thread. Raises StoreUnavailable, StoreError, ApiError when too many ask."""
        if self._limit.statistics().tasks_waiting >= WAITING:
            raise unavailable("busy", "查询过多，请稍后重试", "too many questions at once: try again in a moment")
        me = object()
        try:
            with anyio.fail_after(TURN_S):
                await self._limit.acquire_on_behalf_of(me)
        except TimeoutError:
            raise unavailable(
                "store_busy",
                f"存储进程 {TURN_S:g} 秒内未能受理查询：可能过载或挂起",
                f"the store did not get to this question within {TURN_S:g} s: it is overloaded or hangs",
            ) from None
        try:
            return await anyio.to_thread.run_sync(self._ask, question)
        finally:
            self._limit.release_on_behalf_of(me)

    async def computed(self, question: Callable[[StoreClient], T], code: str, zh: str, en: str) -> T:
        """As `ask`; what the store will not compute is the question's fault, and the ApiError 400 of this code says
        what to change."""
        try:
            return await self.ask(question)
        except StoreUnavailable:
            raise
        except StoreError as error:
            words = f"{zh}，请缩短时段或减少测点（{shown(error)}）"
            raise ApiError(400, code, words, f"{en}: {shown(error)}") from None

    def ask_at_once(self, question: Callable[[StoreClient], T]) -> T:
        """Run `question` in this thread and without waiting for a turn: for work that asks one thing at a time.
        Raises StoreUnavailable, StoreError."""
        return self._ask(question)

    def _ask(self, question: Callable[[StoreClient], T]) -> T:
        client = self._current()
        try:
            return question(client)
        except StoreError:
            # A store that was restarted has a new address and a new token.
            if self._current() is client:
                raise
        return question(self._current())

    def _current(self) -> StoreClient:
        """The client of the store that runs now: each start of it has a new endpoint. A replaced client is
        left to those who still use it."""
        endpoint = read_endpoint(self._home)
        with self._lock:
            if self._client is None or endpoint != self._endpoint:
                try:
                    self._client, self._endpoint = StoreClient(endpoint), endpoint
                except (KeyError, TypeError, ValueError) as error:
                    raise StoreUnavailable("the store's endpoint file is not one") from error
            return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
