"""How a process that runs for long loads what it needs."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Around the imports of a command. What is loaded stays until the end: to look through it for cycles, again and
    again while it loads, in pauses of a fifth of a second while the process serves, and once more as it ends, finds
    nothing, and is a quarter of all that the start of a large command takes."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
