"""What a foreign drawing says, whatever it came in: shapes on its own layers, in its own coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 128 * 1024 * 1024
MOST_SHAPES = 300_000
MOST_POSITIONS = 5_000_000
MOST_IN_SHAPE = 10_000
"""Positions of one ring: a longer line is cut, a larger area is refused."""


class MapRefused(Exception):
    """Why a drawing is not taken: what, where and what to do, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class Shape:
    """`rings`: [n, 2] x and y in the drawing's units; of an area its edge, closed, then its holes. `name`: what it says
    of itself, "" for nothing."""

    layer: str
    kind: Literal["Point", "LineString", "Polygon"]
    rings: tuple[NDArray[np.float64], ...]
    name: str = ""


def sniffed(head: bytes, name: str) -> None:
    """Raises MapRefused for what is none of ours by its first bytes."""
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")):
        raise MapRefused(f"“{name}”是压缩包：请先解压", f"'{name}' is an archive: unpack it first")
    if head[:4] == b"AC10":
        raise MapRefused(
            f"“{name}”是 DWG：请在绘图软件中另存为 DXF", f"'{name}' is a DWG: save it as DXF in the drawing program"
        )
    if not head.strip():
        raise MapRefused(f"“{name}”是空文件", f"'{name}' is empty")


class Counting:
    """Bounds what a drawing may unfold to, as blocks within blocks grow without end."""

    def __init__(self) -> None:
        self.shapes = self.positions = 0
        self.broken: dict[str, int] = {}
        """By layer, the entities that had no finite position or no extent, and were left out."""

    def taken(self, shape: Shape) -> bool:
        """Whether a shape counts; raises MapRefused when there are too many."""
        if not all(len(ring) and np.isfinite(ring).all() for ring in shape.rings):
            self.broken[shape.layer] = self.broken.get(shape.layer, 0) + 1
            return False
        self.shapes += 1
        self.positions += sum(len(ring) for ring in shape.rings)
        if self.shapes > MOST_SHAPES or self.positions > MOST_POSITIONS:
            raise MapRefused(
                f"图元超过 {MOST_SHAPES} 个或坐标超过 {MOST_POSITIONS} 个：请按图层分成几个文件",
                f"more than {MOST_SHAPES} shapes or {MOST_POSITIONS} positions: save the layers in several files",
            )
        return True
