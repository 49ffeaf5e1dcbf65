"""Where faults are asked for while a mine runs: requests over the bus, as JSON, answered with what was done.

    {"do": "begin", "fault": "belt_slip", "target": "belt_101", "amount": 0.5, "for_s": 60}
    {"do": "end", "fault": "belt_slip", "target": "belt_101"}
    {"do": "list"}

An answer has `running` (what is there now) and, unless a list was asked for, `did`, `expected` (zh, en) and `signs`
(what the platform must notice); or `error`, in words. The simulators work without the bus as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import structlog
from pydantic import ValidationError

from bus import credentials, subjects
from bus.connection import Bus
from bus.errors import BusError
from simulators.design.strict import Strict
from simulators.faults.catalogue import FaultError, fault_of
from simulators.faults.dispatch import Faults, Running

log = structlog.get_logger(__name__)

LONGEST = 4096
"""Bytes of a request."""


class Request(Strict):
    do: Literal["begin", "end", "list"]
    fault: str = ""
    target: str = ""
    amount: float | None = None
    for_s: float | None = None


class Desk:
    """`now_us`: the simulated clock. `look` is called after each change, so that it is seen at once."""

    def __init__(self, faults: Faults, now_us: Callable[[], int], look: Callable[[], None] = lambda: None) -> None:
        self._faults = faults
        self._now_us = now_us
        self._look = look

    async def handle(self, subject: str, data: bytes) -> bytes:
        """Answer one request."""
        del subject
        try:
            answer = self.answer(data)
        except FaultError as error:
            answer = {"error": str(error)}
        return json.dumps(answer, ensure_ascii=False).encode()

    def answer(self, data: bytes) -> dict[str, Any]:
        """As `handle`, before it is written. Raises FaultError."""
        request = _request(data)
        if request.do == "list":
            return {"running": self._running()}
        fault = fault_of(request.fault)
        if request.do == "begin":
            running = self._faults.begin(
                request.fault, request.target, self._now_us(), amount=request.amount, for_s=request.for_s
            )
        else:
            running = next((each for each in self._faults.running() if _is(each, request)), None) or Running(
                request.fault, request.target, 0.0, 0, None
            )
            self._faults.end(request.fault, request.target)
        self._look()
        log.info("fault", do=request.do, fault=request.fault, target=request.target, amount=running.amount)
        return {
            "did": {"do": request.do, "name": fault.name.model_dump(), **_told(running)},
            "unit": fault.amount.unit if fault.amount else "",
            "expected": fault.expected.model_dump(),
            "signs": [sign.words() for sign in fault.signs],
            "running": self._running(),
        }

    def _running(self) -> list[dict[str, Any]]:
        return [_told(each) for each in self._faults.running()]

    async def serve(self, url: str, home: Path, code: str, stop: asyncio.Event) -> None:
        """Answer over the bus until `stop`. A bus that is away or refuses is logged, and the mine goes on."""
        try:
            proof = credentials.load(home, "simulator")
            async with await Bus.connect(url, proof, name="simulator", wait_s=0) as bus:
                await bus.answer(subjects.fault(code), self.handle)
                await stop.wait()
        except BusError as error:
            log.warning("no_faults_over_the_bus", reason=str(error))


def _is(running: Running, request: Request) -> bool:
    return (running.id, running.target) == (request.fault, request.target)


def _told(running: Running) -> dict[str, Any]:
    return {
        "fault": running.id,
        "target": running.target,
        "amount": running.amount,
        "since_us": running.since_us,
        "until_us": running.until_us,
    }


def _request(data: bytes) -> Request:
    if len(data) > LONGEST:
        raise FaultError(f"请求过长 · the request has {len(data)} bytes, at most {LONGEST} are read")
    try:
        return Request.model_validate_json(data)
    except ValidationError as error:
        words = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'request'}: {each['msg']}" for each in error.errors())
        raise FaultError(f"请求无法理解 · the request is not understood: {words}") from None
