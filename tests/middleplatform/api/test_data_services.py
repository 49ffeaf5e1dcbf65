"""docs/data-services.md: every example is run, in order, and must do and print what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.middleplatform.api.build import batch, now, path_of
from tests.middleplatform.api.stage import until

PAGE = Path(__file__).parents[3] / "docs" / "data-services.md"
MINUTE = 60_000_000
DAY = "2026-11-01"
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def morning(platform):
    """The morning that the page tells of, but yesterday's. The day's date."""
    yesterday = (datetime.fromtimestamp(now() / 1e6).date() - timedelta(days=1)).isoformat()
    start = int(datetime.fromisoformat(f"{yesterday}T08:00:00+08:00").timestamp()) * 1_000_000
    rows = []
    for half_minute in range(120):
        ts, minute = start + half_minute * MINUTE // 2, half_minute / 2
        quality = 24 if 30 <= minute < 40 else 192
        runs = float("nan") if quality == 24 else float(not 20 <= minute < 30)
        rows += [("belt1/running", ts, runs, quality), ("belt1/speed", ts, runs * 3.5, quality)]
    platform.send(batch(platform.next_number(), *rows), live=False)
    ask = {"point": path_of("belt1/speed"), "start": start, "end": start + 60 * MINUTE}
    until(lambda: len(platform.get("history", **ask).json()["series"][0]["samples"]["ts"]) == 120)
    return yesterday


def test_the_page_holds(platform, morning, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noon = {day: int(datetime.fromisoformat(f"{day}T08:00:00+08:00").timestamp()) for day in (DAY, morning)}
    ours = {
        "http://127.0.0.1:8700": platform.url,
        "140525000001/belt_101": path_of("belt1"),
        "belt_101/": "belt1/",
        '"belt_101"': '"belt1"',
        DAY: morning,
        str(noon[DAY] * 1_000_000): str(noon[morning] * 1_000_000),
    }
    text = PAGE.read_text("utf-8")
    for said, here in ours.items():
        assert said in text
        text = text.replace(said, here)
    names = {"token": platform.reader}
    blocks = BLOCK.findall(text)
    assert {kind for kind, _ in blocks} == {"python", "console"} and len(blocks) >= 7
    script = []
    for kind, body in blocks:
        if kind == "python":
            exec(compile(body, PAGE.name, "exec"), names)  # noqa: S102 - our own page
        else:
            script.append(body)
    assert names["path"].exists()
    commands, expected = [], []
    for line in "".join(script).splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif line.startswith("    ") or (commands and line.startswith("      ")):
            commands[-1] += "\n" + line
        else:
            expected.append(line)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    found = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        env={"PATH": path, "TOKEN": platform.reader}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert found.stdout.replace("\ufeff", "").splitlines() == expected
