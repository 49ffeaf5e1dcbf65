"""Versions of a site on a real bus: packed, published, read, kept in bounds, and for the right hands only."""

from __future__ import annotations

import io
import os
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import sites, subjects
from bus.connection import NotPermitted
from bus.sites import Overtaken, SiteFolderError
from tests.servers import CODE, mine_bus


def folder_of(path, found):
    for name, data in found.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


FILES = {"site.yaml": b"code: 1\n", "points/belt.csv": "设备,测点\n".encode(), "map/plan.dxf": os.urandom(1000)}


def test_a_folder_comes_back_as_it_was_and_the_same_files_give_the_same_bytes(tmp_path):
    one = folder_of(tmp_path / "one", {**FILES, ".git/config": b"x", "points/~$belt.xlsx": b"lock"})
    other = folder_of(tmp_path / "other", FILES)
    os.utime(other / "site.yaml", (1, 1))
    data = sites.pack(one)
    assert data == sites.pack(other), "neither times nor hidden files count"
    sites.unpack(data, tmp_path / "back")
    back = {path.relative_to(tmp_path / "back").as_posix(): path for path in (tmp_path / "back").rglob("*")}
    assert {name: path.read_bytes() for name, path in back.items() if path.is_file()} == FILES
    (other / "site.yaml").write_bytes(b"code: 2\n")
    assert sites.digest(sites.pack(other)) != sites.digest(data)


def test_links_and_what_is_too_much_are_refused(tmp_path):
    folder = folder_of(tmp_path, FILES)
    (folder / "out").symlink_to("/etc/passwd")
    with pytest.raises(SiteFolderError, match="is a link"):
        sites.pack(folder)
    (folder / "out").unlink()
    (folder / "photo").write_bytes(os.urandom(sites.MAX_PACKED + 1))
    with pytest.raises(SiteFolderError, match="MB packed, at most"):
        sites.pack(folder)


def packed(entries):
    import gzip

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry, data in entries:
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue())


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out"])
def test_nothing_is_written_outside_the_folder(tmp_path, name):
    with pytest.raises(SiteFolderError, match="may not be in a site"):
        sites.unpack(packed([(tarfile.TarInfo(name), b"x")]), tmp_path / "in")
    assert not list(tmp_path.rglob("out"))


def test_links_in_a_pack_are_refused_and_so_is_what_unpacks_to_too_much(tmp_path):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    with pytest.raises(SiteFolderError, match="may not be"):
        sites.files(packed([(link, b"")]))
    with pytest.raises(SiteFolderError, match="unpacked"):
        sites.files(packed([(tarfile.TarInfo("zeros"), bytes(sites.MAX_UNPACKED + (8 << 20)))]))


def test_a_sparse_file_which_is_as_large_as_it_says_is_refused_before_it_is_unpacked():
    sparse = tarfile.TarInfo("site.yaml")
    sparse.size = 512
    sparse.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 40)}
    with pytest.raises(SiteFolderError, match="may not be"):
        sites.files(packed([(sparse, bytes(512))]))


@given(st.binary(max_size=400), st.integers(0, 400), st.integers(0, 255))
def test_whatever_the_bytes_are_they_are_read_or_refused(rubbish, at, byte):
    good = bytearray(packed([(tarfile.TarInfo("site.yaml"), b"code: 1\n")]))
    good[at % len(good)] = byte
    for data in (rubbish, bytes(good), bytes(good[: at % len(good)])):
        try:
            found = sites.files(data)
        except SiteFolderError:
            continue
        assert all(isinstance(content, bytes) for _, content in found)


async def test_versions_are_published_read_and_kept_in_bounds(tmp_path):
    data = sites.pack(folder_of(tmp_path / "site", FILES))
    async with mine_bus(tmp_path) as running, await running.connect("engineer") as engineer:
        assert list(await sites.numbers(engineer)) == []
        assert await sites.publish(engineer, CODE, data, "王工", note="第一版", after=0) == 1
        with pytest.raises(Overtaken, match="newer version"):
            await sites.publish(engineer, CODE, data, "李工", after=0)
        for number in range(2, sites.KEPT + 4):
            assert await sites.publish(engineer, CODE, data, "王工", after=number - 1) == number
        kept = list(await sites.numbers(engineer))
        assert len(kept) == sites.KEPT and kept[-1] == sites.KEPT + 3
        async with await running.connect("gateway-edge1") as gateway:
            version = await sites.fetch(gateway, kept[-1])
            assert (version.who, version.data, version.digest) == ("王工", data, sites.digest(data))


async def test_only_an_engineer_publishes_and_only_engineers_and_gateways_read(tmp_path):
    async with mine_bus(tmp_path) as running:
        for process in ("cli", "operator", "store", "gateway-edge1", "admin", "api"):
            async with await running.connect(process) as bus:
                with pytest.raises(NotPermitted):
                    await sites.publish(bus, CODE, b"x", "x")
        for process in ("operator", "cli", "admin"):
            async with await running.connect(process) as bus:
                with pytest.raises(NotPermitted):
                    await sites.fetch(bus, 1)
        async with await running.connect("engineer") as engineer:
            for subject in (subjects.command(CODE, "edge1"), subjects.samples(CODE, "edge1"), subjects.live(CODE, "x")):
                with pytest.raises(NotPermitted):
                    await engineer.publish(subject, b"x", "x")
