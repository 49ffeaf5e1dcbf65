"""The API on a real port, with all that it stands on, run from a thread so that tests may block."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from bus import credentials, subjects
from bus.connection import Bus
from bus.errors import NobodyListens
from bus.process import die_with_parent
from middleplatform.access import tokens, users
from middleplatform.api.app import build
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.http import server
from middleplatform.api.live import LiveTable
from middleplatform.api.process import run
from middleplatform.api.times import now_us
from models.events import Event, EventBatch
from models.samples import Batch
from models.site.model import Site
from tests.middleplatform.api.build import CODE, site
from tests.ports import free_port
from tests.servers import mine_bus

PASSWORD = "right horse"


@dataclass
class Stage:
    """Where the API is and how to come in."""

    home: Path
    url: str
    loop: asyncio.AbstractEventLoop
    reader: str
    admin: str
    app: FastAPI | None = None
    bus: Bus | None = None
    store: asyncio.subprocess.Process | None = None
    code: str = CODE
    site_folder: Path | None = None
    """Of the site that the store keeps, where it is not the small one."""
    beating: asyncio.Task[None] | None = None
    """The gateway's signs of life. A test may cancel it."""
    numbers: list[int] = field(default_factory=lambda: [0])

    @property
    def ws(self) -> str:
        return self.url.replace("http", "ws") + "/api/v1/stream"

    def client(self, role: str | None = "reader") -> httpx.Client:
        headers = {} if role is None else {"Authorization": f"Bearer {getattr(self, role)}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def get(self, path: str, **query: Any) -> httpx.Response:
        with self.client() as client:
            return client.get(f"/api/v1/{path}", params=query)

    def within(self, coroutine: Coroutine[Any, Any, Any], timeout: float = 60) -> Any:
        """Run a coroutine in the API's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def call(self, function: Callable[[], Any]) -> Any:
        """Call a function in the API's loop."""

        async def inside() -> Any:
            return function()

        return self.within(inside())

    def send(self, batch: Batch, live: bool = True, kept: bool = True) -> None:
        """What a gateway does with a batch."""

        async def inside() -> None:
            data = batch.encode()
            if kept:
                await self.bus.publish(subjects.samples(self.code, "edge1"), data, f"edge1-{batch.number}")
            if live:
                await self.bus.live(subjects.live(self.code, "edge1"), data)

        self.within(inside())

    def next_number(self) -> int:
        self.numbers[0] += 1
        return self.numbers[0]

    def send_events(self, *events: Event) -> None:
        batch = EventBatch("edge1", self.next_number(), 1, events)
        self.within(self.bus.publish(subjects.events(self.code, "edge1"), batch.encode(), f"edge1-e{batch.number}"))

    async def start_store(self) -> None:
        argv = (sys.executable, "-m", "tests.middleplatform.api.store_program", str(self.home), self.bus_url())
        if self.site_folder:
            argv = (*argv, str(self.site_folder))
        self.store = await asyncio.create_subprocess_exec(*argv, preexec_fn=die_with_parent)

    def bus_url(self) -> str:
        return json.loads((self.home / "bus-url.json").read_text())

    async def kill_store(self) -> None:
        self.store.send_signal(signal.SIGKILL)
        await self.store.wait()


def until(condition: Callable[[], Any], within: float = 60.0) -> Any:
    """The first true result of `condition`."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)
    return found


def _tokens(home: Path) -> tuple[str, str]:
    users.create_user(home, "olga", PASSWORD, role="administrator")
    return tokens.create_token(home, "r"), tokens.create_token(home, "a", role="administrator")


@contextmanager
def threaded(making: Callable[[asyncio.AbstractEventLoop], AbstractAsyncContextManager[Stage]]) -> Iterator[Stage]:
    """Enter an asynchronous stage in a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="api", daemon=True)
    thread.start()
    entered = making(loop)
    try:
        yield asyncio.run_coroutine_threadsafe(entered.__aenter__(), loop).result(110)
    finally:
        asyncio.run_coroutine_threadsafe(entered.__aexit__(None, None, None), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@asynccontextmanager
async def whole(
    home: Path, loop: asyncio.AbstractEventLoop, made: Site | None = None, folder: Path | None = None
) -> AsyncIterator[Stage]:
    """Bus, store and API as they really run. `made`: the site that the API knows, not the small one; `folder`: where
    the store has it from, where its points are not those of `build.site`."""
    made = made or site()
    reader, admin = _tokens(home)
    (home / "site").mkdir()
    (home / "site" / "site.yaml").write_text("made in tests\n")
    async with mine_bus(home, made.code) as running:
        (home / "bus-url.json").write_text(json.dumps(running.url))
        port, stop = free_port(), asyncio.Event()
        stage = Stage(home, f"http://127.0.0.1:{port}", loop, reader, admin, code=made.code, site_folder=folder)
        stage.bus = await running.connect("gateway-edge1")
        await stage.start_store()
        gateway = stage.bus
        stage.beating = asyncio.create_task(
            _beating(lambda: gateway.live(subjects.state(made.code, "gateway-edge1"), b"{}")), name="beating"
        )
        api = asyncio.create_task(run(made, home, running.url, credentials.load(home, "api"), "127.0.0.1", port, stop))
        try:
            await _answers(stage.url, lambda body: body["store"] and body["bus"])
            yield stage
        finally:
            stop.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(api, 20)
            stage.beating.cancel()
            await stage.bus.close()
            if stage.store.returncode is None:
                await stage.kill_store()


class Link:
    """A bus that is or is not connected."""

    connected = True
    reconnects = 0

    async def request(self, subject: str, data: bytes, timeout: float) -> bytes:
        """No gateway is there."""
        raise NobodyListens(subject)


@asynccontextmanager
async def bare(
    home: Path, loop: asyncio.AbstractEventLoop, clock: Callable[[], int] = now_us, made: Site | None = None
) -> AsyncIterator[Stage]:
    """The application alone: no store, and a live table that the test fills. `made`: its site, not the small one."""
    reader, admin = _tokens(home)
    port = free_port()
    made = made or site()
    table = LiveTable(made, clock)
    app = build(Catalogue(made), table, Link(), home)

    async def sign_of_life() -> None:
        for gateway in made.gateways():
            table.beat(gateway)

    beating = asyncio.create_task(_beating(sign_of_life))
    serving = server(app, "127.0.0.1", port)
    task = asyncio.create_task(serving.serve())
    try:
        await _answers(f"http://127.0.0.1:{port}", lambda _: True)
        yield Stage(home, f"http://127.0.0.1:{port}", loop, reader, admin, app)
    finally:
        serving.should_exit = True
        await asyncio.wait_for(task, 20)
        beating.cancel()


async def _beating(sign_of_life: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """What a gateway does all the while, or its values would turn stale."""
    while True:
        await sign_of_life()
        await asyncio.sleep(1)


async def _answers(url: str, enough: Callable[[dict], bool]) -> None:
    async with httpx.AsyncClient() as client:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                answer = await client.get(f"{url}/api/v1/health", timeout=5)
                if enough(answer.json()):
                    return
            await asyncio.sleep(0.1)
    raise AssertionError("the API did not come up")
