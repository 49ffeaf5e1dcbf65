"""From messages to rows on disk: decode, set aside what is not known, insert. Blocking; one thread.

Delivery: a message is done when `write` returns, and only then may it be acknowledged. Writing the
same message again changes nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
import structlog
from numpy.typing import NDArray

from bus.subjects import EVENTS, source_of
from middleplatform.store.audit import Audit
from middleplatform.store.catalogue import DEFAULT_AGE, Catalogue, known
from middleplatform.store.deadletters import DeadLetters
from middleplatform.store.engine import Engine
from middleplatform.store.latest import Latest
from middleplatform.store.quality.expected import Expected
from middleplatform.store.quarantine import TIME, UNKNOWN, Quarantine, is_sane
from middleplatform.store.schema import DAY, SAMPLE_COLUMNS
from middleplatform.store.windows import Windows
from models.events import SCHEMA as EVENT_COLUMNS
from models.events import Event, EventBatch
from models.identity import MANUAL, MANUAL_FLOOR
from models.samples import Batch, Samples, WireError, concat

log = structlog.get_logger("store")

MAX_ROWS = 200_000
"""Rows of one insert: with the batch age it bounds the memory that writing takes."""
MAX_DAYS = 64
"""Days that one insert may touch: each becomes a part, with buffers of its own."""


class Incoming(Protocol):
    """A message off the bus, as the writer needs it."""

    @property
    def data(self) -> bytes: ...
    @property
    def subject(self) -> str: ...
    @property
    def stream_sequence(self) -> int: ...


@dataclass(slots=True)
class Counters:
    """What the writer has done since it started."""

    rows: int = 0
    """Samples written, set-aside ones not counted."""
    events: int = 0
    foreign_events: int = 0
    mistimed_events: int = 0
    """Events of another mine's equipment, dropped."""
    inserts: int = 0
    malformed: int = 0
    insert_s: float = 0.0
    last_received: int = 0
    """`received` of the newest batch on disk, µs UTC."""
    quarantined: dict[str, int] = field(default_factory=lambda: {UNKNOWN: 0, TIME: 0})
    """Rows set aside, by reason; never goes down."""


class Writer:
    """Writes messages; holds the current catalogue, which `catalogue` replaces between two writes. `latest`: None
    where nobody asks for the present. `arrived` is told the points and times of what came off the bus and is on
    disk."""

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        quarantine: Quarantine,
        latest: Latest | None,
        dead_letters: DeadLetters,
        audit: Audit,
        windows: Windows | None = None,
        arrived: Callable[[NDArray[np.uint64], NDArray[np.int64]], None] | None = None,
        expected: Expected | None = None,
    ) -> None:
        self._engine = engine
        self._quarantine = quarantine
        self._latest = latest
        self._dead_letters = dead_letters
        self._audit = audit
        self._windows = windows or Windows(engine)
        self._arrived = arrived
        self.expected = expected or Expected(engine, catalogue)
        self.catalogue = catalogue
        self.counters = Counters()

    def ages(self, points: Sequence[int]) -> NDArray[np.int64]:
        """How long each point's value holds, µs, by the current catalogue."""
        return self.catalogue.ages(points)

    def adopt(self, catalogue: Catalogue) -> int:
        """Work by another catalogue from now on, and release what it knows; returns the rows released."""
        self.catalogue = catalogue
        self.expected.adopt(catalogue)
        rows = self._quarantine.release(catalogue, self._windows, self.expected)
        if self._latest is not None:
            self._latest.rebuild(self._engine, catalogue.points, _now())
        return rows

    def write(self, messages: Sequence[tuple[str, Incoming]]) -> None:
        """Bring messages, each with its stream's name, to disk. Raises EngineError when that failed: some
        may then be on disk, and all are to be written again."""
        parts: list[Samples] = []
        vers: list[NDArray[np.uint64]] = []
        rows = newest = 0
        for stream, message in messages:
            if stream == EVENTS:
                self._write_events(stream, message)
                continue
            batch = self._decode(stream, message)
            if batch is None:
                continue
            newest = max(newest, batch.received)
            for samples in self._sift(batch):
                parts.append(samples)
                vers.append(np.full(len(samples), batch.number, np.uint64))
                rows += len(samples)
                if rows >= MAX_ROWS:
                    self._keep(concat(parts), np.concatenate(vers))
                    parts, vers, rows = [], [], 0
        if rows:
            self._keep(concat(parts), np.concatenate(vers))
        self.counters.last_received = max(self.counters.last_received, newest)

    def _decode(self, stream: str, message: Incoming) -> Batch | None:
        try:
            batch = Batch.decode(message.data)
            _check(batch, message)
        except WireError as error:
            self._bury(stream, message, error)
            return None
        return batch

    def _bury(self, stream: str, message: Incoming, error: WireError) -> None:
        path = self._dead_letters.keep(stream, message.stream_sequence, bytes(message.data))
        self.counters.malformed += 1
        self._audit.write(
            "malformed message", stream=stream, sequence=message.stream_sequence, error=str(error)[:500], kept=path.name
        )
        log.warning("a message cannot be read; it is kept aside", stream=stream, file=path.name, error=str(error)[:200])

    def _sift(self, batch: Batch) -> Iterator[Samples]:
        """The samples to store, in pieces of at most MAX_ROWS; the others go into quarantine."""
        samples, now = batch.samples, _now()
        sane = is_sane(samples.ts, now)
        listed = known(samples.point, self.catalogue.of(batch.gateway))
        if not (sane & listed).all():
            for reason, rows in ((TIME, ~sane), (UNKNOWN, sane & ~listed)):
                if rows.any():
                    aside = self._quarantine.put(batch.gateway, reason, samples.take(rows), batch.number, now)
                    self.counters.quarantined[reason] += aside.num_rows
                    for start in range(0, aside.num_rows, MAX_ROWS):
                        self._engine.insert("quarantine", aside.slice(start, MAX_ROWS))
            samples = samples.take(sane & listed)
        if 0 < len(samples) <= MAX_ROWS:
            yield samples
            return
        for start in range(0, len(samples), MAX_ROWS):
            yield samples.take(np.arange(start, min(start + MAX_ROWS, len(samples))))

    def _keep(self, samples: Samples, ver: NDArray[np.uint64]) -> None:
        self.insert(samples, ver)
        if self._arrived is not None:
            self._arrived(samples.point, samples.ts)

    def insert(self, samples: Samples, ver: NDArray[np.uint64]) -> None:
        """Bring samples of points in the catalogue to disk, `ver` one batch number a row. Raises EngineError."""
        text = samples.text if samples.text is not None else pa.nulls(len(samples), pa.string())
        columns = (samples.point, samples.ts, samples.value, samples.quality)
        table = pa.Table.from_arrays([*map(pa.array, columns), text, pa.array(ver)], schema=SAMPLE_COLUMNS)
        self.expected.first(samples.point, samples.ts, ver)
        longest = int(self.catalogue.age.max(initial=DEFAULT_AGE))
        with self._windows.touching(samples.point, samples.ts, longest):
            for piece in _by_days(table, samples.ts):
                started = time.perf_counter()
                self._engine.insert("samples", piece)
                self.counters.insert_s += time.perf_counter() - started
                self.counters.inserts += 1
        if self._latest is not None:
            self._latest.update(samples, ver)
        self.counters.rows += len(samples)

    def _write_events(self, stream: str, message: Incoming) -> None:
        try:
            batch = EventBatch.decode(message.data)
            _check(batch, message)
        except WireError as error:
            self._bury(stream, message, error)
            return
        events = self._timed(batch.gateway, self._of_its_own(batch))
        if not events:
            return
        names = [name for name in EVENT_COLUMNS.names if name != "attributes"]
        columns = {name: [getattr(event, name) for event in events] for name in names}
        columns["attributes"] = [json.dumps(dict(e.attributes), ensure_ascii=False, sort_keys=True) for e in events]
        table = pa.table(columns, schema=EVENT_COLUMNS)
        table = table.append_column("ver", pa.array(np.full(len(events), batch.number, np.uint64)))
        self._engine.insert("events", table)
        self.counters.events += len(events)

    def _of_its_own(self, batch: EventBatch) -> list[Event]:
        """The events of what the gateway reads; what it says of another's, or of another mine's, is dropped, counted
        and told."""
        own: list[Event] = []
        foreign: list[Event] = []
        for event in batch.events:
            (own if self.catalogue.may_tell(batch.gateway, event.equipment) else foreign).append(event)
        if foreign:
            self.counters.foreign_events += len(foreign)
            self._tell("events of another's equipment", batch.gateway, foreign, example=foreign[0].equipment[:100])
        return own

    def _timed(self, gateway: str, events: list[Event]) -> list[Event]:
        """Those that can have begun when they say; one from the beginning of time would stand in every answer."""
        sane = is_sane(np.array([event.start for event in events], np.int64), _now())
        wrong = [event for event, right in zip(events, sane, strict=True) if not right]
        if wrong:
            self.counters.mistimed_events += len(wrong)
            self._tell("events at impossible times", gateway, wrong, example=wrong[0].id[:100], start=wrong[0].start)
        return [event for event, right in zip(events, sane, strict=True) if right]

    def _tell(self, what: str, gateway: str, dropped: list[Event], **facts: object) -> None:
        """Of events that are dropped."""
        self._audit.write(what, gateway=gateway, events=len(dropped), **facts)
        log.warning(f"{what} are dropped", gateway=gateway, events=len(dropped), **facts)


def _check(batch: Batch | EventBatch, message: Incoming) -> None:
    """A gateway may speak for itself only: the bus let it use this subject and no other."""
    if batch.gateway != source_of(message.subject):
        raise WireError(f"a batch of gateway '{batch.gateway}' came on the subject '{message.subject}'")
    manual = batch.gateway == MANUAL
    if not 0 < batch.number < (2**64 if manual else MANUAL_FLOOR):
        # The highest number holds: with one above it a gateway could undo what people corrected, for good.
        raise WireError(f"a gateway's batch number must be from 1 to 2^62 - 1, got {batch.number}")
    if not manual and isinstance(batch, EventBatch) and any(event.source == MANUAL for event in batch.events):
        raise WireError(f"gateway '{batch.gateway}' tells of an event as though people had entered it")


def _by_days(table: pa.Table, ts: NDArray[np.int64]) -> Iterator[pa.Table]:
    """The table, cut so that no piece touches more than MAX_DAYS days."""
    days = ts // DAY
    if int(days.max()) - int(days.min()) < MAX_DAYS:
        yield table
        return
    order = np.argsort(days, kind="stable")
    _, rank = np.unique(days[order], return_inverse=True)
    cuts = np.searchsorted(rank, np.arange(MAX_DAYS, int(rank[-1]) + 1, MAX_DAYS))
    for rows in np.split(order, cuts):
        yield table.take(pa.array(rows))


def _now() -> int:
    return time.time_ns() // 1000
