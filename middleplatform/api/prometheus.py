"""`/api/v1/prometheus/api/v1/…`: the HTTP API of Prometheus over history, for dashboards that speak it.

https://prometheus.io/docs/prometheus/latest/querying/api/ (read 2026-11). Requests come as GET or as a POSTed form;
refusals have Prometheus' own shape, which its clients show.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs

import anyio
import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Request, Response
from numpy.typing import NDArray

from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.errors import ApiError, unavailable
from middleplatform.api.responses import encode
from middleplatform.api.times import LATEST, SECOND, now_us, parse_time
from middleplatform.prometheus.evaluate import Query, Vector
from middleplatform.prometheus.metrics import LABELS, NAME, Metrics
from middleplatform.prometheus.parser import Node, PromError, Selector, duration, parse
from middleplatform.store.client import StoreClient
from models.site.model import Kind

MOST_STEPS = 11_000
MOST_VALUES = 1_000_000
"""Series times steps of an answer."""
MOST_MATCHES = 20
AT_ONCE = 4
WAITING = 32
"""Queries that are computed at once, and that may wait for it."""

router = APIRouter(prefix="/prometheus/api/v1", include_in_schema=False)

Params = dict[str, list[str]]
Answer = Callable[[Request, Catalogue, Params], Awaitable[Any]]


def _route(path: str, permission: str) -> Callable[[Answer], Answer]:
    """A route by GET and POST whose answer is wrapped as Prometheus wraps it."""

    def of(answer: Answer) -> Answer:
        async def serve(request: Request, catalogue: Seen) -> Response:
            try:
                data = await answer(request, catalogue, await _params(request))
            except PromError as error:
                return _refusal(str(error))
            except ApiError as error:
                if error.status != 400:
                    raise
                return _refusal(error.message)
            return Response(encode({"status": "success", "data": data}), media_type="application/json")

        serve.__name__ = f"prometheus_{answer.__name__}"
        router.add_api_route(path, serve, methods=["GET", "POST"], dependencies=[needs(permission)])
        return answer

    return of


def _refusal(message: str) -> Response:
    body = {"status": "error", "errorType": "bad_data", "error": message}
    return Response(encode(body), 400, media_type="application/json")


async def _params(request: Request) -> Params:
    """Of the address and of the form in the body. Raises PromError."""
    try:
        pieces = [request.url.query, (await request.body()).decode()]
        found: Params = {}
        for piece in pieces:
            for name, values in parse_qs(piece, keep_blank_values=True, max_num_fields=100, errors="strict").items():
                found.setdefault(name, []).extend(values)
    except ValueError:
        raise PromError("the parameters are not a form in UTF-8 of at most 100 fields") from None
    return found


def _one(params: Params, name: str, default: str | None = None) -> str:
    given = params.get(name)
    if not given or not given[-1]:
        if default is None:
            raise PromError(f"the parameter '{name}' is missing")
        return default
    return given[-1]


def _time(params: Params, name: str, default: str | None = None) -> int:
    """µs of seconds since 1970, or of RFC 3339."""
    text = _one(params, name, default)
    try:
        seconds = float(text)
    except ValueError:
        return parse_time(text, now_us(), name)
    if not 0 <= seconds * SECOND <= LATEST:
        raise PromError(f"'{name}' is not between 1970 and 2200")
    return round(seconds * SECOND)


def _step(params: Params) -> int:
    text = _one(params, "step")
    try:
        seconds = float(text)
    except ValueError:
        return duration(text)
    if not 0.001 <= seconds <= 3_660 * 86_400:
        raise PromError("'step' must be from 1 ms to 3660 days")
    return round(seconds * SECOND)


@dataclass(frozen=True, slots=True)
class _Asked:
    """`Reads` of a thread that waits for each answer."""

    ask: Callable[[Callable[[StoreClient], pa.Table]], pa.Table]

    def raw(self, points: list[int], start: int, end: int, limit: int) -> pa.Table:
        return self.ask(lambda store: store.raw(points, start, end, limit))

    def newest(self, points: list[int], start: int, end: int, width: int, within: int) -> pa.Table:
        return self.ask(lambda store: store.newest(points, start, end, width, within))

    def tally(self, points: list[int], start: int, end: int, width: int) -> pa.Table:
        return self.ask(lambda store: store.tally(points, start, end, width))


async def _computed(request: Request, catalogue: Catalogue, tree: Node, steps: NDArray[np.int64]) -> Any:
    """The value of a tree, computed in a thread that asks the store as it needs."""
    loop = asyncio.get_running_loop()
    door = request.app.state.door
    # Apart from the threads that ask the store: a thread that waits for another must not take its place.
    limit: anyio.CapacityLimiter = request.app.state.computing
    if limit.statistics().tasks_waiting >= WAITING:
        raise unavailable("busy", "查询过多，请稍后重试", "too many queries at once: try again in a moment")

    def ask(question: Callable[[StoreClient], pa.Table]) -> pa.Table:
        return asyncio.run_coroutine_threadsafe(door.ask(question), loop).result()

    def compute() -> Any:
        return Query(Metrics.of(catalogue.site), steps, _Asked(ask)).value(tree)

    return await anyio.to_thread.run_sync(compute, limiter=limit)


@_route("/query", "history.read")
async def query(request: Request, catalogue: Catalogue, params: Params) -> Any:
    """The value of a query at one moment."""
    tree = parse(_one(params, "query"))
    at = _time(params, "time", repr(now_us() / SECOND))
    found = await _computed(request, catalogue, tree, np.array([at], np.int64))
    moment = at / SECOND
    if not isinstance(found, Vector):
        return {"resultType": "scalar", "result": [moment, _texts(found)[0]]}
    texts = _texts(found.value[:, 0])
    result = [
        {"metric": labels, "value": [moment, text]}
        for labels, text, there in zip(found.labels, texts, found.there[:, 0].tolist(), strict=True)
        if there
    ]
    return {"resultType": "vector", "result": result}


@_route("/query_range", "history.read")
async def query_range(request: Request, catalogue: Catalogue, params: Params) -> Any:
    """The values of a query at every step of a range, its end included."""
    tree = parse(_one(params, "query"))
    start, end, step = _time(params, "start"), _time(params, "end"), _step(params)
    if end < start:
        raise PromError("'end' is before 'start'")
    if (end - start) // step >= MOST_STEPS:
        raise PromError(f"over {MOST_STEPS} steps: take a longer 'step'")
    steps = np.arange(start, end + 1, step, dtype=np.int64)
    found = await _computed(request, catalogue, tree, steps)
    if not isinstance(found, Vector):
        found = Vector([{}], found[None, :], np.ones((1, len(steps)), bool))
    if found.value.size > MOST_VALUES:
        raise PromError(f"over {MOST_VALUES} values: take a longer 'step' or fewer series")
    return {"resultType": "matrix", "result": await anyio.to_thread.run_sync(_matrix, found, steps)}


def _matrix(found: Vector, steps: NDArray[np.int64]) -> list[dict[str, Any]]:
    moments = steps / SECOND
    result = []
    for labels, value, there in zip(found.labels, found.value, found.there, strict=True):
        if there.any():
            values = list(map(list, zip(moments[there].tolist(), _texts(value[there]), strict=True)))
            result.append({"metric": labels, "values": values})
    return result


def _texts(value: NDArray[np.float64]) -> list[str]:
    """Numbers as text, the shortest that reads back the same."""
    column = pa.array(value, from_pandas=False).cast(pa.string()).to_pylist()
    return [_ODD.get(text, text) for text in column]


_ODD = {"nan": "NaN", "-nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}


def _matched(catalogue: Catalogue, params: Params) -> tuple[Metrics, NDArray[np.intp]]:
    """The series of any of the selectors `match[]`; all when there is none. Raises PromError."""
    metrics = Metrics.of(catalogue.site)
    asked = params.get("match[]", [])
    if len(asked) > MOST_MATCHES:
        raise PromError(f"at most {MOST_MATCHES} selectors are taken")
    rows = [np.arange(len(metrics.points))] if not asked else []
    for text in asked:
        tree = parse(text)
        if not isinstance(tree, Selector):
            raise PromError(f"match[]: '{text[:60]}' is not a selector")
        rows.append(metrics.matching(tree.matchers))
    return metrics, np.unique(np.concatenate(rows)).astype(np.intp)


def _limit(params: Params, nothing: int = 0) -> int | None:
    """How many are wanted at most; None for all, as Prometheus has it for 0 (`nothing`). Raises PromError."""
    try:
        found = int(_one(params, "limit", str(nothing)))
    except ValueError:
        raise PromError("'limit' is a whole number") from None
    return found if found > nothing else None


@_route("/labels", "catalogue.read")
async def labels(_: Request, catalogue: Catalogue, params: Params) -> list[str]:
    metrics, rows = _matched(catalogue, params)
    return sorted(label for label in LABELS if metrics.values(label, rows))[: _limit(params)]


@_route("/label/{label}/values", "catalogue.read")
async def label_values(request: Request, catalogue: Catalogue, params: Params) -> list[str]:
    metrics, rows = _matched(catalogue, params)
    return metrics.values(str(request.path_params["label"]), rows)[: _limit(params)]


@_route("/series", "catalogue.read")
async def series(_: Request, catalogue: Catalogue, params: Params) -> list[dict[str, str]]:
    if not params.get("match[]"):
        raise PromError("the parameter 'match[]' is missing")
    metrics, rows = _matched(catalogue, params)
    return [metrics.labels(row) for row in rows[: _limit(params)].tolist()]


@_route("/metadata", "catalogue.read")
async def metadata(_: Request, catalogue: Catalogue, params: Params) -> dict[str, list[dict[str, str]]]:
    """What each metric is: of each name the first point's words and unit."""
    wanted = params.get("metric", [""])[-1]
    limit = _limit(params, nothing=-1)
    metrics = Metrics.of(catalogue.site)
    found: dict[str, list[dict[str, str]]] = {}
    names = metrics.columns[NAME].to_pylist()
    for name, point in zip(names, metrics.points, strict=True):
        if name not in found and (not wanted or name == wanted) and (limit is None or len(found) < limit):
            kind = "counter" if point.kind == Kind.COUNTER else "gauge"
            found[name] = [{"type": kind, "help": f"{point.name.zh} · {point.name.en}", "unit": point.unit}]
    return found


@_route("/status/buildinfo", "catalogue.read")
async def buildinfo(_: Request, __: Catalogue, ___: Params) -> dict[str, str]:
    """Clients ask what they speak to: the version is ours, and the language is what `docs/sql.md` says."""
    return {"version": version("sevenones"), "application": "sevenones", "goVersion": "", "revision": ""}
