"""What an SQL address is: a point's name in the name column, or a column.

CH4_01             the value column of rows with that name
CH4_01#state       another column of the same rows
level_m            without a name column: that column of every row
"""

from __future__ import annotations

from dataclasses import dataclass

TYPES = ("", "number", "bool", "text")


@dataclass(frozen=True, slots=True)
class Address:
    """`name` is "" where each point is a column of its own; `column` is "" for the value column."""

    name: str
    column: str


def check_address(address: str) -> None:
    """Raises ValueError in plain words for what can be no address in either form."""
    if not address.strip():
        raise ValueError(
            "地址为空：请写测点名称、<name>#<column> 或列名 · "
            "the address is empty: write a point's name, <name>#<column>, or a column"
        )
    if len(address) > 300 or "\0" in address or "\n" in address:
        raise ValueError(
            "地址超过 300 个字符，或其中有换行或 NUL · "
            "the address is longer than 300 characters, or has a line break or NUL in it"
        )
    if address.startswith("#") or address.endswith("#"):
        raise ValueError(
            f"'{address}' 的 # 前后缺少内容，请写作 <name>#<column> · "
            f"'{address}' lacks what should stand before or after #: write <name>#<column>"
        )


def parse_address(address: str, named: bool) -> Address:
    """Take an address apart. `named`: the source has a name column."""
    if not named:
        return Address("", address)
    name, mark, column = address.rpartition("#")
    return Address(name, column) if mark else Address(address, "")
