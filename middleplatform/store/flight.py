"""The store's door: Arrow Flight on loopback, for those who hold the token that this start made.

A ticket is a JSON object: `kind` is raw, buckets, latest, events or status, the rest its arguments.
Every answer covers all that had come off the bus when the question came.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import structlog
from pyarrow import flight

from middleplatform.store.client import INCOMPLETE
from middleplatform.store.errors import StoreError
from middleplatform.store.history import MAX_POINTS, History
from middleplatform.store.latest import Latest

log = structlog.get_logger("store")

_MAX_TICKET = 5_000_000
_BATCH = 65_536
"""Rows of one message of an answer."""

Handler = Callable[[Mapping[str, Any]], pa.Table]


class _Bearer(flight.ServerMiddlewareFactory):
    def __init__(self, token: str) -> None:
        super().__init__()
        self._expected = f"Bearer {token}".encode()

    def start_call(self, info: flight.CallInfo, headers: Mapping[str, list[Any]]) -> None:
        given = [value for name, values in headers.items() if name.lower() == "authorization" for value in values]
        sent = given[0] if given else b""
        if not hmac.compare_digest(sent if isinstance(sent, bytes) else sent.encode(), self._expected):
            raise flight.FlightUnauthenticatedError("a bearer token is needed; the store's endpoint file holds it")


class Door(flight.FlightServerBase):
    """Serves from its own threads as soon as it is made; `endpoint` says where and with which token."""

    def __init__(
        self, history: History, latest: Latest, settle: Callable[[], bool], status: Callable[[], Mapping[str, Any]]
    ) -> None:
        token = secrets.token_urlsafe(32)
        super().__init__("grpc://127.0.0.1:0", middleware={"bearer": _Bearer(token)})
        self.endpoint = {"url": f"grpc://127.0.0.1:{self.port}", "token": token}
        self._history = history
        self._latest = latest
        self._settle = settle
        self._status = status
        self._handlers: dict[str, Handler] = {
            "raw": self._raw,
            "buckets": self._buckets,
            "latest": self._latest_of,
            "events": self._events,
            "status": self._status_of,
        }

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.RecordBatchStream:
        try:
            asked = _parse(ticket.ticket)
            handler = self._handlers.get(asked.get("kind", ""))
            if handler is None:
                raise StoreError(f"the kind '{asked.get('kind')}' is not one of {', '.join(self._handlers)}")
            table = handler(asked)
        except StoreError as error:
            raise _refusal(str(error)) from None
        except Exception as error:
            log.exception("a request failed")
            raise _refusal(f"the store failed on this request: {type(error).__name__}; its log says more") from error
        reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=_BATCH))
        return flight.RecordBatchStream(reader)

    def _raw(self, asked: Mapping[str, Any]) -> pa.Table:
        points, start, end, limit = _points(asked), _int(asked, "start"), _int(asked, "end"), _int(asked, "limit")
        whole = self._settle()
        return _said(self._history.raw(points, start, end, limit), whole)

    def _buckets(self, asked: Mapping[str, Any]) -> pa.Table:
        points, start, end, width = _points(asked), _int(asked, "start"), _int(asked, "end"), _int(asked, "width")
        whole = self._settle()
        return _said(self._history.buckets(points, start, end, width), whole)

    def _latest_of(self, asked: Mapping[str, Any]) -> pa.Table:
        points = None if asked.get("points") is None else _points(asked, most=200_000)
        return self._latest.table(points)

    def _events(self, asked: Mapping[str, Any]) -> pa.Table:
        equipment, kind = _text(asked, "equipment"), _text(asked, "event_kind")
        start, end, limit = _int(asked, "start"), _int(asked, "end"), _int(asked, "limit")
        whole = self._settle()
        return _said(self._history.events(equipment, kind, start, end, limit), whole)

    def _status_of(self, _: Mapping[str, Any]) -> pa.Table:
        return pa.table({"status": [json.dumps(self._status())]})


def _said(table: pa.Table, whole: bool) -> pa.Table:
    """The answer, marked when samples that had come were not yet written and so may lack in it."""
    return table if whole else table.replace_schema_metadata({INCOMPLETE: b"1"})


def _refusal(message: str) -> flight.FlightServerError:
    return flight.FlightServerError(message, extra_info=json.dumps({"message": message}).encode())


def _parse(data: bytes) -> Mapping[str, Any]:
    if len(data) > _MAX_TICKET:
        raise StoreError("the ticket is too long")
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError):
        raise StoreError("the ticket is not JSON") from None
    if not isinstance(asked, dict) or not isinstance(asked.get("kind"), str):
        raise StoreError("the ticket must be a JSON object with a 'kind'")
    return asked


def _int(asked: Mapping[str, Any], name: str) -> int:
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise StoreError(f"'{name}' must be a whole number, got {value!r:.50}")
    return value


def _text(asked: Mapping[str, Any], name: str) -> str | None:
    value = asked.get(name)
    if value is not None and not isinstance(value, str):
        raise StoreError(f"'{name}' must be text, got {value!r:.50}")
    return value


def _points(asked: Mapping[str, Any], most: int = MAX_POINTS) -> list[int]:
    points = asked.get("points")
    if not isinstance(points, list) or not all(type(p) is int and 0 <= p < 2**64 for p in points):
        raise StoreError("'points' must be a list of ids, each from 0 to 2^64 - 1")
    if len(points) > most:
        raise StoreError(f"{len(points)} points are named, at most {most} are answered at once")
    return points
