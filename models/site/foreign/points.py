"""Which point of a template a row of a foreign table means."""

from __future__ import annotations

import difflib

from models.site.foreign.words import Words, plain
from models.site.model import Kind
from models.thing import Template


class Points:
    """A template's points by everything that they are called: key, Chinese and English name."""

    def __init__(self, template: Template, words: Words) -> None:
        self._template = template
        self._words = words
        self._names: dict[str, str] = {}
        for key, model in template.points.items():
            for name in (key, model.name.zh, model.name.en):
                self._names.setdefault(plain(name), key)

    def kind(self, key: str) -> Kind:
        """What kind of point a key of the template is."""
        return self._template.points[key].kind

    def find(self, said: str) -> str:
        """The key of the point. Raises LookupError, saying what is near and what to do."""
        mapped = self._words.points.get(plain(said))
        if mapped is not None:
            if mapped in self._template.points:
                return mapped
            raise LookupError(
                f"映射文件把 '{said}' 写成 '{mapped}'，而模板 '{self._template.id}' 没有该测点 · the mapping file says "
                f"'{mapped}' for '{said}', which the template '{self._template.id}' does not have"
            )
        found = self._names.get(plain(said))
        if found is not None:
            return found
        near = self._near(said)
        hint_zh = f"，是否为 {near}？" if near else "。"
        hint = f"; did you mean {near}?" if near else "."
        raise LookupError(
            f"模板 '{self._template.id}' 没有测点 '{said}'{hint_zh}写入映射文件的 points，或用 --skip-unknown 略过 · "
            f"the template '{self._template.id}' has no point '{said}'{hint} Put it under points: of the mapping file, "
            "or leave such rows out with --skip-unknown"
        )

    def _near(self, said: str) -> str:
        names = difflib.get_close_matches(plain(said), self._names, n=1, cutoff=0.5)
        if not names:
            return ""
        key = self._names[names[0]]
        return f"{key} ({self._template.points[key].name.zh})"
