"""How commands ask a running platform: where it is, and that its refusals end the command in its own words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sevenones.client import Client

Url = Annotated[str | None, typer.Option(help="平台地址 · the platform's address")]
Token = Annotated[
    str | None,
    typer.Option(envvar="SEVENONES_TOKEN", help="您的令牌，操作人即其主人 · your token: it says who you are"),
]
Home = Annotated[Path, typer.Option(help="演示的数据目录 · the demo's home")]
HERE = Path(".sevenones")


@contextmanager
def platform(home: Path, url: str | None, token: str | None) -> Iterator[Client]:
    """The platform's client; what it refuses ends the program in its words."""
    from sevenones.client import Client, ClientError

    try:
        yield Client.of_home(home, url, token)
    except ClientError as error:
        sys.exit(str(error))
