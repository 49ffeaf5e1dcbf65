"""A small HTTP door on the loopback address: /metrics, /diagnostics, /findings and /state, with a bearer token.

Its address and token are in `metrics/<process>.json` (mode 0600) of the home folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import structlog

from bus.secret import Announcement

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
MAX_HEAD = 8192
WAIT_S = 5.0
MAX_CLIENTS = 32
ANNOUNCED_S = 1.0
"""The longest that a start waits for the disk to take where the door is."""
AGAIN_S = 10.0
"""Between two attempts at that."""

Answer = tuple[int, str, bytes]
"""Status, content type, body."""
Page = Callable[[Mapping[str, str]], Answer]

_WORDS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
          500: "Internal Server Error", 503: "Service Unavailable"}  # fmt: skip


def as_json(status: int, content: object) -> Answer:
    return status, "application/json; charset=utf-8", orjson.dumps(content)


class Endpoint:
    """Serves `pages`, each a function from the query's words to an answer."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self._pages = pages
        self._token = secrets.token_urlsafe(24)
        self._server: asyncio.Server | None = None
        self._announced: Announcement | None = None
        self._announcing: asyncio.Task[None] | None = None
        self._clients = 0
        self.url = ""

    async def start(self, file: Path, port: int = 0) -> None:
        """Listen (port 0: any free one) and write where, with the token, to `file`; a disk that does not take that is
        asked again and holds nothing up. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, HOST, port, limit=MAX_HEAD)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"
        self._announcing = asyncio.create_task(self._announce(file), name="announcement")
        await asyncio.wait([self._announcing], timeout=ANNOUNCED_S)

    async def _announce(self, file: Path) -> None:
        facts = {"url": self.url, "token": self._token}
        told = False
        while self._announced is None:
            try:
                self._announced = await asyncio.to_thread(Announcement, file, facts)
            except OSError as error:
                if not told:
                    hint = "make room on the disk; until then nothing finds this process's pages"
                    log.error("endpoint_not_announced", file=str(file), error=str(error), hint=hint)
                told = True
                await asyncio.sleep(AGAIN_S)

    async def stop(self) -> None:
        if self._announcing is not None:
            self._announcing.cancel()
        if self._announced is not None:
            with contextlib.suppress(OSError):
                self._announced.withdraw()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            async with asyncio.timeout(WAIT_S):
                if self._clients > MAX_CLIENTS:
                    answer = as_json(503, {"error": "too many clients at once"})
                else:
                    answer = self._answer(await reader.readuntil(b"\r\n\r\n"))
                status, kind, body = answer
                head = (
                    f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._clients -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _answer(self, head: bytes) -> Answer:
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3:
            return as_json(400, {"error": "not an HTTP request"})
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        given = headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return as_json(401, {"error": "this needs the bearer token of the process's file in metrics/"})
        if words[0] != "GET":
            return as_json(405, {"error": "only GET is served here"})
        return self._page(words[1])

    def _page(self, where: str) -> Answer:
        try:
            target = urlsplit(where)
            page = self._pages.get(target.path)
            if page is None:
                return as_json(404, {"error": f"there is no {target.path}; there are {', '.join(self._pages)}"})
            return page({name: values[-1] for name, values in parse_qs(target.query).items()})
        except ValueError as error:
            return as_json(400, {"error": str(error)})
        except Exception:
            log.exception("page_failed", page=where)
            return as_json(500, {"error": "this page failed; the gateway's log says why"})
