"""Answers the question `diagnose`: how each connection does, and what became of named points, for the console.

`{"ask": "diagnose", "connections": true}` or `{"ask": "diagnose", "points": [path, …]}`, or both. Nothing is asked of
any device, so that it can be asked over and over beside the polls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from gateway.connection import DeviceConnection
from gateway.diagnostics import Diagnostics
from gateway.findings import FindingsPage
from gateway.points import NEVER
from models.command import CommandError

MOST_POINTS = 80
MOST_FINDINGS = 20
"""Of one connection, the latest."""


class Diagnose:
    """Puts together what the gateway's own pages show. `state`: its heartbeat."""

    def __init__(
        self, connections: Iterable[DeviceConnection], diagnostics: Diagnostics, state: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._connections = connections  # asked anew each time: they may change
        self._diagnostics = diagnostics
        self._findings = FindingsPage(connections)
        self._state = state

    def answer(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Fit for JSON. Raises CommandError."""
        paths = found.get("points", [])
        if not isinstance(paths, list) or len(paths) > MOST_POINTS or not all(isinstance(one, str) for one in paths):
            raise CommandError(f"'points' is a list of at most {MOST_POINTS} paths")
        answer: dict[str, Any] = {"points": {path: self._diagnostics.of(path) for path in paths}}
        if found.get("connections"):
            state = dict(self._state())
            told = state.pop("connections")
            answer["gateway"] = state
            answer["connections"] = {one.spec.name: {**told[one.spec.name], **self._more(one)}
                                     for one in self._connections if one.spec.name in told}  # fmt: skip
        return answer

    def _more(self, one: DeviceConnection) -> dict[str, Any]:
        shown = self._findings.show(one.spec.name) or {"findings": []}
        return {
            "connects": one.connects,
            "errors": one.errors,
            "counters": one.counters(),
            "latency_ms": _latencies(one),
            "findings": shown["findings"][:MOST_FINDINGS],
            "findings_left_out": max(0, len(shown["findings"]) - MOST_FINDINGS),
        }


def _latencies(one: DeviceConnection) -> dict[str, float] | None:
    """From the instant at which a poll was due, or the source's time, to the value: of the points' newest samples."""
    acquisition = one.acquisition
    rows = np.flatnonzero(acquisition.answered & (acquisition.at != NEVER))
    if not len(rows):
        return None
    found = acquisition.latency_us[rows] / 1000
    return {"median": round(float(np.median(found)), 1), "most": round(float(found.max()), 1)}
