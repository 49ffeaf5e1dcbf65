from tests.middleplatform.api.conftest import alone, platform
from tests.middleplatform.database.conftest import place, postgres

__all__ = ["alone", "place", "platform", "postgres"]
