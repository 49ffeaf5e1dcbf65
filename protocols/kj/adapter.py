"""The adapter `kj`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from models.site.model import Name
from protocols import blocking
from protocols.adapter import (
    Adapter,
    Deliver,
    Delivers,
    Delivery,
    LinkLost,
    Node,
    Occurrence,
    Reading,
    Sheet,
    Supports,
    Tag,
    no_reading,
)
from protocols.findings import Finding, FindingBook
from protocols.kj import decode
from protocols.kj.address import TYPES, parse_address
from protocols.kj.decode import Decoder
from protocols.kj.definitions import Definitions
from protocols.kj.exceptions import Tellings, occurrences
from protocols.kj.folder import BYTES_AT_ONCE, COUNTS, FILES_AT_ONCE, MOST_ENTRIES, Folder, Taken
from protocols.kj.settings import KjSettings

READING_S = 120.0
"""For reading and decoding what has come: many large files on a slow box take longer than a share's answer."""


class Kj(Adapter[KjSettings, None]):
    """Takes the files that a monitoring system writes into a folder, each once all of it is in the bus."""

    sheet = Sheet(
        name="kj",
        title=Name("KJ 联网文件", "KJ exchange files"),
        supports=Supports.SUBSCRIBE | Supports.BROWSE,
        delivers=Delivers.AT_LEAST_ONCE,
        source_time=True,
        remarks=Name(
            "监视文件夹中的 CDDY、CDSS、TJSJ、YCBJ、FZDY、FZSS、JZSS 与人员文件：数据写入总线之后文件才移入存档。",
            "Watches a folder for CDDY, CDSS, TJSJ, YCBJ, FZDY, FZSS, JZSS and personnel files; a file is moved to the "
            "archive only after the bus has all of it.",
        ),
        limits=(
            Name(
                f"一次最多取 {FILES_AT_ONCE} 个文件或 {BYTES_AT_ONCE >> 20} MB，其余留在文件夹",
                f"at most {FILES_AT_ONCE} files or {BYTES_AT_ONCE >> 20} MB in one go; the rest waits in the folder",
            ),
            Name(
                f"一次最多查看文件夹中的 {MOST_ENTRIES:,} 项",
                f"at most {MOST_ENTRIES:,} entries of the folder are looked at in one go",
            ),
        ),
    )
    Settings: ClassVar[type[KjSettings]] = KjSettings
    now: ClassVar[Callable[[], float]] = time.time
    """The wall clock, s; here so that a test can wait ten minutes in none."""

    def __init__(self, settings: KjSettings) -> None:
        super().__init__(settings)
        self._definitions = Definitions()
        self._counts = {**dict.fromkeys(COUNTS, 0), **decode.counts(), "events_total": 0}
        self._book = FindingBook()
        self._folder = Folder(settings, self._definitions, self._counts, self._book, type(self).now)
        self._open = False
        self._decoder: Decoder | None = None
        self._tellings = Tellings()

    @classmethod
    def check(cls, tag: Tag) -> None:
        parse_address(tag.address)
        if tag.type not in TYPES:
            raise ValueError(
                f"没有类型 '{tag.type}'，有 {', '.join(filter(None, TYPES))}，或不写 · "
                f"the type '{tag.type}' is unknown; there are {', '.join(filter(None, TYPES))}, or nothing"
            )
        if tag.order:
            raise ValueError(
                f"KJ 测点为文本，没有字节序，此处给出了 '{tag.order}' · "
                f"a KJ point is text and has no byte order, and '{tag.order}' is given"
            )
        if tag.options:
            raise ValueError(
                f"KJ 测点没有选项，此处给出了 {', '.join(map(str, tag.options))} · "
                f"a KJ point has no options, and {', '.join(map(str, tag.options))} is given"
            )

    async def connect(self) -> None:
        await self._call(self._folder.open)
        self._open = True

    async def subscribe(self, tags: Sequence[Tag], deliver: Deliver) -> None:
        if not self._open:
            raise LinkLost("此目录没有打开 · this folder is not open")
        self._decoder = decoder = Decoder(tags, self._definitions, self._counts, self._book)
        heard = time.monotonic()
        while True:
            await self._call(self._folder.probe)
            found = await self._call(lambda: self._look(decoder), READING_S)
            if found:
                await self._pass_on(found, deliver)
                heard = time.monotonic()
                continue
            silence = time.monotonic() - heard
            if silence > self.settings.quiet_s:
                raise LinkLost(
                    f"{self.settings.folder} 已有 {silence:.0f} 秒没有新文件，监控系统仍在写吗，写到此目录吗？ · "
                    f"no file has come into {self.settings.folder} for {silence:.0f} s: "
                    "does the monitoring system still write, and into this folder?"
                )
            await asyncio.sleep(self.settings.poll_s)

    def _look(self, decoder: Decoder) -> list[tuple[Taken, Reading | None, list[Occurrence]]]:
        """What has come, decoded. Not in the event loop: a large file takes a while."""
        found = []
        for taken in self._folder.collect():
            events: list[Occurrence] = []
            if taken.name.kind == "YCBJ":
                told = occurrences(taken.records, decoder.by_code, self.settings.equipment)
                events = self._tellings.newest(told, taken.records.sent)
                self._counts["events_total"] += len(events)
            found.append((taken, decoder.decode(taken.records), events))
        return found

    async def _pass_on(self, found: Sequence[tuple[Taken, Reading | None, list[Occurrence]]], deliver: Deliver) -> None:
        """Deliver each file, wait until the bus has it, and only then put it away."""
        loop = asyncio.get_running_loop()
        safe: list[tuple[Taken, asyncio.Event]] = []
        for taken, reading, events in found:
            done = asyncio.Event()
            safe.append((taken, done))
            if reading is None and not events:
                done.set()
                continue
            acknowledge = _from_any_thread(loop, done)
            await deliver(Delivery(reading or no_reading(), acknowledge, events))
        for taken, done in safe:
            await done.wait()
            await self._call(lambda taken=taken: self._folder.done(taken))  # type: ignore[misc]

    async def browse(self, parent: str = "") -> Sequence[Node]:
        """The points, substations and areas of the latest definition files; all of them on one level."""
        return [] if parent else self._definitions.nodes()

    async def close(self) -> None:
        self._open = False

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)

    def findings(self) -> Sequence[Finding]:
        return self._book.all()

    def unknown_points(self) -> Sequence[str]:
        """The codes in CDSS files that the site has no point for, sorted; at most decode.MOST_UNKNOWN."""
        return sorted(self._decoder.unknown) if self._decoder else []

    async def _call(self, function: Callable[[], blocking.T], limit_s: float = 0.0) -> blocking.T:
        limit_s = limit_s or self.settings.timeout_s
        try:
            return await blocking.call(function, limit_s, self.settings.folder)
        except TimeoutError:
            raise LinkLost(
                f"目录 {self.settings.folder} 在 {limit_s:g} 秒内没有应答，共享所在的服务器在运行吗？ · "
                f"the folder {self.settings.folder} did not answer within {limit_s:g} s: is the server of the share up?"
            ) from None


def _from_any_thread(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> Callable[[], None]:
    def acknowledge() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(done.set)

    return acknowledge
