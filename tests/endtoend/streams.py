"""What the streams of a bus server hold, read as a process that may."""

from __future__ import annotations

from bus.connection import Bus
from models.samples import Batch


async def pairs_of(bus: Bus) -> list[tuple[int, int]]:
    """Every (point, ts) that SAMPLES and SAFETY held when this was called, as often as they hold it."""
    found: list[tuple[int, int]] = []
    for stream in ("SAMPLES", "SAFETY"):
        last = (await bus.stream_state(stream)).last_sequence
        consumer = await bus.consumer(stream, "watch-kpi")
        at = 0
        while at < last:
            messages = await consumer.fetch(64, None, 2.0)
            for message in messages:
                at = max(at, message.stream_sequence)
                if message.stream_sequence > last:
                    continue
                samples = Batch.decode(message.data).samples
                found += zip(samples.point.tolist(), samples.ts.tolist(), strict=True)
            await consumer.acknowledge(messages)
        await consumer.close()
    return found
