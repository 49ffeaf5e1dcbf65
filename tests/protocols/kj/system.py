"""A monitoring system in the test's hands: it writes exchange files into a folder, as they do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from models.exchange import encode, profile
from protocols.adapter import Delivery, Tag
from protocols.kj import Kj
from tests.models.exchange.files import MINE, ZONE, cdss, header, point
from tests.protocols.peer import Peer

NMSA = profile("nmsa")


def local(seconds: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return datetime.fromtimestamp(seconds, ZONE).strftime(form)


class Writer:
    """Writes files, each a second later than the one before, from an hour ago on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.second = int(time.time()) - 3600

    def name(self, kind: str, second: int, mine: str = MINE) -> str:
        return f"{mine}_{kind}_{local(second, '%Y%m%d%H%M%S')}.txt"

    def content(self, kind: str, records: Sequence[Mapping[str, str]], second: int, encoding: str = "") -> bytes:
        return encode(NMSA, kind, header(kind, NMSA, local(second)), records, encoding)

    def write(
        self, kind: str, records: Sequence[Mapping[str, str]], second: int | None = None, encoding: str = ""
    ) -> Path:
        """A file that appears whole. `second`: its time; None: one second after the last."""
        if second is None:
            self.second += 1
            second = self.second
        return self.put(self.name(kind, second), self.content(kind, records, second, encoding))

    def put(self, name: str, data: bytes) -> Path:
        half = self.folder / f".{name}.part"
        half.write_bytes(data)
        return half.rename(self.folder / name)

    def values(self, values: Mapping[int, str], state: str = "0", second: int | None = None) -> Path:
        """A CDSS file of points by number, their data time that of the file."""
        if second is None:
            self.second += 1
            second = self.second
        time_of = local(second)
        return self.write("CDSS", [cdss(n, value, state, time_of) for n, value in values.items()], second)


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    return {"folder": str(folder), "mine": MINE, "poll_s": 0.02, "timeout_s": 1.0, **more}


def tag(index: int, address: str, kind: str = "") -> Tag:
    return Tag(index, f"{MINE}/e/p{index}", address, kind)


class Receiver:
    """An adapter at work, everything that it delivered, and its counters. `hold`: do not acknowledge."""

    def __init__(self, folder: Path, tags: Sequence[Tag], *, hold: bool = False, clock=None, **more: Any) -> None:
        kind = type("Kj", (Kj,), {"now": staticmethod(clock)}) if clock else Kj
        self.adapter = kind(Kj.Settings.model_validate(settings(folder, **more)))
        self.tags = tags
        self.hold = hold
        self.deliveries: list[Delivery] = []
        self.lost: BaseException | None = None

    async def __aenter__(self) -> Receiver:
        await self.adapter.connect()
        self.task = asyncio.create_task(self.adapter.subscribe(self.tags, self._deliver))
        return self

    async def __aexit__(self, *error: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.adapter.close()

    async def _deliver(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if not self.hold:
            delivery.acknowledge()

    async def until(self, met, what: str, seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not met():
            if self.task.done():
                await self.task
            assert time.monotonic() < deadline, f"not in {seconds} s: {what}; {self.adapter.counters()}"
            await asyncio.sleep(0.01)

    async def count(self, name: str, number: int = 1) -> None:
        await self.until(lambda: self.adapter.counters()[name] >= number, f"{name} = {number}")

    def rows(self) -> list[tuple[int, float, int, int, str]]:
        """(tag, value, quality, µs, reason) of all that was delivered, in order."""
        return [
            (index, value, quality, ts, delivery.reading.reasons.get(index, ""))
            for delivery in self.deliveries
            if len(delivery.reading)
            for index, value, quality, ts in zip(
                delivery.reading.index.tolist(),
                delivery.reading.value.tolist(),
                delivery.reading.quality.tolist(),
                delivery.reading.ts.tolist(),
                strict=True,
            )
        ]


class KjPeer(Peer):
    """The system as the conformance suite wants it: a device that goes down is a folder that is not there."""

    name = "kj"
    tags = tuple(tag(n, f"CDSS:{point(n)}") for n in range(3))
    missing = tag(3, point(99))
    wrong = (
        tag(0, ""),
        tag(0, "CDSS:"),
        tag(0, "QQQQ:1"),
        tag(0, f"CDSS:{point()}#colour"),
        tag(0, "CDSS:*"),
        tag(0, f"{point()};1"),
        tag(0, point(), "float32"),
        Tag(0, "m/e/x", point(), "", "ABCD"),
        Tag(0, "m/e/x", point(), "", "", {"time": "ts"}),
    )
    real = 0
    exempt: ClassVar[dict[str, str]] = {
        "test_a_stranger_at_the_port_never_gives_a_good_value": "a folder has no port; strange files: test_rules"
    }

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "inbox"
        self.away = folder / "away"
        self.folder.mkdir()
        self.writer = Writer(self.folder)
        self.values = dict.fromkeys(range(3), "0")
        self.hung = False

    def settings(self, port: int | None = None) -> dict[str, Any]:
        return settings(self.folder if port is None else self.folder.with_name(str(port)), quiet_s=3)

    async def start(self) -> None:
        self.hung = False
        if self.away.exists():
            self.away.rename(self.folder)

    async def stop(self) -> None:
        if self.folder.exists():
            self.folder.rename(self.away)

    async def set(self, index: int, value: float | str) -> None:
        self.values[index] = str(value)
        if not self.hung:
            self.writer.values(self.values)

    async def hang(self) -> None:
        self.hung = True
