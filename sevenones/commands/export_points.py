"""`sevenones export`: the point table of a site, as a file that imports back as the same."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def export_points(
    file: Annotated[Path, typer.Argument(help="写出的文件 · the file to write, .xlsx or .csv")],
    site: Annotated[Path, typer.Option(help="矿井配置目录 · the site folder")],
    equipment: Annotated[list[str] | None, typer.Option(help="只导出这些设备 · only these equipments")] = None,
    gbk: Annotated[bool, typer.Option("--gbk", help="CSV 用 GBK 编码 · a CSV in GBK, for old Excels")] = False,
    chinese: Annotated[bool, typer.Option("--chinese", help="中文列名 · Chinese headings")] = False,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有文件 · overwrite a file that is there")] = False,
) -> None:
    """导出一个矿井的点表，改后可再导入 · write a site's point table; edited, it can be imported again."""
    from models.site.foreign.existing import existing
    from models.site.foreign.table import to_csv, to_xlsx

    now = existing(site)
    rows = {
        key: {**now.defaults.get(key[0], {}), **bound.values}
        for key, bound in now.bound.items()
        if not equipment or key[0] in equipment
    }
    if not rows:
        sys.exit(f"{site} 没有可导出的测点 · {site} has no such points")
    suffix = file.suffix.lower()
    if suffix not in (".csv", ".xlsx"):
        sys.exit(f"{file}：写 .xlsx 或 .csv · write .xlsx or .csv")
    data = (
        to_xlsx(rows, chinese=chinese)
        if suffix == ".xlsx"
        else to_csv(rows, "gbk" if gbk else "utf-8", chinese=chinese)
    )
    try:
        with file.open("wb" if force else "xb") as out:
            out.write(data)
    except FileExistsError:
        sys.exit(f"{file} 已存在，加 --force 覆盖 · {file} is there already: --force overwrites it")
    except OSError as error:
        sys.exit(f"无法写入 {file} · cannot write {file}: {error.strerror}")
    typer.echo(f"{file}：{len(rows)} 个测点 · {len(rows)} points")
