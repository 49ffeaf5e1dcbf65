"""What the codes in exchange files mean, from data files with source and date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from models.quality import GOOD, RANK, Quality
from models.site.model import Name

FOLDER = Path(__file__).parent / "dictionaries"


@cache
def _facts(name: str) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return facts


@dataclass(frozen=True, slots=True)
class State:
    """What a point's state word says: plain words, and what the value beside it deserves."""

    name: Name
    quality: int


def _name(entry: Mapping[str, Any]) -> Name:
    return Name(entry["zh"], entry["en"])


def _quality(entry: Mapping[str, Any]) -> int:
    return int(Quality[entry["quality"].upper()])


@lru_cache(1024)
def point_state(word: str) -> State:
    """What a CDSS state word means: a value that stands for itself, else a sum of bits. One that the
    dictionary does not know makes the value uncertain."""
    if not word.isascii() or not word.isdigit() or len(word) > 9:
        return State(
            Name(f"状态字'{word[:20]}'不是数字", f"the state '{word[:20]}' is no number"), int(Quality.UNCERTAIN)
        )
    value = int(word)
    facts = _facts("states")
    if (whole := facts["point_values"].get(value)) is not None:
        return State(_name(whole), _quality(whole))
    said = [entry for bit, entry in facts["point_bits"].items() if value & bit]
    qualities = [_quality(entry) for entry in said]
    names = [_name(entry) for entry in said]
    if value & ~sum(facts["point_bits"]):
        qualities.append(int(Quality.UNCERTAIN))
        names.append(Name(f"未知状态 {value}", f"unknown state {value}"))
    worst = min(qualities, key=lambda code: RANK[code], default=GOOD)
    return State(Name("、".join(n.zh for n in names), ", ".join(n.en for n in names)), int(worst))


def meaning(dictionary: str, code: str | int) -> Name | None:
    """The words for a code of a dictionary in states.yaml (run, power, exceptions, …); None: not known."""
    entry = _facts("states")[dictionary].get(code)
    return None if entry is None else _name(entry)


@dataclass(frozen=True, slots=True)
class SensorType:
    """A sensor type: its words, its value type (MN, KG, LJ, DT), a switch's words for 0 and 1, and how sure we are."""

    name: Name
    value_type: str
    zero: Name | None
    one: Name | None
    confidence: str = ""


@cache
def sensor_types() -> Mapping[str, SensorType]:
    """All sensor types by their four digits."""
    return {
        code: SensorType(
            _name(entry),
            entry["value_type"],
            _name(entry["zero"]) if "zero" in entry else None,
            _name(entry["one"]) if "one" in entry else None,
            entry.get("confidence", ""),
        )
        for code, entry in _facts("sensor_types")["sensor_types"].items()
    }


def head(name: str) -> tuple[str, str]:
    """The source of a dictionary file, and the day (ISO 8601) from which it holds."""
    facts = _facts(name)
    return str(facts["source"]), str(facts["effective_from"])
