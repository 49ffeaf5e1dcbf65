"""Words in both languages as one string, "Chinese · English": taken apart, put together, and put behind a place."""

from __future__ import annotations

from collections.abc import Iterable

from models.site.model import Name

BETWEEN = " · "


def halves(words: object) -> Name:
    """The two languages of such words (a text, or an error by its message); the same twice where they have but one."""
    zh, between, en = str(words).partition(BETWEEN)
    return Name(zh, en if between else zh)


def at(place: str, words: object) -> str:
    """Such words with a place, or other such words, in front of them; in one language where there is but one."""
    lead, said = halves(place), halves(words)
    if lead.zh == lead.en and said.zh == said.en:
        return f"{place}: {said.en}"
    return f"{lead.zh}：{said.zh}{BETWEEN}{lead.en}: {said.en}"


def together(messages: Iterable[str]) -> str:
    """Several such words as one, each language by itself."""
    said = [halves(message) for message in messages]
    return f"{'。'.join(each.zh for each in said)}{BETWEEN}{'; '.join(each.en for each in said)}"
