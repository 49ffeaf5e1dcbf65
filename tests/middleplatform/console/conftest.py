"""One platform and one browser for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from sevenones.bench.chromium import browser
from tests.middleplatform.api.build import site
from tests.middleplatform.api.stage import Stage, bare, threaded
from tests.middleplatform.console.browser import patient

PATIENCE_MS = 30_000
"""What a page answers within half a second on a machine of its own, beside two other files of tests."""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("console")
    with threaded(lambda loop: bare(home, loop, made=patient(site()))) as standing:
        yield standing


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.set_default_timeout(PATIENCE_MS)
        yield opened
