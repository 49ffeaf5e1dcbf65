"""Modbus addresses as manuals write them → the addresses of a point table, which are those on the wire.

40101, 400101, 4x0101, 4X101   the table is in the first digit and numbers count from 1 → hr:100
100 or 0x64 or 64H             with a function code (3 → hr) or a register type beside it; counted from 0, or from
                               `first` where a manual says so
40101.3, 100.3                 a bit of a register, 0 is the lowest
"""

from __future__ import annotations

import re

_TABLES = {"0": "co", "1": "di", "3": "ir", "4": "hr"}
_NUMBERED = re.compile(r"([0134])(?:[xX]\s*(\d{1,5})|(\d{4,5}))(?:\.(\d{1,2}))?", re.ASCII)
_PLAIN = re.compile(r"(?:0x([0-9a-fA-F]{1,4})|([0-9a-fA-F]{1,4})[hH]|(\d{1,5}))(?:\.(\d{1,2}))?", re.ASCII)


class AddressError(ValueError):
    """An address that could mean several places, or none: what it is, and what to write or give."""


def translate(text: str, table: str, first: int, bit: str = "", unit: str = "") -> str:
    """The address in the house's form. `table`: hr, ir, co, di, or "" where the table has no column for it;
    `first`: the number of the first register, 0 or 1. Raises AddressError."""
    text = text.strip().replace(" ", "")
    place = _place(text, table, first)
    if bit and "." not in place:
        if not bit.isdigit() or int(bit) > 15:
            raise AddressError(f"位号 '{bit}' 应为 0 到 15 · the bit '{bit}' is not in 0 to 15")
        if place[:2] in ("hr", "ir"):
            place = f"{place}.{int(bit)}"
    if unit:
        if not unit.isdigit() or int(unit) > 255:
            raise AddressError(f"站号 '{unit}' 应为 0 到 255 · the unit id '{unit}' is not in 0 to 255")
        place = f"{int(unit)}/{place}"
    return place


def _place(text: str, table: str, first: int) -> str:
    numbered = _NUMBERED.fullmatch(text)
    if numbered is not None and not text.lower().startswith("0x"):
        said = _TABLES[numbered[1]]
        if table in ("", said):
            number = int(numbered[2] or numbered[3])
            if not 1 <= number <= 65536:
                raise AddressError(f"'{text}' 从 1 计数，不能为 {number} · '{text}' counts from 1 to 65536")
            return _with_bit(said, number - 1, numbered[4])
        if len(text.partition(".")[0]) > 5:
            raise AddressError(
                f"'{text}' 是 {said} 表的地址，而该行写的是 {table} 表：请改正其一 · "
                f"'{text}' is an address of the table {said}, and the row says {table}: set one of them right"
            )
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        raise AddressError(
            f"'{text}' 不是 Modbus 地址：写 40101、hr:100，或数字加功能码列 · "
            f"'{text}' is not a Modbus address: write 40101, hr:100, or a number with a column for the function code"
        )
    if not table:
        raise AddressError(
            f"'{text}' 没有说明是哪张表：加一列功能码（3 为保持寄存器），或用 --table hr · "
            f"'{text}' does not say of which table: add a column with the function code (3: holding registers), "
            "or give --table hr"
        )
    hexadecimal = plain[1] or plain[2]
    number = (int(hexadecimal, 16) if hexadecimal else int(plain[3])) - first
    if not 0 <= number <= 65535:
        raise AddressError(
            f"'{text}' 减去起始编号 {first} 后不在 0 到 65535 之内 · "
            f"'{text}' less the first number {first} is not in 0 to 65535"
        )
    return _with_bit(table, number, plain[4])


def _with_bit(table: str, number: int, bit: str | None) -> str:
    if bit is None:
        return f"{table}:{number}"
    if table in ("co", "di"):
        raise AddressError(
            f"{table} 表的每个地址本身就是一个位，没有位号 {bit} · "
            f"each address of the table {table} is a bit by itself, there is no bit {bit} of it"
        )
    if int(bit) > 15:
        raise AddressError(f"位号 {bit} 应为 0 到 15 · a register has the bits 0 to 15, there is no bit {bit}")
    return f"{table}:{number}.{int(bit)}"
