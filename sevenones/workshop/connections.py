"""A new connection in the text of connections.yaml, whose own remarks and order stay; secrets never stand in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from middleplatform.workshop.tools import NewConnection

_IN_A_URL = re.compile(r"://[^/\s@:]*:[^/\s@]*@")


class CannotInsert(Exception):
    """The file is of a form that is not changed by a program: it is done by hand."""


def entry_of(name: str, new: NewConnection, secrets: frozenset[str]) -> tuple[dict[str, Any], list[str]]:
    """The connection as connections.yaml has it, and the environment variables that hold its secrets on the gateway's
    machine. Raises ValueError for a password within an address."""
    variables: list[str] = []

    def kept(value: Any, place: str) -> Any:
        if isinstance(value, Mapping):
            return {key: kept(each, f"{place}.{key}" if place else key) for key, each in value.items()}
        if place in secrets and isinstance(value, str) and value and not re.fullmatch(r"\$\{\w+\}", value):
            variable = re.sub(r"\W", "_", f"SEVENONES_{name}_{place}").upper()
            variables.append(variable)
            return f"${{{variable}}}"
        if isinstance(value, str) and _IN_A_URL.search(value):
            raise ValueError(place)
        return value

    groups = {group: {"period": period} for group, period in new.groups.items()}
    entry: dict[str, Any] = {"gateway": new.gateway, "adapter": new.adapter, "settings": kept(new.settings, "")}
    return {**entry, "groups": groups} if groups else entry, variables


def inserted(text: str, name: str, entry: Mapping[str, Any]) -> str:
    """The file's text with the connection after the last one. Raises CannotInsert."""
    place, column = _end(text)
    block = yaml.safe_dump({name: dict(entry)}, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    found = "".join(
        [*lines[:place], *(" " * column + line for line in block.splitlines(keepends=True)), *lines[place:]]
    )
    # Whatever the file looks like: it has to say what it said, and this.
    try:
        before, after = yaml.safe_load(text), yaml.safe_load(found)
        said = {**before, "connections": {**before["connections"], name: dict(entry)}}
    except (yaml.YAMLError, TypeError, KeyError):
        raise CannotInsert from None
    if after != said:
        raise CannotInsert
    return found


def _end(text: str) -> tuple[int, int]:
    """The line before which a new entry of `connections:` goes, and its column."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        raise CannotInsert from None
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "connections" and isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
            last = value.value[-1][1]
            while isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value:
                inner = last.value[-1]
                last = inner[1] if isinstance(inner, tuple) else inner
            return last.end_mark.line + (1 if last.end_mark.column else 0), value.value[0][0].start_mark.column
    raise CannotInsert
