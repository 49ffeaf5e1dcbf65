"""Where the commands print: a terminal as it is, or a pipe that wraps nothing."""

from __future__ import annotations

import sys

from rich.console import Console

PIPE_WIDTH = 160
"""Columns a table may take when its reader is a file or another program."""


def open_console() -> Console:
    """What is printed is printed as it is: `hr:100:` is an address and no emoji, `[/x]` a topic and no style."""
    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
