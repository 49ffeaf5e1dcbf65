"""An engine with two equipments' data of which a caller sees one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from middleplatform.store import engine as engine_module
from middleplatform.store.schema import open_store
from middleplatform.store.sitetables import SiteTables
from middleplatform.store.sql import REFUSED, Statements
from tests.middleplatform.api.build import CODE, id_of, site

START = 1_790_000_000_000_000
SECOND = 1_000_000
SEEN = ("belt1/speed", "belt1/current", "belt1/running", "belt1/note")
SECRET = 987_654.0
"""A value of a point that is not seen."""


@dataclass
class Desk:
    """Where statements are asked, as somebody who sees `belt1` and nothing of `pump1`."""

    engine: Any
    statements: Statements

    def table(self, text: str, points=SEEN, equipment=("belt1",), events=("belt1",), name="") -> pa.Table:
        asked = {
            "text": text,
            "id": name,
            "points": [id_of(each) for each in points],
            "equipment": [f"{CODE}/{each}" for each in equipment],
            "events": [f"{CODE}/{each}" for each in events],
        }
        return self.statements.handlers["sql"](asked)

    def rows(self, text: str, **seen: Any) -> list[tuple]:
        table = self.table(text, **seen)
        assert REFUSED not in (table.schema.metadata or {}), table.schema.metadata
        return list(zip(*table.to_pydict().values(), strict=True))

    def refusal(self, text: str, **seen: Any) -> dict[str, str]:
        table = self.table(text, **seen)
        assert REFUSED in (table.schema.metadata or {}), table.to_pydict()
        facts: dict[str, str] = json.loads(table.schema.metadata[REFUSED])
        assert facts["code"] and facts["zh"] and facts["en"]
        return facts


@pytest.fixture(scope="package")
def desk(tmp_path_factory):
    """Ten seconds of samples, the one of second 3 told again with another value by a later batch."""
    engine = open_store(tmp_path_factory.mktemp("sql") / "store")
    engine.insert("samples", _samples("belt1/speed", np.arange(10.0), 1))
    engine.insert("samples", _samples("belt1/speed", np.array([30.0]), 2, first=3))
    engine.insert("samples", _samples("belt1/current", np.arange(10.0) + 100, 1))
    engine.insert("samples", _samples("pump1/level", np.full(10, SECRET), 1))
    names = ("belt1", "pump1")
    engine.insert("events", pa.table({
        "id": list(names), "equipment": [f"{CODE}/{name}" for name in names], "kind": ["stop", "secret"],
        "start": [START, START], "end": pa.array([START + SECOND, None], pa.int64()),
        "quality": pa.array([192, 192], pa.uint8()), "source": ["plc", "plc"], "attributes": ['{"why": "jam"}', "{}"],
        "ver": pa.array([1, 1], pa.uint64()),
    }))  # fmt: skip
    SiteTables(engine).adopt(site())
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(engine_module._ANALYST, "max_execution_time", 3)  # not the 10 s that callers have
        yield Desk(engine, Statements(engine, CODE, lambda: True))
    engine.close()


def _samples(name: str, value: np.ndarray, ver: int, first: int = 0) -> pa.Table:
    n = len(value)
    return pa.table(
        {
            "point": np.full(n, id_of(name), np.uint64),
            "ts": START + (first + np.arange(n)) * SECOND,
            "value": value,
            "quality": np.full(n, 192, np.uint8),
            "text": pa.nulls(n, pa.string()),
            "ver": np.full(n, ver, np.uint64),
        }
    )
