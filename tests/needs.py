"""Programs that a test needs from the machine."""

import shutil

import pytest

from tests.conftest import MISSING


def program(name: str) -> str:
    """The path of a program, also where only root looks; skips the test, saying why, when it is not there."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    if not found:
        pytest.skip(f"{MISSING}the program {name}; `make install` as root installs it on Debian")
    return found
