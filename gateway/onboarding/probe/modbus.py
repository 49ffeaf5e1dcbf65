"""Probing a Modbus device: who answers, how fast, with which units, functions and block sizes. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.onboarding import door
from gateway.onboarding.door import DoorShut
from gateway.onboarding.probe.modbus_wire import Answer, Crossed, Foreign, HungUp, Silent, Wire
from gateway.onboarding.probe.report import Options, Report
from gateway.onboarding.target import Target
from models.words import halves
from protocols.adapter import Tag
from protocols.modbus.address import Table, parse
from protocols.modbus.faults import Refused

LIKELY = (0, 1, 100, 1000, 4096, 40000)
"""Addresses that are tried when the device does not have the one before."""
LARGEST = {Table.COILS: 2000, Table.DISCRETE_INPUTS: 2000, Table.HOLDING_REGISTERS: 125, Table.INPUT_REGISTERS: 125}
ORDER = (Table.HOLDING_REGISTERS, Table.INPUT_REGISTERS, Table.COILS, Table.DISCRETE_INPUTS)
SHORT = {Table.HOLDING_REGISTERS: "hr", Table.INPUT_REGISTERS: "ir", Table.COILS: "co", Table.DISCRETE_INPUTS: "di"}
CHINESE = {
    1: "不支持该功能码", 2: "没有该地址", 3: "不接受该长度或数值", 4: "设备故障", 5: "已收到，尚未完成",
    6: "设备忙", 8: "存储器校验错误", 10: "网关没有到该站的通道", 11: "网关下的该站没有应答",
}  # fmt: skip
ODD = (Silent, HungUp, Foreign, Crossed)
NOBODY = frozenset({10, 11})
"""Refusals by which a gateway says that there is no such unit."""


async def ask(target: Target, options: Options, report: Report) -> None:
    """Everything that can be found out by reading."""
    settings: Any = target.build().settings
    rtu = getattr(settings, "transport", "tcp") == "rtu-over-tcp"
    wire = Wire(settings.host, settings.port, options.timeout_s, options.pause_s, rtu)
    try:
        took = await wire.open()
        report.good(
            f"{wire.host}:{wire.port} 接受连接，{took * 1000:.1f} 毫秒",
            f"{wire.host}:{wire.port} takes connections, {took * 1000:.1f} ms",
            connect_ms=took * 1000,
        )
        found = await _units(wire, settings.unit, options, report)
        if found is not None:
            await _unit(wire, found, options, report)
    except DoorShut as shut:
        report.bad(shut.zh, shut.en, kind=shut.kind)
    except ODD:
        report.note(
            "探测中途设备不再应答：它可能不能承受连续请求",
            "the device stopped answering in the middle of the probe: it may not bear requests in a row",
        )
    finally:
        await wire.close()
    report.note(f"共 {wire.requests} 个只读请求", f"{wire.requests} requests in all, none of them writes")


async def _units(wire: Wire, wanted: int, options: Options, report: Report) -> int | None:
    """The unit to look at closer, or None when no unit answers."""
    try:
        first = await _first(wire, wanted)
    except Foreign as foreign:
        zh, en = door.speaker(foreign.data)
        report.bad(
            f"应答者不是 Modbus，而是{zh}：请检查端口",
            f"what answers is not Modbus but {en}: check the port",
            kind="foreign",
            speaks=en,
            bytes=foreign.data[:32].hex(" "),
        )
        return None
    answers: dict[int, Answer | None] = {wanted: first}
    closed = first is None
    for unit in dict.fromkeys(options.units):
        if unit not in answers:
            answers[unit] = await _first(wire, unit)
    present = [unit for unit, answer in answers.items() if answer is not None and answer.exception not in NOBODY]
    if not present and not wire.rtu and await _speaks_rtu(wire, wanted):
        report.note(
            "该端口说的是 RTU 帧（RTU over TCP），不是 Modbus TCP",
            "this port speaks serial frames (RTU over TCP), not Modbus TCP",
            framing="rtu",
        )
        wire.rtu = True
        return await _units(wire, wanted, options, report)
    if not present:
        _nobody(answers, report)
        return None
    rest = [unit for unit in answers if unit not in present]
    report.good(
        f"应答的站号：{_list(present)}；没有应答：{_list(rest) or '无'}",
        f"units that answer: {_list(present)}; that do not: {_list(rest) or 'none'}",
        units=present,
        absent=rest,
    )
    if len(present) == len(answers) and len(present) > 3:
        report.note(
            "每个站号都有应答：该设备可能忽略站号",
            "every unit that was asked answers: the device may ignore the unit id",
        )
    if closed or wanted not in present:
        report.note(f"站号 {wanted} 没有应答", f"unit {wanted} itself does not answer", wanted=wanted)
    return wanted if wanted in present else present[0]


async def _first(wire: Wire, unit: int) -> Answer | None:
    """Its answer to a request for one register, be it a refusal; None for none."""
    try:
        return await wire.ask(unit, Table.HOLDING_REGISTERS, _span(0, 1))
    except (Silent, HungUp, Crossed):
        return None


async def _speaks_rtu(wire: Wire, unit: int) -> bool:
    trial = Wire(wire.host, wire.port, wire.timeout_s, wire.pause_s, rtu=True)
    try:
        await trial.ask(unit, Table.HOLDING_REGISTERS, _span(0, 1))
    except (*ODD, DoorShut):
        return False
    finally:
        wire.requests += trial.requests
        await trial.close()
    return True


def _nobody(answers: dict[int, Answer | None], report: Report) -> None:
    codes = {answer.exception for answer in answers.values() if answer is not None}
    if codes:
        report.bad(
            f"网关在应答，但它后面没有站号 {_list(answers)}（异常 {_list(codes)}）：站号是否正确，设备是否通电？",
            f"a gateway answers, but has none of the units {_list(answers)} behind it (exception {_list(codes)}): "
            "is the unit id right, is the device on?",
            kind="no unit",
        )
    else:
        report.bad(
            f"接受连接，但站号 {_list(answers)} 都不应答：站号不对、设备被别的主站占用，或该端口不是 Modbus",
            f"it takes the connection, but none of the units {_list(answers)} answers: the unit id is another, another "
            "master holds the device, or the port is not Modbus",
            kind="silent",
        )


async def _unit(wire: Wire, unit: int, options: Options, report: Report) -> None:
    places = await _tables(wire, unit, options, report)
    if not places:
        report.note(
            f"站号 {unit} 在常见地址上没有数据：用 --at 给出一个已知地址，如 --at hr:3000",
            f"unit {unit} has nothing at the usual addresses: name one that you know, such as --at hr:3000",
        )
        return
    table, start = places[0]
    took = []
    for _ in range(options.rounds):
        answer = await wire.ask(unit, table, _span(start, 1))
        took.append(answer.took_s)
    report.round_trip(took)
    await _largest(wire, unit, table, start, report)
    if not wire.rtu:
        await _identity(wire, unit, report)


async def _tables(wire: Wire, unit: int, options: Options, report: Report) -> list[tuple[Table, int]]:
    """Where each table has something, that of `options.at` first; and what the device says where it has nothing."""
    known = parse(Tag(0, "probe", options.at)) if options.at else None
    places: list[tuple[Table, int]] = []
    for table in sorted(ORDER, key=lambda one: known is None or known.table is not one):
        starts = LIKELY if known is None or known.table is not table else (known.start, *LIKELY)
        codes: list[int] = []
        start = await _beginning(wire, unit, table, starts, codes)
        if start is None:
            _nothing(table, codes, report)
            continue
        places.append((table, start))
        report.good(
            f"功能码 {int(table)}：有数据，如 {SHORT[table]}:{start}",
            f"function {int(table)} ({table.words}): has {SHORT[table]}:{start}",
            function=int(table),
            address=f"{SHORT[table]}:{start}",
        )
    return places


async def _beginning(wire: Wire, unit: int, table: Table, starts: Sequence[int], codes: list[int]) -> int | None:
    """The first of the addresses that is there; what was said of the others goes into `codes`."""
    for start in starts:
        try:
            answer = await wire.ask(unit, table, _span(start, 1))
        except (Silent, HungUp, Crossed):
            return None
        if not answer.exception:
            return start
        codes.append(answer.exception)
        if answer.exception == 1:
            return None
    return None


def _nothing(table: Table, codes: Sequence[int], report: Report) -> None:
    said = sorted(set(codes))
    if not said:
        zh, en = "没有应答", "no answer"
    else:
        zh = "、".join(f"异常 {code} {CHINESE.get(code, '')}".rstrip() for code in said)
        en = "; ".join(halves(Refused(code)).en for code in said)
    report.note(f"功能码 {int(table)}：{zh}", f"function {int(table)} ({table.words}): {en}", exceptions=said)


async def _largest(wire: Wire, unit: int, table: Table, start: int, report: Report) -> None:
    """The longest block from an address that exists, and whether the device's limit or its memory's end ends it."""
    most = min(LARGEST[table], 65536 - start)
    low, high, code = 1, most + 1, 0
    trial = most
    while high - low > 1:
        try:
            answer = await wire.ask(unit, table, _span(start, trial))
            refused = answer.exception
        except ODD:
            refused = -1
        if refused:
            high, code = trial, refused
        else:
            low = trial
        trial = (low + high) // 2
    where = f"{SHORT[table]}:{start}"
    if high > most:
        report.good(
            f"最大块：自 {where} 起一次 {low} 个（协议上限）",
            f"largest block: {low} in one request from {where}, as many as the protocol allows",
            largest=low,
        )
        return
    beyond = await _exists(wire, unit, table, start + low)
    if beyond:
        why_zh = {-1: "更长的请求没有应答"}.get(code, f"更长的请求被拒绝，异常 {code}")
        why = (
            "a longer request is not answered" if code == -1 else f"a longer one is refused: {halves(Refused(code)).en}"
        )
        key = "max_bits" if table.of_bits else "max_registers"
        report.good(
            f"最大块：自 {where} 起一次 {low} 个（{why_zh}）：在 settings 中写 {key}: {low}",
            f"largest block: {low} in one request from {where}; {why}. Write {key}: {low} into its settings",
            largest=low,
            limit=code,
        )
    else:
        report.good(
            f"自 {where} 起有 {low} 个连续地址，到 {SHORT[table]}:{start + low} 为止没有更多；块长度限制未到",
            f"{low} addresses in a row from {where}; {SHORT[table]}:{start + low} is not there. Its limit on "
            "blocks was not reached",
            contiguous=low,
        )


async def _exists(wire: Wire, unit: int, table: Table, address: int) -> bool:
    try:
        return not (await wire.ask(unit, table, _span(address, 1))).exception
    except ODD:
        return False


async def _identity(wire: Wire, unit: int, report: Report) -> None:
    """What the device says of itself (function 43/14), where it does."""
    try:
        answer = await wire.ask(unit, 43, b"\x0e\x01\x00")
    except ODD:
        return
    data = answer.data
    if answer.exception or len(data) < 6:
        return
    said, at = [], 6
    for _ in range(data[5]):
        if at + 2 > len(data):
            break
        size = data[at + 1]
        said.append(data[at + 2 : at + 2 + size].decode("gb18030", errors="replace"))
        at += 2 + size
    shown = " · ".join("".join(c if c.isprintable() else "." for c in text) for text in said if text)
    report.good(f"设备自述：{shown}", f"the device says it is: {shown}", identity=said)


def _span(start: int, count: int) -> bytes:
    return start.to_bytes(2, "big") + count.to_bytes(2, "big")


def _list(numbers: Any) -> str:
    """1–10, 247: runs of numbers in short."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in runs)
