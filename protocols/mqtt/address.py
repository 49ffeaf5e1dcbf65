"""What an MQTT address is: `<topic pattern>#<JSON path>`, split at the last `#`.

mine/pump1/state#level          the key `level` of the object on that topic
mine/+/state#motor.phase[0]     any pump; nested keys, and an element of a list
mine/##$                        all topics below mine/, whose whole payload is the value
mine/x#['a key. with dots']     a quoted key
mine/x#values[*].temp           of each element: a list of samples, `[*]` once at most
mine/x#tags[id=T1].value        of the element of a list whose key `id` is T1
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from protocols.mqtt.topic import check_pattern

MAX_STEPS = 32


class Where(NamedTuple):
    """A step to the element of a list whose key has this value, written as text."""

    key: str
    value: str


class Each(NamedTuple):
    """A step to all elements of a list, one after the other."""


Step = str | int | Where | Each
Steps = tuple[Step, ...]

_STEP = re.compile(
    r"""\.?(?P<key>[^.\[\]'"\s][^.\[\]'"]*)|\[(?P<element>\d{1,6})\]|(?P<each>\[\*\])"""
    r"""|\['(?P<single>[^']+)'\]|\["(?P<double>[^"]+)"\]|\[(?P<where>[^=\[\]'"*]+)=(?P<value>[^\[\]]+)\]"""
)


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
    steps: list[Step] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if found is None or (not steps and rest == path and rest.startswith(".")):
            raise ValueError(
                f"JSON 路径 '{path}' 从 '{rest[at:]}' 起无法解析，请写作 a.b、a[0]、a[*]、a[id=x] 或 ['a b'] · "
                f"the JSON path '{path}' cannot be read from '{rest[at:]}' on: "
                "write a.b, a[0], a[*], a[id=x] or ['a b']"
            )
        steps.append(_step(found))
        at = found.end()
    if not steps:
        raise ValueError(
            "JSON 路径为空：请写明值的键，整个报文就是值时写 $ · "
            "the JSON path is empty: write the value's key, or $ when the whole payload is the value"
        )
    if len(steps) > MAX_STEPS:
        raise ValueError(
            f"JSON 路径 '{path}' 有 {len(steps)} 级，最多 {MAX_STEPS} 级 · "
            f"the JSON path '{path}' has {len(steps)} steps; {MAX_STEPS} is the most"
        )
    if sum(isinstance(step, Each) for step in steps) > 1:
        raise ValueError(f"JSON 路径 '{path}' 中 [*] 多于一个 · the JSON path '{path}' has [*] more than once")
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["element"] is not None:
        return int(found["element"])
    if found["each"]:
        return Each()
    if found["where"]:
        return Where(found["where"].strip(), found["value"].strip().strip("'\""))
    return str(found["key"] or found["single"] or found["double"])


def parse_address(address: str) -> Address:
    """Take an address apart. Raises ValueError in plain words."""
    topic, hash_sign, path = address.rpartition("#")
    if not hash_sign:
        raise ValueError(
            f"地址 '{address}' 没有 JSON 路径，请写作 <topic>#<path>，如 mine/pump1#level · "
            f"the address '{address}' has no JSON path: write <topic>#<path>, such as mine/pump1#level"
        )
    if not path:
        raise ValueError(
            f"地址 '{address}' 以 # 结尾：其后应有 JSON 路径（$ 为整个报文） · "
            f"the address '{address}' ends with #: a JSON path must follow it ($ is the whole payload)"
        )
    check_pattern(topic)
    return Address(topic, path, parse_path(path))


def find(document: Any, steps: Steps) -> Any:
    """The value at the end of the steps. Raises AbsentError."""
    value = document
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict):
                raise AbsentError(f"查找 '{step}' 之处不是对象 · '{step}' was looked for in what is not an object")
            if step not in value:
                names = ", ".join(map(repr, list(value)[:8]))
                raise AbsentError(
                    f"没有 '{step}'，{'有 ' + names if names else '其中什么也没有'} · "
                    f"there is no '{step}'; there is {names or 'nothing'}"
                )
            value = value[step]
        elif isinstance(step, Where):
            value = _element_where(value, step)
        elif not isinstance(step, int) or not isinstance(value, list) or step >= len(value):
            raise AbsentError(
                f"没有元素 [{'*' if isinstance(step, Each) else step}] · "
                f"there is no element [{'*' if isinstance(step, Each) else step}]"
            )
        else:
            value = value[step]
    return value


def _element_where(value: Any, step: Where) -> Any:
    for element in value if isinstance(value, list) else ():
        if isinstance(element, dict) and step.key in element and str(element[step.key]) == step.value:
            return element
    raise AbsentError(
        f"没有 '{step.key}' 为 '{step.value}' 的元素 · there is no element whose '{step.key}' is '{step.value}'"
    )
