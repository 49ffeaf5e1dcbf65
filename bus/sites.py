"""Versions of a site on the bus: each is one whole folder, packed, and the newest is the one that holds.

The stream SITES keeps the last KEPT of them; a version's number is its place in the stream. A version
is never changed: to go back is to publish an old one's content anew.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import secrets
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bus import subjects
from bus.connection import Bus
from bus.errors import BusError, PublishRefused
from bus.subjects import SITES

KEPT = 20
MAX_PACKED = 5 << 20
"""Bytes of a packed site: the server's answer, a third longer, has to fit a message."""
MAX_UNPACKED = 64 << 20
MAX_FILES = 2000
_WRONG_LAST = "wrong last sequence"


class SiteFolderError(ValueError):
    """The folder or the bytes cannot be a version of a site: what is in the way."""


class Overtaken(BusError):
    """Somebody else has published meanwhile: look at that version first."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `digest`: of its files; `at`: when it was published, µs UTC; `back_to`: the number of
    the version whose content this is again."""

    number: int
    digest: str
    who: str
    at: int
    note: str
    back_to: int | None
    data: bytes = field(repr=False)


def stream_config(code: str) -> dict[str, Any]:
    """What the stream SITES is."""
    return {
        "name": SITES,
        "subjects": [subjects.site(code)],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "max_msgs": KEPT,
        "max_bytes": KEPT * (MAX_PACKED + (64 << 10)),
        "num_replicas": 1,
    }


def pack(folder: Path) -> bytes:
    """The plain files of a folder, the same bytes for the same files. Hidden files and folders are left
    out. Raises SiteFolderError, OSError."""
    root = folder.resolve()
    buffer = io.BytesIO()
    count = size = 0
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if any(part.startswith((".", "~$")) for part in PurePosixPath(name).parts):
                continue
            if path.is_symlink():
                raise SiteFolderError(f"{name} is a link: put the file itself into the site's folder")
            if not path.is_file():
                continue
            data = path.read_bytes()
            count, size = count + 1, size + len(data)
            if count > MAX_FILES or size > MAX_UNPACKED:
                raise SiteFolderError(f"over {MAX_FILES} files or {MAX_UNPACKED >> 20} MB in {folder}: is it a site?")
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    packed = gzip.compress(buffer.getvalue(), mtime=0)
    if len(packed) > MAX_PACKED:
        raise SiteFolderError(f"{len(packed) / 1e6:.1f} MB packed, at most {MAX_PACKED / 1e6:.1f} MB go over the bus")
    return packed


def unpack(data: bytes, folder: Path) -> None:
    """Write the files of a packed site into a new folder. Raises SiteFolderError, OSError."""
    for name, content in files(data):
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)


def files(data: bytes) -> list[tuple[str, bytes]]:
    """Names and contents in a packed site. Raises SiteFolderError, and nothing else, whatever the bytes are."""
    if len(data) > MAX_PACKED:
        raise SiteFolderError(f"{len(data)} bytes are more than a version may have")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            whole = stream.read(MAX_UNPACKED + MAX_FILES * 1024 + 1)
        if len(whole) > MAX_UNPACKED + MAX_FILES * 1024:
            raise SiteFolderError(f"over {MAX_UNPACKED >> 20} MB unpacked")
        found: list[tuple[str, bytes]] = []
        with tarfile.open(fileobj=io.BytesIO(whole), mode="r:") as archive:
            for entry in archive:
                where = PurePosixPath(entry.name)
                # A sparse file says itself how large it is: a few bytes of it may unpack to any size.
                if (
                    not entry.isfile()
                    or entry.issparse()
                    or where.is_absolute()
                    or ".." in where.parts
                    or "\0" in entry.name
                ):
                    raise SiteFolderError(f"'{entry.name[:80]}' may not be in a site")
                if len(found) >= MAX_FILES:
                    raise SiteFolderError(f"over {MAX_FILES} files")
                content = archive.extractfile(entry)
                found.append((where.as_posix(), b"" if content is None else content.read()))
    except SiteFolderError:
        raise
    except (OSError, EOFError, ValueError, tarfile.TarError, ArithmeticError, MemoryError) as error:
        raise SiteFolderError(f"not a packed site: {error}") from error
    except Exception as error:  # zlib's own error has no public base
        raise SiteFolderError(f"not a packed site: {error!r}") from error
    return found


def digest(data: bytes) -> str:
    """What tells one packed site from another: 32 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()[:32]


async def publish(
    bus: Bus, code: str, data: bytes, who: str, *, note: str = "", back_to: int | None = None, after: int | None = None
) -> int:
    """Make `data` the newest version and return its number. `after`: the number that must be the newest
    until now. Raises Overtaken, PublishRefused, BusUnavailable."""
    head = {"digest": digest(data), "who": who, "at": time.time_ns() // 1000, "note": note, "back_to": back_to}
    body = json.dumps(head, ensure_ascii=False).encode() + b"\n" + data
    try:
        return await bus.append(subjects.site(code), body, secrets.token_hex(16), after=after)
    except PublishRefused as error:
        if _WRONG_LAST in str(error):
            raise Overtaken(
                "有人已发布更新的版本，请先查看差异 · somebody has published a newer version: look at it first"
            ) from None
        raise


async def numbers(bus: Bus, domain: str | None = None) -> Sequence[int]:
    """The numbers of the versions that are kept, oldest first. Raises BusUnavailable, NotPermitted."""
    state = (await bus.control(f"STREAM.INFO.{SITES}", None, domain=domain))["state"]
    return range(state["first_seq"], state["last_seq"] + 1) if state["messages"] else ()


async def code(bus: Bus) -> str:
    """The code of the mine whose versions these are. Raises BusUnavailable, NotPermitted."""
    config = (await bus.control(f"STREAM.INFO.{SITES}", None))["config"]
    return str(config["subjects"][0]).split(".")[1]


async def fetch(bus: Bus, number: int, domain: str | None = None) -> Version:
    """One version. Raises BusUnavailable (also: no such version), SiteFolderError, NotPermitted."""
    found = await bus.control(f"STREAM.MSG.GET.{SITES}", {"seq": number}, 15.0, domain=domain)
    head, _, data = base64.b64decode(found["message"]["data"]).partition(b"\n")
    try:
        facts = json.loads(head)
        version = Version(
            number=int(found["message"]["seq"]),
            digest=str(facts["digest"]),
            who=str(facts["who"])[:80],
            at=int(facts["at"]),
            note=str(facts["note"])[:500],
            back_to=None if facts["back_to"] is None else int(facts["back_to"]),
            data=data,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SiteFolderError(f"version {number} on the bus is not one: {error!r}") from None
    if digest(data) != version.digest:
        raise SiteFolderError(f"version {number} on the bus is damaged: its digest is another")
    return version
