"""Probing a serial Modbus line, through the adapter that knows its turns and silences: which units answer, how fast."""

from __future__ import annotations

import asyncio

from gateway.onboarding.look import look
from gateway.onboarding.probe.report import Options, Report
from gateway.onboarding.target import Target
from models.words import halves
from protocols.adapter import AdapterError, LinkLost


async def ask(target: Target, options: Options, report: Report) -> None:
    wanted = int(target.settings.get("unit", 1))
    place = options.at or "hr:0"
    present: list[int] = []
    absent: list[int] = []
    for unit in dict.fromkeys((wanted, *options.units)):
        if not 1 <= unit <= 247:
            continue
        answers = await _unit(target, unit, place, options, report)
        if answers is None:
            return
        (present if answers else absent).append(unit)
        await asyncio.sleep(options.pause_s)
    if not present:
        report.bad(
            f"串口可用，但站号 {absent} 都不应答：波特率、校验、接线（A/B）或站号不对",
            f"the port is there, but none of the units {absent} answers: speed, parity, wiring (A and B) or unit id",
            kind="silent",
        )
        return
    report.good(
        f"应答的站号：{present}；没有应答：{absent or '无'}",
        f"units that answer: {present}; that do not: {absent or 'none'}",
        units=present,
        absent=absent,
    )
    await _round_trip(target, present[0], place, options, report)


async def _unit(target: Target, unit: int, place: str, options: Options, report: Report) -> bool | None:
    """Whether a unit answers, if only with a refusal; None when the port itself cannot be used."""
    quick = Target(target.name, target.adapter, {**target.settings, "unit": unit, "timeout_s": options.timeout_s})
    try:
        async with quick.opened() as opened:
            try:
                seen = await look(opened, place)
            except LinkLost:
                return False
            return not seen.seen[0].reason or "did not answer" not in seen.seen[0].reason
    except AdapterError as error:
        said = halves(error)
        report.bad(f"串口无法使用：{said.zh}", f"the serial port cannot be used: {said.en}", kind="port")
        return None


async def _round_trip(target: Target, unit: int, place: str, options: Options, report: Report) -> None:
    took = []
    one = Target(target.name, target.adapter, {**target.settings, "unit": unit})
    try:
        async with one.opened() as opened:
            for _ in range(options.rounds):
                took.append((await look(opened, place)).took_s)
                await asyncio.sleep(options.pause_s)
    except AdapterError as error:
        said = halves(error)
        report.note(f"测量往返时间时中断：{said.zh}", f"the line broke while the round trip was measured: {said.en}")
    report.round_trip(took)
