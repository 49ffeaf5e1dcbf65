"""Addresses, plans and decoding, against struct and against a reading that takes one tag at a time."""

from __future__ import annotations

import math
import random
import struct
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.adapter import AdapterError, Tag
from protocols.modbus import encode, pdu
from protocols.modbus.address import Table, Target, parse
from protocols.modbus.datatype import ORDERS, WIDTH
from protocols.modbus.decode import decode
from protocols.modbus.extent import raw_range
from protocols.modbus.forbidden import Forbidden
from protocols.modbus.forecast import asked_by, neighbours
from protocols.modbus.frame import Mbap
from protocols.modbus.place import Place
from protocols.modbus.planner import Plan, compile_plan

FORMS = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}

ODD_FORMS = ("int48", "uint48", "bcd16", "bcd32", "bcd64")

_NOISE = np.random.default_rng(1)
MEMORY: dict[tuple[int, Table], list[int]] = {
    (unit, table): _NOISE.integers(0, 2 if table.of_bits else 65536, 65536).tolist()
    for unit in (1, 2)
    for table in Table
}


def plan_of(tags: list[Tag], *, gap: int = 8, max_registers: int = 125, max_bits: int = 2000) -> Plan:
    return compile_plan(tags, unit=1, gap=gap, max_registers=max_registers, max_bits=max_bits)


def big_endian(value: float, type_: str) -> bytes:
    """The value's bytes, most significant first."""
    if type_ in FORMS:
        return struct.pack(FORMS[type_], value)
    if type_.startswith("bcd"):
        return bytes.fromhex(f"{int(value):0{int(type_[3:]) // 4}d}")
    return int(value).to_bytes(6, "big", signed=type_ == "int48")


def written(target: Target, value: float | str) -> bytes:
    """The registers' bytes in the request that writes a value."""
    ask = encode.request(target, 1, target.start, value)
    return ask.pdu[3:] if ask.pdu[0] == 6 else ask.pdu[6:]


def wire(value: float, type_: str, order: str) -> bytes:
    """The bytes in the registers, by the definition in words: not the way the adapter does it."""
    data = big_endian(value, type_)
    words = [data[n : n + 2] for n in range(0, len(data), 2)]
    if order in ("cdab", "dcba"):
        words = words[::-1]
    if order in ("badc", "dcba"):
        words = [word[::-1] for word in words]
    return b"".join(words)


def test_p15_the_orders_are_those_of_the_books() -> None:
    assert wire(123456.0, "float32", "abcd").hex() == "47f12000"
    assert wire(123456.0, "float32", "cdab").hex() == "200047f1"
    assert wire(123456.0, "float32", "badc").hex() == "f1470020"
    assert wire(123456.0, "float32", "dcba").hex() == "0020f147"
    eight = struct.unpack(">Q", b"ABCDEFGH")[0]
    assert [wire(eight, "uint64", order) for order in ORDERS] == [b"ABCDEFGH", b"GHEFCDAB", b"BADCFEHG", b"HGFEDCBA"]


def _values(type_: str) -> st.SearchStrategy[float]:
    if type_ == "float32":
        return st.floats(width=32)
    if type_ == "float64":
        return st.floats()
    if type_.startswith("bcd"):
        return st.integers(0, 10 ** (int(type_[3:]) // 4) - 1)
    if type_.endswith("int48"):
        return st.integers(-(2**47), 2**47 - 1) if type_ == "int48" else st.integers(0, 2**48 - 1)
    bounds = np.iinfo(type_)
    return st.integers(int(bounds.min), int(bounds.max))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("type_", [*FORMS, *ODD_FORMS])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_p15_every_type_and_order_is_read_and_written_alike(type_: str, order: str, data: st.DataObject) -> None:
    value = data.draw(_values(type_))
    tag = Tag(0, "p", "hr:7", type_, order)
    registers = wire(value, type_, order)
    plan = plan_of([tag])
    got = decode(plan, registers.ljust(2 * plan.registers, b"\0"), np.zeros(0, np.uint8))[0]
    assert got == float(value) or (math.isnan(got) and math.isnan(value))
    if math.isfinite(value):
        assert written(parse(tag), str(value) if isinstance(value, int) else value) == registers


@st.composite
def _tags(draw: st.DrawFn) -> list[Tag]:
    tags = []
    for index in range(draw(st.integers(0, 40))):
        table = draw(st.sampled_from(["hr", "ir", "co", "di"]))
        unit = draw(st.sampled_from(["", "2/"]))
        start = draw(st.one_of(st.integers(0, 80), st.integers(0, 400), st.just(65530)))
        active = {"active": draw(st.sampled_from(["low", "high"]))}
        order = draw(st.sampled_from(ORDERS))
        if table in ("co", "di"):
            size = draw(st.sampled_from(["", "[1]", "[5]", "[16]"])) if start < 65500 else ""
            tags.append(Tag(index, "p", f"{unit}{table}:{start}{size}", options=active))
        elif draw(st.booleans()):
            low, high = sorted((draw(st.integers(0, 15)), draw(st.integers(0, 15))))
            bits = f"{low}-{high}" if draw(st.booleans()) else f"{low}"
            options = {**active, "bits": draw(st.sampled_from(["lsb", "msb"]))}
            tags.append(Tag(index, "p", f"{unit}{table}:{start}.{bits}", "", order, options))
        else:
            type_ = draw(st.sampled_from([*FORMS, *ODD_FORMS, "bool"]))
            tags.append(Tag(index, "p", f"{unit}{table}:{start}", type_, order, active if type_ == "bool" else {}))
    return draw(st.permutations(tags))


@given(tags=_tags(), gap=st.integers(0, 20), max_registers=st.integers(4, 125), max_bits=st.integers(16, 200))
@settings(max_examples=80, deadline=None)
def test_a_plan_reads_what_single_reads_would(tags: list[Tag], gap: int, max_registers: int, max_bits: int) -> None:
    plan = plan_of(tags, gap=gap, max_registers=max_registers, max_bits=max_bits)
    registers, bits = bytearray(2 * plan.registers), np.zeros(plan.bits, np.uint8)
    covered: list[int] = []
    for piece in plan.pieces:
        assert 1 <= piece.count <= (max_bits if piece.table.of_bits else max_registers)
        assert piece.start + piece.count <= 65536
        covered += range(piece.low, piece.high)
        data = MEMORY[piece.unit, piece.table][piece.start : piece.start + piece.count]
        if piece.table.of_bits:
            bits[piece.offset : piece.offset + piece.count] = data
        else:
            registers[2 * piece.offset : 2 * (piece.offset + piece.count)] = struct.pack(f">{len(data)}H", *data)
    assert covered == list(range(len(tags))), "every tag in exactly one request"
    value = decode(plan, registers, bits)
    assert sorted(plan.index.tolist()) == list(range(len(tags)))
    by_index = dict(zip(plan.index.tolist(), value.tolist(), strict=True))
    for tag in tags:
        expected = _single(tag)
        got = by_index[tag.index]
        assert got == expected or (math.isnan(got) and math.isnan(expected)), tag


def _single(tag: Tag) -> float:
    """One tag by itself, from bytes as the words say: struct and int, no numpy."""
    target = parse(tag)
    data = MEMORY[target.unit or 1, target.table][target.start : target.start + target.width]
    if target.table.of_bits:
        number = sum(bit << place for place, bit in enumerate(data))
        return float(number ^ ((1 << target.width) - 1) if target.low_is_on else number)
    raw = struct.pack(f">{len(data)}H", *data)
    if target.order in ("badc", "dcba"):
        raw = b"".join(raw[n : n + 2][::-1] for n in range(0, len(raw), 2))
    if target.order in ("cdab", "dcba"):
        raw = b"".join(raw[n : n + 2] for n in range(len(raw) - 2, -2, -2))
    if target.bit >= 0:
        bits = f"{int.from_bytes(raw, 'big'):016b}"[::-1][target.bit : target.bit + target.span][::-1]
        bits = "".join("10"[int(bit)] for bit in bits) if target.low_is_on else bits
        return float(int(bits, 2))
    if target.type == "bool":
        return float((raw == b"\0\0") if target.low_is_on else (raw != b"\0\0"))
    if target.type.startswith("bcd"):
        return float(raw.hex()) if raw.hex().isdecimal() else math.nan
    if target.type.endswith("int48"):
        return float(int.from_bytes(raw, "big", signed=target.type == "int48"))
    return float(struct.unpack(FORMS[target.type], raw)[0])


def test_p1_a_table_of_single_tags_costs_the_same_as_ranges() -> None:
    contiguous = [Tag(n, "p", f"hr:{n}") for n in range(1000)]
    assert len(plan_of(contiguous).pieces) == 8
    assert len(plan_of(random.Random(1).sample(contiguous, 1000)).pieces) == 8
    floats = [Tag(n, "p", f"hr:{2 * n}", "float32") for n in range(500)]
    assert len(plan_of(floats).pieces) == 9, "62 floats a request: a value is never cut"
    assert len(plan_of([Tag(n, "p", f"co:{n}") for n in range(2000)]).pieces) == 1
    assert len(plan_of([Tag(n, "p", f"hr:{n // 16}.{n % 16}") for n in range(2000)]).pieces) == 1


def test_the_gap_limit_is_kept() -> None:
    pair = [Tag(0, "p", "hr:0"), Tag(1, "p", "hr:9")]
    assert len(plan_of(pair, gap=8).pieces) == 1
    assert len(plan_of(pair, gap=7).pieces) == 2
    bits = [Tag(0, "p", "co:0"), Tag(1, "p", "co:129")]
    assert len(plan_of(bits, gap=8).pieces) == 1
    assert len(plan_of(bits, gap=7).pieces) == 2


def test_no_block_mixes_units_or_tables() -> None:
    tags = [Tag(0, "p", "hr:0"), Tag(1, "p", "2/hr:1"), Tag(2, "p", "ir:1"), Tag(3, "p", "co:1"), Tag(4, "p", "di:1")]
    assert len(plan_of(tags).pieces) == 5


def test_p14_planning_grows_like_n_log_n() -> None:
    """100,000 scattered tags took 0.4 s when this was written; the bound has a wide margin for a busy machine."""
    noise = random.Random(2)
    tags = [Tag(n, "p", f"{noise.randrange(10)}/hr:{noise.randrange(60_000)}") for n in range(100_000)]
    started = time.process_time()
    plan = plan_of(tags)
    assert time.process_time() - started < 3.0
    assert len(plan) == 100_000


def test_what_an_engineer_reads_when_an_address_is_wrong() -> None:
    for address, words in {
        "60101": "is not a Modbus address",
        "465537": "addresses end at 65535",
        "hr:10.5-4": "write the bits as 4-5",
        "hr:10.4-16": "the bits 0 … 15",
        "co:3[17]": "1 to 16 coils",
        "hr:40[200]": "1 to 123 registers",
        "hr:70000": "addresses end at 65535",
        "hr:10.16": "the bits 0 … 15",
        "co:3.1": "single bits already",
        "300/hr:1": "unit 300",
        "holding:5": "is not a Modbus address",
    }.items():
        with pytest.raises(ValueError, match=words):
            parse(Tag(0, "p", address))
    with pytest.raises(ValueError, match="takes 2 registers"):
        parse(Tag(0, "p", "hr:65535", "float32"))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("int16", 32768.0),
        ("int16", -32769),
        ("uint16", -1),
        ("uint32", 2**32),
        ("int64", float(2**63)),
        ("uint64", str(2**64)),
        ("int32", 1.5),
        ("int32", math.nan),
        ("int32", math.inf),
        ("float32", 1e39),
        ("float32", math.nan),
        ("float64", "inf"),
        ("float64", "warm"),
        ("uint16", ""),
        ("bool", 2),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(type_: str, value: float | str) -> None:
    with pytest.raises(AdapterError, match=r"\w+ \w+"):
        encode.number(parse(Tag(0, "p", "hr:0", type_)), value)


def test_widths_are_those_of_the_types() -> None:
    plain = {name: struct.calcsize(form) // 2 for name, form in FORMS.items()}
    odd = {"bool": 1, "int48": 3, "uint48": 3, "bcd16": 1, "bcd32": 2, "bcd64": 4}
    assert plain | odd == WIDTH


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("hr:100", ["hr:100", "hr:101", "hr:102"]),
        ("2/40101.3", ["2/40101", "2/40102", "2/40103"]),
        ("49999", ["49999", "410000", "410001"]),
        ("co:3[4]", ["co:3", "co:4", "co:5"]),
        ("4x0009", ["4x0009", "4x0010", "4x0011"]),
        ("hr:65534", ["hr:65534", "hr:65535"]),
        ("465536", ["465536"]),
    ],
)
def test_neighbours_are_counted_as_the_address_is(address: str, names: list[str]) -> None:
    found = neighbours(address, 3)
    assert [tag.address for tag in found] == names
    first = parse(Tag(0, "p", address.split(".", maxsplit=1)[0])).start
    assert [parse(tag).start for tag in found] == list(range(first, first + len(names)))


def test_a_plan_says_what_it_costs_on_a_serial_line() -> None:
    plan = compile_plan(
        [Tag(0, "p", "hr:0"), Tag(1, "p", "hr:9"), Tag(2, "p", "hr:50")],
        **{"unit": 1, "gap": 8, "max_registers": 125, "max_bits": 2000, "forbidden": Forbidden.parse(["hr:50"])},
    )
    (request,) = asked_by(plan, Place("serial", "", "/dev/ttyS0", 9600))
    assert (request.items, request.sent_bytes, request.received_bytes) == (10, 8, 25)
    assert request.line_s == pytest.approx((8 + 25 + 7) * 11 / 9600)
    assert asked_by(plan, Place("tcp", "a", 502))[0].line_s == 0


@pytest.mark.parametrize(
    ("tag", "bounds"),
    [
        (Tag(0, "p", "hr:1", "int16"), (-32768, 32767)),
        (Tag(0, "p", "hr:1", "uint48"), (0, 2**48 - 1)),
        (Tag(0, "p", "hr:1", "bcd16"), (0, 9999)),
        (Tag(0, "p", "hr:1.4-6"), (0, 7)),
        (Tag(0, "p", "co:1[3]"), (0, 7)),
        (Tag(0, "p", "hr:1", "float32"), None),
        (Tag(0, "p", "hr:1[3]"), None),
    ],
)
def test_what_a_type_can_hold(tag: Tag, bounds: tuple[float, float] | None) -> None:
    assert raw_range(tag) == bounds


@given(
    st.text(max_size=20) | st.from_regex(r"(\d+/)?([a-z]{2}:|[0-9]x?)\d{1,6}(\.\d+(-\d+)?|\[\d+\])?", fullmatch=True),
    st.sampled_from(["", "string", *WIDTH]),
    st.sampled_from(["", *ORDERS]),
    st.dictionaries(st.sampled_from(["bits", "active", "length", "encoding", "x"]), st.text(max_size=4), max_size=2),
)
@settings(max_examples=500, deadline=None)
def test_any_address_is_taken_or_refused_in_words(
    address: str, type_: str, order: str, options: dict[str, str]
) -> None:
    tag = Tag(0, "p", address, type_, order, options)
    try:
        target = parse(tag)
    except ValueError as refusal:
        assert len(str(refusal)) > 20
    else:
        assert -1 <= target.start <= 65535 and target.width >= 1
        assert len(plan_of([tag])) == 1


def test_transaction_numbers_begin_again_at_1() -> None:
    framing = Mbap()
    framing.transaction = 65_534
    ask = pdu.read(1, Table.COILS, 0, 1)
    assert [framing.start(ask)[:2].hex() for _ in range(3)] == ["ffff", "0001", "0002"]
