"""What the commands that ask a device have in common: which one is meant, and one plain message when it fails."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from gateway.onboarding.target import Target

R = TypeVar("R")

PASSWORD = "SEVENONES_DEVICE_PASSWORD"  # noqa: S105 - the variable's name
Device = Annotated[
    str, typer.Argument(help="连接名（配 --site）或地址 · a connection of --site, or a URL: modbus://10.1.2.3:502/1")
]
SiteFolder = Annotated[Path | None, typer.Option(help="矿井配置目录 · the site folder that has the connection")]
Home = Annotated[Path, typer.Option(help="数据目录 · where this machine's data is")]
HOME = Path(".sevenones")


def target(device: str, site: Path | None, home: Path = HOME) -> Target:
    """The device that the arguments name. Ends the program with a plain message when there is none."""
    from gateway.onboarding import target as targets
    from models.site.problems import SiteErrors
    from models.words import at

    try:
        if targets.is_url(device):
            return targets.of_url(device, _password(device))
        if site is None:
            raise targets.TargetError(
                f"'{device}' 不是 URL：请写作 modbus://10.1.2.3:502/1，或用 --site 目录和连接的名称 · "
                f"'{device}' is no URL: write modbus://10.1.2.3:502/1, or --site FOLDER with the connection's name"
            )
        return targets.of_connection(_connection(site, device, home))
    except SiteErrors as errors:
        sys.exit(f"矿井配置有误 · the site folder {site} has mistakes:\n" + "\n".join(map(str, errors.problems)))
    except targets.TargetError as error:
        sys.exit(at("找不到该设备 · no such device", error))


def _connection(site: Path, name: str, home: Path) -> Any:
    """From connections.yaml alone: a device is looked at before the rest of its site is right."""
    from models.site.loader import connection
    from sevenones.site_check import check_settings

    environment = {**os.environ, "SEVENONES_HOME": str(home.resolve())}
    return connection(site, name, check_settings=check_settings, environment=environment)


def _password(url: str) -> str:
    """The password of user@host: from the environment, or asked for; never from the command line."""
    try:
        user = urlsplit(url).username
    except ValueError:
        return ""
    if not user:
        return ""
    if PASSWORD in os.environ or not sys.stdin.isatty():
        return os.environ.get(PASSWORD, "")
    return getpass.getpass(f"密码 · password of {user}: ")


def ask(work: Callable[[], Coroutine[Any, Any, R]], failed: str) -> R:
    """Run the work; one message, and exit 1, for all that a device does wrong."""
    from gateway.onboarding.target import TargetError
    from models.words import at
    from protocols.adapter import AdapterError

    try:
        return asyncio.run(work())
    except (AdapterError, TargetError, ValueError, OSError, NotImplementedError) as error:
        sys.exit(at(failed, error))
    except KeyboardInterrupt:
        sys.exit(130)
