"""Answers of every sort that a database can give: nothing is raised, and what is bad says why."""

from __future__ import annotations

import gc
import random
import resource
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from protocols.sql import Sql
from protocols.sql.decode import Decoder
from tests.protocols.sql.source import tag

ZONE = ZoneInfo("Asia/Shanghai")
TAGS = [tag(0, "CH4"), tag(1, "CH4", "text"), tag(2, "CO", "bool"), tag(3, "CH4#other"), tag(4, "CO#at")]
LONG = {"name": "name", "value": "value", "quality": "q", "quality_map": {"OK": 192, "BAD": 24}}
ANY = [
    None, 1, -1, 0, 2**70, 1.5, float("nan"), float("inf"), -float("inf"), 1e308, True, False, Decimal("1.23"),
    Decimal("NaN"), Decimal("1e400"), "", "1.5", "坏", "NaN", "1e999", "\x00", "x" * 5000, b"\xff\x00", [1, 2], {},
    date(2026, 1, 1), datetime(2026, 9, 23, 10), datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59),
    datetime(2026, 9, 23, tzinfo=ZONE), timedelta(days=1), object(), "OK", "BAD", "CH4", "CO",
]  # fmt: skip


def run(count: int, seed: int) -> tuple[int, int]:
    rng = random.Random(seed)
    plain = {"url": "sqlite://", "view": "v", "key": "id", "time": "at"}
    decoder = Decoder(Sql.Settings.model_validate({**plain, **LONG}), TAGS, ("id", "at", "name", "q", "value", "other"))
    good = bad = asked = 0
    while asked < count:
        few = rng.sample(ANY, rng.randint(1, 4))  # a column mostly holds few sorts of things
        rows = []
        for key in range(rng.randint(1, 60)):
            when = rng.choice([datetime(2026, 9, 23, 10, tzinfo=ZONE), *few])
            name, said = rng.choice(["CH4", "CO", *few]), rng.choice(["OK", "OK", "BAD", *few])
            rows.append((key, when, name, said, *(rng.choice(few) for _ in decoder.columns[3:])))
        asked += len(rows)
        reading = decoder.decode(rows)
        if reading is None:
            continue
        assert len(reading.value) == len(reading.ts) == len(reading.quality) == len(reading.index)
        assert not np.isinf(reading.value).any()
        spoilt = set(reading.index[reading.quality < 192].tolist())
        assert spoilt <= set(reading.reasons) and all(reading.reasons.values())
        bare = np.isnan(reading.value) & (True if reading.text is None else reading.text.is_null().to_numpy(False))
        assert not (bare & (reading.quality >= 192)).any(), "a good row has a value"
        bad += int((reading.quality < 192).sum())
        good += int((reading.quality >= 192).sum())
    return good, bad


def test_p16_ten_thousand_odd_rows():
    good, bad = run(10_000, 1)
    assert good > 500 and bad > 1000


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_p16_a_million_odd_rows_and_memory_stays():
    run(10_000, 2)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(1_000_000, 3)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10, "KiB"
