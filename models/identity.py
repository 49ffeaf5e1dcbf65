"""Who a point is: `<mine code>/<equipment>/<point>` and the 64-bit xxh3 of that path.

Edge, mine, group and bureau compute the same id without asking each other. Where a thing stands is
an attribute, never part of its name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import xxhash

MINE_CODE = re.compile(r"[0-9]{12}")
MANUAL = "manual"
"""The source of what people entered or corrected: stands where a gateway's name does, and no gateway may have it."""
MANUAL_FLOOR = 1 << 62
"""Batch numbers of what people entered are above this, those of gateways, which are clocks (µs), below."""
SEGMENT = re.compile(r"[a-z0-9_-]{1,40}")


class IdentityError(ValueError):
    """A path, code or id that cannot be one, or two paths that share an id."""


@dataclass(frozen=True, slots=True)
class PointPath:
    """The three parts of a path. `str()` gives it whole."""

    mine: str
    equipment: str
    point: str

    def __str__(self) -> str:
        return f"{self.mine}/{self.equipment}/{self.point}"


def parse_path(path: str) -> PointPath:
    """Take a path apart. Raises IdentityError naming the part that is wrong."""
    parts = path.split("/")
    if len(parts) != 3:
        raise IdentityError(f"'{path}' is not <mine code>/<equipment>/<point>: it has {len(parts)} parts, not 3")
    mine, equipment, point = parts
    if not MINE_CODE.fullmatch(mine):
        raise IdentityError(f"'{path}': the mine code '{mine}' is not 12 digits")
    for part, what in ((equipment, "equipment"), (point, "point")):
        if not SEGMENT.fullmatch(part):
            raise IdentityError(f"'{path}': the {what} name '{part}' is not 1 to 40 of a-z, 0-9, _ and -")
    return PointPath(mine, equipment, point)


def point_id(path: str) -> int:
    """The id of a path: xxh3 (64 bit, seed 0) of its UTF-8 bytes. Does not check the path's form."""
    return xxhash.xxh3_64_intdigest(path.encode())


def ids_by_path(paths: Iterable[str]) -> dict[str, int]:
    """Ids of many paths. Raises IdentityError when two different paths share one."""
    ids: dict[str, int] = {}
    seen: dict[int, str] = {}
    for path in paths:
        number = point_id(path)
        other = seen.setdefault(number, path)
        if other != path:
            raise IdentityError(f"'{path}' and '{other}' have the same id {number}: rename one of them")
        ids[path] = number
    return ids
