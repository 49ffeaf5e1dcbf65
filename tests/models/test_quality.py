"""Rank: bad < uncertain < good, plain good on top, "bad and nothing said" at the bottom."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.quality import RANK, Quality, is_good, label, worst

codes = st.lists(st.integers(0, 255), min_size=1, max_size=30)


def klass(code: int) -> int:
    return {0: 0, 1: 1, 2: 0, 3: 2}[code >> 6]


def test_a_better_class_always_ranks_higher() -> None:
    for a in range(256):
        for b in range(256):
            if klass(a) < klass(b):
                assert RANK[a] < RANK[b], (a, b)


def test_limit_bits_do_not_change_the_rank() -> None:
    for code in range(256):
        assert RANK[code] == RANK[code & 0xFC]


def test_the_ends() -> None:
    assert RANK.argmin() == Quality.BAD
    assert RANK[Quality.GOOD] > RANK[Quality.GOOD_LOCAL_OVERRIDE]
    assert RANK[128] == RANK[0]


@given(codes)
def test_worst_is_one_of_them_and_none_is_worse(some: list[int]) -> None:
    found = worst(np.array(some, np.uint8))
    assert found in some
    assert all(RANK[found] <= RANK[code] for code in some)


def test_worst_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        worst(np.array([], np.uint8))


@given(codes)
def test_only_the_good_class_is_good(some: list[int]) -> None:
    assert is_good(np.array(some, np.uint8)).tolist() == [klass(code) == 2 for code in some]


@pytest.mark.parametrize("code", range(256))
def test_every_code_has_words_of_its_class(code: int) -> None:
    zh, en = label(code), label(code, "en")
    assert zh.startswith(("坏", "不确定", "好")[klass(code)])
    assert en.startswith(("bad", "uncertain", "good")[klass(code)])
