"""What bytes can mean, against a reference of its own, and learning from a value and not from a label."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.onboarding.interpret import LARGEST, NUMBERS, ORDERS, SIZE, SMALLEST, meanings, number, text
from gateway.onboarding.learn import advice, fits, nearby
from tests.onboarding.command import registers

PLAIN = [kind for kind in NUMBERS if not kind.startswith("bcd")]


@st.composite
def values(draw):
    kind = draw(st.sampled_from(PLAIN))
    order = draw(st.sampled_from(ORDERS if SIZE[kind] > 2 else ("abcd", "badc")))
    if kind.startswith("float"):
        value = draw(st.floats(allow_nan=False, allow_infinity=False, width=int(kind[5:])))
    else:
        low = -(2 ** (8 * SIZE[kind] - 1)) if kind.startswith("int") else 0
        value = draw(st.integers(low, low + 2 ** (8 * SIZE[kind]) - 1))
    return kind, order, value


@given(values(), st.binary(max_size=8))
def test_every_type_and_order_is_read_as_it_was_written(given_value, after):
    kind, order, value = given_value
    raw = registers(value, kind, order) + after
    assert number(raw, kind, order) == value
    found = {(one.type, one.order): one for one in meanings(raw)}
    assert found[kind, order].value == value
    for one in found.values():
        if one.sensible and one.type.startswith("float"):
            assert math.isfinite(one.value) and (one.value == 0 or SMALLEST <= abs(one.value) <= LARGEST)


@given(st.integers(0, 9999), st.sampled_from(["abcd", "badc"]))
def test_bcd_is_its_digits_or_nothing(value, order):
    raw = bytes.fromhex(f"{value:04d}")
    raw = raw if order == "abcd" else raw[::-1]
    assert number(raw, "bcd16", order) == value
    assert number(b"\x12\x3a", "bcd16", "abcd") is None


@given(st.binary(max_size=250))
def test_no_bytes_are_too_odd_to_be_shown(raw):
    for one in meanings(raw):
        assert one.value is None or one.sensible in (True, False)
    for encoding in ("ascii", "gbk"):
        shown, _ = text(raw, encoding)
        assert shown.isprintable()


def test_chinese_text_with_padding_and_a_half_character():
    assert text("主井皮带".encode("gbk") + b"\0\0  ", "gbk") == ("主井皮带", True)
    shown, whole = text("主井皮带".encode("gbk")[:-1], "gbk")
    assert shown == "主井皮." and not whole


@given(values(), st.sampled_from([1.0, 0.1, 0.01, 10.0]), st.binary(max_size=6))
def test_the_way_in_which_a_value_was_written_is_among_those_learnt(given_value, scale, after):
    kind, order, value = given_value
    if kind.startswith("float"):
        scale = 1.0
    seen = value * scale
    tolerance = abs(seen) * 0.001
    if tolerance == 0 or not math.isfinite(seen):
        return
    found = fits(registers(value, kind, order) + after, seen, tolerance)
    assert any(fit.type == kind and fit.order == order and fit.scale == scale for fit in found)
    assert all(abs(fit.value - seen) <= tolerance for fit in found)


@pytest.mark.parametrize("label", ORDERS)
@pytest.mark.parametrize("truth", ORDERS)
def test_labels_of_word_orders_that_are_inverted_do_not_matter(label, truth):
    """libmodbus and several vendors name the orders the other way round: the label is not even asked."""
    found = fits(registers(123.4, "float32", truth), 123.4, 0.05)
    assert [(fit.type, fit.order, fit.scale) for fit in found] == [("float32", truth, 1.0)], label
    assert advice(found) == ("", "")


def test_a_sign_that_cannot_be_seen_is_told_and_what_to_read_next():
    found = fits(registers(1234, "uint16", "abcd"), 123.4, 0.05)
    assert {fit.key for fit in found} == {"int16/abcd*0.1", "uint16/abcd*0.1"}
    assert "negative" in advice(found)[1]
    later = fits(registers(-50, "int16", "abcd"), -5.0, 0.05, among=[fit.key for fit in found])
    assert [fit.key for fit in later] == ["int16/abcd*0.1"]


def test_a_second_value_leaves_one_of_several_ways():
    raw = registers(1234, "uint16", "abcd") + b"\0\0"
    keys = [fit.key for fit in fits(raw, 1234, 1)]
    assert {"uint16/abcd", "int32/cdab"} <= set(keys)
    grown = registers(70_000, "int32", "cdab")
    assert [fit.key for fit in fits(grown, 70_000, 1, among=keys)] == ["int32/cdab", "uint32/cdab"]


def test_zero_teaches_nothing_and_says_so():
    with pytest.raises(ValueError, match="zeros look the same"):
        fits(bytes(8), 0.0, 0.1)


def test_a_manual_that_counts_from_one_is_found_out():
    data = registers(123.4, "float32", "cdab")
    words = [b"\0\0", data[:2], data[2:], None, b"\0\0"]
    found = nearby(words, 0, 123.4, 0.05)
    assert (found[0].at, found[0].key) == (1, "float32/cdab")
