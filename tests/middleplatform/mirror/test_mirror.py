"""From the bus into a real server that takes InfluxDB's v2 writes, read back; and what becomes of it when the
server is away, or is no such server."""

import asyncio
import contextlib
import gzip
import http.server
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import yaml

from bus import credentials, subjects
from bus.streams import Limits
from middleplatform.mirror import copying as copying_module
from middleplatform.mirror.copying import Copying
from middleplatform.mirror.process import chosen
from middleplatform.mirror.settings import Settings
from middleplatform.mirror.target import Target
from tests.middleplatform.store.build import batch_of, id_of, site_of
from tests.servers import CODE, SMALL, mine_bus
from tests.victoria import Victoria

T = 1_795_420_368_000_000
SITE = site_of({"edge1": ["speed", "load", "text_1"]})
SPEED, LOAD, TEXT = id_of("speed"), id_of("load"), id_of("text_1")


SHORT = replace(SMALL, samples_hours=2 / 3600)
"""A stream that keeps its samples for two seconds."""


@pytest.fixture
def victoria():
    server = Victoria()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def settings(url: str) -> Settings:
    return Settings(url, "mine", "mine", ("belt1/*",), ("*/text_*",))


def metrics(home) -> dict[str, float]:
    """The mirror's page, which no one reads without its token."""
    facts = json.loads((home / "metrics" / "mirror.json").read_text())
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(facts["url"], timeout=15)
    request = urllib.request.Request(facts["url"], headers={"Authorization": f"Bearer {facts['token']}"})
    with urllib.request.urlopen(request, timeout=15) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


@contextlib.asynccontextmanager
async def mirroring(tmp_path, url: str, limits: Limits = SMALL):
    """A mirror on a bus, `publish(number, rows)`, `until(condition)`, and how much the streams hold for it."""
    async with mine_bus(tmp_path, limits=limits) as running:
        bus, gateway = await running.connect("mirror"), await running.connect("gateway-edge1")
        target = Target(settings(url))
        thread = ThreadPoolExecutor(1)
        copying = Copying(bus, target, chosen(SITE, settings(url)), thread)
        task = asyncio.create_task(copying.run())

        async def publish(number: int, rows) -> None:
            subject = subjects.samples(CODE, "edge1")
            await gateway.publish(subject, batch_of(number, rows).encode(), f"edge1-{number}")

        async def until(condition, within: float = 60.0) -> None:
            async with asyncio.timeout(within):
                while not condition():
                    assert not task.done(), task.exception()
                    await asyncio.sleep(0.02)

        async def lag() -> int:
            consumer = await bus.consumer(subjects.SAMPLES, "mirror", ack_wait_s=5.0)
            left = await consumer.lag()
            await consumer.close()
            return left

        try:
            yield copying, publish, until, lag
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await gateway.close()
            await bus.close()
            thread.shutdown()
            target.close()


def rows_of(number: int, count: int = 50) -> list[tuple]:
    """`count` ms of two points that are mirrored and one that is not."""
    times = [T + (number * count + step) * 1000 for step in range(count)]
    return [(point, ts, ts % 977 / 10, 192) for ts in times for point in (SPEED, LOAD, TEXT)]


def expected(batches: int, count: int = 50) -> dict[int, float]:
    times = [T + step * 1000 for step in range(batches * count)]
    return {ts // 1000: ts % 977 / 10 for ts in times}


def held(victoria: Victoria, field: str = "value") -> dict[str, dict[int, float]]:
    return {dict(labels)["point"]: values for labels, values in victoria.series(f"samples_{field}").items()}


async def test_what_was_published_is_read_back_and_nothing_else(tmp_path, victoria):
    async with mirroring(tmp_path, victoria.url) as (copying, publish, until, lag):
        for number in range(4):
            await publish(number + 1, rows_of(number))
        await publish(9, [(SPEED, T - 1000, float("nan"), 24), (SPEED, T - 2000, 1.5, 64)])
        await until(lambda: copying.counters.written == 4 * 100 + 2)
        found = await asyncio.to_thread(held, victoria)
        assert set(found) == {"speed", "load"}
        assert found["load"] == expected(4)
        assert found["speed"] == {**expected(4), (T - 2000) // 1000: 1.5}
        quality = (await asyncio.to_thread(held, victoria, "quality"))["speed"]
        assert {ts: q for ts, q in quality.items() if q != 192} == {(T - 1000) // 1000: 24, (T - 2000) // 1000: 64}
        (labels,) = {tuple(pair for pair in key if pair[0] != "point") for key in victoria.series("samples_value")}
        assert dict(labels)["mine"] == CODE and dict(labels)["equipment"] == "belt1" and dict(labels)["unit"] == "m/s"
        async with asyncio.timeout(20):
            while await lag():
                await asyncio.sleep(0.05)


async def test_while_the_server_is_away_the_bus_keeps_it_and_then_it_arrives(tmp_path, victoria):
    async with mirroring(tmp_path, victoria.url) as (copying, publish, until, lag):
        await publish(1, rows_of(0))
        await until(lambda: copying.counters.written == 100)
        await asyncio.to_thread(victoria.stop)
        for number in range(1, 4):
            await publish(number + 1, rows_of(number))
        await until(lambda: copying.failing is not None)
        assert await lag() >= 3, "acknowledged although it is nowhere"
        await asyncio.to_thread(victoria.start)
        await until(lambda: copying.counters.written == 400 and copying.failing is None)
        assert (await asyncio.to_thread(held, victoria))["speed"] == expected(4)
        assert copying.counters.missed == copying.counters.refused == 0


@pytest.mark.proof
async def test_what_the_bus_let_go_before_it_was_mirrored_is_counted(tmp_path, victoria):
    async with mirroring(tmp_path, victoria.url, SHORT) as (copying, publish, until, _):
        await publish(1, rows_of(0))
        await until(lambda: copying.counters.written == 100)
        await asyncio.to_thread(victoria.stop)
        for number in range(1, 4):
            await publish(number + 1, rows_of(number))
        async with asyncio.timeout(60):
            while (await copying._bus.stream_state(subjects.SAMPLES)).messages:
                await asyncio.sleep(0.1)
        await asyncio.to_thread(victoria.start)
        await until(lambda: copying.failing is None)
        await publish(5, rows_of(4))
        await until(lambda: copying.counters.missed > 0)
        assert copying.counters.missed <= 3


class Rubbish(http.server.ThreadingHTTPServer):
    """Answers each write as `answers` says, in turn, the last one for ever; `taken` holds the bodies it took."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        rubbish = self
        self.answers, self.taken, self.asked = list(answers), [], 0

        class Page(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                data = self.rfile.read(length)
                if self.headers["Content-Encoding"] == "gzip":
                    data = gzip.decompress(data)
                rubbish.asked += 1
                status, body = rubbish.answers[0] if len(rubbish.answers) == 1 else rubbish.answers.pop(0)
                if status == 0:
                    self.wfile.write(body)
                    self.close_connection = True
                    return
                if callable(body):
                    status, body = body(data)
                if status == 204:
                    rubbish.taken.append(data)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        super().__init__(("127.0.0.1", 0), Page)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def answering(*answers):
    server = Rubbish(*answers)
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


async def test_an_answer_that_is_none_is_tried_again_until_there_is_one(tmp_path, monkeypatch):
    """A page of a proxy, an overload, a refused token, noise, and a connection that breaks off."""
    monkeypatch.setattr(copying_module, "RETRY_S", (0.01,))
    rubbish = [(200, b"<html>welcome</html>"), (503, b"\xff\xfe"), (401, b"no"), (0, b"noise"), (0, b""), (404, b"{}")]
    with answering(*rubbish, (204, b"")) as server:
        async with mirroring(tmp_path, server.url) as (copying, publish, until, _):
            await publish(1, [(SPEED, T, 1.5, 192)])
            await until(lambda: copying.counters.written == 1)
            assert server.asked == len(rubbish) + 1 and len(server.taken) == 1
            assert copying.counters.refused == 0 and copying.failing is None


def picky(data: bytes) -> tuple[int, bytes]:
    """Takes at most 20 lines, and never a value of 13."""
    if data.count(b"\n") > 20:
        return 413, b"too large"
    return (400, b"field type conflict") if b"value=13," in data else (204, b"")


async def test_a_line_that_is_refused_is_dropped_alone_and_counted(tmp_path):
    with answering((200, picky)) as server:
        async with mirroring(tmp_path, server.url) as (copying, publish, until, _):
            await publish(1, [(SPEED, T + step, float(step), 192) for step in range(50)])
            await until(lambda: copying.counters.written + copying.counters.refused == 50)
            assert (copying.counters.written, copying.counters.refused) == (49, 1)
            taken = b"".join(server.taken)
            assert taken.count(b"\n") == 49 and b"value=13," not in taken


async def test_the_process_is_killed_and_goes_on_where_it_was(tmp_path, victoria):
    """A process of its own, from its command: nothing is lost over kill -9, and the same again changes nothing."""
    async with mine_bus(tmp_path / "bus") as running:
        gateway = await running.connect("gateway-edge1")
        (tmp_path / "mirror.yaml").write_text(
            yaml.safe_dump(
                {"url": victoria.url, "org": "o", "bucket": "b", "points": ["belt1/*"], "except": ["*/text_*"]}
            )
        )
        command = [sys.executable, "-m", "tests.middleplatform.mirror.mirror_program"]
        command += [str(tmp_path), running.url, str(credentials.folder(running.home) / "mirror.json")]

        async def started():
            return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)

        async def publish(number: int) -> None:
            data = batch_of(number + 1, rows_of(number)).encode()
            await gateway.publish(subjects.samples(CODE, "edge1"), data, f"edge1-{number}")

        async def until(batches: int) -> None:
            deadline = time.monotonic() + 60
            while (await asyncio.to_thread(held, victoria)).get("speed") != expected(batches):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.1)

        process = await started()
        try:
            await publish(0)
            await until(1)
            for number in range(1, 30):
                await publish(number)
                if number == 10:
                    os.kill(process.pid, signal.SIGKILL)
                    await process.wait()
            process = await started()
            await until(30)
            after_the_kill = len(expected(30)) - len(expected(11))
            while True:  # the server has it a moment before the mirror hears so
                page = await asyncio.to_thread(metrics, tmp_path)
                if page["sevenones_mirror_written_total"] >= after_the_kill > 0:
                    break
                await asyncio.sleep(0.1)
            assert page["sevenones_mirror_points"] == 2 and page["sevenones_mirror_failing"] == 0
            assert page["sevenones_mirror_refused_total"] == page["sevenones_mirror_missed_total"] == 0
            victoria.stop()
            await publish(30)
            while not (await asyncio.to_thread(metrics, tmp_path))["sevenones_mirror_failing"]:
                await asyncio.sleep(0.1)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            assert await process.wait() == 0
            await gateway.close()
        assert not (tmp_path / "metrics" / "mirror.json").exists()
