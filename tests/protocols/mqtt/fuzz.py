"""Malformed payloads by the ten thousand: what every decoder of messages must bear."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable, Sequence

from protocols.adapter import Reading, Tag
from tests.protocols.session import check_form

SLOWEST_S = 2.0
"""The CPU time that one payload may take, with a wide margin: a stall would be without end."""
GROWTH_BYTES = 2_000_000


def mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, or two of them, broken in a few places."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 6)):
        kind, at = chance.randrange(7), chance.randint(0, len(data))
        if kind == 0:
            data[at:at] = chance.randbytes(chance.randint(1, 9))
        elif kind == 1:
            del data[at : at + chance.randint(1, 20)]
        elif kind == 2 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif kind == 3:
            data = data[:at]
        elif kind == 4:
            data[at:at] = chance.choice(seeds)[: chance.randint(1, 60)]
        elif kind == 5 and data:
            data[at % len(data)] = chance.choice(b'\0\xff"{}[],:0x\n;e-+')
        else:
            data[at:at] = bytes((chance.randrange(256),)) * chance.randint(1, 300)
    return bytes(data)


def _check(reading: Reading, tags: Sequence[Tag]) -> None:
    """A payload may or may not have had a time of its own."""
    good = reading.quality >= 192
    timed = reading.ts is not None and bool((reading.ts[good] > 0).all())
    if not timed:
        reading.ts = None
    check_form(reading, tags, source_time=timed)


def endure(
    hear: Callable[[bytes], Reading | None], seeds: Sequence[bytes], tags: Sequence[Tag], count: int, seed: int
) -> int:
    """Send `count` mutated payloads. Asserts that none raises or stalls, that every reading has its form, and
    that memory does not grow. Gives how many readings had a bad row."""
    chance = random.Random(seed)
    bad = 0
    for number in range(count):
        if number == count * 9 // 10:
            tracemalloc.start()  # by now all that is bounded is full
        payload = mutated(chance, seeds)
        began = time.process_time()
        found = hear(payload)
        assert time.process_time() - began < SLOWEST_S, payload
        if found is not None:
            _check(found, tags)
            bad += bool((found.quality < 64).any())
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < GROWTH_BYTES
    return bad
