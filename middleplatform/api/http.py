"""The HTTP server's bounds: the head of a request must come in time and stay small."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from middleplatform.api.errors import ApiError

HEAD_BYTES = 128 * 1024
HEAD_S = 20.0
CONNECTIONS = 1_000


class BoundedHttp(HttpToolsProtocol):
    """uvicorn reads a request's head without an end in size or time; this one does not."""

    _head = 0
    _reading_head = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_S, self._too_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._reading_head:
            self._head += len(data)
            if self._head > HEAD_BYTES:
                self._refuse(ApiError(431, "head_too_large", "请求头过大", "the address or the headers are too long"))
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._reading_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._reading_head = False
        self._head = 0
        self._stop_clock()
        super().on_headers_complete()

    def _too_late(self) -> None:
        if self._reading_head and not self.transport.is_closing():
            self._refuse(ApiError(408, "too_late", "请求未按时到达", "no request came in time"))

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, error: ApiError) -> None:
        body = error.body()
        head = f"HTTP/1.1 {error.status} Refused\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        self.transport.close()


class Server(uvicorn.Server):
    """Leaves signals to the command that runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(app: object, host: str, port: int, tls: tuple[Path, Path] | None = None) -> Server:
    """A server for the application, not yet listening. `tls`: files of a certificate and its key."""
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        host=host,
        port=port,
        http=BoundedHttp,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        limit_concurrency=CONNECTIONS,
        ws_per_message_deflate=False,
        ws_max_size=1 << 20,
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=None if tls is None else tls[0],
        ssl_keyfile=None if tls is None else tls[1],
    )
    config.load()
    return Server(config)
