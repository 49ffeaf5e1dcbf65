"""What a KJ address is: `<type>:<code>#<field>`; CDSS and the type's first field may be left out.

610802019211010003MN00000200            the real-time value of that point (CDSS, value)
610802019211010003MN00000200#state      its state word, as it is in the file
TJSJ:610802019211010003MN00000200#max   the statistics' maximum
FZSS:61080201921100001#power            a substation's power state
RYSS:6108020192110001                   how many people are in that area; RYSS:* in the whole mine
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FIELDS = {
    "CDSS": ("value", "state"),
    "TJSJ": ("average", "max", "min"),
    "FZSS": ("run", "power"),
    "JZSS": ("run", "power"),
    "RYSS": ("people", "leaders"),
}
TYPES = ("", "number", "bool", "text")

_ADDRESS = re.compile(r"(?:([A-Z]{4}):)?([0-9A-Za-z_.-]{1,40}|\*)(?:#([a-z]+))?")


@dataclass(frozen=True, slots=True)
class Address:
    """A type of file, the code of the point, station or area in it, and a field of its records."""

    kind: str
    code: str
    field: str


def parse_address(text: str) -> Address:
    """Take an address apart. Raises ValueError in plain words."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ValueError(
            f"'{text}' 不是地址，请写测点编号、CDSS:<code>#state、TJSJ:<code>#max 等 · "
            f"'{text}' is no address: write a point's code, CDSS:<code>#state, TJSJ:<code>#max, …"
        )
    kind, code, field = found[1] or "CDSS", found[2], found[3]
    if kind not in FIELDS:
        raise ValueError(
            f"'{kind}' 不是含有值的文件类型，有 {', '.join(FIELDS)} · "
            f"'{kind}' is no type of file that has values; there are {', '.join(FIELDS)}"
        )
    if code == "*" and kind != "RYSS":
        raise ValueError(
            f"'*' 为全矿，只与 RYSS 同用，{kind} 需要编号 · "
            f"'*' is the whole mine and goes with RYSS; {kind} needs a code"
        )
    field = field or FIELDS[kind][0]
    if field not in FIELDS[kind]:
        raise ValueError(
            f"{kind} 没有字段 '{field}'，有 {', '.join(FIELDS[kind])} · "
            f"{kind} has no field '{field}'; it has {', '.join(FIELDS[kind])}"
        )
    return Address(kind, code, field)
