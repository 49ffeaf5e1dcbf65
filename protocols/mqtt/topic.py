"""Topics and the patterns that take them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MAX_TOPIC_BYTES = 1024


def check_pattern(pattern: str) -> None:
    """Raises ValueError when a topic pattern is none that a broker would take."""
    if not pattern:
        raise ValueError("主题为空 · the topic is empty")
    if len(pattern.encode()) > MAX_TOPIC_BYTES or "\0" in pattern:
        raise ValueError(
            f"主题超过 {MAX_TOPIC_BYTES} 字节，或其中有 NUL · "
            f"the topic is longer than {MAX_TOPIC_BYTES} bytes or has a NUL in it"
        )
    levels = pattern.split("/")
    for number, level in enumerate(levels):
        if "#" in level and (level != "#" or number != len(levels) - 1):
            raise ValueError(
                f"主题 '{pattern}' 中，通配符 # 必须是最后一级的全部 · "
                f"in the topic '{pattern}' the wildcard # must be the whole last level"
            )
        if "+" in level and level != "+":
            raise ValueError(
                f"主题 '{pattern}' 中，通配符 + 必须是一级的全部，不能是 '{level}' 的一部分 · "
                f"in the topic '{pattern}' the wildcard + must be a whole level, not part of '{level}'"
            )


def is_topic(pattern: str) -> bool:
    """Whether a pattern is one topic, without wildcards."""
    return "+" not in pattern and "#" not in pattern


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


def captured(pattern: str, topic: str) -> str:
    """What stands in the topic where the pattern has its wildcards: the names that it discovers."""
    levels, parts = pattern.split("/"), topic.split("/")
    names = [parts[number] for number, level in enumerate(levels) if level == "+" and number < len(parts)]
    if levels[-1] == "#":
        names += parts[len(levels) - 1 :]
    return "/".join(names)


def covers(wide: str, narrow: str) -> bool:
    """Whether the first pattern takes every topic that the second takes."""
    first, second = wide.split("/"), narrow.split("/")
    if second[0].startswith("$") and first[0] in ("+", "#"):
        return False
    for number, level in enumerate(first):
        if level == "#":
            return True
        if number >= len(second) or second[number] == "#" or (level != "+" and level != second[number]):
            return False
    return len(first) == len(second)


def fewest(patterns: Iterable[str]) -> list[str]:
    """These patterns without those that another one covers: a broker may send a message once for each
    subscription that it matches."""
    distinct = list(dict.fromkeys(patterns))
    wide = [pattern for pattern in distinct if not is_topic(pattern)]
    return [
        pattern for pattern in distinct if not any(covers(other, pattern) for other in wide if other is not pattern)
    ]
