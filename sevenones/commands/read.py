"""`sevenones read`: one place of a device, its bytes and everything that they can mean."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sevenones.device import HOME, Device, Home, SiteFolder, ask, target

if TYPE_CHECKING:
    from rich.console import Console

    from gateway.onboarding.look import Look

MARK = "*"


def read(
    device: Device,
    address: Annotated[
        str, typer.Argument(help="地址，同测点表 · an address as in a point table: hr:100, ir:5, nsu=…")
    ],
    count: Annotated[int, typer.Option(min=1, max=125, help="读几个字 · how many words (registers)")] = 4,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--as", help="只看这些类型，可重复 · only these types: int16 float32 bcd16 ascii gbk bits …"),
    ] = None,
    site: SiteFolder = None,
    home: Home = HOME,
) -> None:
    """读设备的一处，并列出同一串字节的所有解释 · read one place of a device and show all that its bytes can mean.

    Nothing is written. What looks like a measurement is marked with *."""
    from gateway.onboarding import interpret
    from gateway.onboarding.look import look
    from sevenones.terminal import open_console

    known = (*interpret.NUMBERS, *interpret.TEXTS, "bits")
    for kind in kinds or ():
        if kind not in known:
            sys.exit(f"没有类型 '{kind}' · there is no type '{kind}': {' '.join(known)}")
    asked = target(device, site, home)

    async def work() -> Look:
        async with asked.opened() as opened:
            return await look(opened, address, count)

    seen = ask(work, f"读取失败 · cannot read {address}")
    console = open_console()
    if seen.raw:
        show_bytes(console, address, seen, kinds or known)
    else:
        _show_values(console, seen)
    _say_what_was_not_read(console, seen)


def _say_what_was_not_read(console: Console, seen: Look) -> None:
    """And end with 1 when nothing was."""
    from models.words import at, halves

    odd = [one for one in seen.seen if one.reason]
    held = [one for one in seen.seen if one.value is not None or one.text is not None]
    if odd:
        first, more = odd[0], len(odd) - 1
        head = "注意 · note" if first in held else "未读到 · not read"
        said = halves(at(head, at(first.address, first.reason)))
        rest, rest_en = (f"，其后 {more} 个也未读到", f" (and {more} more)") if more else ("", "")
        console.print(f"{said.zh}{rest} · {said.en}{rest_en}", soft_wrap=True, markup=False)
    if not held:
        sys.exit(1)


def show_bytes(console: Console, address: str, seen: Look, kinds: Sequence[str]) -> None:
    """The bytes and their meanings: first all of the value at the address, then word by word."""
    from gateway.onboarding import interpret

    raw = seen.raw
    words = len(raw) // seen.width
    console.print(
        f"{address}：{words} 个{'字 · words' if seen.width > 1 else '位 · bits'}，用时 · in {seen.took_s * 1000:.1f} ms"
    )
    console.print("字节 · bytes  " + _hex(raw, seen.width), soft_wrap=True)
    if seen.width == 1:
        return
    numbers = [kind for kind in interpret.NUMBERS if kind in kinds and interpret.SIZE[kind] <= len(raw)]
    if numbers:
        console.print(_numbers(raw, numbers))
        console.print(f"{MARK} 像测量值或计数 · looks like a measurement or a count", style="dim")
    for encoding in interpret.TEXTS:
        said, whole = interpret.text(raw, encoding)
        swapped, swapped_whole = interpret.text(interpret.arranged(raw, "badc"), encoding)
        if encoding in kinds:
            mark, other = (MARK if whole else ""), (MARK if swapped_whole else "")
            console.print(
                f"{encoding:5} '{said}'{mark}   字节互换 · bytes swapped '{swapped}'{other}",
                soft_wrap=True,
                markup=False,
            )
    if "bits" in kinds:
        console.print(f"bits  {interpret.bits(raw[:2])}   (15 … 0)")
    if words > 4 and len(kinds) > 3:
        console.print(_words([one.address for one in seen.seen], raw))


def _hex(raw: bytes, width: int) -> str:
    return " ".join(raw[at : at + width].hex().upper() for at in range(0, len(raw), width))


def _numbers(raw: bytes, kinds: Sequence[str]) -> object:
    from rich.table import Table

    from gateway.onboarding import interpret

    table = Table("类型 · type", box=None, pad_edge=False, header_style="bold")
    for order in interpret.ORDERS:
        table.add_column(order, justify="right")
    found = {(one.type, one.order): one for one in interpret.meanings(raw, kinds)}
    for kind in kinds:
        cells = []
        for order in interpret.ORDERS:
            one = found.get((kind, order))
            cells.append("" if one is None else f"{shown(one.value)}{MARK if one.sensible else ' '}")
        table.add_row(kind, *cells)
    return table


def shown(value: float | int | None) -> str:
    """A number in seven digits, a whole one in all of them; a dash for none."""
    if value is None:
        return "—"
    return str(value) if isinstance(value, int) else f"{value:.7g}"


def _words(addresses: Sequence[str], raw: bytes) -> object:
    """Word by word, for a look over a whole stretch: each row reads what begins at its word."""
    from rich.table import Table

    from gateway.onboarding import interpret

    table = Table("地址 · address", box=None, pad_edge=False, header_style="bold")
    for head in ("hex", "uint16", "int16", "float32 abcd", "float32 cdab", "int32 abcd", "int32 cdab"):
        table.add_column(head, justify="right")
    for at in range(0, len(raw), 2):
        found = {(one.type, one.order): one for one in interpret.meanings(raw[at : at + 4])}
        cells = [raw[at : at + 2].hex().upper(), *(shown(found[kind, "abcd"].value) for kind in ("uint16", "int16"))]
        for kind in ("float32", "int32"):
            for order in ("abcd", "cdab"):
                one = found.get((kind, order))
                cells.append("" if one is None else f"{shown(one.value)}{MARK if one.sensible else ' '}")
        table.add_row(addresses[at // 2], *cells)
    return table


def _whole(value: float | int | None) -> str:
    """A value that the device itself gave, in all the digits that it has: a counter of 12345678 is not 1.234568e+07."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return "—" if value is None else f"{value:.15g}"


def _show_values(console: Console, seen: Look) -> None:
    """What a protocol that describes itself says: value, quality and time, nothing to interpret."""
    from models.quality import label

    for one in seen.seen:
        if one.value is None and one.text is None:
            continue
        value = one.text if one.text is not None else _whole(one.value)
        console.print(f"{one.address}", style="bold", soft_wrap=True, markup=False)
        console.print(f"值 · value     {value}", soft_wrap=True, markup=False)
        console.print(f"质量 · quality  {label(one.quality, 'zh')} · {label(one.quality, 'en')}")
        if one.ts:
            moment = datetime.fromtimestamp(one.ts / 1e6).astimezone().isoformat(sep=" ", timespec="milliseconds")
            console.print(f"设备时间 · source time  {moment}")
