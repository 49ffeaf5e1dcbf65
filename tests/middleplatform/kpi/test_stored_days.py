"""Days of energy and production out of a real store are those of the samples themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from middleplatform.kpi.energy_day import make as energy
from middleplatform.kpi.production_day import make as production
from models.identity import point_id
from tests.middleplatform.kpi.stored import SILENCE_S, Rows, Stored
from tests.middleplatform.kpi.test_energy_day import told
from tests.middleplatform.kpi.test_production_day import MINE, SLIP, TOLD, journal
from tests.middleplatform.kpi.worked import DAY, HOUR, Heard, day_of_work, path_of

START, END = day_of_work()
SAID = told(meter_in=[(START + 5 * HOUR, START + 7 * HOUR)], fan_2=[(START + 9 * HOUR, START + 10 * HOUR)]) | TOLD


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = Stored(tmp_path_factory.mktemp("store"))
    yield made
    made.close()


def rows() -> Rows:
    """All that was told, some of it bad."""
    table = [(point_id(path_of(name)), *row) for name, of in SAID.items() for row in of]
    point, ts, value = zip(*table, strict=True)
    return Rows(np.array(point, np.uint64), np.array(ts), np.array(value), _qualities(len(table)))


def _qualities(size: int) -> np.ndarray:
    return np.where(np.random.default_rng(4).random(size) < 0.02, 0, 192).astype(np.uint8)


def test_they_are_the_same_in_any_batches(store: Stored, tmp_path: Path) -> None:
    where = journal(tmp_path, *SLIP)
    mine = replace(MINE, points=tuple(replace(point, silence_s=SILENCE_S) for point in MINE.points))
    whole = rows()
    quality, place, spoilt = whole.quality.tolist(), 0, {}
    for name, of in SAID.items():
        spoilt[name] = [(*row, quality[place + n]) for n, row in enumerate(of)]
        place += len(of)
    heard = Heard(spoilt)
    expected = energy(mine, heard, where, DAY), production(mine, heard, where, DAY)  # type: ignore[arg-type]
    order = np.random.default_rng(5).permutation(len(whole))
    for part in np.array_split(order, 3):
        store.add(whole.at(part))
    assert (energy(mine, store.reader, where, DAY), production(mine, store.reader, where, DAY)) == expected
