"""The application: routes, errors, limits and headers, put together."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bus.connection import Bus
from middleplatform import console
from middleplatform.access.throttle import Throttle
from middleplatform.access.tokens import Verifier
from middleplatform.api import docs, errors, history, routes, stream
from middleplatform.api.auth import Asker
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.door import StoreDoor
from middleplatform.api.live import LiveTable
from middleplatform.api.metrics import registry_of

MAX_BODY = 1 << 20
MAX_QUERY = 64 << 10
_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class Guard:
    """Bounds what comes in and puts the safety headers on what goes out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = not length.isdigit() or int(length) > MAX_BODY or len(scope["query_string"]) > MAX_QUERY
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY:
                return {"type": "http.disconnect"}
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                have = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in _HEADERS if h[0] not in have)]
            await send(message)

        if too_large:
            refused = errors.answer(errors.ApiError(413, "too_large", "请求过大", "the request is too large"))
            await refused(scope, receive, with_headers)
            return
        await self._app(scope, bounded, with_headers)


def build(catalogue: Catalogue, live: LiveTable, bus: Bus, home: Path) -> FastAPI:
    """The application over these parts."""
    app = FastAPI(
        title="七个一 · sevenones",
        version=version("sevenones"),
        description="智能矿山数据中台开放接口 · open data of the smart-mine data middle platform",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    state = app.state
    state.catalogue, state.live, state.bus, state.home = catalogue, live, bus, home
    state.door, state.tokens, state.throttle, state.streams = StoreDoor(home), Verifier(home), Throttle(), 0
    registry = registry_of(state)

    v1 = APIRouter(prefix="/api/v1")
    for part in (routes.router, history.router, stream.router):
        v1.include_router(part)
    app.include_router(v1)

    @app.get("/metrics", include_in_schema=False)
    async def metrics(_: Asker) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon(_: Request) -> Response:
        return Response(status_code=204)

    errors.install(app)
    docs.install(app)
    app.mount("/", StaticFiles(directory=console.STATIC, html=True), name="console")
    app.add_middleware(Guard)
    return app
