"""A mine in two processes: what one steps and another one, made alike, completes is what one mine alone would be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import simulators
from sevenones.backfill.mine import site_of
from simulators.design.mine import load_design
from simulators.plant import Plant

MINES = Path(simulators.__file__).parent / "mines"
START = 1_772_380_800_000_000 - 1_800_000_000
"""Half an hour before a shift ends."""
BLOCK = 300


def plant(mine: str) -> Plant:
    site, design = site_of(MINES / mine, {}), load_design(MINES / mine)
    assert design is not None
    return Plant(site, design, seed=3, start_us=START)


def differing(mine: str, blocks: int) -> set[str]:
    whole, steps, follows = (plant(mine) for _ in range(3))
    different: set[str] = set()
    for _ in range(blocks):
        block = whole.run(BLOCK)
        values = np.full(block.values.shape, np.nan)
        steps.engine.step(values)
        other = follows.engine.follow(values)
        assert (other.ts == block.ts).all()
        wrong = ~((other.values == block.values) | (np.isnan(other.values) & np.isnan(block.values)))
        different |= {name for name, column in block.columns.items() if wrong[:, column].any()}
    return different


def test_the_two_halves_are_the_mine() -> None:
    assert differing("middle", 12) == set()


@pytest.mark.proof
@pytest.mark.parametrize("mine", ["low", "middle", "high"])
def test_the_two_halves_are_the_mine_for_a_day(mine: str) -> None:
    assert differing(mine, 86_400 // BLOCK) == set()
