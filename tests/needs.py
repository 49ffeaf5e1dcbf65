"""Programs that a test needs from the machine."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import MISSING


def program(name: str) -> str:
    """The path of a program, also where only root looks; skips the test, saying why, when it is not there."""
    # Debian keeps PostgreSQL's server in a folder of its version, off every path.
    elsewhere = ["/usr/sbin", "/usr/local/sbin", "/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(elsewhere))
    if not found:
        pytest.skip(f"{MISSING}the program {name}; `make install` as root installs it on Debian")
    return found
