"""`sevenones simulate fault`, `faults`, `check`: what goes wrong in a simulated mine."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from simulators.faults.catalogue import Fault

ANSWER_S = 10.0


def fault(
    name: Annotated[str, typer.Argument(help="故障，见 simulate faults · the fault: see `simulate faults`")],
    target: Annotated[
        str, typer.Argument(help="设备、地点、设备/测点或连接 · an equipment, a place, equipment/point or a connection")
    ],
    amount: Annotated[float | None, typer.Option(help="程度，省略则取常用值 · how much; else the usual")] = None,
    for_: Annotated[
        str, typer.Option("--for", help="持续时间，省略则直到 --end · how long: 60s, 5min, 2h; else until --end")
    ] = "",
    end: Annotated[bool, typer.Option("--end", help="结束该故障 · end it")] = False,
    home: Annotated[Path, typer.Option(help="数据目录 · the home with the credential")] = Path(".sevenones"),
    bus: Annotated[
        str | None, typer.Option(help="总线地址，省略则自动 · the bus; by default that of this home")
    ] = None,
) -> None:
    """在运行中的模拟矿井制造故障 · make a fault in the simulated mine that runs, and say what must be noticed."""
    request: dict[str, Any] = {"do": "end" if end else "begin", "fault": name, "target": target}
    if not end:
        request |= {"amount": amount, "for_s": _seconds(for_) if for_ else None}
    found = asyncio.run(_ask(home, bus, request))
    if "error" in found:
        sys.exit(f"无法执行 · not done: {found['error']}")
    typer.echo(describe(found))


def describe(found: dict[str, Any]) -> str:
    """An answer as a person reads it."""
    did = found["did"]
    name, expected = did["name"], found["expected"]
    if did["do"] == "end":
        return f"已结束 · ended: {name['zh']} · {name['en']}   {did['target']}"
    until = "直到结束 · until it is ended"
    if did["until_us"] is not None:
        until = f"{(did['until_us'] - did['since_us']) / 1e6:g} s"
    how = f"{did['amount']:g} {found['unit']}".rstrip() if found["unit"] else ""
    return "\n".join(
        [
            f"已发生 · done: {name['zh']} · {name['en']}   {did['target']}   {how}   {until}",
            f"应发现 · expected  {expected['zh']}",
            f"                   {expected['en']}",
            *(f"  · {sign}" for sign in found["signs"]),
        ]
    )


def faults(
    name: Annotated[str, typer.Argument(help="只看一个 · only this one")] = "",
    running: Annotated[bool, typer.Option("--running", help="正在发生的故障 · what goes wrong now")] = False,
    home: Annotated[Path, typer.Option(help="数据目录 · the home with the credential")] = Path(".sevenones"),
    bus: Annotated[
        str | None, typer.Option(help="总线地址，省略则自动 · the bus; by default that of this home")
    ] = None,
) -> None:
    """列出可以制造的故障，以及应发现什么 · list the faults that can be made, and what must be noticed of each."""
    from simulators.faults.catalogue import FaultError, catalogue, fault_of

    if running:
        for each in asyncio.run(_ask(home, bus, {"do": "list"}))["running"]:
            typer.echo(f"{each['fault']:24} {each['target']:28} {each['amount']:g}")
        return
    try:
        chosen = {name: fault_of(name)} if name else catalogue()
    except FaultError as error:
        sys.exit(str(error))
    for id_, each in chosen.items():
        typer.echo(_line(id_, each))
        if name:
            typer.echo(f"  {each.expected.zh}\n  {each.expected.en}")
            for sign in each.signs:
                typer.echo(f"  · {sign.words()}")


def _line(id_: str, each: Fault) -> str:
    amount = each.amount
    much = f"{amount.low:g} … {amount.high:g} {amount.unit} ({amount.usual:g})" if amount else ""
    return f"{id_:22} {each.target:8} {each.name.zh} · {each.name.en}   {much}".rstrip()


def check(
    files: Annotated[list[Path], typer.Argument(help="情景文件 · scenario files")],
) -> None:
    """检查情景文件，指出每一处错误 · name every mistake in scenario files."""
    from models.site import SiteErrors
    from simulators.faults.scenario_check import load_scenario

    wrong = 0
    for path in files:
        try:
            found, site = load_scenario(path, os.environ)
        except SiteErrors as error:
            wrong += 1
            print(error, file=sys.stderr)
            continue
        scenario = found.scenario
        typer.echo(
            f"{path.name}: {scenario.name.zh} · {scenario.name.en}   {site.name.zh} · {site.name.en}   "
            f"{len(scenario.faults)} 个故障 · faults, {len(scenario.expect)} 项预期 · expectations"
        )
    if wrong:
        sys.exit(1)


def rehearse(
    file: Annotated[Path, typer.Argument(help="情景文件 · a scenario file")],
    home: Annotated[
        Path | None, typer.Option(help="把真值与应有的报警写到这里 · write the truth and the expected alarms here")
    ] = None,
) -> None:
    """不经设备和平台快速演练情景，核对预期 · play a scenario on the mine alone and check what must show.

    Ends with 1 when something does not."""
    from models.site import SiteErrors
    from sevenones.terminal import open_console
    from simulators.faults.catalogue import FaultError
    from simulators.faults.rehearsal import rehearse as play
    from simulators.faults.scenario_check import load_scenario

    try:
        found, site = load_scenario(file, os.environ)
        verdicts = play(found, site, home)
    except (SiteErrors, FaultError) as error:
        sys.exit(str(error))
    console = open_console()
    for verdict in verdicts:
        each = verdict.expectation
        mark = {True: "✓", False: "✗", None: "–"}[verdict.met]
        what = f"{each.value:g}" if each.value is not None else each.quality or f"alarm {each.alarm}"
        never = "不应 · never " if each.absent else ""
        when = "" if verdict.after_s is None else f"{verdict.after_s:g} s"
        console.print(
            f"{mark} {each.at:>7g} s  {each.point or each.connection}  {never}{what} ≤ {each.within:g} s   {when}",
            markup=False,
        )
    if any(verdict.met is False for verdict in verdicts):
        sys.exit(1)


def _seconds(text: str) -> float:
    from pydantic import TypeAdapter, ValidationError

    from models.site.schema import Span

    try:
        return TypeAdapter(Span).validate_python(text)
    except ValidationError:
        sys.exit(f"'{text}' 不是时长 · is no time span: write 60s, 5min or 2h")


async def _ask(home: Path, url: str | None, request: dict[str, Any]) -> dict[str, Any]:
    """What the simulators of this home answer. Ends the program where there are none."""
    from bus import credentials, subjects
    from bus.connection import Bus
    from bus.errors import BusError, BusUnavailable
    from sevenones.home import bus_of

    try:
        made = credentials.load_all(home)
        async with await Bus.connect(url or bus_of(home), made.processes["trainer"], wait_s=10) as bus:
            answer = await bus.request(subjects.fault(made.code), json.dumps(request).encode(), ANSWER_S)
    except BusUnavailable as error:
        sys.exit(
            f"没有模拟器应答，请先运行 sevenones demo 或 simulate --bus · no simulator answers ({error}): "
            "run `sevenones demo`, or `sevenones simulate` with --bus"
        )
    except BusError as error:
        sys.exit(f"无法连接 · cannot connect: {error}")
    found: dict[str, Any] = json.loads(answer)
    return found
