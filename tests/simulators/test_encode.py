"""What a device holds, checked against Python's struct and known byte sequences."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from simulators.devices.modbus import Unit, images_of, put
from simulators.encode import EncodeError, RegisterLayout, byte_order, place, quantise
from tests.simulators.points import point

FORMATS = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}


def hold(points: list, values: list[float]) -> tuple[dict[int, Unit], np.ndarray]:
    layout = RegisterLayout(points)
    by_unit: dict[int, dict[str, list[int]]] = {}
    for (unit, area), known in layout.extent.items():
        by_unit.setdefault(unit, {})[area] = sorted(known)
    units = {number: Unit.with_addresses(areas) for number, areas in by_unit.items()}
    images = images_of(units)
    shown = layout.encode(np.array(values, float), images)
    put(units, images)
    return units, shown


@pytest.mark.parametrize(
    ("order", "expected"),
    [("abcd", "47f12000"), ("cdab", "200047f1"), ("badc", "f1470020"), ("dcba", "0020f147")],
)
def test_float_123456_lies_in_registers_as_the_byte_order_says(order: str, expected: str) -> None:
    units, shown = hold([point("a", "hr:4", order=order)], [123456.0])
    assert units[1].areas["hr"].image[8:12].hex() == expected
    assert shown[0] == 123456.0


@pytest.mark.parametrize("order", ["abcd", "cdab", "badc", "dcba"])
def test_a_64_bit_value_reorders_its_words_and_bytes(order: str) -> None:
    units, _ = hold([point("a", "ir:0", "float64", order=order)], [np.pi])
    image = bytes(units[1].areas["ir"].image)
    words = [image[n : n + 2] for n in range(0, 8, 2)]
    if order in ("cdab", "dcba"):
        words.reverse()
    if order in ("badc", "dcba"):
        words = [word[::-1] for word in words]
    assert struct.unpack(">d", b"".join(words))[0] == np.pi


@pytest.mark.parametrize("kind", FORMATS)
def test_every_type_holds_what_struct_packs(kind: str) -> None:
    units, shown = hold([point("a", "hr:10", kind)], [1234.0])
    packed = struct.pack(FORMATS[kind], 1234.0 if kind.startswith("float") else 1234)
    assert bytes(units[1].areas["hr"].image)[20:] == packed
    assert shown[0] == 1234.0


def test_shown_values_are_quantised_by_factor_and_offset() -> None:
    _, shown = hold([point("t", "hr:0", "int16", factor=0.1, offset=-40.0)], [21.2345])
    assert shown[0] == 612 * 0.1 + -40.0


def test_values_beyond_a_type_stay_at_its_ends() -> None:
    _, shown = hold([point("a", "hr:0", "int16"), point("b", "hr:1", "uint16")], [40000.0, -3.0])
    assert shown.tolist() == [32767.0, 0.0]
    assert quantise(np.array([1e30, -1e30]), "int64").tolist()[0] < 2**63
    with pytest.raises(EncodeError):
        quantise(np.array([np.nan]), "uint16")


def test_bits_share_a_register_and_leave_the_others_alone() -> None:
    points = [point("a", "hr:3.0", "bool"), point("b", "hr:3.15", "bool"), point("c", "hr:4", "uint16")]
    units, shown = hold(points, [1, 1, 7])
    assert bytes(units[1].areas["hr"].image)[6:10].hex() == "80010007"
    assert shown.tolist() == [1, 1, 7]
    units, _ = hold(points, [0, 1, 7])
    assert bytes(units[1].areas["hr"].image)[6:8].hex() == "8000"


def test_places_and_wrong_places() -> None:
    at = place("2/hr:100.3", 1)
    assert (at.unit, at.area, at.register, at.bit) == (2, "hr", 100, 3)
    assert place("co:3", 9).unit == 9
    for wrong in ("hr100", "xx:1", "hr:70000", "co:1.2", "hr:1.16", ""):
        with pytest.raises(EncodeError):
            place(wrong, 1)
    with pytest.raises(EncodeError):
        byte_order(4, "acbd")
