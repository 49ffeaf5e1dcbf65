"""`/api/v1/sequences/stream`: runs of sequences, step by step as they go, over a WebSocket.

The token comes as for `/api/v1/stream`. Then the client says `{"subscribe": {}}` for all runs that go on, or
`{"subscribe": {"run": 12}}` for one, and receives

    {"snapshot": true, "t": µs, "runs": […], "lines": […]}     the runs, and of one run its journal
    {"t": µs, "runs": […], "lines": […]}                       runs that have changed, lines that are new
    {"t": µs}                                                  nothing new

at once when something happens and once a second in any case: no frame for 3 s means that what is shown is old. Runs and
lines are those of `GET /api/v1/sequences/runs` and of a run's journal, a line with the number of its `run`. A run that
ends is told once more.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import anyio
from fastapi import APIRouter, WebSocket
from starlette.datastructures import State

from middleplatform.access.tokens import CACHE_S
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError
from middleplatform.api.responses import encode
from middleplatform.api.sequence_facts import line_facts, run_facts, sees_of, zone_of
from middleplatform.api.sockets import attend, entered, granted, word_of
from middleplatform.api.times import now_us
from middleplatform.control import book
from middleplatform.control.book import Run, SequenceError

INTERVAL_S = 0.2
"""How often it is looked what is new, as often as the driver looks at the points."""
ALIVE_S = 1.0
SEND_S = 10.0
CLIENTS = 200
RUNS = 500
"""Runs that are looked at; more do not go on at a time, for each has points of its own."""
_PERMISSION = "sequence.read"

router = APIRouter()


@dataclass(frozen=True, slots=True)
class _Now:
    """The runs that go on by their numbers, and the number of the last line of all journals."""

    runs: dict[int, Run]
    newest: int


class Steps:
    """What goes on, looked up once an interval however many look at it."""

    def __init__(self) -> None:
        self.clients = 0
        self._turn = asyncio.Lock()
        self._held: tuple[int, _Now] | None = None

    async def now(self, state: State) -> _Now:
        """At most an interval old."""
        async with self._turn:
            if self._held is None or now_us() - self._held[0] > INTERVAL_S * 0.9e6:
                self._held = (now_us(), await anyio.to_thread.run_sync(_look, state))
            return self._held[1]


def _look(state: State) -> _Now:
    newest = book.newest_line(state.database)  # before the runs: what they are then is told with their lines or before
    found = book.listed(state.database, state.catalogue.site.code, going=True, limit=RUNS)
    return _Now({run.id: run for run in found}, newest)


@router.websocket("/sequences/stream")
async def stream(socket: WebSocket) -> None:
    steps: Steps = socket.app.state.steps
    await attend(socket, steps, CLIENTS, lambda offered: _serve(socket, steps, offered))


async def _serve(socket: WebSocket, steps: Steps, offered: list[str]) -> None:
    token, grant, word = await entered(socket, offered, _PERMISSION)
    state: State = socket.app.state
    watcher = _Watcher(state, state.catalogue.within(grant.scope), _run(word))
    hearing = asyncio.create_task(word_of(socket, wait_s=None))
    clock = asyncio.get_running_loop().time
    checked, told = clock(), float("-inf")
    try:
        while True:
            found = await watcher.news(await steps.now(state))
            if found or clock() - told >= ALIVE_S:
                async with asyncio.timeout(SEND_S):
                    await socket.send_text(encode({**found, "t": now_us()}).decode())
                told = clock()
            await asyncio.wait((hearing,), timeout=INTERVAL_S)
            if hearing.done():
                watcher = _Watcher(state, state.catalogue.within(grant.scope), _run(hearing.result()))
                hearing = asyncio.create_task(word_of(socket, wait_s=None))
            if clock() - checked > CACHE_S:
                grant, checked = await granted(socket, token, _PERMISSION), clock()
                watcher.sees = sees_of(state.catalogue, state.catalogue.within(grant.scope))
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


class _Watcher:
    """What one client was told. `only`: the one run that it asked for, None for all."""

    def __init__(self, state: State, catalogue: Catalogue, only: int | None) -> None:
        self.sees = sees_of(state.catalogue, catalogue)
        self._where, self._mine, self._only = state.database, catalogue.site.code, only
        self._zone = zone_of(catalogue)
        self._told: dict[int, dict[str, Any]] = {}
        self._after: int | None = None

    async def news(self, now: _Now) -> dict[str, Any]:
        """What is to be told, nothing where nothing is new. Raises ApiError 404 for a run that is not there."""
        return await anyio.to_thread.run_sync(self._news, now)

    def _news(self, now: _Now) -> dict[str, Any]:
        if self._after is None:
            self._after = now.newest
            return {"snapshot": True, **self._first(now)}
        lines: list[tuple[int, book.Written]] = []
        if now.newest > self._after:
            lines = book.news(self._where, self._mine, self._after)
            self._after = lines[-1][1].number if lines else now.newest
        goes_on = {number for number, facts in self._told.items() if facts["ended"] is None}
        touched = {run for run, _ in lines} | goes_on | now.runs.keys()
        known = {number: run for number in touched if (run := self._run(now, number)) is not None}
        runs = [facts for run in known.values() if (facts := self._changed(run)) is not None]
        said = [self._line(run, each) for run, each in lines if run in known]
        return {key: facts for key, facts in (("runs", runs), ("lines", said)) if facts}

    def _first(self, now: _Now) -> dict[str, Any]:
        if self._only is None:
            seen = [run for run in now.runs.values() if self.sees(run.sequence)]
            return {"runs": [facts for run in seen if (facts := self._changed(run)) is not None], "lines": []}
        run = self._run(now, self._only)
        if run is None:
            zh, en = f"没有运行 {self._only}", f"there is no run {self._only}"
            raise ApiError(404, "unknown_run", zh, en, "run")
        lines = book.lines(self._where, run.id)
        self._after = max((each.number for each in lines), default=0)
        return {"runs": [self._changed(run)], "lines": [self._line(run.id, each) for each in lines]}

    def _run(self, now: _Now, number: int) -> Run | None:
        """A run that the client may see and asked for, also when it has ended."""
        if self._only not in (None, number):
            return None
        try:
            run = now.runs.get(number) or book.find(self._where, self._mine, number)
        except SequenceError:
            return None
        return run if self.sees(run.sequence) else None

    def _changed(self, run: Run) -> dict[str, Any] | None:
        """Its facts when they are others than those that were told."""
        facts = run_facts(run, self._zone)
        lasting = {key: each for key, each in facts.items() if key != "driven_s"}
        if lasting == self._told.get(run.id):
            return None
        self._told[run.id] = lasting
        if run.ended is not None and self._only is None:
            del self._told[run.id]
        return facts

    def _line(self, run: int, each: book.Written) -> dict[str, Any]:
        return {"run": run, **line_facts(each, self._zone)}


def _run(word: dict[str, Any]) -> int | None:
    """The run that is subscribed to, None for all. Raises ApiError."""
    wanted = word.get("subscribe")
    if not isinstance(wanted, dict) or set(wanted) - {"run", "all"}:
        words = 'say {"subscribe": {}} or {"subscribe": {"run": a run\'s number}}'
        raise ApiError(400, "invalid_subscription", f"订阅有误：{words}", words, "subscribe")
    run = wanted.get("run")
    if run is not None and (isinstance(run, bool) or not isinstance(run, int) or not 0 < run < 2**31):
        raise ApiError(400, "invalid_subscription", "run 须为运行编号", "run must be a run's number", "run")
    return run
