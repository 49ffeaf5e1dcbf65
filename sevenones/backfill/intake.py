"""The store's own way in, in this process: samples, numbered as each gateway's outbox numbers them, through the
store's writer to disk.

Not over the bus: at a thousand times the speed of life the streams would have to hold a month, when all that they
add, a buffer and a fan-out to live readers, is of no use to the past. So the store must not be running (it owns the
engine), nor the gateways (they own the numbers); both are found out and told before anything is simulated. Nor are
the samples encoded for a wire, or searched for the present.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.numbers import BatchNumbers, GatewayRunning
from middleplatform.store.audit import Audit
from middleplatform.store.catalogue import Catalogue
from middleplatform.store.deadletters import DeadLetters
from middleplatform.store.errors import StoreError
from middleplatform.store.quarantine import Quarantine
from middleplatform.store.schema import SETTING, open_store
from middleplatform.store.writer import Writer
from models.samples import Samples, concat
from models.site.model import Point, Site
from sevenones.backfill.span import BackfillError

ROWS = 2_000_000
"""Of one insert. An insert makes a part, and merging small parts, over and over, costs more than writing them: so a
day of a mine is some ten parts. This bounds the memory: about 200 bytes a row while it is written."""


class Intake:
    """Open until `close`, for samples of `points`, by their place there. Raises BackfillError when the store or a
    gateway is running."""

    def __init__(self, site: Site, points: Sequence[Point], home: Path) -> None:
        self._numbers: dict[str, BatchNumbers] = {}
        self.samples = 0
        """Taken in; they are all on disk after `close`."""
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
        dead = DeadLetters(home / "store" / "dead-letters")
        self._writer = Writer(self._engine, Catalogue(site), Quarantine(self._engine, audit), None, dead, audit)
        # The store merges what is left once it runs: parts that come one after the other are merged several times.
        self._engine.execute("SYSTEM STOP MERGES samples")
        names = list(site.gateways())
        self._of = np.array([names.index(site.connections[point.connection].gateway) for point in points], np.intp)
        # In 16 bits, where they suffice, numpy sorts by counting.
        ranks = np.argsort(np.argsort(np.array([point.id for point in points], np.uint64)))
        self._rank = ranks.astype(np.min_scalar_type(max(1, len(points))))
        self._waiting: list[tuple[NDArray[np.intp], Samples]] = []
        self._rows = 0

    def put(self, parts: Iterable[tuple[NDArray[np.intp], Samples]]) -> None:
        """Take in samples, with the row of each one's point. A repetition of the same (point, time) replaces what
        was there."""
        for rows, samples in parts:
            self._waiting.append((rows, samples))
            self._rows += len(samples)
            self.samples += len(samples)
        if self._rows >= ROWS:
            self._write()

    def _write(self) -> None:
        """Bring what waits to disk, as one batch of each gateway."""
        if not self._rows:
            return
        rows = np.concatenate([rows for rows, _ in self._waiting])
        # As the table is ordered: each point's samples came in the order of time. The engine would sort them by both.
        order = np.argsort(self._rank[rows], kind="stable")
        samples = concat([samples for _, samples in self._waiting]).take(order)
        self._waiting, self._rows = [], 0
        number = np.array([numbers.next() for numbers in self._numbers.values()], np.uint64)
        self._writer.insert(samples, number[self._of][rows[order]])

    def close(self) -> None:
        """Write what waits, and end."""
        try:
            self._write()
            self._engine.execute("SYSTEM START MERGES samples")
        finally:
            self._engine.close()
            self._let_go()

    def _let_go(self) -> None:
        for numbers in self._numbers.values():
            numbers.close()
