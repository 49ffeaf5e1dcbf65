"""Paths into a JSON document: read from an address, and grown into a document."""

from __future__ import annotations

import re
from typing import Any

JsonPath = tuple[str | int | tuple[str, str], ...]
"""Keys, indices, and (key, value) of the element of a list that has that value at that key."""

_STEP = re.compile(
    r"""\.?([^.\[\]'"\s][^.\[\]'"]*)|\[(\d+)\]|\[["']([^"']+)["']\]|\[([^\[\]='"]+)=["']?([^\[\]'"]+)["']?\]|\[(\*)\]"""
)


def steps(path: str) -> JsonPath:
    """`a.b[0]` → ("a", "b", 0); `tags[id=T1].v` → ("tags", ("id", "T1"), "v"); `data[*].v` as `data[0].v`, a list
    of one sample; `$` → (). Raises ValueError."""
    rest = path[1:] if path.startswith("$") else path
    found: list[str | int | tuple[str, str]] = []
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at)
        if match is None:
            raise ValueError(f"the JSON path '{path}' cannot be read from '{rest[at:]}' on")
        if match[4] is not None:
            found.append((match[4].strip(), match[5].strip()))
        elif match[6] is not None:
            found.append(0)
        else:
            found.append(int(match[2]) if match[2] is not None else match[1] or match[3])
        at = match.end()
    return tuple(found)


def place(document: Any, path: JsonPath, value: Any) -> Any:
    """The document with the value at the end of the path, growing it where needed."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(key, str):
        document = document if isinstance(document, dict) else {}
        document[key] = place(document.get(key), rest, value)
    elif isinstance(key, int):
        document = document if isinstance(document, list) else []
        document += [None] * (key + 1 - len(document))
        document[key] = place(document[key], rest, value)
    else:
        name, wanted = key
        document = document if isinstance(document, list) else []
        number = next((n for n, each in enumerate(document) if each.get(name) == wanted), len(document))
        if number == len(document):
            document.append({name: wanted})
        document[number] = place(document[number], rest, value)
    return document


def slot(document: Any, path: JsonPath) -> tuple[Any, str | int]:
    """The container and its key where the path ends, in a document that has it."""
    for step in path[:-1]:
        document = _at(document, step)
    last = path[-1]
    if isinstance(last, tuple):
        return document, document.index(_at(document, last))
    return document, last


def _at(document: Any, step: str | int | tuple[str, str]) -> Any:
    if isinstance(step, tuple):
        return next(each for each in document if each.get(step[0]) == step[1])
    return document[step]
