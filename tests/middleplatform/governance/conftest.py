"""Both relational stores, and the API with all that it stands on."""

from tests.middleplatform.api.conftest import alone, platform
from tests.middleplatform.database.conftest import place
from tests.postgres import postgres

__all__ = ["alone", "place", "platform", "postgres"]
