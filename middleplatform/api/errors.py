"""Refusals: every one is JSON that says what is wrong, where, and what to do, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from middleplatform.api.words import in_chinese
from middleplatform.store.errors import StoreError, StoreUnavailable

log = structlog.get_logger("api")

_SHOWN = 120
"""Characters of a wrong input that a refusal repeats."""


class ApiError(Exception):
    """A refusal. `where` names the parameter; `more` are further facts for programs, such as `nearest`."""

    def __init__(
        self,
        status: int,
        code: str,
        message_zh: str,
        message: str,
        where: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.message_zh = message_zh
        self.where = where
        self.headers = dict(headers or {})
        self.more = more

    def body(self) -> bytes:
        facts = {"code": self.code, "message": self.message, "message_zh": self.message_zh, "where": self.where}
        return orjson.dumps({"error": _clean({**facts, **self.more})})

    def response(self) -> Response:
        return Response(self.body(), self.status, self.headers, "application/json")


def shown(text: object) -> str:
    """Input as a refusal may repeat it: short, and printable whatever came."""
    words = str(text)
    short = words if len(words) <= _SHOWN else words[:_SHOWN] + "…"
    return "".join(c if c.isprintable() else "�" for c in short)


def unavailable(code: str, message_zh: str, message: str) -> ApiError:
    """503: the same request may succeed in a moment."""
    return ApiError(503, code, message_zh, message, headers={"Retry-After": "2"})


def _clean(value: Any) -> Any:
    """JSON cannot hold half of a surrogate pair, and a client may send one."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_clean(key): _clean(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(each) for each in value]
    return value


_KNOWN = {
    400: ("bad_request", "请求无法解析", "the request cannot be read"),
    404: ("not_found", "此地址不存在，见 /api/docs", "there is nothing at this address; /api/docs lists what there is"),
    405: ("method_not_allowed", "此地址不支持该方法", "this address does not take this method"),
}


PROMETHEUS = "/api/v1/prometheus/api/v1/"
"""Clients of what is below expect Prometheus' own form of refusals, and show its words."""


def _no_such(what: str) -> Response:
    error = f"'{what[:60]}' is not served here: there are query, query_range, labels, label/<name>/values, series, "
    body = {"status": "error", "errorType": "not_found", "error": error + "metadata and status/buildinfo"}
    return Response(orjson.dumps(_clean(body)), 404, media_type="application/json")


def install(app: FastAPI) -> None:
    """Give every refusal and failure of the application the one form."""

    async def refused(_: Request, error: ApiError) -> Response:
        return error.response()

    async def http(request: Request, error: HTTPException) -> Response:
        # What no route takes comes to the console's files, which refuse a POST by its method.
        if error.status_code in (404, 405) and request.url.path.startswith(PROMETHEUS):
            return _no_such(request.url.path.removeprefix(PROMETHEUS))
        known = _KNOWN.get(error.status_code, ("refused", "请求被拒绝", str(error.detail)))
        return ApiError(error.status_code, *known, headers=error.headers).response()

    async def invalid(_: Request, error: RequestValidationError) -> Response:
        problems = [_problem(each) for each in error.errors()[:20]]
        said = "; ".join(f"{each['where']}: {each['message']}" for each in problems)
        said_zh = "；".join(f"{each['where']}：{each['message_zh']}" for each in problems)
        where = problems[0]["where"] if problems else None
        return ApiError(400, "invalid_parameter", f"参数有误：{said_zh}", said, where, problems=problems).response()

    async def store(request: Request, error: StoreError) -> Response:
        log.warning("the store did not serve a request", path=request.url.path, error=str(error))
        if isinstance(error, StoreUnavailable):
            return unavailable("store_unavailable", "存储暂不可用，请稍后重试", str(error)).response()
        return unavailable("store_refused", "存储未能应答此请求", f"the store refused: {shown(error)}").response()

    async def failed(request: Request, error: Exception) -> Response:
        log.error("a request failed", path=request.url.path, kind=type(error).__name__)
        return ApiError(500, "internal", "内部错误，详见日志", "the API failed on this; its log says why").response()

    app.add_exception_handler(ApiError, refused)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, http)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, invalid)  # type: ignore[arg-type]
    app.add_exception_handler(StoreError, store)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, failed)


def _problem(error: Mapping[str, Any]) -> dict[str, str]:
    """Where and what. What came in is repeated for a query only: a body may hold a password."""
    place = [str(part) for part in error["loc"]]
    where = shown(".".join(part for part in place if part not in {"query", "path", "body"}) or place[0])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "there is no such parameter"
    message_zh = in_chinese(error)
    if place[0] in {"query", "path"} and isinstance(error.get("input"), str):
        message += f", got '{shown(error['input'])}'"
        message_zh += f"，收到“{shown(error['input'])}”"
    return {"where": where, "message": message, "message_zh": message_zh}
