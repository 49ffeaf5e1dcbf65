"""`sevenones write`: write one point of a device, after showing what it is now."""

from __future__ import annotations

import asyncio
import getpass
import json
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sevenones.relational import place_of

if TYPE_CHECKING:
    from bus.connection import Bus

LOOK_S = 3.0
ANSWER_S = 13.0
"""A write that began just before its deadline takes so long to be read back at most."""
BEATS_S = 5.0
"""A gateway says every two seconds that it is there."""


class WriteError(Exception):
    """The point cannot be written from here: why, and what to do."""


def write(
    point: Annotated[str, typer.Argument(help="测点 · the point: MINE/EQUIPMENT/POINT")],
    value: Annotated[str, typer.Argument(help="新值：数字、状态名或文本 · a number, a state's name or a text")],
    unit: Annotated[str | None, typer.Option(help="所给数值的单位 · unit of the number, if not the point's")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不再询问 · do not ask")] = False,
    who: Annotated[str | None, typer.Option(help="操作人，默认为登录名 · who writes, by default your login")] = None,
    within: Annotated[float, typer.Option(min=1, max=20, help="时限（秒） · seconds until it is too late")] = 10.0,
    gateway: Annotated[str | None, typer.Option(help="网关，省略则自动查找 · the gateway, if you know it")] = None,
    home: Annotated[Path, typer.Option(help="数据目录 · the home with the credential")] = Path(".sevenones"),
    bus: Annotated[
        str | None, typer.Option(help="总线地址，省略则自动 · the bus; by default that of this home")
    ] = None,
    credential: Annotated[
        Path | None, typer.Option(help="操作员凭证，默认取自数据目录 · the operator's credential file")
    ] = None,
) -> None:
    """写一个测点：显示当前值，确认，写入并回读核对 · write a point: shows what it is, asks, writes, and reads it back.

    Ends with 0 when the device has the value, 1 when it was refused or failed, 3 when the outcome is not known."""
    from bus.credentials import Credential, folder
    from bus.errors import BusError
    from sevenones.home import bus_of

    async def main() -> int:
        from bus.connection import Bus

        proof = Credential.load(credential or folder(home) / "operator.json")
        async with await Bus.connect(bus or bus_of(home), proof, name="write", wait_s=10) as connection:
            code = point.split("/", 1)[0]
            found, now = await find(connection, code, point, gateway)
            typer.echo(describe(now, value, unit))
            if not yes and not await asyncio.to_thread(typer.confirm, "写入？ · write it?", False):
                typer.echo("未写入 · nothing was written")
                return 1
            return await _write(connection, code, found, now, value, unit, who or getpass.getuser(), within, home)

    try:
        code = asyncio.run(main())
    except (BusError, WriteError, ValueError) as error:
        sys.exit(f"无法写入 · cannot write: {error}")
    sys.exit(code)


async def find(bus: Bus, code: str, point: str, gateway: str | None) -> tuple[str, dict[str, Any]]:
    """The gateway that has the point, and what the point is now. Raises WriteError."""
    from bus import subjects
    from bus.errors import BusUnavailable

    names: asyncio.Queue[str] = asyncio.Queue()
    asked: set[str] = set()
    if gateway is not None:
        names.put_nowait(gateway)
    else:

        async def beat(subject: str, _: bytes) -> None:
            process = subjects.source_of(subject)
            if process.startswith("gateway-") and process not in asked:
                asked.add(process)
                names.put_nowait(process.removeprefix("gateway-"))

        await bus.listen(subjects.state(code, "*"), beat)
    deadline = time.monotonic() + BEATS_S
    while (left := deadline - time.monotonic()) > 0:
        try:
            async with asyncio.timeout(left):
                name = await names.get()
        except TimeoutError:
            break
        request = json.dumps({"look": point}).encode()
        try:
            now = json.loads(await bus.request(subjects.command(code, name), request, LOOK_S))
        except BusUnavailable as error:  # it has only just gone, or come
            now = {"error": str(error)}
        if "error" not in now:
            return name, now
        if gateway is not None:
            raise WriteError(f"网关 {name} 没有应答，或没有测点 {point} · gateway {name}: {now['error']}")
    known = ", ".join(sorted(name.removeprefix("gateway-") for name in asked)) or "—"
    raise WriteError(
        f"没有网关采集测点 {point}，在线网关：{known} · no gateway reads the point {point}; gateways now: {known}"
    )


def describe(now: dict[str, Any], value: str, unit: str | None) -> str:
    """What is about to be written over what."""
    held = "—" if now["value"] is None else f"{shown(now['value'])} {now['unit']}".rstrip()
    state = now["states"].get(str(int(now["value"]))) if isinstance(now["value"], float) else None
    if state:
        held += f" {state['zh']} {state['en']}"
    age = "—" if now["age_s"] is None else f"{now['age_s']:.1f} s"
    quality = now["quality_words"]
    lines = [
        f"{now['name']['zh']} · {now['name']['en']}   {now['point']}",
        f"  当前值 · now    {held}   {quality['zh']} · {quality['en']}   {age}",
        f"  新值 · new      {value} {unit or now['unit']}".rstrip(),
    ]
    if not now["connected"]:
        lines.append("  注意：设备未连接 · the device is not connected")
    lines += _of_control(now.get("control"))
    if now["unsettled"]:
        lines.append(
            "  注意：上一次写入结果未知，回读之前不再写入 · the last write's outcome is unknown: it is read back first"
        )
    return "\n".join(lines)


def _of_control(control: dict[str, Any] | None) -> list[str]:
    """Who works on the machine, how it is controlled, what its interlocks say."""
    if control is None:
        return []
    lines = [f"  控制方式 · mode {control['mode']}   控制权 · controller {control['controller'] or '—'}"]
    lines += [f"  已挂牌 · tagged  {tag['who']}：{tag['reason']}" for tag in control["tags"]]
    if trouble := control.get("tags_trouble"):
        lines.append(f"  挂牌不明 · tags not known  {trouble['zh']} · {trouble['en']}")
    for each in control["interlocks"]:
        holds = "满足 · holds" if each["holds"] else "不满足 · NOT met"
        lines.append(f"  联锁 · interlock {each['name']['zh']} · {each['name']['en']}：{holds}")
    if not control["signed_only"]:
        lines.append("  注意：本网关接受未签名命令 · this gateway takes commands without a signature")
    return lines


def shown(value: float | str) -> str:
    """A number without the digits that only come of its being binary: 3.3, not 3.3000000000000003."""
    return value if isinstance(value, str) else str(float(f"{value:.12g}"))


async def _write(
    bus: Bus,
    code: str,
    gateway: str,
    now: dict[str, Any],
    value: str,
    unit: str | None,
    who: str,
    within: float,
    home: Path,
) -> int:
    from bus import subjects
    from bus.errors import BusUnavailable
    from models.command import Answer, Command, Outcome

    deadline = int((time.time() + within) * 1e6)
    command = Command(secrets.token_hex(8), now["point"], value, who, deadline, unit)
    facts = {"id": command.id, "value": value, "unit": unit, "gateway": gateway}
    await asyncio.to_thread(
        audited, home, "command.ask", command.point, who, before={"value": now["value"]}, after=facts
    )
    try:
        data = await bus.request(subjects.command(code, gateway), command.encode(), within + ANSWER_S)
    except BusUnavailable as error:
        await asyncio.to_thread(audited, home, "command.end", command.point, who, after={"id": command.id})
        typer.echo(
            f"结果未知：网关没有应答，请查看测点与事件 · unknown: no answer ({error}); look at the point and its events"
        )
        return 3
    found = json.loads(data)
    if "error" in found:
        raise WriteError(found["error"])
    answer = Answer.of_json(found)
    facts = {"id": command.id, "outcome": str(answer.outcome), "value": answer.value, "why": answer.reason.en}
    await asyncio.to_thread(audited, home, "command.end", command.point, who, after=facts)
    words = {
        Outcome.DONE: "已写入 · done",
        Outcome.REFUSED: "被拒绝 · refused",
        Outcome.FAILED: "失败 · failed",
        Outcome.UNKNOWN: "结果未知 · unknown",
    }[answer.outcome]
    held = "" if answer.value is None else f" {shown(answer.value)} {answer.unit}".rstrip()
    typer.echo(f"{words}{held}：{answer.reason.zh} · {answer.reason.en}")
    return {Outcome.DONE: 0, Outcome.UNKNOWN: 3}.get(answer.outcome, 1)


def audited(home: Path, what: str, point: str, who: str, **facts: Any) -> None:
    """Into the audit log of this machine's relational store. Elsewhere there is none: the gateway's own event tells
    of the command there."""
    where = place_of(home)
    if isinstance(where, Path) and not (where / "platform.db").exists():
        return
    from middleplatform.audit.log import tell

    tell(where, what, point, who=who, **facts)
