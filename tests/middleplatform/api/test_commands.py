"""The commands that use the API: watch, history and token, as a person types them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from middleplatform.access import tokens
from sevenones.client import Client, ClientError
from sevenones.commands.history import sparkline
from tests.middleplatform.api.build import batch, now, path_of
from tests.middleplatform.api.stage import threaded, until, whole

SECOND = 1_000_000


def sevenones(*words, token=None):
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **({"SEVENONES_TOKEN": token} if token else {})}
    argv = [sys.executable, "-m", "sevenones", *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=60, check=False)


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """One of its own: a point that waits for its first value has none from others either."""
    home = tmp_path_factory.mktemp("commands")
    with threaded(lambda loop: whole(home, loop)) as stage:
        yield stage


@pytest.fixture(scope="module")
def told(platform):
    """A minute of one point, a value a second, and another whose last sample is bad."""
    end = now()
    rows = [("belt1/current", end - k * SECOND, float(60 - k), 192) for k in range(60)]
    platform.send(batch(platform.next_number(), *rows))
    platform.send(batch(platform.next_number(), ("pump1/flow", now(), float("nan"), 24)))
    client = Client(platform.url, platform.reader)
    until(lambda: {v["point"]: v for v in client.live()}[path_of("belt1/current")]["value"] == 60.0)
    return client


def test_watch_shows_values_with_their_quality(platform, told):
    found = sevenones("watch", "--once", "--url", platform.url, token=platform.reader)
    assert found.returncode == 0, found.stderr
    lines = {key: line for line in found.stdout.splitlines() for key in ("current", "flow", "running") if key in line}
    assert re.search(r"一号带式输送机.*电流.*60 .*好", lines["current"])
    assert "坏：通信故障" in lines["flow"]
    assert "坏：等待首个数据" in lines["running"]
    only = sevenones("watch", "--once", "--equipment", "pump1", "--url", platform.url, token=platform.reader)
    assert "水位" in only.stdout and "电流" not in only.stdout


def test_watch_takes_the_demo_from_its_home(platform, told, tmp_path):
    (tmp_path / "demo.json").write_text(json.dumps({"url": platform.url, "token": platform.reader}))
    assert "电流" in sevenones("watch", "--once", "--home", tmp_path).stdout


def test_history_draws_and_lists(platform, told):
    found = sevenones(
        "history", "belt1/current", "--last", "2m", "--rows", 6, "--url", platform.url, token=platform.reader
    )
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines[0].startswith(path_of("belt1/current")) and "60" in lines[0]
    assert "▁" in lines[1] and "█" in lines[1]
    assert len([line for line in lines if re.match(r"\d\d-\d\d \d\d:", line)]) in {3, 4}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("watch", "--once", "--equipment", "belt7"), "belt1"),
        (("history", "belt1/curent"), path_of("belt1/current")),
        (("history", "belt1/current", "--last", "soon"), "'soon'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(platform, told, words, said):
    found = sevenones(*words, "--url", platform.url, token=platform.reader)
    assert found.returncode == 1
    assert said in found.stderr
    assert "Traceback" not in found.stderr and len(found.stderr.splitlines()) <= 2


def test_no_platform_no_token_no_home(platform, tmp_path):
    for words, token in (
        (("watch", "--once", "--home", tmp_path), None),
        (("watch", "--once", "--url", "http://127.0.0.1:9"), "so_x"),
        (("watch", "--once", "--url", platform.url), "so_x"),
        (("watch", "--once", "--url", "ftp://x"), "so_x"),
        (("watch", "--once", "--url", platform.url), "so_x令"),
        (("watch", "--once", "--url", "http://[x"), "so_x"),
    ):
        found = sevenones(*words, token=token)
        assert found.returncode == 1, found.stdout
        assert "Traceback" not in found.stderr and found.stderr.strip()
        assert "so_x" not in found.stderr


def test_a_token_is_made_listed_and_revoked(tmp_path):
    made = sevenones("token", "create", "--name", "脚本", "--role", "administrator", "--days", 2, "--home", tmp_path)
    token = made.stdout.strip()
    assert tokens.verify_token(tmp_path, token).role == "administrator"
    listed = sevenones("token", "list", "--home", tmp_path).stdout
    assert "脚本" in listed and token not in listed
    assert sevenones("token", "revoke", 1, "--home", tmp_path).returncode == 0
    assert tokens.verify_token(tmp_path, token) is None
    for words in (("revoke", 9), ("create", "--name", "x", "--role", "root"), ("create", "--name", "x", "--days", -1)):
        found = sevenones("token", *words, "--home", tmp_path)
        assert found.returncode != 0 and "Traceback" not in found.stderr, words


def test_the_library_answers_and_refuses(platform, told):
    (series,) = told.history(["belt1/current"], start="-30m", buckets=2)
    assert sum(series["buckets"]["n"]) == 60
    with pytest.raises(ClientError, match="belt1/current"):
        told.history(["belt1/curent"])
    with pytest.raises(ClientError):
        Client(platform.url, "so_x").points()


def test_a_sparkline_spans_its_values():
    assert sparkline([0.0, None, 7.0]) == "▁ █"
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([None]) == ""
