"""The store's own way in, in this process: encoded batches, numbered as each gateway's outbox numbers them, through
the store's writer to disk.

Not over the bus: at a thousand times the speed of life the streams would have to hold a month, when all that they
add, a buffer and a fan-out to live readers, is of no use to the past. So the store must not be running (it owns the
engine), nor the gateways (they own the numbers); both are found out and told before anything is simulated.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bus import subjects
from gateway.numbers import BatchNumbers, GatewayRunning
from middleplatform.store.audit import Audit
from middleplatform.store.catalogue import Catalogue
from middleplatform.store.deadletters import DeadLetters
from middleplatform.store.errors import StoreError
from middleplatform.store.latest import Latest
from middleplatform.store.quarantine import Quarantine
from middleplatform.store.schema import SETTING, open_store
from middleplatform.store.writer import Writer
from models.samples import Batch, Samples, concat
from models.site.model import Site
from sevenones.backfill.span import BackfillError

MAX_ROWS = 100_000
"""Of a batch."""


@dataclass(frozen=True, slots=True)
class _Message:
    data: bytes
    subject: str
    stream_sequence: int


class Intake:
    """Open until `close`. Raises BackfillError when the store or a gateway is running."""

    def __init__(self, site: Site, home: Path) -> None:
        self._numbers: dict[str, BatchNumbers] = {}
        self._site = site
        self.samples = 0
        try:
            for name in site.gateways():
                self._numbers[name] = BatchNumbers(home / "gateway" / name)
            self._engine = open_store(home / "store", os.environ.get(SETTING))
        except GatewayRunning as error:
            self._let_go()
            raise BackfillError(str(error)) from error
        except StoreError as error:
            self._let_go()
            raise BackfillError(
                f"存储正在运行或打不开，请先停止 · stop the store (demo, `sevenones store`) on {home} first: {error}"
            ) from error
        audit = Audit(home / "store" / "audit.log")
        catalogue = Catalogue(site)
        dead = DeadLetters(home / "store" / "dead-letters")
        self._writer = Writer(self._engine, catalogue, Quarantine(self._engine, audit), Latest(), dead, audit)
        ids = np.array([point.id for point in site.points], np.uint64)
        names = list(site.gateways())
        of = np.array([names.index(site.connections[point.connection].gateway) for point in site.points], np.int8)
        self._order = np.argsort(ids)
        self._ids, self._of = ids[self._order], of[self._order]
        self._names = names

    def put(self, parts: Iterable[Samples]) -> int:
        """Bring samples to disk; how many. A repetition of the same (point, time) replaces what was there."""
        samples = concat(list(parts))
        if not len(samples):
            return 0
        gateway = self._of[np.searchsorted(self._ids, samples.point)]
        messages = []
        for place, name in enumerate(self._names):
            ours = np.flatnonzero(gateway == place)
            subject = subjects.samples(self._site.code, name)
            for begin in range(0, len(ours), MAX_ROWS):
                some = samples.take(ours[begin : begin + MAX_ROWS])
                number = self._numbers[name].next()
                data = Batch(name, number, time.time_ns() // 1000, some).encode()
                messages.append((subjects.SAMPLES, _Message(data, subject, number)))
        self._writer.write(messages)
        self.samples += len(samples)
        return len(samples)

    def close(self) -> None:
        self._engine.close()
        self._let_go()

    def _let_go(self) -> None:
        for numbers in self._numbers.values():
            numbers.close()
