"""The home folder: where one machine's processes keep what is theirs.

version              the data's format
site/                the site in use
bus/ gateway/ store/ platform.db truth/ metrics/ logs/
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATA_VERSION = "1"
BUS = "nats://127.0.0.1:14222"
"""Where `sevenones bus` opens it by default."""


class HomeError(Exception):
    """The home folder cannot be used: what is wrong and what to do."""


def open_home(path: Path) -> Path:
    """Make the folder (mode 0700) or check that its data is of this version. Raises HomeError."""
    home = path.resolve()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = home / "version"
        if not mark.exists():
            mark.write_text(DATA_VERSION + "\n")
            return home
        found = mark.read_text().strip()
    except OSError as error:
        raise HomeError(f"无法使用数据目录 {home}：{error.strerror} · cannot use {home}: {error.strerror}") from error
    if found != DATA_VERSION:
        raise HomeError(
            f"{home} 的数据版本为 {found!r}，本程序使用 {DATA_VERSION!r}。请移走该目录，或改用写入它的程序版本。\n"
            f"The data in {home} is of version {found!r}, this program uses {DATA_VERSION!r}. "
            "Move that folder away (a new one is made), or use the program version that wrote it."
        )
    return home


def bus_of(home: Path) -> str:
    """The address of this home's bus: that of the demo or `run` that runs there, else the default."""
    try:
        url = str(json.loads((home / "demo.json").read_text())["url"])
        return f"nats://127.0.0.1:{int(url.rpartition(':')[2]) + 1}"
    except (OSError, ValueError, KeyError):
        return BUS


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Hold the home for one supervisor at a time. Raises HomeError when another one has it."""
    handle = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeError(
                f"{home} 已被另一个正在运行的 sevenones 占用，请先停止它。\n"
                f"Another sevenones is already running on {home}: stop it first (Ctrl-C there)."
            ) from None
        yield
    finally:
        os.close(handle)
