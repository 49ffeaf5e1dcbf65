"""The application: routes, errors, limits and headers, put together."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import anyio
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from middleplatform.access.throttle import Throttle
from middleplatform.access.tokens import Verifier
from middleplatform.alarms.recent import RecentRaises
from middleplatform.api import (
    aggregates,
    alarm_about,
    alarm_acts,
    alarm_intervals,
    alarm_journal,
    alarm_stream,
    alarms,
    audit,
    chambers,
    control,
    dictionaries,
    docs,
    errors,
    exports,
    health,
    history,
    instant,
    kpi,
    kpi_city,
    kpi_definitions,
    kpi_energy,
    kpi_findings,
    kpi_production,
    kpi_why,
    lineage,
    manual,
    mine,
    minemap,
    openapi,
    prometheus,
    quality,
    register,
    reports,
    roles,
    routes,
    rule_bench,
    sequence_stream,
    sequences,
    shifts,
    signin,
    sites,
    sql,
    standard,
    stream,
    tickets,
    tokens,
    unknown,
    users,
    workshop,
)
from middleplatform.api.alarm_sight import RuleNames
from middleplatform.api.auth import asker, bearer, known, permit
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.clocks import Clocks
from middleplatform.api.door import StoreDoor
from middleplatform.api.feed import Hub
from middleplatform.api.live import LiveTable
from middleplatform.api.metrics import registry_of
from middleplatform.api.watch_state import WatchState
from middleplatform.audit.anchor import Anchoring
from middleplatform.console import Console
from middleplatform.export import Exports
from middleplatform.governance.register import Register
from middleplatform.reports.verify import MOST_BYTES
from middleplatform.workshop.tools import Tools
from models.dictionaries.sheet import MAX_BYTES

MAX_BODY = 64 << 10
_TABLE = workshop.MAX_TABLE * 4 // 3 + MAX_BODY
MAX_UPLOAD = {
    "/api/v1/dictionaries": MAX_BYTES + 1,
    "/api/v1/reports/verify": MOST_BYTES + 1,
    "/api/v1/workshop/review": _TABLE,
    "/api/v1/workshop/commit": _TABLE,
}
"""Bodies of routes that take files; one byte more than the file may have, so that its own refusal tells."""
_CSP = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_DOCS_CSP = f"{_CSP}; style-src 'self' 'unsafe-inline'"
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class Linked(Protocol):
    """What the application needs to know of the bus."""

    @property
    def connected(self) -> bool: ...


class Guard:
    """Bounds the body that comes in and puts the safety headers on what goes out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        csp = _DOCS_CSP if scope["path"].startswith("/api/docs") else _CSP

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                have = {name.lower() for name, _ in message["headers"]}
                ours = [*_HEADERS, (b"content-security-policy", csp.encode())]
                message["headers"] = [*message["headers"], *(header for header in ours if header[0] not in have)]
            await send(message)

        most = MAX_UPLOAD.get(scope["path"], MAX_BODY)
        body = await _body(receive, most) if _has_body(scope) else b""
        if body is None:
            refused = errors.ApiError(
                413,
                "too_large",
                f"请求体过大，最多 {most} 字节",
                f"the body is too large: at most {most} bytes are taken",
                headers={"Connection": "close"},
            )
            await refused.response()(scope, receive, with_headers)
            return
        await self._app(scope, _replay(body, receive), with_headers)


def _has_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


async def _body(receive: Receive, most: int) -> bytes | None:
    """The whole body; None when it is larger than `most` bytes."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def build(
    catalogue: Catalogue,
    live: LiveTable,
    bus: Linked,
    home: Path,
    database: str | None = None,
    tools: Tools | None = None,
) -> FastAPI:
    """The application over these parts. `database`: where users and tokens are; by default in the home. `tools`: those
    of the workshop."""
    app = FastAPI(
        title="七个一 · sevenones",
        version=version("sevenones"),
        description="智能矿山数据中台开放接口 · open data of the smart-mine data middle platform",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    state = app.state
    state.catalogue, state.live, state.bus = catalogue, live, bus
    state.database = database or home
    state.door = StoreDoor(home)
    state.exports = Exports(home / "exports", state.door.ask_at_once)
    state.figures = health.FiguresProbe(state.database, catalogue.site.code)
    state.probe, state.certificates = health.StoreProbe(state.door), health.CertificateProbe(home)
    state.anchoring = Anchoring()
    state.chain = audit.ChainProbe(state.database)
    state.hub = Hub(live)
    state.register = Register(state.database, catalogue.site)
    state.approved = asyncio.Event()
    state.watch, state.clocks = WatchState(), Clocks()
    state.rule_names = RuleNames(catalogue.site, lambda: state.watch.names)
    state.boards, state.steps = alarm_stream.Boards(), sequence_stream.Steps()
    state.raises = RecentRaises(state.database, catalogue.site.code)
    state.tokens, state.throttle = Verifier(state.database), Throttle()
    state.sql = sql.Desk()
    state.workshop, state.working = tools, asyncio.Lock()
    state.computing = anyio.CapacityLimiter(prometheus.AT_ONCE)
    state.hashing = anyio.CapacityLimiter(2)  # a password's hash takes 64 MB while it is computed
    state.metrics_token = secrets.token_urlsafe(32)
    registry = registry_of(state)

    # Each into the application itself: by a router in between, all is worked out twice, half a second at each start.
    for part in (
        aggregates,
        alarm_about,
        instant,  # its /alarms/at stands before /alarms/{alarm}
        alarm_acts,
        alarm_journal,
        alarm_intervals,  # before `alarms/{alarm}`, which takes any word
        alarm_stream,
        alarms,
        audit,
        control,
        chambers,
        dictionaries,
        exports,
        health,
        history,
        kpi,
        kpi_energy,
        kpi_production,
        kpi_findings,
        kpi_why,
        kpi_city,
        kpi_definitions,
        lineage,
        manual,
        mine,
        minemap,
        prometheus,
        quality,
        register,
        reports,
        roles,
        routes,
        sequence_stream,
        sequences,
        shifts,
        signin,
        sites,
        sql,
        standard,
        stream,
        tickets,
        tokens,
        unknown,
        users,
        workshop,
        rule_bench,
    ):
        app.include_router(part.router, prefix="/api/v1")

    @app.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        given = await bearer(request)
        own = given is not None and hmac.compare_digest(given.credentials.encode(), state.metrics_token.encode())
        if not own:
            permit(await asker(await known(request, given)), "metrics.read")
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    errors.install(app)
    docs.install(app)
    app.mount("/", Console(), name="console")
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    app.add_middleware(Guard)
    return app
