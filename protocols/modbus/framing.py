"""What a line needs of a framing: how a request is wrapped, and which reply is in what came."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from protocols.modbus.pdu import Ask


class Verdict(NamedTuple):
    """What is in the bytes received until now. `reply`: the reply's function code and what follows, if it
    is there. `fault`: why nothing more can be hoped for, or "". `strays`: whole frames, newly found,
    that belong to no outstanding request."""

    reply: bytes | None = None
    fault: str = ""
    strays: int = 0


WAIT = Verdict()


class Framing(ABC):
    """One request is outstanding at a time: from `start` until `end`."""

    numbered: ClassVar[bool]
    """Whether a reply says to which request it belongs."""

    @abstractmethod
    def start(self, ask: Ask) -> bytes:
        """The request's bytes, whose reply is waited for from now on."""

    @abstractmethod
    def feed(self, data: bytes) -> Verdict:
        """Take what came, also while nothing is outstanding."""

    @abstractmethod
    def end(self) -> None:
        """No reply is waited for any more."""

    @abstractmethod
    def reset(self) -> None:
        """A new connection begins: whatever was half received is gone."""
