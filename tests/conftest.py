"""What all tests share: a part that is missing skips a test at home and fails it in CI."""

import functools
import gc
import os
import sys

import pytest
from hypothesis import HealthCheck, settings

MISSING = "missing: "

# What is collected stays until the end: to look through all of it for cycles while it is imported, and again and again
# while tests run, is a good part of what a worker does.
gc.disable()


# How long one example takes on a machine that runs three files at once says nothing of what is tested.
settings.register_profile("machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("machine")


def pytest_collection_modifyitems(items):
    """Files marked `long` first: a file is one worker's, and the others stand idle when one that takes minutes starts
    last. The others by their folders, whose servers a worker then starts once and not for every second file."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish(session):
    gc.freeze()
    gc.enable()
    _hash_cheaply()
    _trust_once()


def _hash_cheaply():
    """Of users that tests make in their own process: a hash as dear as it has to be takes a quarter of a second of CPU
    each. Commands that tests start hash as dearly as ever; see test_access.py."""
    if (users := sys.modules.get("middleplatform.access.users")) is not None:
        from argon2 import PasswordHasher

        users._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def _trust_once():
    """The world's authorities, which a client of tests reads anew each time it is made, though it asks this machine
    without TLS: a twentieth of a second of CPU each, and a test that waits makes one after the other."""
    if (transports := sys.modules.get("httpx._transports.default")) is not None:
        transports.create_ssl_context = functools.cache(transports.create_ssl_context)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With CI=true a skip because something is missing is a failure: a green run then ran everything."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith(MISSING):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: {reason} (with CI=true a missing part is a failure)"
    return report
