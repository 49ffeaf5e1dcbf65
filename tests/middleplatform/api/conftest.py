import pytest

from tests.middleplatform.api.stage import bare, threaded, whole


@pytest.fixture(scope="package")
def platform(tmp_path_factory):
    """Bus, store and API, for all tests of this folder."""
    home = tmp_path_factory.mktemp("platform")
    with threaded(lambda loop: whole(home, loop)) as stage:
        yield stage


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """The API without store and bus, one for all tests of a module that change nothing of it."""
    home = tmp_path_factory.mktemp("standing")
    with threaded(lambda loop: bare(home, loop)) as stage:
        yield stage


@pytest.fixture
def alone(tmp_path):
    """The API without store and bus, with a live table that is empty."""
    with threaded(lambda loop: bare(tmp_path, loop)) as stage:
        yield stage
