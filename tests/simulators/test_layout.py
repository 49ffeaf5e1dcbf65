"""Every type, order and option: what the simulators put into registers, the real adapter reads as just that."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.site.model import Guards, Kind, Point
from protocols.adapter import Tag
from protocols.modbus.address import Table
from protocols.modbus.decode import decode, decode_texts
from protocols.modbus.planner import compile_plan
from simulators.encode import RegisterLayout
from simulators.encode.number import SIZES, bounds
from tests.simulators.points import point

ORDERS = ("abcd", "cdab", "badc", "dcba")
AREAS = {Table.HOLDING_REGISTERS: "hr", Table.INPUT_REGISTERS: "ir", Table.COILS: "co", Table.DISCRETE_INPUTS: "di"}
Images = dict[tuple[int, str], np.ndarray]


def images(size: int = 64, units: tuple[int, ...] = (1,)) -> Images:
    noise = np.random.default_rng(1)
    return {
        (unit, area): noise.integers(
            0, 2 if area in ("co", "di") else 256, size * (2 if area[1] == "r" else 1), np.uint8
        )
        for unit in units
        for area in ("hr", "ir", "co", "di")
    }


def as_the_adapter_reads(points: list[Point], held: Images, first_address: int | None = None) -> list[Any]:
    """By point: the raw number, or the text, as the adapter decodes it."""
    tags = [Tag(n, p.path, p.address, p.type, p.order, p.options) for n, p in enumerate(points)]
    plan = compile_plan(tags, unit=1, gap=8, max_registers=125, max_bits=2000, first_address=first_address)
    registers, bits = bytearray(2 * plan.registers), np.zeros(plan.bits, np.uint8)
    for piece in plan.pieces:
        image, at = held[piece.unit, AREAS[piece.table]], piece.offset
        if piece.table.of_bits:
            bits[at : at + piece.count] = image[piece.start : piece.start + piece.count]
        else:
            registers[2 * at : 2 * (at + piece.count)] = image[
                2 * piece.start : 2 * (piece.start + piece.count)
            ].tobytes()
    values, texts = decode(plan, registers, bits), decode_texts(plan, registers)
    found: list[Any] = [None] * len(points)
    for row, index in enumerate(plan.index.tolist()):
        text = None if texts is None else texts[row].as_py()
        found[index] = values[row] if text is None else text
    return found


@given(st.sampled_from(sorted(SIZES)), st.sampled_from(ORDERS), st.floats(-1e17, 1e17), st.integers(0, 40))
@settings(max_examples=300, deadline=None)
def test_a_number_of_any_type_and_order(kind: str, order: str, value: float, register: int) -> None:
    points, held = [point("a", f"hr:{register}", kind, order=order)], images()
    shown = RegisterLayout(points).encode(np.array([value]), held)[0]
    (read,) = as_the_adapter_reads(points, held)
    assert read == shown
    low, high = bounds(kind)
    if low <= value <= high and not kind.startswith("float"):
        assert abs(shown - value) <= 0.5
    assert RegisterLayout(points).decode(0, held) == shown


@given(
    st.sampled_from(ORDERS), st.integers(0, 15), st.integers(0, 15), st.booleans(), st.booleans(), st.integers(0, 65535)
)
@settings(max_examples=300, deadline=None)
def test_bits_of_a_register_by_either_numbering_and_active_low(
    order: str, one: int, other: int, msb: bool, low: bool, value: int
) -> None:
    first, last = sorted((one, other))
    options = {"bits": "msb" if msb else "lsb", "active": "low" if low else "high"}
    address = f"ir:3.{first}" + (f"-{last}" if last > first else "")
    points, held = [point("a", address, "", order=order, options=options)], images()
    before = held[1, "ir"][6:8].copy()
    shown = RegisterLayout(points).encode(np.array([float(value)]), held)[0]
    assert as_the_adapter_reads(points, held) == [shown]
    assert RegisterLayout(points).decode(0, held) == shown
    most = (1 << (last - first + 1)) - 1
    assert shown == (min(value, most) if last > first else value != 0)
    span = last - first + 1
    mask = most << (16 - first - span if msb else first)
    words = [
        int.from_bytes(data.tobytes(), "little" if order[0] in "bd" else "big") for data in (before, held[1, "ir"][6:8])
    ]
    assert (words[0] ^ words[1]) & ~mask == 0, "the register's other bits stay"


@settings(deadline=None)
@given(st.integers(1, 16), st.booleans(), st.integers(0, 65535), st.sampled_from(["co", "di"]))
def test_coils_alone_and_as_a_number(count: int, low: bool, value: int, area: str) -> None:
    held = images()
    points = [
        point("n", f"{area}:8[{count}]", "", options={"active": "low" if low else "high"}),
        point("b", f"{area}:40", "", options={"active": "low" if low else "high"}),
        point("w", "hr:5", "bool", options={"active": "low" if low else "high"}),
    ]
    shown = RegisterLayout(points).encode(np.array([float(value), value % 2, value % 2]), held)
    assert as_the_adapter_reads(points, held) == shown.tolist()
    assert shown.tolist() == [min(value, (1 << count) - 1) if count > 1 else value != 0, value % 2, value % 2]
    assert [RegisterLayout(points).decode(row, held) for row in range(3)] == shown.tolist()


CHINESE = st.text(st.sampled_from("abcXYZ 019-采煤机运输闭锁瓦斯超限皮带"), max_size=14)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "gbk", "gb18030"])
@pytest.mark.parametrize("order", ["abcd", "badc"])
@given(CHINESE, st.integers(1, 8), st.sampled_from([b"\0", b" "]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_string_in_any_encoding_and_padding_cut_where_it_ends(
    encoding: str, order: str, text: str, registers: int, padding: bytes, odd: bool
) -> None:
    options: dict[str, Any] = {"encoding": encoding}
    length = 2 * registers - odd
    if odd:
        options["length"] = length
    points, held = [point("t", f"hr:10[{registers}]", "string", kind=Kind.TEXT, order=order, options=options)], images()
    layout = RegisterLayout(points, padding=padding)
    layout.encode(np.array([math.nan]), held, [text])
    expected = text.encode(encoding, "replace")[:length].decode(encoding, "ignore").rstrip(" ")
    assert as_the_adapter_reads(points, held) == [expected]
    assert layout.decode(0, held) == expected


@settings(deadline=None)
@given(st.sampled_from([None, 0, 1]), st.sampled_from(["hr:{}", "4x{:05}", "4{:04}", "400{:03}"]), st.integers(1, 60))
def test_a_manuals_numbers_and_its_first_address(first: int | None, form: str, number: int) -> None:
    points, held = [point("a", form.format(number), "uint16")], images()
    RegisterLayout(points, 1, first).encode(np.array([4711.0]), held)
    assert as_the_adapter_reads(points, held, first) == [4711.0]


def test_several_units_in_one_layout() -> None:
    points, held = [point("a", "2/hr:1", "uint16"), point("b", "hr:1", "uint16")], images(units=(1, 2))
    RegisterLayout(points).encode(np.array([20.0, 10.0]), held)
    assert held[2, "hr"][3] == 20 and held[1, "hr"][3] == 10
    assert as_the_adapter_reads(points, held) == [20.0, 10.0]


@pytest.mark.parametrize(
    ("kind", "none"), [("uint16", 65535.0), ("int16", 32767.0), ("int16", -9999.0), ("float32", -0.01)]
)
def test_no_value_is_the_number_that_says_so(kind: str, none: float) -> None:
    points, held = [point("a", "hr:0", kind, factor=0.5, offset=3.0, guards=Guards(no_value=(none,)))], images()
    layout = RegisterLayout(points)
    assert math.isnan(layout.encode(np.array([math.nan]), held)[0])
    assert as_the_adapter_reads(points, held) == [pytest.approx(none, rel=1e-6)]
    assert math.isnan(layout.decode(0, held))  # type: ignore[arg-type]
    assert layout.encode(np.array([7.0]), held).tolist() == [7.0]
    # A real value that happens to be that number is no value for whoever reads it.
    assert math.isnan(layout.encode(np.array([none * 0.5 + 3.0]), held)[0])


def test_an_integer_without_such_a_number_shows_what_an_input_without_a_signal_does() -> None:
    points, held = [point("a", "hr:0", "int16", offset=-50.0), point("b", "hr:2", "float32")], images()
    shown = RegisterLayout(points).encode(np.full(2, math.nan), held)
    assert shown[0] == -50.0 and math.isnan(shown[1])
    read = as_the_adapter_reads(points, held)
    assert read[0] == 0.0 and math.isnan(read[1])


@pytest.mark.parametrize(
    ("kind", "full"), [("uint16", 2.0**16), ("uint32", 2.0**32), ("uint48", 2.0**48), ("bcd32", 1e8)]
)
def test_a_counter_begins_again_and_its_total_goes_on(kind: str, full: float) -> None:
    points = [
        point("said", "hr:0", kind, kind=Kind.COUNTER, factor=0.1, guards=Guards(rollover=full)),
        point("unsaid", "hr:8", kind, kind=Kind.COUNTER, factor=0.1),
    ]
    layout, held = RegisterLayout(points), images()
    for total in (full - 6.0, full - 1.0, full, full + 4.0, 2 * full + 1.0):
        shown = layout.encode(np.full(2, total * 0.1), held)
        assert as_the_adapter_reads(points, held) == [total % full] * 2
        assert shown.tolist() == pytest.approx([total * 0.1, total % full * 0.1], rel=1e-12)


@settings(deadline=None)
@given(st.floats(-50, 250), st.booleans())
def test_a_curve_is_followed_backwards(value: float, rising: bool) -> None:
    curve = ((400.0, 0.0), (1200.0, 50.0), (2000.0, 200.0))
    if not rising:
        curve = tuple((raw, 200.0 - each) for raw, each in curve)  # type: ignore[assignment]
    points, held = [point("a", "hr:0", "uint16", guards=Guards(curve=curve))], images()
    shown = RegisterLayout(points).encode(np.array([value]), held)[0]
    (raw,) = as_the_adapter_reads(points, held)
    assert np.interp(raw, *zip(*curve, strict=True)) == pytest.approx(shown)
    assert shown == pytest.approx(np.clip(value, 0, 200), abs=0.1)


def test_words_turned_after_maintenance_are_those_of_32_bits_only() -> None:
    points = [point("f", "hr:0", "float32"), point("w", "hr:2", "uint16"), point("d", "hr:4", "float64")]
    right, wrong = images(), images()
    RegisterLayout(points).encode(np.array([100.5, 7, 2.5]), right)
    RegisterLayout(points, words_turned=True).encode(np.array([100.5, 7, 2.5]), wrong)
    assert wrong[1, "hr"][:4].tolist() == right[1, "hr"][[2, 3, 0, 1]].tolist()
    assert as_the_adapter_reads(points, wrong)[1:] == [7.0, 2.5]


def test_many_of_all_kinds_together_lie_where_they_would_alone() -> None:
    dice = np.random.default_rng(5)
    points, values = [], []
    for number in range(240):
        kind = sorted(SIZES)[number % len(SIZES)]
        order = ORDERS[int(dice.integers(4))]
        points.append(point(f"p{number}", f"hr:{4 * number}", kind, order=order, factor=0.5, offset=float(number)))
        values.append(float(dice.integers(0, 9999)) * 0.5 + number)
    held, again = images(1000), images(1000)
    shown = RegisterLayout(points).encode(np.array(values), held)
    assert shown.tolist() == values
    for each, value in zip(points, values, strict=True):
        RegisterLayout([each]).encode(np.array([value]), again)
    assert (held[1, "hr"] == again[1, "hr"]).all()
