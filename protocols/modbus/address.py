"""Where a value is in a device and how it is written there.

Address: `[unit/]table:number[.bit]`. Tables: `hr` holding registers, `ir` input registers, `co`
coils, `di` discrete inputs. Numbers are those on the wire, 0 … 65535: 40001 in a manual is `hr:0`.
Bits of a register are numbered 0 (lowest) … 15.

Order, for the bytes A (most significant) B C D … of a value as they come in the registers:

    abcd  ABCD EFGH   big-endian, the standard
    cdab  words in reverse: 32 bits CDAB, 64 bits GHEFCDAB
    badc  the bytes of each word swapped: 32 bits BADC, 64 bits BADCFEHG
    dcba  all in reverse: 32 bits DCBA, 64 bits HGFEDCBA

A value of 16 bits has one word: abcd and cdab are AB, badc and dcba are BA. A bit of a register is
counted after that swap. Single bits (coils, discrete inputs) have no order.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

from protocols.adapter import Tag


class Table(IntEnum):
    """The four tables; the value is the function code that reads each."""

    COILS = 1
    DISCRETE_INPUTS = 2
    HOLDING_REGISTERS = 3
    INPUT_REGISTERS = 4

    @property
    def of_bits(self) -> bool:
        return self <= Table.DISCRETE_INPUTS

    @property
    def words(self) -> str:
        return self.name.lower().replace("_", " ")


TABLES = {
    "hr": Table.HOLDING_REGISTERS,
    "ir": Table.INPUT_REGISTERS,
    "co": Table.COILS,
    "di": Table.DISCRETE_INPUTS,
}
WIDTH = {
    "bool": 1,
    "int16": 1,
    "uint16": 1,
    "int32": 2,
    "uint32": 2,
    "int64": 4,
    "uint64": 4,
    "float32": 2,
    "float64": 4,
}
"""The types, and how many registers each takes."""
ORDERS = ("abcd", "cdab", "badc", "dcba")
HIGHEST = 65535

_ADDRESS = re.compile(r"(?:(\d{1,3})/)?(hr|ir|co|di):(\d{1,5})(?:\.(\d{1,2}))?", re.ASCII)


class Target(NamedTuple):
    """One value's place: `unit` None is the connection's own; `bit` −1 is the whole of it; `width` is in
    registers, or 1 for a coil or discrete input."""

    unit: int | None
    table: Table
    start: int
    width: int
    bit: int
    type: str
    order: str


def parse(tag: Tag) -> Target:
    """The place a tag names. Raises ValueError in plain words when it cannot be one."""
    address = tag.address
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(_why_not(address))
    unit_text, table_text, number, bit_text = match.groups()
    unit = None if unit_text is None else int(unit_text)
    if unit is not None and unit > 255:
        raise ValueError(f"'{address}': the unit {unit} is not in 0 … 255")
    table = TABLES[table_text]
    of_bits = table_text in ("co", "di")
    start = int(number)
    bit = -1 if bit_text is None else int(bit_text)
    if bit >= 0 and of_bits:
        raise ValueError(f"'{address}': {table.words} are single bits already, take away '.{bit_text}'")
    if bit > 15:
        raise ValueError(f"'{address}': a register has the bits 0 … 15, there is no bit {bit}")
    order = tag.order or "abcd"
    if order not in ORDERS:
        raise ValueError(f"'{address}': the order '{tag.order}' is none of {', '.join(ORDERS)}")
    single = of_bits or bit >= 0
    type_ = tag.type or ("bool" if single else "uint16")
    width = WIDTH.get(type_)
    if width is None:
        raise ValueError(f"'{address}': the type '{tag.type}' is none of {', '.join(WIDTH)}")
    if single and type_ != "bool":
        raise ValueError(f"'{address}' is one bit, so its type is bool and not {type_}")
    if start + width - 1 > HIGHEST:
        last = f" ({type_} takes {width} registers)" if width > 1 else ""
        raise ValueError(f"'{address}': addresses end at {HIGHEST}{last}")
    if tag.options:
        raise ValueError(f"'{address}': Modbus tags have no options, got {', '.join(map(str, tag.options))}")
    return Target(unit, table, start, width, bit, type_, order)


def _why_not(address: str) -> str:
    form = "write [unit/]hr|ir|co|di:number[.bit], for example hr:100, 2/ir:5 or hr:10.3"
    if re.fullmatch(r"[0134]\d{4,5}", address):
        table = {"0": "co", "1": "di", "3": "ir", "4": "hr"}[address[0]]
        return f"'{address}' looks like a manual's number counted from 1: write {table}:{max(int(address[1:]) - 1, 0)}"
    return f"'{address}' is not a Modbus address: {form}"
