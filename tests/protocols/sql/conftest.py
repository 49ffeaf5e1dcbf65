"""The server that the tests of this folder share."""

from tests.postgres import postgres

__all__ = ["postgres"]
