from tests.middleplatform.api.conftest import platform
from tests.middleplatform.database.conftest import place, postgres

__all__ = ["place", "platform", "postgres"]
