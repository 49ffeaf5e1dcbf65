"""The settings of each installed protocol as the fields of a form, with words in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from protocols.adapter import Adapter, Supports
from protocols.registry import UnknownProtocol, adapter, names

DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. `name`: its place, such as `quirks.pause_s`. `kind`: text, secret, number, whole, yes_no, choice,
    list, mapping. `default` is None where it is needed or has none; `zh` is the English where no Chinese is known."""

    name: str
    kind: str
    needed: bool
    default: Any
    choices: tuple[Any, ...]
    low: float | None
    high: float | None
    zh: str
    en: str


def forms() -> list[dict[str, Any]]:
    """Every installed protocol that can be loaded, as JSON: name, titles, what it can do, its fields."""
    found = []
    for name in names():
        try:
            kind = adapter(name)
        except (UnknownProtocol, ImportError, AttributeError):
            continue  # what cannot be loaded here cannot be asked for here
        sheet = kind.sheet
        found.append(
            {
                "name": name,
                "title": {"zh": sheet.title.zh, "en": sheet.title.en},
                "remarks": {"zh": sheet.remarks.zh, "en": sheet.remarks.en},
                "supports": [str(one.name).lower() for one in Supports if one in sheet.supports],
                "fields": [asdict(field) for field in fields(kind)],
            }
        )
    return found


def fields(kind: type[Adapter[Any, Any]]) -> Iterator[Field]:
    """The settings of an adapter, those within a setting after it."""
    schema = kind.Settings.model_json_schema()
    yield from _fields(schema, schema.get("$defs", {}), kind.sheet.name, "", 0)


def _fields(schema: Mapping[str, Any], shared: Mapping[str, Any], of: str, prefix: str, depth: int) -> Iterator[Field]:
    needed = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        whole = {**_resolved(field, shared), **field}
        place, english = prefix + name, str(whole.get("description", ""))
        inner = "properties" in whole and depth < DEEPEST
        choices = tuple(whole.get("enum", ()))
        default = whole.get("default")
        yield Field(
            place,
            _kind(whole),
            # What holds fields of its own is given by these.
            name in needed and not inner,
            default if isinstance(default, str | int | float | bool) else None,
            choices,
            whole.get("minimum", whole.get("exclusiveMinimum")),
            whole.get("maximum", whole.get("exclusiveMaximum")),
            _chinese(of, place) or english,
            english,
        )
        if inner:
            yield from _fields(whole, shared, of, f"{place}.", depth + 1)


def _kind(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return "choice"
    if field.get("format") == "password":
        return "secret"
    kinds = {"integer": "whole", "number": "number", "boolean": "yes_no", "object": "mapping", "array": "list"}
    return kinds.get(field.get("type", ""), "text")


def _resolved(field: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """A field's schema with its reference followed, or that of the one thing it can be beside nothing."""
    if "$ref" in field:
        return dict(shared[field["$ref"].rsplit("/", 1)[1]])
    choices = [choice for choice in field.get("anyOf", ()) if choice.get("type") != "null"]
    return {**choices[0], **_resolved(choices[0], shared)} if len(choices) == 1 else {}


def _chinese(of: str, place: str) -> str:
    words = _words()
    # A Sparkplug host is a client of MQTT.
    for group in (of, *(("mqtt",) if of == "sparkplug" else ()), "shared"):
        if place in words.get(group, {}):
            return words[group][place]
    return ""


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load(
        files("protocols").joinpath("settings_zh.yaml").read_text(encoding="utf-8")
    )
    return found
