"""`sevenones alarms`, as an operator types it."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from middleplatform.access import users
from middleplatform.access.tokens import create_token
from middleplatform.alarms import book
from middleplatform.alarms.condition import Act, Change, Position, State
from sevenones.cli import build
from sevenones.client import Client
from tests.servers import CODE

LEVEL, SPEED = f"{CODE}/pump1/level", f"{CODE}/belt1/speed"


@pytest.fixture(scope="module")
def run(standing):
    """`run(words…)`: exit code and all that was said; two alarms stand, of which one is law."""
    home, now = standing.home, time.time_ns() // 1000
    changes = [
        Change("fast", SPEED, Act.RAISE, now, 1, 3, value=6.5),
        Change("full", LEVEL, Act.RAISE, now, 1, 1, statutory=True),
    ]
    assert book.record(home, CODE, Position("watch-alarms", "SAFETY", 1, 1), changes)
    users.create_user(home, "anna", "right horse", "operator")
    token = create_token(home, "shift", "operator", maker="anna")
    environment = {"SEVENONES_TOKEN": token, "COLUMNS": "250", "NO_COLOR": "1"}

    def ran(*words: object) -> tuple[int, str]:
        given = ["alarms", *map(str, words), "--url", standing.url]
        done = CliRunner().invoke(build("alarms"), given, env=environment)
        return done.exit_code, done.output

    return ran


def test_an_operator_reads_acknowledges_shelves_and_looks_back(standing, run):
    number = {each.rule: each.id for each in book.alarms_of(standing.home, CODE)}
    code, said = run("list")
    assert code == 0 and said.index("一号水泵") < said.index("带速"), said
    assert "法定 1" in said and "未确认 2" in said and "报警进程无应答" in said
    assert "6.5 m/s" in said, "with which it was raised"
    since = book.find(standing.home, CODE, number["fast"]).since
    mine = datetime.fromtimestamp(since / 1e6, ZoneInfo("Asia/Shanghai"))
    assert f"{mine:%m-%d %H:%M:%S}" in said, "by the clock of the mine, whatever the computer's is"
    assert "未显示" not in said and "还有 1 条未显示" in run("list", "--rows", 1)[1]
    assert "还有 1 条未显示" in run("groups", "--rows", 1)[1]
    code, said = run("shelve", number["full"], "--reason", "noise", "--for", "1h")
    assert code == 1 and "法定报警不得搁置" in said
    code, said = run("shelve", number["fast"], "--reason", "calibration", "--for", "1h")
    assert code == 0 and "搁置" in said
    said = "".join(run("list", "--suppressed")[1].split())
    assert "带速" not in run("list")[1] and "带速" in said
    assert "anna：calibration" in said and "至until" in said, "until when, by whom and why"
    assert run("unshelve", number["fast"])[0] == 0
    code, said = run("ack", number["fast"], number["full"], "--note", "seen")
    assert (
        code == 0
        and "acknowledged: " in said
        and "带速" in said
        and run("ack", number["fast"])[1].strip().endswith("—")
    )
    code, said = run("journal", number["fast"])
    words = [word for word in ("报警", "抑制", "解除抑制", "确认", "anna", "seen", "6.5") if word not in said]
    assert code == 0 and not words, said
    raised = min(each.number for each in book.entries(standing.home, CODE, alarm=number["fast"]))
    assert run("handle", raised, "--cause", "wet belt", "--measure", "dried")[0] == 0
    assert "wet belt → dried" in run("journal", number["fast"])[1]
    code, said = run("groups")
    assert code == 0 and "未恢复正常 2" in said
    code, said = run("performance")
    assert code == 0 and "报警总数" in said and "fast" in said
    code, said = run("reset", number["fast"])
    assert code == 1 and "尚未恢复" in said
    code, said = run("ack", 999)
    assert code == 1 and "没有报警 999" in said


def test_what_is_raised_while_it_is_acknowledged_is_left(standing, run, monkeypatch):
    """The command says what it saw, and the platform leaves what is another one by now."""
    home, ask, names = standing.home, Client.ask, (("again", SPEED), ("calm", LEVEL))

    def keep(sequence, *changes):
        assert book.record(home, CODE, Position("watch-alarms", "SAMPLES", 1, sequence), changes)

    def raises_first(client, method, *rest, **more):
        if method == "POST":
            keep(901, Change(*names[0], Act.RAISE, time.time_ns() // 1000, 1, 3))
        return ask(client, method, *rest, **more)

    keep(900, *(Change(*name, Act.RAISE, time.time_ns() // 1000, 1, 3) for name in names))
    number = {each.rule: each.id for each in book.alarms_of(home, CODE)}
    with monkeypatch.context() as patch:
        patch.setattr(Client, "ask", raises_first)
        code, said = run("ack", number["again"], number["calm"])
    assert code == 0 and f"look again: {number['again']}" in said and f"acknowledged: {number['calm']}" in said
    assert book.find(home, CODE, number["again"]).state is State.UNACKNOWLEDGED
