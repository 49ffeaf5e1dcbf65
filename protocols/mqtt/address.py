"""What an MQTT address is: `<topic pattern>#<JSON path>`, split at the last `#`.

mine/pump1/state#level          the key `level` of the object on that topic
mine/+/state#motor.phase[0]     any pump; nested keys, and an element of a list
mine/##$                        all topics below mine/, whose whole payload is the value
mine/x#['a key. with dots']     a quoted key
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAX_STEPS = 32
MAX_TOPIC_BYTES = 1024

Steps = tuple[str | int, ...]

_STEP = re.compile(r"""\.?([^.\[\]'"\s][^.\[\]'"]*)|\[(\d{1,6})\]|\['([^']+)'\]|\["([^"]+)"\]""")


class AbsentError(LookupError):
    """The document has nothing at this path; the message names the step that failed."""


@dataclass(frozen=True, slots=True)
class Address:
    """`topic` is a subscription's pattern; `steps` lead from the payload's root to the value."""

    topic: str
    path: str
    steps: Steps


def parse_path(path: str) -> Steps:
    """Take a JSON path apart; `$` alone is the whole payload. Raises ValueError."""
    if path.startswith("$") and (len(path) == 1 or path[1] in ".["):
        rest = path[1:]
        if not rest:
            return ()
    else:
        rest = path
    steps: list[str | int] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if found is None or (not steps and rest == path and rest.startswith(".")):
            raise ValueError(f"the JSON path '{path}' cannot be read from '{rest[at:]}' on: write a.b, a[0] or ['a b']")
        key, element, single, double = found.groups()
        steps.append(int(element) if element is not None else key or single or double)
        at = found.end()
    if not steps:
        raise ValueError("the JSON path is empty: write the value's key, or $ when the whole payload is the value")
    if len(steps) > MAX_STEPS:
        raise ValueError(f"the JSON path '{path}' has {len(steps)} steps; {MAX_STEPS} is the most")
    return tuple(steps)


def check_topic(topic: str) -> None:
    """Raises ValueError when a topic pattern is none that a broker would take."""
    if not topic:
        raise ValueError("the topic is empty")
    if len(topic.encode()) > MAX_TOPIC_BYTES or "\0" in topic:
        raise ValueError(f"the topic is longer than {MAX_TOPIC_BYTES} bytes or has a NUL in it")
    levels = topic.split("/")
    for number, level in enumerate(levels):
        if "#" in level and (level != "#" or number != len(levels) - 1):
            raise ValueError(f"in the topic '{topic}' the wildcard # must be the whole last level")
        if "+" in level and level != "+":
            raise ValueError(f"in the topic '{topic}' the wildcard + must be a whole level, not part of '{level}'")


def parse_address(address: str) -> Address:
    """Take an address apart. Raises ValueError in plain words."""
    topic, hash_sign, path = address.rpartition("#")
    if not hash_sign:
        raise ValueError(f"the address '{address}' has no JSON path: write <topic>#<path>, such as mine/pump1#level")
    if not path:
        raise ValueError(f"the address '{address}' ends with #: a JSON path must follow it ($ is the whole payload)")
    check_topic(topic)
    return Address(topic, path, parse_path(path))


def matches(pattern: Sequence[str], topic: Sequence[str]) -> bool:
    """Whether a pattern's levels take a topic's levels. Topics that begin with $ need a pattern that
    names their first level."""
    if topic[0].startswith("$") and pattern[0] in ("+", "#"):
        return False
    for number, level in enumerate(pattern):
        if level == "#":
            return True
        if number >= len(topic) or (level != "+" and level != topic[number]):
            return False
    return len(pattern) == len(topic)


def find(document: Any, steps: Steps) -> Any:
    """The value at the end of the steps. Raises AbsentError."""
    value = document
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict):
                raise AbsentError(f"'{step}' was looked for in what is not an object")
            if step not in value:
                raise AbsentError(
                    f"there is no '{step}'; there is {', '.join(map(repr, list(value)[:8])) or 'nothing'}"
                )
            value = value[step]
        elif not isinstance(value, list) or step >= len(value):
            raise AbsentError(f"there is no element [{step}]")
        else:
            value = value[step]
    return value
