"""`sevenones figures`: the figures process, which makes and keeps utilisation, energy and production."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from sevenones.loading import loading


def figures(
    site: Annotated[Path, typer.Option(help="矿井配置目录 · the site's folder")],
    home: Annotated[Path, typer.Option(help="数据目录 · where all data goes")] = Path(".sevenones"),
) -> None:
    """运行指标进程：使用率、能耗、产量 · run the figures process: utilisation, energy, production."""
    with loading():
        from middleplatform.kpi.process import run
        from models.site import load
        from models.site.problems import SiteErrors
        from sevenones.relational import place_of

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(site, home, place_of(home), stop, lambda path: load(path, environment=os.environ))
    except SiteErrors as errors:
        sys.exit(f"矿井配置有误 · the site folder {site} has mistakes:\n{errors}")
    except FileNotFoundError:
        sys.exit(f"矿井配置目录是空的 · the site folder {site} is empty")
