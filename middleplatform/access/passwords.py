"""What no password may be, beyond its length: what anybody would try first, and what holds the user's name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from middleplatform.access.errors import AccessError

FILE = Path(__file__).with_name("passwords.yaml")
MIN_PASSWORD = 8
MAX_PASSWORD = 200
LEAST_NAME = 3
"""A name that is shorter stands in too many words."""
PHONE = 11
_TAIL = re.compile(r"[\d\W_]+$")
_ROWS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")


@dataclass(frozen=True, slots=True)
class Common:
    """`words`: also with digits and signs behind; `whole`: as they are."""

    words: frozenset[str]
    whole: frozenset[str]


@cache
def common() -> Common:
    """Those of this program."""
    found = yaml.safe_load(FILE.read_text("utf-8"))
    return Common(frozenset(map(str, found["words"])), frozenset(map(str, found["whole"])))


def check(password: str, name: str) -> None:
    """Raises AccessError where it cannot be the password of the user of that name."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise AccessError(
            f"密码应为 {MIN_PASSWORD} 至 {MAX_PASSWORD} 个字符 · "
            f"a password is {MIN_PASSWORD} to {MAX_PASSWORD} characters"
        )
    plain, of = password.casefold(), name.casefold()
    if plain == of:
        raise AccessError("密码不得与用户名相同 · a password is not the user's name")
    if len(of) >= LEAST_NAME and of in plain:
        raise AccessError("密码不得包含用户名 · a password does not hold the user's name")
    if _is_common(plain):
        raise AccessError(
            "这是最常用的密码之一，别人会先试它：请另选一个，例如几个不相干的词 · "
            "it is one of the commonest passwords, which anybody would try first: choose another, such as a few words "
            "that have nothing to do with each other"
        )


def _is_common(plain: str) -> bool:
    known = common()
    if plain in known.whole or plain in known.words or len(set(plain)) <= 2:
        return True
    if any(plain in row or plain in row[::-1] for row in _ROWS):
        return True
    # A word with a year or an exclamation mark behind it is the word; few digits alone are a date or a telephone.
    return _TAIL.sub("", plain) in known.words or (plain.isdecimal() and len(plain) <= PHONE)
