"""What all tests share: a part that is missing skips a test at home and fails it in CI."""

import os

import pytest

MISSING = "missing: "


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
