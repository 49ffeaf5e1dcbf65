"""The exceptions of a YCBJ file as events.

A running exception stands in every file with an empty end until it is over. Point, type and start
are its key: told again it is the same event, and its last telling has the end.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.exchange import Records
from models.exchange.dictionaries import meaning
from protocols.adapter import Occurrence

KIND = "safety-exception"
REMEMBERED = 10_000
_TEXTS = ("point", "type_name", "place", "unit", "cause", "measure", "entered_by")


def occurrences(records: Records, tags: Mapping[str, int], equipment: str) -> list[Occurrence]:
    """One event a record, of the equipment that has the point, or else of `equipment`."""
    texts = {name: records.text(name).to_pylist() for name in _TEXTS}
    codes = records.text("exception").to_pylist()
    times = {name: records.times(name).tolist() for name in ("start", "end", "max_time", "min_time", "entered", "time")}
    values = {name: records.numbers(name).tolist() for name in ("max", "min", "average")}
    found = []
    for row, code in enumerate(codes):
        attributes: dict[str, Any] = {name: column[row] for name, column in texts.items() if column[row]}
        attributes |= {name: column[row] for name, column in values.items() if np.isfinite(column[row])}
        attributes |= {name: times[name][row] for name in ("max_time", "min_time", "entered") if times[name][row]}
        name = meaning("exceptions", code)
        attributes |= {"exception": code, "zh": name.zh if name else code, "en": name.en if name else code}
        point, start = texts["point"][row], times["start"][row]
        tag = tags.get(point, -1)
        found.append(
            Occurrence(
                kind=KIND,
                key=f"{point}/{code}/{start}",
                start=start,
                end=times["end"][row] or None,
                attributes=attributes,
                tag=tag,
                equipment="" if tag >= 0 else equipment,
            )
        )
    return found


class Tellings:
    """Which file last told of an exception: an older file that comes late opens none that is over."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, int] = OrderedDict()

    def newest(self, told: Sequence[Occurrence], sent: int) -> list[Occurrence]:
        """Those of which no newer file has told. `sent`: the file's time, µs UTC."""
        found = []
        for one in told:
            if self._sent.get(one.key, 0) <= sent:
                self._sent[one.key] = sent
                self._sent.move_to_end(one.key)
                found.append(one)
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        return found
