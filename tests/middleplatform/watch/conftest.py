from tests.middleplatform.database.conftest import place, postgres

__all__ = ["place", "postgres"]
