"""Brings approved entries to the store over the bus, as a batch of the source `manual`, so that whatever follows the
samples (roll-ups, quality, figures) follows these too.

Delivery: what was there before is kept first, then the batch is published under its own number until the bus has it:
killed anywhere, the next start goes on, and the same batch again changes nothing. Once the bus has it, who follows the
live values is told too: an entry of a point's newest instant is its present value. Who starts later asks the store.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pyarrow as pa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bus import subjects
from bus.connection import Bus
from bus.errors import BusError
from middleplatform.database import DatabaseError, Place
from middleplatform.governance import manual
from middleplatform.governance.manual import Entry
from middleplatform.store.client import INCOMPLETE, StoreClient, StoreError, StoreUnavailable
from models.events import Event, EventBatch, event_id
from models.identity import MANUAL, point_id
from models.samples import Batch, Samples

log = structlog.get_logger("governance")

LOOK_S = 5.0
MAX_ROWS = 1_000_000
"""Rows of the store among which those before an entry are looked for."""

Ask = Callable[[Callable[[StoreClient], Any]], Awaitable[Any]]
"""Asks the store."""


async def publish(bus: Bus, ask: Ask, where: Place, mine: str, safety: frozenset[str], approved: asyncio.Event) -> None:
    """Publish what is due whenever `approved` is set, and every few seconds. `safety`: paths of the statutory points.
    Runs until cancelled."""
    told = ""
    while True:
        approved.clear()
        try:
            for entry in await asyncio.to_thread(manual.due, where, mine):
                await _bring(bus, ask, where, entry, safety)
            told = ""
        except (BusError, StoreError, DatabaseError, SQLAlchemyError) as error:
            if str(error) != told:
                told = str(error)
                log.warning("人工录入暂未入库 · manual entries wait to be published", error=told[:300])
        try:
            await asyncio.wait_for(approved.wait(), LOOK_S)
        except TimeoutError:
            continue


async def _bring(bus: Bus, ask: Ask, where: Place, entry: Entry, safety: frozenset[str]) -> None:
    assert entry.number is not None  # noqa: S101 - it is approved
    identity = f"{MANUAL}-{entry.number}"
    if entry.kind == "event":
        subject, data = subjects.events(entry.mine, MANUAL), _event(entry).encode()
    else:
        rows = await asyncio.to_thread(manual.samples, where, entry.id)
        if entry.kept is None:
            had = await ask(lambda store: before(store, entry, rows))
            await asyncio.to_thread(manual.keep, where, entry.id, had)
        kind = subjects.safety if entry.subject in safety else subjects.samples
        subject, data = kind(entry.mine, MANUAL), _batch(entry, rows).encode()
    await bus.publish(subject, data, identity)
    if entry.kind == "value":
        await bus.live(subjects.live(entry.mine, MANUAL), data)
    await asyncio.to_thread(manual.published, where, entry.id)
    log.info("人工录入已入库 · a manual entry is published", entry=entry.id, subject=entry.subject, who=entry.who)


def before(store: StoreClient, entry: Entry, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the store has at the instants of an entry's samples. Raises StoreError."""
    assert entry.end is not None  # noqa: S101 - of values
    found = store.raw([point_id(entry.subject)], entry.start, entry.end + 1, MAX_ROWS)
    if INCOMPLETE in (found.schema.metadata or {}):
        raise StoreUnavailable("the store has samples that it did not write yet: what was there before is not known")
    wanted = np.array([row["ts"] for row in rows], np.int64)
    there = found.filter(pa.array(np.isin(found.column("ts").to_numpy(), wanted)))
    value = there.column("value").to_numpy()
    return [
        {**row, "value": None if missing else row["value"]}
        for row, missing in zip(
            there.select(["ts", "value", "quality", "text"]).to_pylist(), np.isnan(value), strict=True
        )
    ]


def _batch(entry: Entry, rows: list[dict[str, Any]]) -> Batch:
    texts = [row["text"] for row in rows]
    samples = Samples(
        np.full(len(rows), point_id(entry.subject), np.uint64),
        np.array([row["ts"] for row in rows], np.int64),
        np.array([np.nan if row["value"] is None else row["value"] for row in rows], np.float64),
        np.array([row["quality"] for row in rows], np.uint8),
        pa.array(texts, pa.string()) if any(text is not None for text in texts) else None,
    )
    return Batch(MANUAL, entry.number or 0, time.time_ns() // 1000, samples)


def _event(entry: Entry) -> EventBatch:
    body = entry.body or {}
    event = Event(
        id=body["id"] or event_id(entry.subject, body["kind"], f"{MANUAL}-{entry.id}"),
        equipment=entry.subject,
        kind=body["kind"],
        start=body["start"],
        end=body["end"],
        quality=body["quality"],
        source=MANUAL,
        attributes={**body["attributes"], "manual_entry": entry.id},
    )
    return EventBatch(MANUAL, entry.number or 0, time.time_ns() // 1000, [event])
