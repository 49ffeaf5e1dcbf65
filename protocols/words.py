"""What is wrong with an adapter's settings, in both languages."""

from __future__ import annotations

from pydantic import ValidationError

from models.words import BETWEEN, halves


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
