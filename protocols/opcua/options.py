"""What the options of an OPC UA point may be, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from protocols.adapter import Tag
from protocols.opcua.session import Session
from protocols.opcua.states import States, dictionaries

_BOUNDS = {"sampling_ms": (0, 3_600_000), "queue_size": (1, 100_000)}


def check_options(options: Mapping[str, Any]) -> None:
    """Raises ValueError for an option that an OPC UA point does not have, or a value that cannot be."""
    for name, value in options.items():
        if name == "states":
            if value not in dictionaries():
                raise ValueError(
                    f"状态字典有 {', '.join(dictionaries())}，此处给出了 '{value}' · "
                    f"there are the states {', '.join(dictionaries())}, and '{value}' is given"
                )
            continue
        if name not in _BOUNDS:
            raise ValueError(
                f"OPC UA 测点有选项 {', '.join((*_BOUNDS, 'states'))}，此处给出了 '{name}' · "
                f"an OPC UA point has the options {', '.join((*_BOUNDS, 'states'))}, and '{name}' is given"
            )
        low, high = _BOUNDS[name]
        right = isinstance(value, int if name == "queue_size" else int | float) and not isinstance(value, bool)
        if not right or not low <= value <= high:
            raise ValueError(
                f"{name} 为 {low} 至 {high} 的数，不是 '{value}' · "
                f"{name} is a number from {low} to {high}, not '{value}'"
            )


def state_readers(tags: Sequence[Tag], session: Session) -> dict[int, Callable[[Any], float]]:
    """Tag index → what gives the number of a state, for the tags that hold one."""
    return {
        tag.index: partial(_number, dictionaries()[tag.options["states"]], session)
        for tag in tags
        if "states" in tag.options
    }


def _number(states: States, session: Session, held: Any) -> float:
    return states.number(held, session.namespaces)
