"""Where the commands print: a terminal as it is, or a pipe that wraps nothing."""

from __future__ import annotations

import sys

from rich.console import Console

PIPE_WIDTH = 160
"""Columns a table may take when its reader is a file or another program."""


def open_console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
