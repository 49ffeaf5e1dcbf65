"""Where a value is in a device and how it is written there.

Address: `[unit/]table:number`, numbers as on the wire, 0 … 65535; tables `hr` holding registers, `ir`
input registers, `co` coils, `di` discrete inputs. Or a manual's own number, counted from 1, of five
or six digits: 40101, 400101, 4x0101 (4 holding, 3 input registers, 1 discrete inputs, 0 coils).
Behind either: `.3` a bit of a register, `.4-6` bits of a register as a number, `[8]` a string of 8
registers or a number of 8 coils. Bits are numbered 0 (lowest) … 15, or by `bits: msb` 0 (highest) … 15.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple

from protocols.adapter import Tag
from protocols.modbus.datatype import DATA_TYPES, ORDERS, WIDTH
from protocols.modbus.text import ENCODINGS


class Table(IntEnum):
    """The four tables; the value is the function code that reads each."""

    COILS = 1
    DISCRETE_INPUTS = 2
    HOLDING_REGISTERS = 3
    INPUT_REGISTERS = 4

    @property
    def of_bits(self) -> bool:
        return self < 3

    @property
    def words(self) -> str:
        return self.name.lower().replace("_", " ")

    @property
    def zh(self) -> str:
        return ("线圈", "离散输入", "保持寄存器", "输入寄存器")[self - 1]


TABLES = {
    "hr": Table.HOLDING_REGISTERS,
    "ir": Table.INPUT_REGISTERS,
    "co": Table.COILS,
    "di": Table.DISCRETE_INPUTS,
}
_OF_MANUALS = {"0": "co", "1": "di", "3": "ir", "4": "hr"}
HIGHEST = 65535
MOST_REGISTERS, MOST_COILS = 123, 16
"""The longest string and the most coils in a number: what one request can also write."""

_ADDRESS = re.compile(
    r"(?:(\d{1,3})/)?(?:(hr|ir|co|di):(\d{1,5})|([0134])(?:x(\d{1,5})|(\d{4,5})))"
    r"(?:\.(\d{1,2})(?:-(\d{1,2}))?|\[(\d{1,4})\])?",
    re.ASCII,
)


class Target(NamedTuple):
    """One value's place. `unit` None is the connection's own. `counted_from`: the number that its writing
    gives to the very first address; `start` is on the wire if the device thinks so too. `width`: in registers,
    or bits. `bit` is the lowest of `span` bits of a register, -1 for the whole of it. `low_is_on`: 0 means on.
    `length`: a string's bytes."""

    unit: int | None
    table: Table
    start: int
    width: int
    bit: int
    type: str
    order: str
    span: int = 1
    counted_from: int = 0
    low_is_on: bool = False
    encoding: str = ""
    length: int = 0

    @property
    def mask(self) -> int:
        """The bits of its register."""
        return ((1 << self.span) - 1) << self.bit


class _Options(NamedTuple):
    encoding: str = ""
    length: int = 0
    msb: bool = False
    low_is_on: bool = False


_NONE = _Options()


def parse(tag: Tag) -> Target:
    """The place a tag names. Raises ValueError in plain words when it cannot be one."""
    return _parsed(tag) if tag.options else _plain(tag.address, tag.type, tag.order)


@lru_cache(maxsize=65_536)
def _plain(address: str, type_: str, order: str) -> Target:
    """Devices of one kind have the same addresses, and a check asks for each several times."""
    return _parsed(Tag(0, "", address, type_, order))


def _parsed(tag: Tag) -> Target:
    address = tag.address
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(
            f"'{address}' 不是 Modbus 地址，请写作 [unit/]hr|ir|co|di:number，如 hr:100、2/ir:5、"
            f"位 hr:10.3、多位 hr:10.4-6、字符串 hr:40[8]，或说明书中的编号，如 40101 · "
            f"'{address}' is not a Modbus address: write [unit/]hr|ir|co|di:number, for example hr:100, 2/ir:5, the "
            "bit hr:10.3, the bits hr:10.4-6, the string hr:40[8], or a manual's number such as 40101"
        )
    unit_text, table_text, number, digit, long, short, bit_text, last_text, size_text = match.groups()
    unit = None if unit_text is None else int(unit_text)
    if unit is not None and unit > 255:
        raise ValueError(f"'{address}'：站号 {unit} 不在 0 … 255 之内 · '{address}': the unit {unit} is not in 0 … 255")
    manual = table_text is None
    table = TABLES[_OF_MANUALS[digit] if manual else table_text]
    start = int(long or short) - 1 if manual else int(number)
    order = tag.order or "abcd"
    if order not in ORDERS:
        raise ValueError(
            f"'{address}'：字节序 '{tag.order}' 不属于 {', '.join(ORDERS)} · "
            f"'{address}': the order '{tag.order}' is none of {', '.join(ORDERS)}"
        )
    options = _options(address, tag.options) if tag.options else _NONE
    bit, span = _bits(address, table, bit_text, last_text, options.msb)
    size = 0 if size_text is None else int(size_text)
    type_, width = _type_and_width(tag, table, bit_text, last_text, size_text, size, options)
    if start + width - 1 > HIGHEST:
        last = f" ({type_} takes {width} registers)" if width > 1 else ""
        last_zh = f"（{type_} 占 {width} 个寄存器）" if width > 1 else ""
        raise ValueError(f"'{address}'：地址到 {HIGHEST} 为止{last_zh} · '{address}': addresses end at {HIGHEST}{last}")
    if options.low_is_on and type_ != "bool" and bit < 0 and not table.of_bits:
        raise ValueError(
            f"'{address}'：只有位可以低电平有效，{type_} 不可以 · '{address}': only bits can be active low, not {type_}"
        )
    encoding, length = "", 0
    if type_ == "string":
        if order in ("cdab", "dcba"):
            raise ValueError(
                f"'{address}'：字符串的字节序为 abcd 或 badc（每个寄存器内字节互换），不是 {order} · "
                f"'{address}': a string is abcd or badc (bytes swapped in each register), not {order}"
            )
        encoding, length = options.encoding or "ascii", options.length or 2 * width
    elif options.encoding or options.length:
        raise ValueError(
            f"'{address}'：encoding 和 length 只用于字符串，此处是 {type_} · "
            f"'{address}': encoding and length are for strings, this is {type_}"
        )
    return Target(unit, table, start, width, bit, type_, order, span, int(manual), options.low_is_on, encoding, length)


def _bits(address: str, table: Table, first: str | None, last: str | None, msb: bool) -> tuple[int, int]:
    """The lowest bit and how many there are."""
    if first is None:
        if msb:
            raise ValueError(
                f"'{address}' 没有写明位，bits: msb 在此无意义 · "
                f"'{address}' names no bit, so bits: msb means nothing here"
            )
        return -1, 1
    if table.of_bits:
        raise ValueError(
            f"'{address}'：{table.zh}本来就是单个位，请去掉 '.{first}' · "
            f"'{address}': {table.words} are single bits already, take away '.{first}'"
        )
    low = int(first)
    high = low if last is None else int(last)
    for bit in (low, high):
        if bit > 15:
            raise ValueError(
                f"'{address}'：寄存器有位 0 … 15，没有位 {bit} · "
                f"'{address}': a register has the bits 0 … 15, there is no bit {bit}"
            )
    if high < low:
        raise ValueError(
            f"'{address}'：请把位写作 {high}-{low}，较小的数在前 · "
            f"'{address}': write the bits as {high}-{low}, the smaller number first"
        )
    return (15 - high if msb else low), high - low + 1


def _type_and_width(
    tag: Tag, table: Table, bit: str | None, last: str | None, size_text: str | None, size: int, options: _Options
) -> tuple[str, int]:
    address = tag.address
    number_of_bits = last is not None or (table.of_bits and size_text is not None)
    single = not number_of_bits and (table.of_bits or bit is not None)
    string = not table.of_bits and size_text is not None
    type_ = tag.type or ("bool" if single else "string" if string else "uint16")
    if type_ not in DATA_TYPES:
        raise ValueError(
            f"'{address}'：类型 '{tag.type}' 不属于 {', '.join(DATA_TYPES)} · "
            f"'{address}': the type '{tag.type}' is none of {', '.join(DATA_TYPES)}"
        )
    if single and type_ != "bool":
        raise ValueError(
            f"'{address}' 是一个位，类型应为 bool，不是 {type_} · "
            f"'{address}' is one bit, so its type is bool and not {type_}"
        )
    if number_of_bits and type_ != "uint16":
        raise ValueError(
            f"'{address}' 是由多个位组成的数，类型应为 uint16，不是 {type_} · "
            f"'{address}' is a number of several bits, so its type is uint16 and not {type_}"
        )
    if string and type_ != "string":
        raise ValueError(
            f"'{address}'：[{size}] 是字符串的长度，{type_} 有自己的长度 · "
            f"'{address}': [{size}] is the length of a string, and {type_} has its own"
        )
    if table.of_bits:
        if size_text is not None and not 1 <= size <= MOST_COILS:
            raise ValueError(
                f"'{address}'：一个数有 1 至 {MOST_COILS} 个{table.zh}，不是 {size} 个 · "
                f"'{address}': a number has 1 to {MOST_COILS} {table.words}, not {size}"
            )
        return type_, size if size_text is not None else 1
    if type_ != "string":
        return type_, WIDTH[type_]
    if bit is not None:
        raise ValueError(
            f"'{address}'：字符串没有位，请去掉 '.{bit}' · '{address}': a string has no bits, take away '.{bit}'"
        )
    width = size if size_text is not None else (options.length + 1) // 2
    if not 1 <= width <= MOST_REGISTERS:
        raise ValueError(
            f"'{address}'：字符串有 1 至 {MOST_REGISTERS} 个寄存器，请写作 hr:40[8]，或用选项 length 给出字节数 · "
            f"'{address}': a string has 1 to {MOST_REGISTERS} registers; write hr:40[8], or the option length in bytes"
        )
    if options.length > 2 * width:
        raise ValueError(
            f"'{address}'：{width} 个寄存器可存 {2 * width} 字节，不是 {options.length} 字节 · "
            f"'{address}': {width} registers hold {2 * width} bytes, not {options.length}"
        )
    return type_, width


def _options(address: str, given: Mapping[str, Any]) -> _Options:
    unknown = sorted(map(str, given.keys() - {"encoding", "length", "bits", "active"}))
    if unknown:
        raise ValueError(
            f"'{address}'：Modbus 没有选项 {', '.join(unknown)}，有 encoding、length、bits 和 active · "
            f"'{address}': Modbus has no option {', '.join(unknown)}; it has encoding, length, bits and active"
        )
    encoding = _one_of(address, given, "encoding", ("", *ENCODINGS))
    length = given.get("length", 0)
    if not str(length).isdecimal():
        raise ValueError(
            f"'{address}'：length 是字节数，不是 '{length}' · "
            f"'{address}': the length is a number of bytes, not '{length}'"
        )
    msb = _one_of(address, given, "bits", ("lsb", "msb")) == "msb"
    low = _one_of(address, given, "active", ("high", "low")) == "low"
    return _Options(encoding, int(length), msb, low)


def _one_of(address: str, given: Mapping[str, Any], name: str, values: tuple[str, ...]) -> str:
    value = str(given.get(name, values[0])).lower()
    if value not in values:
        raise ValueError(
            f"'{address}'：{name} 应为 {', '.join(filter(None, values))} 之一，不是 '{value}' · "
            f"'{address}': {name} is one of {', '.join(filter(None, values))}, not '{value}'"
        )
    return value
