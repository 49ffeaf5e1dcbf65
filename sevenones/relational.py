"""Where a command finds the relational store: in its home, or at the URL that the environment names."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

SETTING = "SEVENONES_DATABASE"
"""As in `middleplatform.database.connect`, which only what opens it has to load."""

Database = Annotated[
    str | None,
    typer.Option(
        envvar=SETTING,
        help="关系库地址，缺省在数据目录内；密码请放在环境变量中 · the relational store, by default the home's; keep a "
        "password in the environment",
    ),
]


def place_of(home: Path, database: str | None = None) -> Path | str:
    """The home, or the URL that was given or is in the environment. Ends the program when there is no such home."""
    if url := database or os.environ.get(SETTING):
        return url
    if not home.is_dir():
        sys.exit(f"没有数据目录 {home} · there is no home folder {home}: name it with --home")
    return home
