"""rotations.yaml: pumps that take turns by the sump's level and the hour's tariff, each started by its own sequence."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from models.sequence import Condition, Rotation, Sequence, Turn
from models.site.files import Folder
from models.site.model import Point
from models.site.problems import Problems
from models.site.schema import entries, validate
from models.site.sequence_entries import Reference
from models.site.there import unknown
from models.site.yamlfile import parse
from models.tariffs import tariffs
from models.thing import Key, Names, Number, Strict, Text

FILE = "rotations.yaml"


class TurnEntry(Strict):
    """`state`: the point that says what the pump does, `running` its values while it turns."""

    start: Key
    stop: Key
    state: Reference
    running: Annotated[tuple[Number, ...], Field(min_length=1, max_length=8)]
    hours: Reference


class RotationEntry(Strict):
    """Levels in the unit of the level's point."""

    name: Names
    level: Reference
    low: Number
    start: Number
    high: Number
    high_high: Number
    tariff: Text
    pumps: Annotated[dict[Key, TurnEntry], Field(min_length=1, max_length=16)]
    source: Text

    @model_validator(mode="after")
    def _rises(self) -> RotationEntry:
        if any(below >= above for below, above in pairwise((self.low, self.start, self.high, self.high_high))):
            raise ValueError(
                "水位须递增：low < start < high < high_high · the levels rise: low < start < high < high_high"
            )
        if self.tariff not in tariffs():
            raise ValueError(
                f"没有电价 '{self.tariff}'；现有 {'、'.join(tariffs())} · "
                f"there is no tariff '{self.tariff}'; there is {', '.join(tariffs())}"
            )
        return self


def rotations(
    folder: Folder, problems: Problems, code: str, points: Mapping[str, Point], sequences: Mapping[str, Sequence]
) -> dict[str, Rotation]:
    """The rotations of a site; every mistake is added to the problems. The file need not be there."""
    path = folder.root / FILE
    text = folder.read_text(path) if path.exists() else None
    document = None if text is None else parse(text, folder.name(path), problems)
    found: dict[str, Rotation] = {}
    for name, data in entries(document, "rotations", problems).items() if document is not None else ():
        place = ("rotations", name)
        line = document.line(place) if document is not None else 0
        entry = validate(RotationEntry, data, document, place, problems) if document is not None else None
        if entry is None:
            continue
        looks = [entry.level, *(each for turn in entry.pumps.values() for each in (turn.state, turn.hours))]
        runs = [each for turn in entry.pumps.values() for each in (turn.start, turn.stop)]
        wrong = [message for each in looks if (message := unknown("bound point", each, points))]
        wrong += [message for each in runs if (message := unknown("sequence", each, sequences))]
        for message in wrong:
            problems.add(FILE, line, message)
        if wrong:
            continue
        turns = tuple(
            Turn(
                pump,
                turn.start,
                turn.stop,
                Condition(f"{code}/{turn.state}", one_of=turn.running),
                f"{code}/{turn.hours}",
            )
            for pump, turn in entry.pumps.items()
        )
        levels = (entry.low, entry.start, entry.high, entry.high_high)
        found[name] = Rotation(
            name, entry.name.resolved(), f"{code}/{entry.level}", *levels, entry.tariff, turns, entry.source
        )
    return found
