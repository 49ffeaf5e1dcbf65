"""The suite that every adapter passes, from this tree or from outside it.

    class TestModbus(Conformance):
        @pytest.fixture
        async def peer(self) -> AsyncIterator[Peer]:
            peer = ModbusPeer()
            await peer.start()
            yield peer
            await peer.stop()

Tests that take `mode` run once for each of READ and SUBSCRIBE that the adapter's sheet names; set
`name` to the entry point so that the suite can look it up before a peer is there.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from models.site.model import Name
from protocols import registry
from protocols.adapter import Adapter, AdapterError, Delivers, LinkLost, Settings, Sheet, Supports, Tag, WriteRefused
from tests.ports import free_port
from tests.protocols.peer import Peer, stranger
from tests.protocols.session import NotYetError, Session

GARBAGE = bytes(range(255, -1, -1)) * 8


class Conformance:
    """Subclass it, give `name` and the fixture `peer`. The seconds are bounds, not targets."""

    name: ClassVar[str]
    answer_s: ClassVar[float] = 15.0
    """Within this, a connected adapter has a value that the device was given."""
    loss_s: ClassVar[float] = 15.0
    """Within this, a closed or refused connection is LinkLost."""
    silence_s: ClassVar[float] = 30.0
    """Within this, a device that hangs is LinkLost or all its tags are bad."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "mode" in metafunc.fixturenames:
            supports = registry.adapter(self.name).sheet.supports
            modes = [mode for mode in (Supports.READ, Supports.SUBSCRIBE) if mode in supports]
            metafunc.parametrize("mode", modes, ids=[str(mode.name).lower() for mode in modes])

    @pytest.fixture(autouse=True)
    def _exemption(self, request: pytest.FixtureRequest, peer: Peer) -> None:
        reason = peer.exempt.get(request.function.__name__)
        if reason:
            pytest.skip(f"exempt: {reason}")

    @pytest.fixture
    def kind(self) -> type[Adapter[Any, Any]]:
        return registry.adapter(self.name)

    def new(self, peer: Peer, port: int | None = None) -> Adapter[Any, Any]:
        kind = registry.adapter(self.name)
        return kind(kind.Settings.model_validate(peer.settings(port)))

    def session(self, peer: Peer, mode: Supports, *more: Tag) -> Session:
        return Session(self.new(peer), [*peer.tags, *more], mode)

    async def give(
        self, peer: Peer, session: Session, values: dict[int, float], place: Callable[[int], int] = lambda index: index
    ) -> None:
        """Set values at the device until the session has them, each at the index `place` says. Set more
        than once: a device that sends by itself may send before the adapter has subscribed."""
        expected = {place(index): value for index, value in values.items()}
        deadline = time.monotonic() + self.answer_s
        while True:
            for index, value in values.items():
                await peer.set(index, value)
            try:
                await session.until_values(expected, min(1.0, self.answer_s))
                return
            except NotYetError:
                if session.lost is not None or time.monotonic() > deadline:
                    raise

    # -- what it says of itself

    def test_its_sheet_is_complete(self, kind: type[Adapter[Any, Any]], peer: Peer) -> None:
        sheet = kind.sheet
        assert isinstance(sheet, Sheet)
        assert sheet.name == self.name == peer.name
        for name in (sheet.title, sheet.remarks):
            assert isinstance(name, Name) and name.zh.strip() and name.en.strip()
        assert sheet.supports & (Supports.READ | Supports.SUBSCRIBE), "it neither reads nor subscribes"
        assert isinstance(sheet.delivers, Delivers)
        assert isinstance(sheet.source_time, bool)

    def test_it_has_what_its_sheet_says(self, kind: type[Adapter[Any, Any]]) -> None:
        methods = {
            Supports.READ: ("plan", "read"),
            Supports.SUBSCRIBE: ("subscribe",),
            Supports.WRITE: ("write",),
            Supports.BROWSE: ("browse",),
        }
        for ability, names in methods.items():
            for name in names:
                own = getattr(kind, name) is not getattr(Adapter, name)
                assert own == (ability in kind.sheet.supports), f"{name} and the sheet's {ability.name} disagree"

    def test_its_settings_are_described_and_bounded(self, kind: type[Adapter[Any, Any]], peer: Peer) -> None:
        assert issubclass(kind.Settings, Settings) and kind.Settings is not Settings
        for name, field in kind.Settings.model_fields.items():
            assert field.description, f"the setting '{name}' has no description"
        assert kind.Settings.model_json_schema()["type"] == "object"
        kind.Settings.model_validate(peer.settings())
        with pytest.raises(ValueError, match="no_such_setting"):
            kind.Settings.model_validate({**peer.settings(), "no_such_setting": 1})

    # -- check

    def test_check_takes_the_right_and_refuses_the_wrong(self, kind: type[Adapter[Any, Any]], peer: Peer) -> None:
        for tag in [*peer.tags, *([peer.missing] if peer.missing else [])]:
            kind.check(tag)
        assert peer.wrong, "the peer names no wrong tags"
        for tag in peer.wrong:
            with pytest.raises(ValueError) as refusal:
                kind.check(tag)
            words = str(refusal.value)
            assert len(words) > 10 and "Traceback" not in words, f"'{words}' does not say what is wrong with {tag}"

    # -- connect

    async def test_a_refused_connection_is_link_lost_in_time(self, peer: Peer) -> None:
        adapter = self.new(peer, free_port())
        started = time.monotonic()
        with pytest.raises(LinkLost, match=r"[一-鿿].* · \w"):
            await adapter.connect()
        assert time.monotonic() - started < self.loss_s
        await adapter.close()

    @pytest.mark.parametrize("says", [None, GARBAGE], ids=["silence", "garbage"])
    async def test_a_stranger_at_the_port_never_gives_a_good_value(
        self, peer: Peer, mode: Supports, says: bytes | None
    ) -> None:
        async with stranger(says) as port:
            session = Session(self.new(peer, port), peer.tags, mode)
            started = time.monotonic()
            try:
                async with session:
                    await session.until(lambda: self._all_down(session), self.silence_s, "nothing good")
                    assert not any(row.good for row in session.latest.values())
            except LinkLost:
                assert time.monotonic() - started < self.silence_s

    # -- values

    async def test_values_come_at_their_index(self, peer: Peer, mode: Supports) -> None:
        async with self.session(peer, mode) as session:
            values = {tag.index: float(10 + tag.index) for tag in peer.tags if tag.index != peer.text}
            await self.give(peer, session, values)
            await self.give(peer, session, {index: value + 40 for index, value in values.items()})

    async def test_indices_are_the_callers(self, peer: Peer, mode: Supports) -> None:
        turned = [
            Tag(len(peer.tags) - 1 - tag.index, tag.path, tag.address, tag.type, tag.order, tag.options)
            for tag in peer.tags
        ]
        async with Session(self.new(peer), turned, mode) as session:
            values = {tag.index: float(20 + tag.index) for tag in peer.tags if tag.index != peer.text}
            await self.give(peer, session, values, place=lambda index: len(peer.tags) - 1 - index)

    async def test_one_missing_address_does_not_disturb_the_rest(self, peer: Peer, mode: Supports) -> None:
        if peer.missing is None:
            pytest.skip("exempt: the protocol has no address that a device can lack")
        missing = peer.missing
        async with self.session(peer, mode, missing) as session:
            values = {tag.index: float(30 + tag.index) for tag in peer.tags if tag.index != peer.text}
            await self.give(peer, session, values)
            await session.until(lambda: missing.index in session.latest, self.answer_s, "the missing tag's row")
            row = session.latest[missing.index]
            assert row.quality < 64 and math.isnan(row.value) and row.reason

    @pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
    async def test_nan_and_infinity_are_bad_with_the_reason(self, peer: Peer, mode: Supports, odd: float) -> None:
        if peer.real is None:
            pytest.skip("exempt: the protocol has no floating point values")
        real = peer.real
        others = {tag.index: 7.0 for tag in peer.tags if tag.index not in (real, peer.text)}
        async with self.session(peer, mode) as session:
            await self.give(peer, session, {real: 5.0})
            await peer.set(real, odd)
            await session.until(lambda: session.latest[real].quality < 64, self.answer_s, f"{odd} is bad")
            row = session.latest[real]
            assert math.isnan(row.value)
            assert ("NaN" if math.isnan(odd) else "infinity") in row.reason
            await self.give(peer, session, others)
            await self.give(peer, session, {real: 6.0})

    async def test_the_raw_bytes_are_there_or_none(self, peer: Peer, mode: Supports) -> None:
        async with self.session(peer, mode) as session:
            await self.give(peer, session, {0: 3.0})
            raw = session.readings[-1].raw
            if raw is not None:
                assert isinstance(raw(0), bytes | None)
                assert raw(10_000) is None

    async def test_counters_are_named_as_counters(self, peer: Peer, mode: Supports) -> None:
        async with self.session(peer, mode) as session:
            await self.give(peer, session, {0: 4.0})
            for name, count in session.adapter.counters().items():
                assert name.endswith("_total") and isinstance(count, int) and count >= 0

    # -- the link

    async def test_a_closed_connection_is_link_lost_in_time(self, peer: Peer, mode: Supports) -> None:
        async with self.session(peer, mode) as session:
            await self.give(peer, session, {0: 1.0})
            await peer.stop()
            await session.until(lambda: session.lost is not None, self.loss_s, "LinkLost")

    async def test_a_hanging_device_is_noticed(self, peer: Peer, mode: Supports) -> None:
        async with self.session(peer, mode) as session:
            await self.give(peer, session, {0: 1.0})
            await peer.hang()
            await session.until(lambda: self._all_down(session), self.silence_s, "lost or bad")

    async def test_after_a_restart_a_new_adapter_works(self, peer: Peer, mode: Supports) -> None:
        async with self.session(peer, mode) as session:
            await self.give(peer, session, {0: 1.0})
        await peer.stop()
        await peer.start()
        async with self.session(peer, mode) as session:
            await self.give(peer, session, {0: 2.0})

    # -- close

    async def test_close_never_raises(self, peer: Peer, mode: Supports) -> None:
        adapter = self.new(peer)
        await adapter.close()
        await adapter.close()
        session = self.session(peer, mode)
        async with session:
            await self.give(peer, session, {0: 1.0})
            await peer.stop()
            await session.adapter.close()
            await session.adapter.close()

    async def test_close_while_the_device_hangs(self, peer: Peer, mode: Supports) -> None:
        async with self.session(peer, mode) as session:
            await self.give(peer, session, {0: 1.0})
            await peer.hang()
            await asyncio.sleep(0.1)
            started = time.monotonic()
        assert time.monotonic() - started < self.loss_s

    async def test_nothing_is_left_running(self, peer: Peer, mode: Supports) -> None:
        before = asyncio.all_tasks()
        async with self.session(peer, mode) as session:
            await self.give(peer, session, {0: 1.0})
        deadline = time.monotonic() + self.loss_s
        while left := {task for task in asyncio.all_tasks() - before if not peer.excuses(task)}:
            assert time.monotonic() < deadline, f"still running after close: {left}"
            await asyncio.sleep(0.02)

    # -- write

    async def test_a_write_arrives(self, peer: Peer) -> None:
        if peer.writable is None:
            assert Supports.WRITE not in registry.adapter(self.name).sheet.supports, "the peer names no writable tag"
            return
        tag = next(tag for tag in peer.tags if tag.index == peer.writable)
        adapter = self.new(peer)
        await adapter.connect()
        try:
            await adapter.write(tag, 42.0)
            assert await peer.get(tag.index) == 42.0
            with pytest.raises(AdapterError, match=r"\w"):
                await adapter.write(tag, "not a number at all")
            if peer.write_protected is not None:
                with pytest.raises(WriteRefused, match=r"\w"):
                    await adapter.write(peer.write_protected, 1.0)
            await adapter.write(tag, 43.0)
            assert await peer.get(tag.index) == 43.0
        finally:
            await adapter.close()

    @staticmethod
    def _all_down(session: Session) -> bool:
        """Lost, or every tag known to be bad."""
        if session.lost is not None:
            return True
        return len(session.latest) == len(session.tags) and all(row.quality < 64 for row in session.latest.values())
