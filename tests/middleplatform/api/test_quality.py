"""Data quality over the API: what was sent a moment ago is in it; what is out of scope is not."""

import json
import time

import pytest
import typer
from typer.testing import CliRunner

from bus import subjects
from sevenones.commands.quality import quality
from tests.middleplatform.api.build import batch, path_of
from tests.middleplatform.api.stage import threaded, until, whole
from tests.servers import CODE


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """One of its own: a point's quality counts all that was ever sent of it, and others send of the same points."""
    home = tmp_path_factory.mktemp("quality")
    with threaded(lambda loop: whole(home, loop)) as stage:
        yield stage


def well_within_the_hour():
    """What is told by the hour is looked at in the hour in which it was sent."""
    left = 3600 - time.time() % 3600
    if left < 30 or left > 3590:
        time.sleep((left + 10) % 3600)


def test_quality_by_point_equipment_subsystem_and_mine(platform):
    well_within_the_hour()
    now = time.time_ns() // 1000
    rows = [("belt1/speed", now - step * 1_000_000, 1.0, 192) for step in range(5, 0, -1)]
    platform.send(batch(platform.next_number(), *rows, ("belt1/current", now - 3_000_000, 1.0, 24)))

    def found(**query):
        answer = platform.get("quality", start="-1m", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    speed = until(lambda: [r for r in found(by="point", point="belt1/speed")["rows"] if r["samples"] >= 5])[-1]
    assert speed["of"] == path_of("belt1/speed") and speed["validity"] == 1.0 and speed["seconds"]["good"] > 3
    current = found(by="point", point="belt1/current")["rows"][-1]
    assert current["validity"] == 0.0 and current["causes_s"]["link"] == current["seconds"]["bad"] > 0
    assert {row["of"] for row in found(by="equipment")["rows"]} == {"belt1", "pump1"}
    assert {row["of"] for row in found(by="subsystem")["rows"]} == {"transport", "drainage"}
    mine = found(width="day")["rows"][-1]
    assert mine["of"] == CODE and mine["points"] == 6 and 0 < mine["score"] < 100
    assert "T16:00:00" in mine["time"]  # midnight in Shanghai
    assert sum(mine["seconds"].values()) > 0


def test_a_grid_of_scores_has_the_worst_first_and_what_is_unknown_last(platform):
    well_within_the_hour()
    now = time.time_ns() // 1000
    rows = [(f"belt1/{key}", now - 2_000_000, 1.0, q) for key, q in (("speed", 192), ("current", 24))]
    platform.send(batch(platform.next_number(), *rows))
    query = {"by": "point", "start": "-2h"}
    until(lambda: any(row["score"] is not None for row in platform.get("quality/grid", **query).json()["rows"]))
    found = platform.get("quality/grid", **query).json()
    known = [row["score"] for row in found["rows"] if row["score"] is not None]
    assert found["total"] == 6 and known == sorted(known) and len(found["times"]) == 3
    assert [row["score"] for row in found["rows"]][len(known) :] == [None] * (6 - len(known))
    assert all(len(row["scores"]) == 3 for row in found["rows"])
    single = {(row["of"], row["ts"]): row["score"] for row in platform.get("quality", **query).json()["rows"]}
    for row in found["rows"]:
        for ts, score in zip(found["times"], row["scores"], strict=True):
            exact = single[(row["of"], ts)]
            assert (score is None) == (exact is None) and (exact is None or abs(score - exact) < 2), (row["of"], ts)
    second = platform.get("quality/grid", **query, limit=2, offset=2).json()
    assert [row["of"] for row in second["rows"]] == [row["of"] for row in found["rows"][2:4]]
    assert platform.get("quality/grid", by="equipment", subsystem="drainage").json()["total"] == 1
    assert platform.get("quality/grid", by="equipment", subsystem="mining").json()["rows"] == []


def test_wrong_questions_about_quality(platform):
    for query, status in (
        ({"by": "gateway"}, 422),
        ({"by": "point", "point": "belt1/no"}, 404),
        ({"by": "point", "start": "-2000d"}, 400),
        ({"start": "-1000d", "width": "day", "end": "-1d"}, 400),
    ):
        answer = platform.get("quality", **query)
        assert answer.status_code in {status, 400 if status == 422 else status}, answer.text
        assert answer.json()["error"]["message"]


def test_bad_intervals_with_their_cause(platform):
    now = time.time_ns() // 1000
    rows = [
        (f"pump1/{key}", now - ago * 1_000_000, 1.0, q)
        for key, ago, q in (("flow", 9, 84), ("flow", 6, 64), ("flow", 3, 192))
    ]
    platform.send(batch(platform.next_number(), *rows))
    asked = {"point": "pump1/flow", "start": str(now - 9_000_000), "end": str(now)}
    found = until(lambda: len((got := platform.get("quality/intervals", **asked).json())["intervals"]) == 2 and got)
    first, second = found["intervals"]
    assert (first["cause"], first["breaks"], first["seconds"]) == ("device", "range", 3.0)
    assert (second["cause"], second["breaks"], second["begin_us"]) == ("clock", None, now - 6_000_000)
    assert second["words"]["en"] == "uncertain" and found["total"] == 2
    only = platform.get("quality/intervals", cause="clock", **asked).json()["intervals"]
    assert only == [second]
    assert platform.get("quality/intervals", least="4s", **asked).json() == {
        "total": 0,
        "incomplete": False,
        "intervals": [],
    }


def test_what_was_before_the_mine_is_neither_good_nor_bad(platform):
    before = {"start": "-300d", "end": "-299d"}
    assert platform.get("quality/intervals", **before).json()["intervals"] == []
    rows = platform.get("quality", width="day", **before).json()["rows"]
    assert rows and all(row["score"] is row["completeness"] is None for row in rows)
    assert all(set(row["seconds"].values()) == {0.0} for row in rows)


def test_timeliness_and_polls_come_of_what_is_written_and_of_heartbeats(platform):
    now = time.time_ns() // 1000
    platform.send(batch(platform.next_number(), ("belt1/running", now - 100_000, 1.0, 192)))
    groups = {"fast": {"due": 20, "answered": 15, "overruns": 0, "skipped": 5}}
    heartbeat = {"ts": now, "started": now - 20_000_000, "connections": {"on-edge1": {"groups": groups}}}
    platform.within(platform.bus.live(subjects.state(CODE, "gateway-edge1"), json.dumps(heartbeat).encode()))

    def found():
        row = platform.get("quality", start=str(now), point="belt1/running", by="point").json()["rows"][-1]
        return row if row["polls_due"] and row["timeliness"] is not None and row["samples"] else None

    row = until(found)
    assert (row["polls_due"], row["polls_answered"]) == (20, 15)
    assert row["timeliness"] == 1.0 and 50 < row["p50_ms"] <= row["p99_ms"] < 20_000 and row["completeness"] <= 0.75


def test_the_command_shows_scores_and_bad_intervals(platform):
    app = typer.Typer()
    app.command()(quality)
    reach = ["--url", platform.url, "--token", platform.reader]
    scores = CliRunner().invoke(app, ["--width", "hour", "--start", "-2h", *reach])
    assert scores.exit_code == 0 and "transport" in scores.output and "drainage" in scores.output, scores.output
    bad = CliRunner().invoke(app, ["belt1/current", "--intervals", "--start", "-1h", *reach])
    assert bad.exit_code == 0 and "link" in bad.output and "communication failure" in bad.output, bad.output
    wrong = CliRunner().invoke(app, ["belt9", *reach])
    assert wrong.exit_code == 1 and "belt9" in str(wrong.output)


def test_a_future_or_an_endless_range_has_a_clear_answer(platform):
    day = 86_400_000_000
    start = time.time_ns() // 1000 + 30 * day
    future = {"start": str(start), "end": str(start + day)}
    assert platform.get("quality", **future).json()["rows"] == []
    assert platform.get("quality/intervals", **future).json()["intervals"] == []
    for path, query in (("quality", {"width": "day"}), ("quality/intervals", {})):
        answer = platform.get(path, start="1970-01-01T00:00:00Z", end="2199-12-31T00:00:00Z", **query)
        assert answer.status_code == 400 and "shorter" in answer.json()["error"]["message"], answer.text
