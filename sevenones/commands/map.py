"""`sevenones map`: a foreign drawing into the map of a site, seen before anything is written."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from middleplatform.minemap.importing import Planned

app = typer.Typer(no_args_is_help=True)
SHOWN = 60


@app.callback()
def front() -> None:
    """导入矿图（DXF、GeoJSON） · drawings of the mine into its map"""


@app.command("import")
def import_map(
    file: Annotated[Path | None, typer.Argument(help="图纸文件 · the drawing, .dxf or .geojson")] = None,
    site: Annotated[Path, typer.Option(help="矿井配置目录 · the site folder")] = Path("site"),
    system: Annotated[
        str, typer.Option(help="坐标系 · auto, gk (Gauss-Krüger), geographic, site (as the site's own) or local")
    ] = "auto",
    zone: Annotated[int | None, typer.Option(help="带号 · the zone, where no easting says it")] = None,
    axes: Annotated[str, typer.Option(help="坐标次序 · en: x is east; ne: x is north")] = "en",
    control: Annotated[Path | None, typer.Option(help="控制点 CSV · control points: x,y,east,north and name")] = None,
    tolerance: Annotated[float, typer.Option(min=0.0, help="控制点残差限差，米 · how far one may lie off, m")] = 0.5,
    layer: Annotated[
        list[str] | None, typer.Option(help="图层对应 名称=图层，- 为不导入 · NAME=layer, - leaves it out")
    ] = None,
    layers: Annotated[Path | None, typer.Option(help="图层对应文件（YAML） · their layers → ours")] = None,
    to: Annotated[str, typer.Option(help="写入 map/imported_名称.geojson · the name of what is written")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="不再询问，直接写入 · write without asking")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="撤销上一次导入 · take the latest import back")] = False,
) -> None:
    """导入 DXF 或 GeoJSON 矿图：先预览，可撤销 · import a drawing: transform, preview, write, undo."""
    from middleplatform.minemap.foreign import MapRefused
    from middleplatform.minemap.importing import Choice, planned
    from sevenones import site_change

    try:
        if undo:
            why, files = site_change.undo(site)
            typer.echo(f"已撤销 · undone: {why}（{'、'.join(files)}）")
            return
        if file is None:
            sys.exit("请给出图纸文件，或 --undo · give a drawing, or --undo")
        known, origin = _place(site)
        choice = Choice(system, zone, axes, control, tolerance, _layers(layer or [], layers), to)
        _check(choice)
        found = planned(file, site, known, origin, choice)
        _preview(found)
        report = site_change.tried(site, found.files)
        if report.problems:
            for problem in report.problems[:SHOWN]:
                typer.echo(str(problem))
            sys.exit(f"{len(report.problems)} 处错误，未写入 · problems: nothing was written")
        if _agreed(yes):
            kept = site_change.apply(site, found.files, datetime.now().astimezone(), f"map import {file}")
            typer.echo(f"已写入 · written: {'、'.join(found.files)}")
            typer.echo(
                f"原文件保存在 · what was there before is in {kept}（sevenones map import --undo --site {site}）"
            )
    except (MapRefused, site_change.ChangeError) as refused:
        sys.exit(str(refused))


def _check(choice: Any) -> None:
    for name, given, allowed in (
        ("--system", choice.system, ("auto", "gk", "geographic", "site", "local")),
        ("--axes", choice.axes, ("en", "ne")),
    ):
        if given not in allowed:
            sys.exit(f"{name}：“{given}”不可用，可用 {'、'.join(allowed)} · {name} is one of {', '.join(allowed)}")


def _place(site: Path) -> tuple[str, tuple[float, float]]:
    from sevenones.site_check import examine

    report = examine(site)
    found = report.site
    if found is None:
        sys.exit(f"{site}：配置有误（sevenones check） · the site has mistakes:\n{str(report.problems[0])[:400]}")
    if found.coordinates is None:
        sys.exit("site.yaml 中没有坐标系 coordinates · site.yaml names no coordinates: system and origin come first")
    north, east, _ = found.coordinates.origin
    return found.coordinates.system, (east, north)


def _layers(given: list[str], file: Path | None) -> dict[str, str]:
    import yaml

    from middleplatform.minemap.foreign import MapRefused
    from middleplatform.minemap.importing import chosen

    told: dict[str, str] = {}
    if file is not None:
        try:
            data = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise MapRefused(f"无法读取“{file}”", f"cannot read '{file}': {str(error)[:160]}") from None
        if not isinstance(data, dict):
            raise MapRefused(f"“{file}”应为 名称: 图层", f"'{file}' is a list of NAME: layer")
        told |= chosen(data, str(file))
    for each in given:
        name, sign, layer = each.rpartition("=")
        if not sign:
            raise MapRefused(f"--layer {each}：应为 名称=图层", f"--layer {each}: write NAME=layer")
        told |= chosen({name: layer}, "--layer")
    return told


def _preview(found: Planned) -> None:
    typer.echo(found.transform.words)
    for name, off in found.transform.residuals:
        typer.echo(f"  控制点 {name} 残差 · residual {off:.3f} m")
    for note in found.transform.notes:
        typer.echo(f"! {note}")
    west, south, east, north = found.box
    typer.echo(f"东 {west:.1f} – {east:.1f}，北 {south:.1f} – {north:.1f} · east, north, m")
    for (theirs, ours), count in sorted(found.taken.items())[:SHOWN]:
        typer.echo(f"+ {theirs} → {ours}  {count}")
    for theirs, count in sorted(found.left.items())[:SHOWN]:
        typer.echo(f"- {theirs}  {count}（未导入，可用 --layer 指定 · left out）")
    if found.kinds:
        told = "、".join(f"{kind} {count}" for kind, count in sorted(found.kinds.items())[:SHOWN])
        typer.echo(f"未导入的图元类型 · kinds that are not drawn: {told}")
    for theirs, count in sorted(found.broken.items())[:SHOWN]:
        typer.echo(f"! {theirs}  {count} 个图元无有效坐标，已略过 · had no finite position and were left out")
    for name in found.gone:
        typer.echo(f"~ {name} 清空 · is emptied: the drawing needs it no more")


def _agreed(yes: bool) -> bool:
    if yes:
        return True
    if sys.stdin.isatty():
        return typer.confirm("写入？ · write it?", default=False)
    typer.echo("这是预览，未写入：加 --yes 写入 · a preview, nothing was written: add --yes to write it")
    return False
