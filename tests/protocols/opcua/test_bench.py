"""The bench itself: it runs, it counts what a server wrote, and it would see a sample that is missing."""

from __future__ import annotations

import asyncio

import numpy as np

from gateway.chunk import Chunk
from models.samples import Samples
from sevenones.bench import opcua as bench


async def test_it_counts_every_sample_once() -> None:
    found = await asyncio.to_thread(bench.run, seconds=1, values=50, rates=(2,))
    (step,) = found["steps"]
    assert step["lost"] == 0 and found["none_lost"] and step["offered_per_s"] == 100


def test_a_value_that_is_left_out_or_doubled_is_seen() -> None:
    def chunk(*values: float) -> Chunk:
        count = len(values)
        ids = np.array([7, 9], np.uint64)[:count]
        return Chunk(Samples(ids, np.full(count, 5), np.array(values), np.full(count, 192, np.uint8)), False, "s")

    counter = bench.Counter(np.array([9, 7], np.uint64))
    for values in ((0.0, 0.0), (1.0, 1.0), (1.0, 1.0), (2.0, 2.0)):
        counter.put(chunk(*values))
    assert (counter.samples, counter.wrong) == (6, 0)
    counter.put(chunk(4.0, 3.0))
    counter.put(chunk(3.0))
    assert counter.wrong == 2 and counter.last.tolist() == [3.0, 3.0]
