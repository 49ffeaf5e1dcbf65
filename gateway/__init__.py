"""The gateway: acquire, normalise, report by exception, and hand to the bus. `gateway.run` is all of it."""

from gateway.process import run

__all__ = ["run"]
