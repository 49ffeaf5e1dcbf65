"""What an equipment is called in the names of others: of its meter, its feeder, the step that starts it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tools.mines.item import Item


class Called(NamedTuple):
    """The name of an equipment; `within`: the English one in the middle of a sentence."""

    zh: str
    en: str

    @property
    def within(self) -> str:
        word = self.en.partition(" ")[0]
        return self.en if word.isupper() or word[:1].isdigit() else self.en[:1].lower() + self.en[1:]

    @property
    def short(self) -> Called:
        """Without the place where it stands."""
        return Called(self.zh.partition(" ")[0], self.en.partition(",")[0])


Names = Mapping[str, Called]


def names(items: Iterable[Item]) -> dict[str, Called]:
    """Equipment → how it is called."""
    return {item.id: Called(item.zh, item.en) for item in items}
