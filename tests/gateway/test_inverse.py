"""A wanted value becomes the raw value that decodes to it, or is refused: against plain arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inverse import Raw, Unwritable, invert, of_raw
from models.site.model import Guards, Kind, Name
from tests.gateway.sites import point

WHOLE = {"int16": (-(2**15), 2**15 - 1), "uint16": (0, 2**16 - 1), "int32": (-(2**31), 2**31 - 1), "bool": (0, 1)}
FACTORS = st.sampled_from([1.0, 0.1, 0.01, 0.001, 0.05, 2.0, -0.1, 10.0, 1 / 3, 0.277777777777778, 1e-6])
OFFSETS = st.sampled_from([0.0, -40.0, 273.15, 0.5, -0.1])


@given(st.sampled_from(sorted(WHOLE)), FACTORS, OFFSETS, st.data())
def test_what_an_integer_in_a_device_decodes_to_is_written_as_that_integer(kind, factor, offset, data):
    raw = data.draw(st.integers(*WHOLE[kind]))
    p = point("x", type=kind, factor=factor, offset=offset)
    found = invert(p, of_raw(p, raw))
    assert found.value == raw and found.same(raw) and not found.same(raw + 1)


@given(st.sampled_from(["int16", "uint16", "int32"]), FACTORS, OFFSETS, st.floats(-1e6, 1e6))
def test_a_value_between_the_steps_or_outside_the_type_is_refused(kind, factor, offset, value):
    p = point("x", type=kind, factor=factor, offset=offset)
    exact = (Fraction(value) - Fraction(offset)) / Fraction(factor)
    low, high = WHOLE[kind]
    away = abs(exact - round(exact))
    if away > Fraction(1, 1000) or not low <= round(exact) <= high:
        with pytest.raises(Unwritable, match=r"\w"):
            invert(p, value)
    elif away < Fraction(1, 10**9) and low <= round(exact) <= high:
        assert invert(p, value).value == round(exact)


@given(st.sampled_from(["float32", "float64", "Double", "Float", ""]), FACTORS, OFFSETS, st.floats(-1e9, 1e9))
def test_a_real_number_comes_back_within_its_types_resolution(kind, factor, offset, value):
    p = point("x", type=kind, factor=factor, offset=offset)
    raw = invert(p, value).value
    held = float(np.float32(raw)) if kind in ("float32", "Float") else float(raw)
    resolution = 1e-6 * max(abs(value - offset), abs(factor), 1e-9) + 1e-9
    assert abs(of_raw(p, held) - value) <= resolution


@given(st.floats(), st.sampled_from(["int16", "float32", "float64", "", "bool"]), FACTORS)
def test_whatever_is_asked_the_raw_value_is_one_that_the_type_holds(value, kind, factor):
    p = point("x", type=kind, factor=factor, low=-1e5, high=1e5)
    try:
        found = invert(p, str(value))
    except Unwritable:
        return
    assert math.isfinite(found.value) and -1e5 <= found.wanted <= 1e5
    if kind in WHOLE:
        assert WHOLE[kind][0] <= found.value <= WHOLE[kind][1] and found.value == int(found.value)


def test_refusals_say_what_would_do():
    p = point("speed", unit="m/s", type="uint16", factor=0.1, low=0.0, high=5.0)
    with pytest.raises(Unwritable, match=r"steps of 0.1 m/s and cannot hold 1.23; nearest are 1.2 and 1.3"):
        invert(p, 1.23)
    with pytest.raises(Unwritable, match=r"5.1 is outside 0 … 5 m/s"):
        invert(p, 5.1)
    with pytest.raises(Unwritable, match="'fast' is not a number"):
        invert(p, "fast")
    with pytest.raises(Unwritable, match="outside what uint16 in the device can hold"):
        invert(point("x", type="uint16"), 70000)


def test_another_unit_is_converted_and_means_the_nearest_step():
    p = point("temperature", unit="degC", type="int16", factor=0.1, low=-40, high=100)
    assert invert(p, 51, "degF") == Raw(106.0, pytest.approx(10.6), 0.25)
    assert invert(p, 50, "degF").value == 100.0
    with pytest.raises(Unwritable):
        invert(p, 3, "kW")
    assert invert(point("speed", unit="m/s", type="uint16", factor=0.01), 72, "m/min").value == 120


def test_a_state_is_written_by_its_name_or_number_and_no_other():
    states = {0: Name("停止", "Stop"), 1: Name("启动", "Start"), 4: Name("检修", "Repair")}
    p = point("mode", kind=Kind.STATE, unit="", type="uint16", states=states)
    assert [invert(p, value).value for value in ("停止", "start", "检修", 4, "1")] == [0, 1, 4, 4, 1]
    for value in (2, "run", 1.5, "nan", "inf"):
        with pytest.raises(Unwritable, match=r"no state|not a finite"):
            invert(p, value)


def test_a_calibration_curve_is_gone_back_along_and_one_without_an_inverse_is_refused():
    rising = point("level", unit="m", type="uint16", guards=Guards(curve=((0, 0.0), (1000, 2.0), (3000, 3.0))))
    assert [invert(rising, value).value for value in (0, 1, 2, 2.5, 3)] == [0, 500, 1000, 2000, 3000]
    falling = point("gap", type="uint16", guards=Guards(curve=((0, 9.0), (100, 4.0), (200, 1.0))))
    assert invert(falling, 2.5).value == 150 and invert(falling, 2.5).wanted == 2.5
    with pytest.raises(Unwritable, match="outside the calibration curve"):
        invert(rising, 3.1)
    with pytest.raises(Unwritable, match="no inverse"):
        invert(point("x", guards=Guards(curve=((0, 0.0), (1, 2.0), (2, 1.0)))), 1.5)


def test_a_value_that_means_no_value_in_the_device_is_refused():
    p = point("x", type="uint16", factor=0.1, guards=Guards(no_value=(65535.0,)))
    with pytest.raises(Unwritable, match="65535 in the device, which means no value"):
        invert(p, 6553.5)


def test_what_the_adapter_says_that_a_type_holds_bounds_the_value():
    assert invert(point("x", type="bcd16"), 9999, None, (0, 9999)).value == 9999
    with pytest.raises(Unwritable, match="can hold"):
        invert(point("x", type="bcd16"), 10000, None, (0, 9999))


def test_a_text_is_written_as_it_is():
    p = point("recipe", kind=Kind.TEXT, unit="", type="text")
    assert invert(p, "煤A").value == "煤A" and invert(p, "煤A").same("煤A") and not invert(p, "煤A").same("煤B")
    with pytest.raises(Unwritable):
        invert(p, "煤A", "m")
