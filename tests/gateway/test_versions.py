"""Versions on a gateway's disk and how it follows them: whole, refused whole, and killed in the middle."""

from __future__ import annotations

import asyncio
import errno
import json
import random
import signal
import sys

import pytest

from bus import sites, versions
from bus.sites import Version
from bus.versions import Versions
from gateway.clock import WallClock
from gateway.connection import DeviceConnection
from gateway.devices import Devices
from gateway.follow import Follower
from models.site import load
from tests.gateway.folders import CODE, write_site
from tests.gateway.sites import Remembered
from tests.servers import mine_bus

TAKER = """
import json, sys
from pathlib import Path
from bus.sites import Version, digest
from bus.versions import Versions
found = [Path(name).read_bytes() for name in sys.argv[2:]]
number = 0
while True:
    for data in found:
        number += 1
        kept = Versions(Path(sys.argv[1])).take(Version(number, digest(data), "x", 0, "", None, data))
        Versions(Path(sys.argv[1])).accept(kept)
        print("taken", flush=True)
"""


def version(number, data):
    return Version(number, sites.digest(data), "王工", 0, "", None, data)


@pytest.fixture
def packed(tmp_path):
    def of(name, ports=None, **more):
        return sites.pack(write_site(tmp_path / name, ports or {"one": 1502}, **more))

    return of


async def test_killed_at_any_moment_while_a_version_is_taken_it_starts_from_one_whole_version(tmp_path, packed):
    found = []
    for name in ("one", "other"):
        folder = write_site(tmp_path / name, {name: 1502})
        (folder / "map").mkdir()
        for number in range(4):
            (folder / "map" / f"{number}.dxf").write_bytes(random.Random(number).randbytes(2000))
        found.append(tmp_path / f"{name}.site")
        found[-1].write_bytes(sites.pack(folder))
    whole = {sites.digest(path.read_bytes()) for path in found}
    seen = set()
    chance = random.Random(1)
    for _ in range(4):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", TAKER, str(tmp_path / "kept"), *map(str, found), stdout=asyncio.subprocess.PIPE
        )
        await child.stdout.readline()
        await asyncio.sleep(chance.uniform(0.0, 0.4))
        child.send_signal(signal.SIGKILL)
        await child.communicate()
        current = Versions(tmp_path / "kept").current()
        assert current is not None, "once there was a version, there is always one"
        assert sites.digest(sites.pack(current.folder)) == current.digest and current.digest in whole
        assert load(current.folder).code == CODE
        seen.add(current.number)
    assert seen


class Rig:
    def __init__(self, folder, load_=load):
        self.applied = []
        self.versions = Versions(folder)
        self.follower = Follower(CODE, "edge1", self.versions, load_, self.apply)

    async def apply(self, site):
        self.applied.append(sorted(site.connections))

    @property
    def refused(self):
        return self.follower.state()["refused"]


async def test_a_version_with_mistakes_is_refused_whole_and_told_and_the_next_good_one_is_taken(tmp_path, packed):
    rig = Rig(tmp_path / "kept")
    await rig.follower.start()
    assert rig.follower.state() == {"number": None, "digest": None, "refused": None}
    await rig.follower.take(version(1, packed("a")))
    folder = write_site(tmp_path / "b", {"one": 1502, "two": 1503})
    (folder / "equipment" / "drives.yaml").write_text("equipment: {one: {template: dirve}}\n")
    await rig.follower.take(version(2, sites.pack(folder)))
    assert rig.applied == [["one"]] and rig.follower.state()["number"] == 1
    assert rig.refused["number"] == 2 and rig.refused["who"] == "王工" and "'area' is missing" in rig.refused["reason"]
    assert rig.versions.current().number == 1
    await rig.follower.take(version(3, packed("c", {"one": 1502, "two": 1503})))
    assert rig.applied[-1] == ["one", "two"] and rig.refused is None
    folders = [path.name for path in (tmp_path / "kept").iterdir() if path.is_dir() and not path.is_symlink()]
    assert folders == [rig.versions.current().digest]
    assert (tmp_path / "kept" / "live").resolve() == rig.versions.current().folder
    again = Rig(tmp_path / "kept")
    await again.follower.start()
    assert again.applied == [["one", "two"]] and again.follower.state()["number"] == 3


async def test_a_version_that_cannot_be_applied_is_refused_and_the_one_before_goes_on(tmp_path, packed, monkeypatch):
    class Poor(DeviceConnection):
        def __init__(self, spec, *more):
            if spec.name == "two":
                raise RuntimeError("no such thing")
            super().__init__(spec, *more)

    monkeypatch.setattr("gateway.devices.DeviceConnection", Poor)
    bad = version(2, packed("b", {"one": 1503, "two": 1504}))
    for start in range(2):
        devices = Devices("edge1", WallClock(), Remembered())
        kept = Versions(tmp_path / "kept")
        follower = Follower(CODE, "edge1", kept, load, devices.apply)
        try:
            await follower.start()
            if start == 0:
                await follower.take(version(1, packed("a")))
            (same,) = devices
            await follower.take(bad)
            assert list(devices) == [same], "the connection is kept, and runs"
            state = follower.state()
            assert state["number"] == 1 and state["refused"]["number"] == 2
            assert "no such thing" in state["refused"]["reason"]
            assert kept.current().number == 1
        finally:
            await devices.stop(5.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("site.yaml", "140581000000", "140581000001"), "a site of the mine 140581000001"),
        (("connections.yaml", "edge1", "edge2"), "no connection for the gateway 'edge1'"),
        (("connections.yaml", "127.0.0.1", "'${NOT_SET}'"), "NOT_SET"),
    ],
)
async def test_what_is_not_for_this_gateway_is_refused(tmp_path, packed, change, words):
    rig = Rig(tmp_path / "kept")
    await rig.follower.take(version(1, packed("a")))
    folder = write_site(tmp_path / "b", {"one": 1502})
    name, old, new = change
    (folder / name).write_text((folder / name).read_text().replace(old, new))
    await rig.follower.take(version(2, sites.pack(folder)))
    assert words in rig.refused["reason"] and rig.applied == [["one"]]


async def test_rubbish_and_our_own_faults_are_refused_and_what_runs_goes_on(tmp_path, packed):
    def fails(folder):
        raise ZeroDivisionError("ours")

    rig = Rig(tmp_path / "kept")
    await rig.follower.take(version(1, packed("a")))
    await rig.follower.take(version(2, b"no site at all"))
    assert "not a packed site" in rig.refused["reason"]
    rig.follower._load = fails
    await rig.follower.take(version(3, packed("b", remark="b")))
    assert "ours" in rig.refused["reason"] and rig.applied == [["one"]]


async def test_a_version_on_disk_that_cannot_be_used_now_is_kept_for_later(tmp_path, packed):
    first = Rig(tmp_path / "kept")
    data = packed("a")
    await first.follower.take(version(1, data))

    def unset(folder):
        from models.site import Problem, SiteErrors

        raise SiteErrors([Problem("connections.yaml", "3", "the variable PASSWORD is not set")])

    later = Rig(tmp_path / "kept", unset)
    await later.follower.start()
    await later.follower.take(version(1, data))
    assert not later.applied and "PASSWORD" in later.refused["reason"]
    assert Versions(tmp_path / "kept").current().digest == sites.digest(data)
    json.dumps(later.follower.state())


async def test_a_disk_that_was_full_when_a_version_came_does_not_refuse_it_for_good(tmp_path, packed, monkeypatch):
    async with (
        mine_bus(tmp_path / "bus") as running,
        await running.connect("engineer") as engineer,
        await running.connect("gateway-edge1") as gateway,
    ):
        await sites.publish(engineer, CODE, packed("a"), "王工")
        rig = Rig(tmp_path / "kept")

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as disk:
            disk.setattr(versions, "unpack", full)
            with pytest.raises(OSError, match="No space"):
                await rig.follower._look(gateway)
            assert "No space left" in rig.refused["reason"] and not rig.applied
        await rig.follower._look(gateway)
        assert rig.applied == [["one"]] and rig.refused is None
