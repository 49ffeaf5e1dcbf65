"""The figures: belts as they start, the face over its shift, gas while a fan stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager

mpl.use("Agg")
from matplotlib import pyplot as plt

from tools.plots.shift import Shift

CHINESE = "WenQuanYi Micro Hei"
BELTS = ("belt_101", "belt_102", "belt_103", "belt_104")
DPI = 110


def _both(zh: str, en: str) -> str:
    """A label in both languages where the font is there, else in English."""
    installed = any(font.name == CHINESE for font in font_manager.fontManager.ttflist)
    return f"{zh} {en}" if installed else en


def _style() -> None:
    plt.rcdefaults()
    plt.rcParams.update(
        {
            "font.family": [CHINESE, "DejaVu Sans"],
            "font.size": 9,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
            "axes.unicode_minus": False,
        }
    )
    if not any(font.name == CHINESE for font in font_manager.fontManager.ttflist):
        plt.rcParams["font.family"] = "DejaVu Sans"


def _figure(rows: int, height: float, ratios: list[float], *, sharex: bool = True) -> tuple[Any, Any]:
    _style()
    return plt.subplots(
        rows, 1, figsize=(9.0, height), sharex=sharex, layout="constrained", gridspec_kw={"height_ratios": ratios}
    )


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    plt.close(figure)


def belts(shift: Shift, path: Path) -> None:
    """Speed, current, power of the chain over its first start in the shift; then the coal of the whole shift."""
    speed = shift["belt_101.speed"]
    moving = speed > 0.05
    starts = np.flatnonzero(moving[1:] & ~moving[:-1]) + 1
    begin = max(0, (int(starts[0]) if len(starts) else 0) - 20)
    end = min(len(speed), begin + 300)
    figure, axes = _figure(4, 8.4, [1, 1, 1, 1.3], sharex=False)
    rows: list[tuple[str, str]] = [
        ("speed", _both("带速", "speed") + ", m/s"),
        ("current_1", _both("1号电机电流", "motor 1 current") + ", A"),
        ("power", _both("功率", "power") + ", kW"),
    ]
    for axis, (key, label) in zip(axes, rows, strict=False):
        for name in BELTS:
            axis.plot(np.arange(end - begin), shift[f"{name}.{key}"][begin:end], lw=1.2, label=name)
        axis.set_ylabel(label)
        axis.set_xlim(0, end - begin)
    axes[0].legend(ncols=4, loc="lower right")
    axes[2].set_xlabel(_both("启动后秒数", "seconds of the start"))
    hours = shift.hours[::10]
    for name in BELTS:
        axes[3].plot(hours, shift[f"{name}.flow"][::10], lw=0.7, label=name)
    axes[3].set_ylabel(_both("煤流量", "coal flow") + ", t/h")
    axes[3].set_xlim(0, hours[-1])
    axes[3].set_xlabel(_both("班内小时", "hours of the shift"))
    figure.suptitle(
        _both(
            "皮带逆煤流启动，以及全班煤流",
            "the line starts against the coal, from the incline to the face; the shift's coal",
        )
    )
    _save(figure, path)


def face(shift: Shift, path: Path) -> None:
    """Where the shearer is, over the legs' pressures of all supports."""
    shown = shift.hours >= 0
    names = shift.names("support_", ".left_leg_pressure")
    every = 30
    pressure = np.stack([shift[name][shown][::every] for name in names])
    figure, axes = _figure(3, 8.2, [3.2, 1, 1])
    mesh = axes[0].pcolormesh(
        shift.hours[shown][::every],
        np.arange(1, len(names) + 1),
        pressure,
        cmap="viridis",
        vmin=15.0,
        shading="nearest",
        rasterized=True,
    )
    hours = shift.hours[shown][::10]
    axes[0].plot(hours, shift["shearer_1.support_number"][shown][::10], color="white", lw=2.4)
    axes[0].plot(hours, shift["shearer_1.support_number"][shown][::10], color="tab:red", lw=1.2)
    axes[0].set_ylabel(_both("支架号", "support"))
    axes[0].grid(visible=False)
    figure.colorbar(mesh, ax=axes[0], label=_both("左立柱压力", "left leg pressure") + ", MPa", pad=0.01)
    axes[1].plot(hours, shift["shearer_1.left_cut_current"][shown][::10], lw=0.6, label=_both("左截割", "left cutting"))
    axes[1].plot(
        hours, shift["shearer_1.right_cut_current"][shown][::10], lw=0.6, label=_both("右截割", "right cutting")
    )
    axes[1].set_ylabel(_both("电流", "current") + ", A")
    axes[1].legend(ncols=2, loc="upper right")
    axes[2].plot(hours, shift["shearer_1.speed"][shown][::10], lw=0.6, color="tab:green")
    axes[2].set_ylabel(_both("牵引速度", "haulage") + ", m/min")
    axes[2].set_xlabel(_both("班内小时", "hours of the shift"))
    figure.suptitle(_both("采煤机位置（红线）与支架压力", "shearer (red line) and the pressure of the supports"))
    _save(figure, path)


def gas(shift: Shift, path: Path) -> None:
    """Methane of heading 1 while its fans stand, and the cut-off of its power; the face beside it."""
    chosen = (shift.hours >= 2.5) & (shift.hours <= 4.5)
    hours = shift.hours[chosen]
    figure, axes = _figure(4, 8.0, [1, 1.4, 1, 1.4])

    def draw(axis: Any, name: str, label: str, of: Callable[[Any], Any] = lambda values: values) -> None:
        if name in shift:
            axis.plot(hours, of(shift[name][chosen]), lw=1.1, label=label)

    draw(axes[0], "aux_fan_1a.air_volume", "aux_fan_1a")
    draw(axes[0], "aux_fan_1b.air_volume", "aux_fan_1b")
    axes[0].set_ylabel(_both("局扇风量", "fan's air") + ", m³/min")
    draw(axes[1], "ch4_heading1_t1.ch4", "T1 " + _both("掘进面", "heading face"))
    draw(axes[1], "ch4_heading1_t2.ch4", "T2 " + _both("掘进回风", "heading return"))
    for level, word in ((1.0, _both("报警", "alarm")), (1.5, _both("断电", "cut-off"))):
        axes[1].axhline(level, color="tab:red", lw=0.8, ls="--")
        axes[1].text(hours[0], level + 0.02, word, color="tab:red", fontsize=8)
    axes[1].set_ylabel("CH$_4$, %")
    draw(axes[2], "feed_heading1.feed", _both("馈电", "power fed"))
    draw(axes[2], "roadheader_1.cut_running", _both("掘进机截割", "roadheader cuts"), lambda values: values - 1.2)
    axes[2].set_yticks([])
    draw(axes[3], "ch4_face_t0.ch4", "T0 " + _both("上隅角", "corner"))
    draw(axes[3], "ch4_face_t1.ch4", "T1 " + _both("工作面", "face"))
    draw(axes[3], "ch4_face_t2.ch4", "T2 " + _both("回风", "return"))
    axes[3].set_ylabel("CH$_4$, %")
    axes[3].set_xlabel(_both("班内小时", "hours of the shift"))
    for axis in axes:
        axis.legend(ncols=3, loc="upper right")
    figure.suptitle(
        _both(
            "掘进面局扇停风：瓦斯积聚、断电、复风（上）；回采面（下）",
            "a heading's fans stop: gas gathers, power is cut, air comes back; below, the face",
        )
    )
    _save(figure, path)
