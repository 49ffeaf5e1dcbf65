"""One edge node as its host knows it: born or dead, where its sequence is, and what its aliases mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from protocols.sparkplug.values import NAMES, signed

BD_SEQ = b"bdSeq"
NEVER = float("-inf")
NOT_DUE = float("inf")
OVERTAKEN_S = 0.25
"""A birth this soon after the death of the same session was overtaken by it: topics have no common order."""


_PLAIN = {
    "Int32": attrgetter("int_value"),
    "UInt32": attrgetter("int_value"),
    "Int64": attrgetter("long_value"),
    "UInt64": attrgetter("long_value"),
    "DateTime": attrgetter("long_value"),
    "Float": attrgetter("float_value"),
    "Double": attrgetter("double_value"),
    "Boolean": attrgetter("boolean_value"),
}
"""In these fields a value of the type is always in its range; others are looked at with care."""


class Want(NamedTuple):
    """A point that takes this metric."""

    tag: int
    type: str
    element: int | None


class Entry(NamedTuple):
    """What a metric's alias or name stands for since the last birth. `plain` gets a number that needs no
    check, if it is not 0, from the field where it mostly is; `tags` and `wants`: its tags; `turn`: how an
    unsigned field becomes signed."""

    code: int
    plain: Callable[[Any], Any] | None
    tags: tuple[int, ...]
    turn: Callable[[int], int] | None
    wants: tuple[Want, ...]


@dataclass(eq=False)
class Source:
    """A node itself, or one of its devices: what has a birth of its own. `table` holds the metrics of the
    last birth, None for one that no point wants; a number is an alias, bytes are a name. `born_ms`: the time
    of that birth by the node's clock, ms since 1970, 0 when it names none."""

    name: str
    wants: dict[bytes, tuple[Want, ...]] = field(default_factory=dict)
    born: bool = False
    born_ms: int = 0
    told: bool = False
    due: float = NEVER
    table: dict[int | bytes, Entry | None] = field(default_factory=dict)
    types: dict[bytes, int] = field(default_factory=dict)

    @property
    def indices(self) -> list[int]:
        """Its tags."""
        return [want.tag for wants in self.wants.values() for want in wants]

    def learn(self, payload: Any) -> list[bytes]:
        """Take a birth's names, aliases and types. Gives the wanted names that it lacks."""
        table: dict[int | bytes, Entry | None] = {}
        types: dict[bytes, int] = {}
        for metric in payload.metrics:
            name, code = metric.name, metric.datatype
            types[name] = code
            wants = self.wants.get(name)
            entry = _entry(code, wants) if wants else None
            table[name] = entry
            if metric.HasField("alias"):
                table[metric.alias] = entry
        self.table, self.types = table, types
        self.born, self.born_ms, self.told = True, payload.timestamp, False
        return [name for name in self.wants if name not in types]

    def present(self, payload: Any) -> Iterator[int]:
        """The tags of which this data says how they are now, and not how they were."""
        for metric in payload.metrics:
            entry = self.table.get(metric.alias or metric.name or 0)
            if entry is not None and not metric.is_historical:
                yield from entry.tags

    def forget(self) -> None:
        """It is dead: what its aliases meant holds no more."""
        self.born = False
        self.table = {}


def _entry(code: int, wants: tuple[Want, ...]) -> Entry:
    plain = all(want.type in ("", "number") and want.element is None for want in wants)
    getter = _PLAIN.get(NAMES.get(code, "")) if plain else None
    return Entry(code, getter, tuple(want.tag for want in wants), signed(code), wants)


@dataclass(eq=False)
class Node:
    """`sources` by device name, the node itself under "". `missing`: a message was lost, and what it said is
    not known; `anew`: the tags told since then; `answer_due`: when the births asked for since then are due."""

    group: str
    name: str
    sources: dict[str, Source]
    seq: int | None = None
    bd: int | None = None
    dead_bd: int | None = None
    died: float = NEVER
    dead: bool = False
    wanting: bool = False
    asked: float = NEVER
    missing: bool = False
    anew: set[int] = field(default_factory=set)
    answer_due: float = NOT_DUE

    @property
    def where(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def itself(self) -> Source:
        return self.sources[""]

    def follows(self, payload: Any, *, again: bool) -> bool:
        """Whether this message is the next of the node's sequence; whatever it is, the next one counts from it.
        One that the broker sends `again` may be any."""
        if not payload.HasField("seq"):
            return True
        expected, seq = None if self.seq is None else (self.seq + 1) & 255, payload.seq & 255
        if again and seq != expected:
            return True
        self.seq = seq
        return expected is None or expected == seq

    def born(self, bd: int | None, now: float) -> bool:
        """A birth of session `bd`. False when that session is known to have died already."""
        if bd is not None and self.dead and bd == self.dead_bd and now - self.died < OVERTAKEN_S:
            return False
        self.bd, self.dead = bd, False
        self._miss_nothing()
        return True

    def died_of(self, bd: int | None, now: float) -> bool:
        """A death of session `bd`. False when it is of one before that which we know: it comes late."""
        if bd is not None and self.bd is not None and bd != self.bd and not 0 < (bd - self.bd) % 256 < 128:
            return False
        self.dead, self.dead_bd, self.died, self.seq = True, bd, now, None
        for source in self.sources.values():
            source.forget()
        self._miss_nothing()
        return True

    def miss(self) -> None:
        """A message is missing: all that is not told from here on may have changed in it."""
        self.missing = True
        self.anew.clear()

    def doubtful(self, now: float) -> list[int]:
        """The tags that a missing message may have changed, when the births asked for have not come in time;
        each time once."""
        if now < self.answer_due:
            return []
        self._miss_nothing()
        born = [source for source in self.sources.values() if source.born]
        known = [wants for source in born for name, wants in source.wants.items() if name in source.types]
        return [want.tag for wants in known for want in wants if want.tag not in self.anew]

    def _miss_nothing(self) -> None:
        self.missing, self.answer_due = False, NOT_DUE


def bd_seq(payload: Any) -> int | None:
    """The session's number that a birth or death names."""
    for metric in payload.metrics:
        if metric.name == BD_SEQ:
            which = metric.WhichOneof("value")
            return int(getattr(metric, which)) & 255 if which in ("int_value", "long_value") else None
    return None


def nodes_of(wants: Mapping[tuple[str, str, str, str], tuple[Want, ...]]) -> dict[tuple[str, str], Node]:
    """The nodes that points name: wants by group, node, device and metric."""
    nodes: dict[tuple[str, str], Node] = {}
    for (group, name, device, metric), some in wants.items():
        node = nodes.setdefault((group, name), Node(group, name, {"": Source("")}))
        node.sources.setdefault(device, Source(device)).wants[metric.encode()] = some
    return nodes
