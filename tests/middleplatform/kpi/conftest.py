"""The places that figures are kept in."""

from tests.middleplatform.database.conftest import place
from tests.postgres import postgres

__all__ = ["place", "postgres"]
