"""`sevenones learn-order`: which type, order and scale show a value that is known."""

from __future__ import annotations

import math
import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sevenones.device import HOME, Device, Home, SiteFolder, ask, target

if TYPE_CHECKING:
    from rich.console import Console

    from gateway.onboarding.learn import Fit
    from gateway.onboarding.look import Look
    from protocols.adapter import Adapter

AROUND = 8
"""Words before and after the address that are looked at when the value is not there."""
SHARE = 0.005
"""The tolerance where none is given: this part of the value, or one in the last digit that was written."""


def learn_order(
    device: Device,
    address: Annotated[str, typer.Argument(help="地址，同测点表 · an address as in a point table: hr:100")],
    value: Annotated[str, typer.Option(help="设备此刻显示的数值 · what the device's own display shows now: 123.4")],
    tolerance: Annotated[
        float | None, typer.Option(min=0, help="允许偏差 · how far off it may be, by default 0.5 % or one digit")
    ] = None,
    among: Annotated[str, typer.Option(help="只在这些中找 · only among these: float32/cdab,int16/abcd*0.1")] = "",
    site: SiteFolder = None,
    home: Home = HOME,
) -> None:
    """由一个已知数值学出类型、字节序和倍率 · learn type, order and scale from a value that you know.

    Vendors' labels of word orders are often inverted: a value does not lie. Ends with 1 when nothing fits."""
    from gateway.onboarding.learn import fits
    from sevenones.terminal import open_console

    wanted, near = _number(value, tolerance)
    keys = [key.strip() for key in among.split(",") if key.strip()]
    asked = target(device, site, home)
    found: list[tuple[Look, list[Fit]]] = []
    elsewhere: list[tuple[str, Fit]] = []
    place: list[str] = []

    async def work() -> None:
        async with asked.opened() as opened:
            place.append(opened.words(address, 1)[0].address)
            seen = await _look(opened, address)
            found.append((seen, fits(seen.raw, wanted, near, keys)))
            if not found[0][1] or found[0][1][0].type == "float32":
                elsewhere.extend(await _elsewhere(opened, place[0], wanted, near))

    ask(work, f"读取失败 · cannot read {address}")
    (seen, ways), console = found[0], open_console()
    console.print(f"字节 · bytes  {seen.raw.hex(' ', 2).upper()}   目标 · wanted {wanted:g} ± {near:g}")
    if ways:
        _say(console, address, ways)
        _overlap(console, place[0], ways[0], elsewhere, wanted)
        return
    console.print(f"{address} 处没有任何类型、字节序或倍率等于 {wanted:g} · nothing at {address} shows {wanted:g}")
    for other, fit in elsewhere[:5]:
        console.print(f"  但 {other} 处有 · but {other} shows {fit.value:.6g} as {fit.key}", markup=False)
    if elsewhere:
        console.print(
            "说明书的地址可能从 1 计数，或属于另一张表：确认后用该地址 · the manual may count from 1, or mean another "
            "table: make sure, and take that address",
            soft_wrap=True,
        )
    else:
        console.print(
            "请核对：显示值是否正是此测点、单位是否相同、地址与站号是否正确 · make sure that the display shows this "
            "very point, in the same unit, and that address and unit id are right",
            soft_wrap=True,
        )
    sys.exit(1)


def _number(text: str, tolerance: float | None) -> tuple[float, float]:
    try:
        value = float(text)
    except ValueError:
        sys.exit(f"'{text}' 不是数值 · '{text}' is not a number: --value 123.4")
    if not math.isfinite(value):
        sys.exit(f"'{text}' 不是有限的数值 · '{text}' is not a finite number: --value 123.4")
    if tolerance is not None:
        return value, tolerance
    decimals = re.fullmatch(r"[+-]?\d+(?:\.(\d+))?", text.strip())
    digit = 10.0 ** -len(decimals[1] or "") if decimals else 0.0
    return value, max(abs(value) * SHARE, min(digit, abs(value) * 0.05))


async def _look(opened: Adapter, address: str) -> Look:  # type: ignore[type-arg]
    """Four words, or as many as there are."""
    from gateway.onboarding.look import look
    from protocols.adapter import AdapterError

    seen = await look(opened, address, 4)
    if not seen.raw and seen.seen[0].value is not None:
        raise AdapterError(
            "此协议自行说明值的类型：没有字节序可学 · "
            "this protocol says itself what type a value has: there is no order to learn"
        )
    if not seen.raw:
        raise AdapterError(seen.seen[0].reason)
    if seen.width != 2:
        raise AdapterError("单个位既没有类型也没有字节序 · a single bit has neither type nor order")
    return seen


async def _elsewhere(opened: Adapter, address: str, value: float, near: float) -> list[tuple[str, Fit]]:  # type: ignore[type-arg]
    """The value at the neighbouring words, and at the same word of the other register table."""
    from gateway.onboarding.learn import nearby
    from gateway.onboarding.look import look
    from protocols.adapter import AdapterError

    front, _, number = address.rpartition(":")
    if not number.isdigit():
        return []
    first = max(int(number) - AROUND, 0)
    meant = int(number) - first
    found: list[tuple[str, Fit]] = []
    for table in dict.fromkeys((front, front.replace("hr", "ir"), front.replace("ir", "hr"))):
        try:
            seen = await look(opened, f"{table}:{first}", meant + AROUND + 4)
        except (AdapterError, ValueError):
            continue
        if seen.width == 2:
            here = nearby(seen.words, meant if table == front else -1, value, near)
            found += [(f"{table}:{first + fit.at}", fit) for fit in here]
    # The likeliest of each address is enough.
    return list({place: (place, fit) for place, fit in reversed(found)}.values())[::-1]


def _overlap(console: Console, address: str, first: Fit, elsewhere: list[tuple[str, Fit]], wanted: float) -> None:
    """A float's upper word alone shows it to half a percent: with a neighbour's word after it, an address that is
    wrong by one can look right. Said when the neighbour is nearer to the value."""
    number = int(address.rpartition(":")[2]) if address.rpartition(":")[2].isdigit() else None
    for other, fit in elsewhere:
        shares = number is not None and abs(int(other.rpartition(":")[2]) - number) == 1
        if shares and fit.type == first.type and abs(fit.value - wanted) < abs(first.value - wanted):
            console.print(
                f"注意：{other} 按 {fit.key} 为 {fit.value:.7g}，更接近；两者共用一个字，地址可能差 1，请待数值变化再试"
                f" · beware: {other} as {fit.key} shows {fit.value:.7g}, which is nearer; the two share a word, so the "
                "address may be wrong by one. Try again when the value has changed",
                soft_wrap=True,
                markup=False,
            )
            return


def _say(console: Console, address: str, ways: list[Fit]) -> None:
    from rich.table import Table

    from gateway.onboarding.learn import advice

    table = Table("类型 · type", "字节序 · order", "倍率 · scale", box=None, pad_edge=False, header_style="bold")
    table.add_column("显示 · shows", justify="right")
    for fit in ways[:12]:
        table.add_row(fit.type, fit.order, f"{fit.scale:g}", f"{fit.value:.7g}")
    console.print(table)
    first = ways[0]
    scale = "" if first.scale == 1 else f"{first.scale:g}"
    console.print("写入测点表 · write into the point table:")
    console.print("  address,type,order,scale", markup=False)
    console.print(f"  {address},{first.type},{first.order},{scale}", markup=False)
    chinese, english = advice(ways)
    if english:
        console.print(f"{chinese} · {english}", soft_wrap=True, markup=False)
