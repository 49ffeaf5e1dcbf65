"""The words of foreign tables: one lookup for headings, types, orders, register tables and units."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

KINDS = ("columns", "types", "orders", "tables", "units")


def plain(word: object) -> str:
    """A word as it is compared: half-width, lower case, without spaces, punctuation and what is in brackets."""
    text = unicodedata.normalize("NFKC", str(word)).strip().lower()
    bare = re.sub(r"\(.*?\)|\[.*?\]|【.*?】", "", text) or text
    return re.sub(r"[\s_\-.:：。、,]+", "", bare)


@cache
def _known() -> Mapping[str, Mapping[str, str]]:
    """For each kind: plain word → the house's word."""
    content = yaml.safe_load(files("models.site.foreign").joinpath("synonyms.yaml").read_text(encoding="utf-8"))
    return {kind: _turned(content[kind]) for kind in KINDS}


def _turned(entries: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for ours, theirs in entries.items():
        for word in (ours, *theirs):
            found.setdefault(plain(word), str(ours))
    return found


class MappingError(ValueError):
    """A mapping file that says something that it cannot say."""


@dataclass(frozen=True, slots=True)
class Words:
    """Lookups; `own`: those of a mapping file, which come first, `theirs` → the house's; `points` by plain name."""

    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    points: Mapping[str, str] = field(default_factory=dict)

    def find(self, kind: str, word: object) -> str | None:
        """The house's word, or None."""
        key = plain(word)
        return self.own.get(kind, {}).get(key) or _known()[kind].get(key)


def mapping(text: str) -> Words:
    """A mapping file: `columns:`, `types:`, `orders:`, `tables:`, `units:` and `points:`, each their word → ours.
    Raises MappingError."""
    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise MappingError(f"不是 YAML：{error} · is not YAML: {error}") from None
    if not isinstance(content, dict):
        keys = (*KINDS, "points")
        raise MappingError(f"须为映射，键为 {'、'.join(keys)} · must be a mapping with the keys {', '.join(keys)}")
    for key, entries in content.items():
        if key not in (*KINDS, "points"):
            known = (*KINDS, "points")
            raise MappingError(
                f"未知的键 '{key}'；现有 {'、'.join(known)} · unknown key '{key}'; there is {', '.join(known)}"
            )
        if not isinstance(entries, dict):
            raise MappingError(
                f"'{key}' 须为映射：对方的词 → 本系统的词 · '{key}' must be a mapping: their word → ours"
            )
    found = {
        kind: {plain(theirs): str(ours) for theirs, ours in content.get(kind, {}).items()}
        for kind in (*KINDS, "points")
    }
    return Words(found, found["points"])
