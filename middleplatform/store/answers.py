"""The questions that the store answers, by their kind. Every answer covers all that had come off the bus when
the question came."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from middleplatform.store.asked import points, text, texts, whole_number
from middleplatform.store.client import INCOMPLETE
from middleplatform.store.flight import Handler
from middleplatform.store.history import MAX_POINTS, History
from middleplatform.store.latest import Latest

MOST_LATEST = 200_000
MOST_EQUIPMENT = 50_000
"""Whose events one question may name: all that a caller may see of a mine."""


class Answers:
    """`handlers` are what the door serves."""

    def __init__(
        self, history: History, latest: Latest, settle: Callable[[], bool], status: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._history = history
        self._latest = latest
        self._settle = settle
        self._status = status
        self.handlers: dict[str, Handler] = {
            "raw": self._raw,
            "buckets": self._buckets,
            "days": self._days,
            "latest": self._latest_of,
            "events": self._events,
            "status": self._status_of,
        }

    def _raw(self, asked: Mapping[str, Any]) -> pa.Table:
        named, start, end, limit = (
            points(asked, MAX_POINTS),
            whole_number(asked, "start"),
            whole_number(asked, "end"),
            whole_number(asked, "limit"),
        )
        whole = self._settle()
        return said(self._history.raw(named, start, end, limit), whole)

    def _buckets(self, asked: Mapping[str, Any]) -> pa.Table:
        named, start, end, width = (
            points(asked, MAX_POINTS),
            whole_number(asked, "start"),
            whole_number(asked, "end"),
            whole_number(asked, "width"),
        )
        whole = self._settle()
        return said(self._history.buckets(named, start, end, width), whole)

    def _days(self, asked: Mapping[str, Any]) -> pa.Table:
        named, start, end = points(asked, MAX_POINTS), whole_number(asked, "start"), whole_number(asked, "end")
        whole = self._settle()
        return said(self._history.days(named, start, end), whole)

    def _latest_of(self, asked: Mapping[str, Any]) -> pa.Table:
        named = None if asked.get("points") is None else points(asked, most=MOST_LATEST)
        return self._latest.table(named)

    def _events(self, asked: Mapping[str, Any]) -> pa.Table:
        equipment, kind = texts(asked, "equipment", MOST_EQUIPMENT), text(asked, "event_kind")
        start, end, limit = whole_number(asked, "start"), whole_number(asked, "end"), whole_number(asked, "limit")
        whole = self._settle()
        return said(self._history.events(equipment, kind, start, end, limit), whole)

    def _status_of(self, _: Mapping[str, Any]) -> pa.Table:
        return pa.table({"status": [json.dumps(self._status())]})


def said(table: pa.Table, whole: bool) -> pa.Table:
    """The answer, marked when samples that had come were not yet written and so may lack in it."""
    if whole:
        return table
    return table.replace_schema_metadata({**(table.schema.metadata or {}), INCOMPLETE: b"1"})
