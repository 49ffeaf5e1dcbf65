"""State machines of companion specifications: from a state's name, node or number to the point's number.

The dictionaries are in states.yaml, with their sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from asyncua import ua

FILE = Path(__file__).with_name("states.yaml")


@dataclass(frozen=True, slots=True)
class States:
    """One dictionary: the numbers by folded name, Chinese or English, and by node."""

    key: str
    namespace: str
    by_name: Mapping[str, int]
    by_node: Mapping[int, int]
    names: tuple[str, ...]

    def number(self, held: Any, namespaces: Sequence[str]) -> float:
        """The number of a state that a variable holds: localised text, text, node id, or a number itself.
        Raises ValueError in plain words for one that the dictionary lacks."""
        if isinstance(held, ua.LocalizedText):
            held = held.Text or ""
        if isinstance(held, ua.NodeId):
            index = held.NamespaceIndex
            known = index < len(namespaces) and namespaces[index] == self.namespace
            if known and isinstance(held.Identifier, int) and held.Identifier in self.by_node:
                return self.by_node[held.Identifier]
            raise ValueError(
                f"节点 {held.to_string()} 不是 {self.key} 的状态 · "
                f"the node {held.to_string()} is no state of {self.key}"
            )
        if isinstance(held, str) and _fold(held) in self.by_name:
            return self.by_name[_fold(held)]
        if isinstance(held, int) and not isinstance(held, bool) and held in self.by_name.values():
            return held
        raise ValueError(
            f"'{str(held)[:40]}' 不是 {self.key} 的状态，其状态有 {', '.join(self.names)} · "
            f"'{str(held)[:40]}' is no state of {self.key}, which has {', '.join(self.names)}"
        )


def _fold(name: str) -> str:
    return "".join(name.split()).replace("_", "").casefold()


@cache
def dictionaries() -> Mapping[str, States]:
    """All dictionaries, by the name that `states:` takes."""
    found = {}
    for key, entry in yaml.safe_load(FILE.read_text(encoding="utf-8")).items():
        states = entry["states"]
        by_name = {_fold(str(state[word])): int(state["number"]) for state in states for word in ("name", "zh")}
        by_node = {int(state["node"]): int(state["number"]) for state in states if "node" in state}
        names = tuple(str(state["name"]) for state in states)
        found[key] = States(key, str(entry.get("namespace", "")), by_name, by_node, names)
    return found
