"""Units on one serial line as the gateway polls them: each with a connection, a period and a phase of its own."""

from __future__ import annotations

import asyncio
import contextlib

from gateway.clock import WallClock
from gateway.connection import DeviceConnection
from gateway.schedule import phases
from tests.gateway.sites import Remembered, connection, point
from tests.protocols.modbus.rawdevice import Request, RtuDevice

DEAD = (3, 6, 9)
PERIOD_S = 0.3


async def test_p3_and_p6_ten_units_on_a_line_of_which_three_are_dead() -> None:
    async def twist(request: Request, _: object) -> bytes | None:
        await asyncio.sleep(0.002)
        if request.unit in DEAD:
            return b""
        return None

    async with RtuDevice(twist, serial=True) as device:
        clock = WallClock()
        specs = [
            connection(
                f"unit{unit}", "modbus", {"fast": PERIOD_S}, **device.settings, unit=unit, timeout_s=0.3, rest_s=60
            )
            for unit in range(1, 11)
        ]
        sinks = [Remembered() for _ in specs]
        phase = phases(specs)
        lines = [
            DeviceConnection(spec, (point("p", spec.name, address="hr:1", type="uint16"),), phase, clock, sink)
            for spec, sink in zip(specs, sinks, strict=True)
        ]
        tasks = [asyncio.create_task(line.run()) for line in lines]
        try:
            live = [line.groups["fast"] for line, unit in zip(lines, range(1, 11), strict=True) if unit not in DEAD]
            # The dead are found out first; then whoever else runs here may take the time from some polls, and not from
            # those of each look.
            async with asyncio.timeout(55):
                while min(group.answered for group in live) < 3 or _asked(device, DEAD) < 3 * len(DEAD):
                    await asyncio.sleep(0.02)
                await asyncio.sleep(1.0)
                dead_before = _asked(device, DEAD)
                for _ in range(4):
                    before = [(group.answered, group.skipped) for group in live]
                    while min(group.answered - then[0] for group, then in zip(live, before, strict=True)) < 10:
                        await asyncio.sleep(0.02)
                    late = [group.skipped - then[1] for group, then in zip(live, before, strict=True)]
                    if sum(late) <= 0.1 * 10 * len(live):
                        break
            assert _asked(device, DEAD) == dead_before, "the dead rest"
            assert sum(late) <= 0.1 * 10 * len(live), f"the living keep their period: {late} polls were left out"
            assert device.overlaps == 0
            values = [sink.of("p")[-1] for sink, unit in zip(sinks, range(1, 11), strict=True) if unit not in DEAD]
            assert all(quality == 192 for _, _, quality in values)
            for unit in DEAD:
                assert sinks[unit - 1].of("p")[-1][2] < 64
                assert "not asked for a while" in str(lines[unit - 1].acquisition.reasons[0])
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)


def _asked(device: RtuDevice, units: tuple[int, ...]) -> int:
    return len([request for request in device.requests if request.unit in units])
