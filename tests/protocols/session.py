"""Drives an adapter as a gateway does, by polling or by subscription, and checks every reading's form."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from models.quality import is_good
from protocols.adapter import Adapter, Delivery, LinkLost, Reading, Supports, Tag

PERIOD_S = 0.05


class NotYetError(AssertionError):
    """What was waited for has not come in its time."""


@dataclass(frozen=True, slots=True)
class Row:
    """The newest of one tag. `ts` is 0 without a source time, `reason` "" without one."""

    value: float
    quality: int
    ts: int
    text: str | None
    reason: str

    @property
    def good(self) -> bool:
        return self.quality >= 192


def check_form(reading: Reading, tags: Sequence[Tag], source_time: bool) -> None:
    """What every reading of every adapter holds to."""
    rows = len(reading)
    assert reading.index.dtype == np.int32
    assert reading.value.dtype == np.float64 and len(reading.value) == rows
    assert reading.quality.dtype == np.uint8 and len(reading.quality) == rows
    known = {tag.index for tag in tags}
    assert set(reading.index.tolist()) <= known, "an index that no tag has"
    good = is_good(reading.quality)
    if reading.ts is not None:
        assert reading.ts.dtype == np.int64 and len(reading.ts) == rows
    if reading.text is not None:
        assert isinstance(reading.text, pa.StringArray) and len(reading.text) == rows
    if source_time and good.any():
        assert reading.ts is not None and (reading.ts[good] > 0).all(), "the sheet promises a source time"
    if not source_time:
        assert reading.ts is None or not reading.ts.any(), "a time in spite of what the sheet says"
    bare = np.isnan(reading.value) if reading.text is None else np.isnan(reading.value) & ~_has_text(reading.text)
    assert not (good & bare).any(), "a good row has a value"
    assert not np.isinf(reading.value).any(), "infinity is not a value"
    bad = set(reading.index[reading.quality < 64].tolist())
    assert bad <= set(reading.reasons), f"bad rows without a reason: {sorted(bad - set(reading.reasons))}"
    assert set(reading.reasons) <= known
    assert all(reason.strip() for reason in reading.reasons.values())


def _has_text(text: pa.StringArray) -> Any:
    return text.is_valid().to_numpy(zero_copy_only=False)


class Session:
    """One adapter over its whole life. `mode` is Supports.READ or Supports.SUBSCRIBE. Entering connects
    and starts; leaving stops and closes. `latest` is by tag index; `lost` is what ended it, if anything."""

    def __init__(self, adapter: Adapter[Any, Any], tags: Sequence[Tag], mode: Supports) -> None:
        self.adapter = adapter
        self.tags = tags
        self.mode = mode
        self.latest: dict[int, Row] = {}
        self.readings: list[Reading] = []
        self.lost: LinkLost | None = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Session:
        try:
            await self.adapter.connect()
        except BaseException:
            await self.adapter.close()
            raise
        self._task = asyncio.create_task(self._run(), name="session")
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._task is not None
        self._task.cancel()
        outcome = (await asyncio.gather(self._task, return_exceptions=True))[0]
        await self.adapter.close()
        if error[0] is None and isinstance(outcome, Exception):
            raise outcome

    async def _run(self) -> None:
        try:
            if self.mode is Supports.SUBSCRIBE:
                await self.adapter.subscribe(self.tags, self._deliver)
                raise AssertionError("subscribe returned, though nobody cancelled it")
            plan = self.adapter.plan(self.tags)
            while True:
                reading = await self.adapter.read(plan)
                assert sorted(reading.index.tolist()) == sorted(tag.index for tag in self.tags), "one row a tag"
                self._take(reading)
                await asyncio.sleep(PERIOD_S)
        except LinkLost as lost:
            assert re.search(r"[一-鿿].* · \w", str(lost)), f"a lost link has a reason in both languages: {lost}"
            self.lost = lost
        finally:
            self._changed.set()

    async def _deliver(self, delivery: Delivery) -> None:
        self._take(delivery.reading)
        delivery.acknowledge()

    def _take(self, reading: Reading) -> None:
        check_form(reading, self.tags, self.adapter.sheet.source_time)
        self.readings.append(reading)
        texts = reading.text.to_pylist() if reading.text is not None else [None] * len(reading)
        times = reading.ts.tolist() if reading.ts is not None else [0] * len(reading)
        for index, value, quality, ts, text in zip(
            reading.index.tolist(), reading.value.tolist(), reading.quality.tolist(), times, texts, strict=True
        ):
            self.latest[index] = Row(value, quality, ts, text, reading.reasons.get(index, ""))
        self._changed.set()

    async def until(self, met: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until `met`. Fails with what was there instead, also when the session ended."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not met():
            self._changed.clear()
            left = deadline - asyncio.get_running_loop().time()
            ended = self._task is not None and self._task.done()
            if ended and self._task is not None and not self._task.cancelled() and self._task.exception():
                await self._task
            if left <= 0 or ended:
                raise NotYetError(f"not in {seconds} s: {what}; lost: {self.lost!r}; latest: {self.latest}")
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                continue

    async def until_values(self, values: dict[int, float], seconds: float) -> None:
        """Wait until each index is good and has that value (to single precision)."""
        await self.until(
            lambda: all(
                index in self.latest
                and self.latest[index].good
                and math.isclose(self.latest[index].value, value, rel_tol=1e-6)
                for index, value in values.items()
            ),
            seconds,
            f"the values {values}",
        )
