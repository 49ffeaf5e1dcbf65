"""Positions of a foreign drawing in the site's own plane coordinates.

CGCS2000 in Gauss-Krüger zones of 3° and 6°, whose number may stand before the easting (8 digits) or not (6), CGCS2000
by longitude and latitude, and a grid of the mine's own, which control points tie to the site's by a similarity.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyproj
from numpy.typing import NDArray

from middleplatform.minemap.foreign import MapRefused

Positions = NDArray[np.float64]
MILLION = 1_000_000.0
THREE = range(25, 46)
"""Zones of 3° that China lies in; those of 6° are 13 to 23, so a zone's number tells its width."""
SIX = range(13, 24)
GEOGRAPHIC = 4490
MOST_CONTROL = 1_000
_LONGITUDES, _LATITUDES = (70.0, 140.0), (0.0, 56.0)
_NORTHINGS = (0.0, 6.5e6)


@dataclass(frozen=True)
class Transform:
    """`apply`: [n, 2] x and y → [n, 2] east and north. `words`: what it does; `residuals`: of each control point its
    name and how far, m, its place in the site's grid and the computed one lie apart."""

    words: str
    apply: Callable[[Positions], Positions]
    residuals: list[tuple[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def code_of(zone: int, *, numbered: bool) -> int:
    """EPSG's code of CGCS2000 in a zone. Raises MapRefused for a zone that China does not have."""
    if zone in THREE:
        return (4513 if numbered else 4534) + zone - THREE[0]
    if zone in SIX:
        return (4491 if numbered else 4502) + zone - SIX[0]
    raise MapRefused(
        f"没有 {zone} 带：6 度带为 13 至 23，3 度带为 25 至 45",
        f"there is no zone {zone}: those of 6° are 13 to 23, those of 3° 25 to 45",
    )


def of_system(system: str) -> pyproj.CRS:
    """The site's coordinate system. Raises MapRefused for one that is no plane in metres."""
    try:
        found = pyproj.CRS.from_user_input(system)
    except pyproj.exceptions.CRSError:
        raise MapRefused(
            f"配置中的坐标系“{system}”无法识别：请写 EPSG 编号，如 EPSG:4526",
            f"the site's coordinate system '{system}' is not known: write an EPSG code, such as EPSG:4526",
        ) from None
    if not found.is_projected:
        raise MapRefused(f"坐标系“{system}”不是平面坐标系", f"the site's coordinate system '{system}' is no plane one")
    return found


def projected(code: int, target: pyproj.CRS) -> Callable[[Positions], Positions]:
    """From a system of EPSG to the site's, both as x (east, longitude) and y."""
    changer = pyproj.Transformer.from_crs(pyproj.CRS.from_epsg(code), target, always_xy=True)

    def apply(xy: Positions) -> Positions:
        east, north = changer.transform(xy[:, 0], xy[:, 1])
        return np.column_stack([east, north])

    return apply


def found(xy: Positions, target: pyproj.CRS, system: str = "auto", zone: int | None = None) -> Transform:
    """`system`: auto, geographic, gk (Gauss-Krüger), site (already the site's own). Raises MapRefused where the numbers
    do not fit what they are said to be, or do not say what they are."""
    if not len(xy):
        raise MapRefused("图中没有可用的图元", "there is no shape in it that can be drawn")
    if system == "site":
        return Transform("坐标与配置一致 · already in the site's own coordinates", lambda given: given)
    x, y = np.median(xy, axis=0)
    if system == "geographic" or (system == "auto" and _within(x, _LONGITUDES) and _within(y, _LATITUDES)):
        return _geographic(xy, target)
    prefix = int(x // MILLION)
    if prefix:
        if (xy[:, 0] // MILLION != prefix).any():
            low, high = xy[:, 0].min(), xy[:, 0].max()
            raise _mixed(low, high)
        if zone is not None and zone != prefix:
            raise MapRefused(
                f"横坐标带号为 {prefix}，与给出的 {zone} 带不符",
                f"the eastings begin with zone {prefix}, and zone {zone} was given",
            )
        code, words = code_of(prefix, numbered=True), f"{_width(prefix)} {prefix} 带，横坐标含带号"
        return Transform(f"CGCS2000 {words} · zone {prefix}, numbered (EPSG:{code})", projected(code, target))
    if not (_within(y, _NORTHINGS) and 1e5 < x < 9e5 and y > 1e5):
        raise MapRefused(
            f"坐标（中位数 {x:.6g}, {y:.6g}）不是 CGCS2000 坐标：若为矿区独立坐标系，请给出控制点文件 --control；"
            "若纵横坐标颠倒，请加 --axes ne",
            f"positions (the middle one {x:.6g}, {y:.6g}) are no CGCS2000: for a grid of the mine's own give control "
            "points (--control); where north stands before east, say --axes ne",
        )
    notes = []
    if zone is None:
        zone = zone_of(target)
        notes.append(
            f"横坐标不含带号，按配置取 {zone} 带（--zone 可改） · no zone before the eastings: {zone}, as the site"
        )
    code = code_of(zone, numbered=False)
    words = f"CGCS2000 {_width(zone)} {zone} 带，横坐标不含带号 · zone {zone}, not numbered (EPSG:{code})"
    return Transform(words, projected(code, target), notes=notes)


def zone_of(target: pyproj.CRS) -> int:
    """The zone of the site's own system. Raises MapRefused where it has none."""
    told = {each.name: each.value for each in target.coordinate_operation.params} if target.coordinate_operation else {}
    east = told.get("False easting", 0.0)
    prefix = int(east // MILLION)
    if prefix:
        return prefix
    meridian = told.get("Longitude of natural origin")
    if meridian is None or meridian % 3:
        raise MapRefused("请用 --zone 给出带号", "say which zone it is: --zone")
    return round(meridian / 3)


def _geographic(xy: Positions, target: pyproj.CRS) -> Transform:
    low, high = xy.min(axis=0), xy.max(axis=0)
    if not (
        _LONGITUDES[0] <= low[0] and high[0] <= _LONGITUDES[1] and _LATITUDES[0] <= low[1] and high[1] <= _LATITUDES[1]
    ):
        raise MapRefused(
            f"不是中国的经纬度：经度 {low[0]:.6g} 至 {high[0]:.6g}，纬度 {low[1]:.6g} 至 {high[1]:.6g}",
            f"no longitudes and latitudes of China: {low[0]:.6g} to {high[0]:.6g}, {low[1]:.6g} to {high[1]:.6g}",
        )
    return Transform("CGCS2000 经纬度 · longitude and latitude (EPSG:4490)", projected(GEOGRAPHIC, target))


def control_points(file: Path) -> tuple[list[str], Positions, Positions]:
    """Names, places in the drawing and in the site's grid, of a CSV with the columns x, y, east, north, and name where
    they have any. Raises MapRefused."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MapRefused(f"无法读取控制点文件“{file}”", f"cannot read the control points '{file}': {error}") from None
    if not 2 <= len(rows) <= MOST_CONTROL:
        raise MapRefused(
            f"控制点须为 2 至 {MOST_CONTROL} 个，现有 {len(rows)} 个",
            f"control points are 2 to {MOST_CONTROL}, here are {len(rows)}",
        )
    names, numbers = [], []
    for line, row in enumerate(rows, 2):
        try:
            four = [float(row[column]) for column in ("x", "y", "east", "north")]
        except (KeyError, TypeError, ValueError):
            four = [np.nan]
        if not np.isfinite(four).all():
            raise MapRefused(
                f"“{file.name}”第 {line} 行不是控制点：列为 x,y,east,north（可加 name）",
                f"line {line} of '{file.name}' is no control point: the columns are x,y,east,north (and name)",
            )
        names.append((row.get("name") or str(line - 1))[:40])
        numbers.append(four)
    table = np.array(numbers)
    return names, table[:, :2], table[:, 2:]


def similarity(names: list[str], local: Positions, site: Positions, tolerance: float) -> Transform:
    """Turn, scale and shift, by least squares over the control points. Raises MapRefused where they lie in one
    place, or one lies farther off than `tolerance`, m."""
    middle, there = local.mean(axis=0), site.mean(axis=0)
    given, wanted = _plane(local - middle), _plane(site - there)
    spread = float((abs(given) ** 2).sum())
    if spread < 1e-12 or float((abs(wanted) ** 2).sum()) < 1e-12:
        raise MapRefused("控制点重合，无法求转换", "the control points lie in one place: nothing follows from them")
    turn = complex((given.conj() * wanted).sum() / spread)
    off = abs(given * turn - wanted)
    residuals = [(name, float(distance)) for name, distance in zip(names, off, strict=True)]
    if off.max() > tolerance:
        mirrored = abs(given.conj() * ((given * wanted).sum() / spread) - wanted)
        told = "；".join(f"{name} {distance:.3f} m" for name, distance in residuals)
        hint, hint_zh = "", ""
        if mirrored.max() <= tolerance:
            hint_zh, hint = "；纵横坐标颠倒（--axes ne）则相符", "; with north before east (--axes ne) they fit"
        raise MapRefused(
            f"控制点残差过大（允许 {tolerance:g} m）：{told}{hint_zh}",
            f"the control points do not fit (at most {tolerance:g} m): {told}{hint}",
        )
    scale, angle = abs(turn), np.degrees(np.angle(turn))
    words = f"矿区独立坐标系：{len(names)} 个控制点，比例 {scale:.8f}，旋转 {angle:.6f}° · own grid: scale, turn"
    notes = []
    if len(names) == 2:
        notes.append("仅两个控制点，无多余观测，无法核查 · two control points leave nothing to check by")
    if abs(scale - 1) > 1e-3:
        notes.append(f"比例 {scale:.6g} 与 1 相差较大：图纸单位是否为米 · is the drawing in metres?")
    return Transform(words, lambda xy: _pairs(_plane(xy - middle) * turn) + there, residuals=residuals, notes=notes)


def _plane(xy: Positions) -> NDArray[np.complex128]:
    return xy[:, 0] + 1j * xy[:, 1]


def _pairs(plane: NDArray[np.complex128]) -> Positions:
    return np.column_stack([plane.real, plane.imag])


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bool(bounds[0] <= value <= bounds[1])


def _width(zone: int) -> str:
    return "3 度带" if zone in THREE else "6 度带"


def _mixed(low: float, high: float) -> MapRefused:
    return MapRefused(
        f"横坐标 {low:.0f} 至 {high:.0f} 带号不一：请分开导入，或删去远处的图元",
        f"eastings from {low:.0f} to {high:.0f} are of more than one zone: import them apart, or remove what is far",
    )
