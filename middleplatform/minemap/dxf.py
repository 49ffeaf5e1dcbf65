"""Shapes of a DXF. Curves become lines, blocks what they hold; texts are names of nothing and are counted only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import ezdxf
import numpy as np
from ezdxf import path as paths

from middleplatform.minemap.foreign import MOST_BYTES, Counting, MapRefused, Shape, sniffed

DEEPEST = 8
"""Blocks within blocks that are unfolded."""
MOST_ENTITIES = 1_000_000
SAG = 0.05
"""How far a curve may lie from the line that stands for it, in units of the drawing."""
_DRAWN = frozenset({"LINE", "LWPOLYLINE", "POLYLINE", "ARC", "CIRCLE", "ELLIPSE", "SPLINE"})


def shapes(file: Path, counting: Counting, left: dict[str, int]) -> Iterator[Shape]:
    """`left`: kinds of entities that are not drawn, counted. Raises MapRefused."""
    drawing = _open(file)
    budget = [MOST_ENTITIES]
    for entity in _unfolded(drawing.modelspace(), 0, budget, left):
        for shape in _shapes(entity):
            if counting.taken(shape):
                yield shape


def _open(file: Path) -> Any:
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            sniffed(opened.read(32), file.name)
    except OSError as error:
        raise MapRefused(f"无法读取“{file}”", f"cannot read '{file}': {error.strerror}") from None
    if size > MOST_BYTES:
        raise MapRefused(
            f"“{file.name}”超过 {MOST_BYTES >> 20} MB：请按图层分成几个文件",
            f"'{file.name}' is larger than {MOST_BYTES >> 20} MB: save the layers in several files",
        )
    try:
        return ezdxf.readfile(file)
    except (
        ezdxf.DXFError,
        OSError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        said = str(error)[:160] or type(error).__name__
        raise MapRefused(
            f"“{file.name}”不是可读的 DXF（{said}）：请在绘图软件中核查（AUDIT）后重新保存",
            f"'{file.name}' is no DXF that can be read ({said}): audit and save it anew in the drawing program",
        ) from None


def _unfolded(entities: Iterable[Any], depth: int, budget: list[int], left: dict[str, int]) -> Iterator[Any]:
    for entity in entities:
        budget[0] -= 1
        if budget[0] < 0:
            raise MapRefused(
                f"图块展开后超过 {MOST_ENTITIES} 个图元", f"its blocks unfold to more than {MOST_ENTITIES} entities"
            )
        kind = entity.dxftype()
        if kind == "INSERT":
            if depth >= DEEPEST:
                left["INSERT"] = left.get("INSERT", 0) + 1
                continue
            try:
                yield from _unfolded(entity.virtual_entities(), depth + 1, budget, left)
            except ezdxf.DXFError:
                left["INSERT"] = left.get("INSERT", 0) + 1
        elif kind in _DRAWN or kind == "POINT":
            yield entity
        else:
            left[kind] = left.get(kind, 0) + 1


def _shapes(entity: Any) -> Iterator[Shape]:
    layer = str(entity.dxf.layer)
    try:
        if entity.dxftype() == "POINT":
            where = entity.dxf.location
            yield Shape(layer, "Point", (np.array([[where.x, where.y]]),))
            return
        line = paths.make_path(entity)
        ring = np.array([(each.x, each.y) for each in line.flattening(SAG)], np.float64).reshape(-1, 2)
    except (ezdxf.DXFError, ValueError, TypeError, ZeroDivisionError, OverflowError, AttributeError):
        yield Shape(layer, "LineString", (np.empty((0, 2)),))  # counted as broken
        return
    if len(ring) >= 4 and (ring[0] == ring[-1]).all():
        yield Shape(layer, "Polygon", (ring,))
    elif len(ring) >= 2 and np.isfinite(ring).all() and np.ptp(ring, axis=0).max() == 0:
        yield Shape(layer, "Point", (ring[:1],))
    else:
        yield Shape(layer, "LineString", (ring if len(ring) >= 2 else ring[:0],))
