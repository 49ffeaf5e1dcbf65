"""What is served is what the sources make: nobody edits it, and nobody forgets to make it anew."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from middleplatform.console import STATIC

pytestmark = pytest.mark.long

WEB = STATIC.parent / "web"


@pytest.mark.timeout(300)
def test_the_console_that_is_committed_is_made_of_its_sources(tmp_path: Path) -> None:
    assert (WEB / "node_modules" / ".installed").exists(), "python3 tools/install.py --dev --system (needs Node 20)"
    web = tmp_path / "web"
    shutil.copytree(WEB, web, ignore=shutil.ignore_patterns("node_modules"))
    (web / "node_modules").symlink_to(WEB / "node_modules")
    built = subprocess.run(["npm", "run", "build"], cwd=web, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    ours, made = _files(STATIC), _files(tmp_path / "static")
    assert ours == made, "run: npm run build in middleplatform/console/web, and commit what it makes"


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
