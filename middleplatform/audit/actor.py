"""Who acts now, known without being handed through every call: whoever starts to act for somebody says so once."""

from __future__ import annotations

import getpass
import os
from contextvars import ContextVar
from dataclasses import dataclass

COMMAND_LINE = "CLI"
PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Actor:
    """`who`: a user's name, `token:<name>`, or a login on this machine; `origin`: the address that asked, `CLI` for a
    command on this machine, `process` for what the platform does by itself."""

    who: str
    origin: str


_now: ContextVar[Actor | None] = ContextVar("actor", default=None)


def acting() -> Actor:
    """Who acts in this task or thread: unless somebody said so, whoever runs this program."""
    return _now.get() or Actor(login(), COMMAND_LINE)


def act_as(actor: Actor) -> None:
    """From here on, in this task and the threads it waits for, this one acts."""
    _now.set(actor)


def login() -> str:
    """The name under which this program runs."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"
