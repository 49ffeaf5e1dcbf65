"""The dictionaries that the program comes with."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from functools import cache

from models.dictionaries.read import read
from models.dictionaries.shape import FOLDER, Dictionary
from models.exchange.dictionaries import head, sensor_types


@cache
def builtin() -> Mapping[str, Dictionary]:
    """One of each kind, by kind."""
    files = [path for path in sorted(FOLDER.glob("*.yaml")) if path.name != "kinds.yaml"]
    found = [read(path.read_bytes(), path.name) for path in files]
    return {each.kind: each for each in (*found, _sensor_types())}


def _sensor_types() -> Dictionary:
    """Those that the exchange files are read with."""
    entries = []
    for code, kind in sensor_types().items():
        entry = {
            "code": code,
            "zh": kind.name.zh,
            "en": kind.name.en,
            "value_type": kind.value_type,
            "confidence": kind.confidence,
        }
        for prefix, words in (("zero", kind.zero), ("one", kind.one)):
            if words is not None:
                entry |= {f"{prefix}_zh": words.zh, f"{prefix}_en": words.en}
        entries.append(entry)
    source, effective_from = head("sensor_types")
    return Dictionary("sensor_types", "1", datetime.date.fromisoformat(effective_from), source, tuple(entries))
