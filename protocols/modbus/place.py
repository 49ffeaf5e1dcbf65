"""Where a line is: what two connections must have in common to share it."""

from __future__ import annotations

import os
from typing import NamedTuple


class Place(NamedTuple):
    """A TCP address, or a serial port with how it is set up."""

    transport: str
    host: str
    port: int | str
    baud: int = 0
    parity: str = "none"
    stop: int = 1
    local_echo: bool = False

    @property
    def key(self) -> tuple[str, int | str]:
        """The same for all names of one line."""
        return ("", os.path.realpath(str(self.port))) if self.transport == "serial" else (self.host, self.port)

    @property
    def setup(self) -> str:
        """How the line is run, in words."""
        words = self.transport
        if self.transport == "serial":
            words = f"{self.baud} baud, 8 bits, parity {self.parity}, {self.stop} stop"
        return f"{words}, with local echo" if self.local_echo else words

    def __str__(self) -> str:
        return str(self.port) if self.transport == "serial" else f"{self.host}:{self.port}"
