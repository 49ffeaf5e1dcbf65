"""`sevenones manual` and `sevenones site record`, as a person types them, against a real platform."""

from __future__ import annotations

import re
import time

import pytest
from typer.testing import CliRunner

from middleplatform.access.tokens import create_token
from middleplatform.api.times import iso
from sevenones.cli import build
from tests.middleplatform.api.build import batch
from tests.middleplatform.api.stage import until
from tests.middleplatform.governance.test_manual import recorded

POINT = "pump1/level"


@pytest.fixture(scope="module")
def run(platform):
    """`run(who, words…)`: exit code and all that was said."""
    tokens = {who: create_token(platform.home, who, role="administrator") for who in ("olga", "pavel")}
    tokens["reader"] = platform.reader

    def ran(who: str, *words: object) -> tuple[int, str]:
        name = str(words[0])
        environment = {"SEVENONES_TOKEN": tokens[who], "COLUMNS": "250", "NO_COLOR": "1"}
        given = [*map(str, words), "--url", platform.url]
        done = CliRunner().invoke(build(name), given, env=environment)
        return done.exit_code, done.output

    return ran


def entry_of(said: str) -> str:
    found = re.search(r"entry (\d+) waits", said)
    assert found, said
    return found[1]


def test_the_newest_value_is_corrected_by_one_and_approved_by_another(platform, run):
    at = time.time_ns() // 1000
    platform.send(batch(platform.next_number(), (POINT, at, 4.9, 192)))
    until(lambda: recorded(platform, POINT, at).get("value") == 4.9)
    until(lambda: platform.get("live", point=POINT).json()["values"][0]["ts"] == at)
    code, said = run("olga", "manual", "correct", POINT, "2.5", "--reason", "dirty sensor")
    assert code == 0 and "was 4.9 (192)" in said, said
    number = entry_of(said)
    code, said = run("olga", "manual", "approve", number)
    assert code == 1 and "own" in said, said
    code, said = run("reader", "manual", "list", POINT, "--state", "waiting")
    assert code == 0 and all(word in said for word in (number, "waiting", POINT, ":olga", "dirty sensor")), said
    code, said = run("reader", "manual", "approve", number)
    assert code == 1 and recorded(platform, POINT, at)["value"] == 4.9
    code, said = run("pavel", "manual", "approve", number, "--reason", "seen")
    assert code == 0 and "approved" in said
    until(lambda: recorded(platform, POINT, at)["value"] == 2.5)
    code, said = run("reader", "manual", "list", POINT)
    assert ":pavel seen" in said
    code, said = run("pavel", "manual", "reject", number)
    assert code == 1 and "approved already" in said, said


def test_a_value_is_entered_where_there_is_none_and_corrected_where_there_is_one(platform, run):
    at = time.time_ns() // 1000 - 3_600_000_000
    said_of = ("--time", iso(at), "--reason", "read at the gauge")
    code, said = run("olga", "manual", "correct", POINT, "1.5", *said_of)
    assert code == 1 and "nothing is recorded" in said
    code, said = run("olga", "manual", "enter", POINT, "1.5", *said_of)
    assert code == 0
    assert run("pavel", "manual", "approve", entry_of(said))[0] == 0
    until(lambda: recorded(platform, POINT, at).get("value") == 1.5)
    code, said = run("olga", "manual", "enter", POINT, "1.6", *said_of)
    assert code == 1 and "there is a value" in said and "1.5 (216)" in said
    code, said = run("olga", "manual", "correct", POINT, "none", *said_of)
    assert code == 0
    code, withdrawn = run("olga", "manual", "withdraw", entry_of(said))
    assert code == 0 and "withdrawn" in withdrawn


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("enter", POINT, "wet", "--time", "-5m", "--reason", "because"), "not a number"),
        (("enter", POINT, "1", "--time", "2026-01-01T00:00:00", "--reason", "because"), "with a zone"),
        (("enter", POINT, "1", "--time", "yesterday", "--reason", "because"), "with a zone"),
        (("enter", POINT, "-1", "--time", "-5m", "--reason", "because"), "outside what this point can be"),
        (("enter", POINT, "1", "--time", "-5m", "--reason", "x"), "reason"),
        (("enter", "pump9/level", "1", "--time", "-5m", "--reason", "because"), "pump9/level"),
        (("correct", "belt1/note", "1", "--reason", "because"), "nothing"),
        (("approve", "999999"), "no manual entry 999999"),
    ],
)
def test_mistakes_are_told_in_plain_words(run, words, expected):
    code, said = run("olga", "manual", *words)
    assert code == 1 and expected in said and "Traceback" not in said, said


def test_the_record_of_the_sites_versions_is_listed_and_compared(platform, run):
    until(lambda: "files of this machine" in run("olga", "site", "record")[1])
    code, said = run("olga", "site", "record")
    assert code == 0 and re.search(r"^ +1  .*files of this machine", said, re.MULTILINE), said
    code, said = run("olga", "site", "record", 1)
    assert code == 0 and re.search(r"point +6", said)
    code, said = run("olga", "site", "record", 1, 1)
    assert code == 0 and "are the same" in said
    code, said = run("olga", "site", "record", 7)
    assert code == 1 and "there is no version 7" in said
