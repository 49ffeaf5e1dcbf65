"""What a tag takes up and what its type holds, against what the reader itself makes of registers."""

import numpy as np
import pytest

from protocols.adapter import Tag
from protocols.modbus import Modbus
from protocols.modbus.decode import decode
from protocols.modbus.planner import compile_plan


def tag(address, type_="", order="", index=0):
    return Tag(index, "m/e/p", address, type_, order)


@pytest.mark.parametrize("type_", ["int16", "uint16", "int32", "uint32", "int48", "uint48"])
def test_the_range_of_a_type_is_what_registers_can_show(type_):
    low, high = Modbus.raw_range(tag("hr:0", type_))
    plan = compile_plan([tag("hr:0", type_)], unit=1, gap=8, max_registers=125, max_bits=2000)
    width = plan.registers
    found = []
    for top in (0x0000, 0x7FFF, 0x8000, 0xFFFF):
        for rest in (0x0000, 0xFFFF):
            image = np.array([top] + [rest] * (width - 1), ">u2").tobytes()
            found.append(decode(plan, image, np.zeros(0, np.uint8))[0])
    assert (min(found), max(found)) == (low, high)


def test_floats_and_strings_have_no_bound_and_bits_no_span():
    assert Modbus.raw_range(tag("hr:0", "float32")) is None
    assert Modbus.raw_range(tag("hr:40[8]")) is None
    assert Modbus.raw_range(tag("hr:10.4-6")) == (0, 7)
    assert Modbus.raw_range(tag("hr:0", "bcd16")) == (0, 9999)
    assert Modbus.span(tag("hr:5.3")) is None and Modbus.span(tag("co:5")) is None


@pytest.mark.parametrize(("type_", "width"), [("uint16", 1), ("float32", 2), ("int64", 4)])
def test_a_span_is_as_wide_as_its_type_and_its_unit_and_table_keep_it_apart(type_, width):
    table, first, last = Modbus.span(tag("hr:100", type_))
    assert (first, last) == (100, 100 + width - 1)
    assert table == Modbus.span(tag("hr:7"))[0]
    assert table not in (Modbus.span(tag("ir:100"))[0], Modbus.span(tag("2/hr:100"))[0])
