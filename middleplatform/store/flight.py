"""The store's door: Arrow Flight on loopback, for those who hold the token that this start made.

A ticket is a JSON object: `kind` names the question (`middleplatform.store.answers`), the rest its arguments.
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

from middleplatform.store.errors import StoreError

log = structlog.get_logger("store")

_MAX_TICKET = 5_000_000
_BATCH = 65_536
"""Rows of one message of an answer."""

Handler = Callable[[Mapping[str, Any]], pa.Table | pa.RecordBatchReader]
"""Answers a ticket: with a table, or with a reader when the answer need not fit in memory."""


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

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        token = secrets.token_urlsafe(32)
        super().__init__("grpc://127.0.0.1:0", middleware={"bearer": _Bearer(token)})
        self.endpoint = {"url": f"grpc://127.0.0.1:{self.port}", "token": token}
        self._handlers = handlers

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.RecordBatchStream:
        try:
            asked = _parse(ticket.ticket)
            handler = self._handlers.get(asked.get("kind", ""))
            if handler is None:
                raise StoreError(f"the kind '{asked.get('kind')}' is not one of {', '.join(self._handlers)}")
            answer = handler(asked)
        except StoreError as error:
            raise _refusal(str(error)) from None
        except Exception as error:
            log.exception("a request failed")
            raise _refusal(f"the store failed on this request: {type(error).__name__}; its log says more") from error
        if isinstance(answer, pa.Table):
            answer = pa.RecordBatchReader.from_batches(answer.schema, answer.to_batches(max_chunksize=_BATCH))
        return flight.RecordBatchStream(answer)


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
