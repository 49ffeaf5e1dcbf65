"""The Python client: tables and frames, refusals in plain words, downloads that go on."""

from __future__ import annotations

import http.server
import threading
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime

import pandas
import polars
import pyarrow as pa
import pytest
from pyarrow import parquet

from sevenones.client import Client, ClientError, Platform
from tests.middleplatform.api.build import NAMES, batch, id_of, now, path_of
from tests.middleplatform.api.stage import until

SECOND = 1_000_000
LEVEL = path_of("pump1/level")


@pytest.fixture(scope="module")
def told(platform):
    """Twenty samples, three hours ago; the start in µs."""
    start = (now() // SECOND - 10_800) * SECOND
    rows = [("pump1/level", start + k * SECOND, float(k), 192) for k in range(20)]
    platform.send(batch(platform.next_number(), *rows), live=False)
    ask = {"point": LEVEL, "start": start, "end": start + 20 * SECOND}
    until(lambda: len(platform.get("history", **ask).json()["series"][0]["samples"]["ts"]) == 20)
    return start


@pytest.fixture
def mine(platform):
    return Platform(platform.url, platform.reader)


def test_one_question_in_three_kinds_of_frames(platform, mine, told):
    ask = {"start": told, "end": told + 20 * SECOND}
    arrow = mine.history([LEVEL], **ask)
    assert isinstance(arrow, pa.Table) and arrow.column("value").to_pylist() == [float(k) for k in range(20)]
    frame = Platform(platform.url, platform.reader, frames="pandas").history(["pump1/level"], **ask)
    assert isinstance(frame, pandas.DataFrame) and frame["value"].sum() == 190
    assert str(frame["time"].dt.tz) == "UTC" and frame["id"].dtype == "uint64"
    polar = Platform(platform.url, platform.reader, frames="polars").history([LEVEL], **ask)
    assert isinstance(polar, polars.DataFrame) and polar["value"].sum() == 190
    assert polar["id"].to_list() == [id_of("pump1/level")] * 20


def test_times_may_be_numbers_words_or_datetimes(mine, told):
    begin = datetime.fromtimestamp(told // SECOND, UTC)
    by_datetime = mine.history(LEVEL, begin, told + 5 * SECOND)
    assert by_datetime.num_rows == 5
    assert mine.history([LEVEL], "-4h", "now").num_rows >= 20
    with pytest.raises(ClientError, match="no time zone"):
        mine.history([LEVEL], datetime(2026, 1, 1))


def test_aggregates_come_as_columns(mine, told):
    ask = {"start": told, "end": told + 20 * SECOND}
    (integral,) = mine.integral([LEVEL], **ask).to_pylist()
    assert (integral["integral"], integral["good_us"]) == (pytest.approx(190), 20 * SECOND)
    assert mine.quantiles([LEVEL], [0.5, 1], **ask).to_pylist()[0]["p50"] == 9.0
    assert mine.states([LEVEL], **ask).num_rows == 20
    assert mine.resample([LEVEL], "10s", **ask).column("value").to_pylist() == [0.0, 10.0]
    joined = mine.join([LEVEL, "pump1/flow"], "10s", quality=True, **ask)
    assert joined.column(f"{LEVEL}:quality").to_pylist() == [192, 192] and joined.num_columns == 6
    assert mine.history([LEVEL], buckets=2, **ask).column("max").to_pylist() == [9.0, 19.0]
    assert mine.points("水位").column("point").to_pylist() == [LEVEL] and mine.points().num_rows == len(NAMES)
    assert mine.live(["pump1/level"]).column("point").to_pylist() == [LEVEL]


def test_refusals_are_the_platforms_own_words(platform, mine, told):
    with pytest.raises(ClientError, match=r"没有测点.*there is no point 'pump1/levle'"):
        mine.history(["pump1/levle"])
    with pytest.raises(ClientError, match="at most 1000000"):
        mine.resample([LEVEL], "1ms", start="-9d")
    with pytest.raises(ClientError, match="令牌"):
        Platform(platform.url, "so_x").points()
    with pytest.raises(ClientError, match="frames are"):
        Platform(platform.url, "so_x", frames="excel")
    with pytest.raises(ClientError, match=r"name it \.parquet"):
        mine.export("all.xlsx")


def test_an_export_arrives_whole_and_is_gone_from_the_platform(platform, mine, told, tmp_path):
    said = []
    path = mine.export(tmp_path / "level.parquet", [LEVEL], start=told, end=told + 20 * SECOND, progress=said.append)
    assert parquet.read_table(path).column("value").to_pylist() == [float(k) for k in range(20)]
    assert said[-1]["state"] == "done" and said[-1]["rows"] == 20
    assert [each.name for each in tmp_path.iterdir()] == ["level.parquet"]
    left = Client(platform.url, platform.reader).get("exports")["exports"]
    assert said[-1]["id"] not in {export["id"] for export in left}
    with pytest.raises(ClientError, match="in the future"):
        mine.export(tmp_path / "level.csv", [LEVEL], start="2100-01-01T00:00:00Z", end="2100-01-02T00:00:00Z")


@contextmanager
def breaking(platform, after: int):
    """The platform behind a line that breaks after so many bytes of each file; what was asked for."""
    ranges = []

    class Line(http.server.BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            heads = {name: self.headers[name] for name in ("Authorization", "Content-Type", "Range")
                     if name in self.headers}  # fmt: skip
            request = urllib.request.Request(platform.url + self.path, body, heads, method=self.command)
            with urllib.request.urlopen(request, timeout=20) as answer:
                content = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
            if "/file" in self.path:
                ranges.append(self.headers["Range"])
                content = content[:after]
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _pass  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Line)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", ranges
    finally:
        server.shutdown()
        server.server_close()


def test_a_download_that_breaks_goes_on_where_it_was(platform, told, tmp_path, monkeypatch):
    monkeypatch.setattr("sevenones.client.platform.time.sleep", lambda _: None)
    with breaking(platform, after=700) as (url, ranges):
        path = Platform(url, platform.reader).export(
            tmp_path / "level.csv", [LEVEL], start=told, end=told + 20 * SECOND
        )
    size = path.stat().st_size
    assert ranges == [f"bytes={at}-" for at in range(0, size, 700)] and len(ranges) >= 3
    lines = path.read_text("utf-8-sig").splitlines()
    assert len(lines) == 21 and lines[-1].startswith(f'"{LEVEL}"')
