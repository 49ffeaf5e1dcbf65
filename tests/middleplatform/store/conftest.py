import pytest

from middleplatform.store.schema import open_store


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """One engine a module: the library opens one folder at a time in a process."""
    engine = open_store(tmp_path_factory.mktemp("store"))
    yield engine
    engine.close()
