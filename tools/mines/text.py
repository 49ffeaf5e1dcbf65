"""Plain text of YAML and CSV, the same bytes every time."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

import yaml

Value = object
_RESOLVER = yaml.SafeLoader("")
_BARE = re.compile(r"[A-Za-z0-9一-鿿_/.][A-Za-z0-9一-鿿_./+（）、号 -]*")


def _is_text(plain: str) -> bool:
    """Whether YAML takes it for a text when it has no quotes."""
    return bool(_RESOLVER.resolve(yaml.ScalarNode, plain, (True, False)) == "tag:yaml.org,2002:str")


def scalar(value: Value) -> str:
    """One value as YAML reads it back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value == int(value) and abs(value) < 1e12 else repr(value)
    text = str(value)
    if text.startswith("${") or re.fullmatch(r"\d+(\.\d+)? (ms|s|min|h)", text):
        return text
    if _BARE.fullmatch(text) and text == text.strip() and _is_text(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def flow(value: Value) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    text = scalar(value)
    # In a flow a comma or a brace would end it.
    return '"' + text + '"' if text.startswith("${") else text


def block(value: Mapping[str, Value], depth: int, indent: int = 0) -> list[str]:
    """Lines of a mapping: `depth` levels in block style, what is below in flow style."""
    lines = []
    for key, item in value.items():
        head = " " * indent + scalar(key) + ":"
        if isinstance(item, Mapping) and item and depth > 1:
            lines += [head, *block(item, depth - 1, indent + 2)]
        elif isinstance(item, list | tuple) and item and isinstance(item[0], Mapping):
            lines += [head, *(" " * (indent + 2) + "- " + flow(one) for one in item)]
        else:
            lines.append(f"{head} {flow(item) if isinstance(item, Mapping | list | tuple) else scalar(item)}")
    return lines


def document(value: Mapping[str, Value], depth: int, head: Sequence[str] = ()) -> str:
    """A whole YAML file; `head`: comment lines."""
    return "\n".join([*(f"# {line}" for line in head), *block(value, depth)]) + "\n"


def table(rows: Sequence[Mapping[str, str]], columns: Iterable[str]) -> str:
    """A CSV with those of the columns that any row uses."""
    used = [column for column in columns if any(row.get(column) for row in rows)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(used)
    writer.writerows([row.get(column, "") for column in used] for row in rows)
    return out.getvalue()
