"""Words in both languages as one string, "Chinese · English": taken apart, and put behind a place."""

from __future__ import annotations

from pydantic import ValidationError

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


def of_settings(errors: ValidationError) -> str:
    """What is wrong with settings. Without their values: one of them may be a password."""
    places = [".".join(map(str, each["loc"])) or "settings" for each in errors.errors()]
    told = [halves(each["msg"].removeprefix("Value error, ")) for each in errors.errors()]
    # What pydantic says by itself it says in English alone.
    zh = "。".join(
        f"{place}：{said.zh if said.zh != said.en else '设置不符合要求'}"
        for place, said in zip(places, told, strict=True)
    )
    en = "; ".join(f"{place}: {said.en}" for place, said in zip(places, told, strict=True))
    return f"{zh}{BETWEEN}{en}"
