"""The site's version that a process runs, whole on its own disk.

A version is written beside the present one and gets its name only when all of it is on the disk; the
file `current` names the one that holds and is itself replaced at once. Whenever the process is
killed, the next start finds one whole version: the last that was accepted.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import structlog

from bus.secret import write_secret
from bus.sites import SiteFolderError, Version, unpack

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A version on disk."""

    number: int
    digest: str
    folder: Path


class Versions:
    """The versions in one folder, where the link `live` leads to the accepted one. One process at a time works
    on it. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._current = folder / "current"
        for left in folder.glob("*.partial"):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)

    def current(self) -> Kept | None:
        """The accepted version; None before the first."""
        try:
            found = json.loads(self._current.read_text())
            kept = Kept(int(found["number"]), str(found["digest"]), self._folder / str(found["digest"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            log.error("current_version_unreadable", file=str(self._current), error=str(error))
            return None
        return kept if kept.folder.is_dir() else None

    def take(self, version: Version) -> Kept:
        """Bring a version to disk, not yet accepted. Raises SiteFolderError."""
        if not version.digest.isalnum():
            raise SiteFolderError("a digest is of letters and digits")
        kept = Kept(version.number, version.digest, self._folder / version.digest)
        if kept.folder.is_dir():
            return kept
        partial = self._folder / f"{version.digest}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        unpack(version.data, partial)
        for path in (*partial.rglob("*"), partial):
            _to_disk(path)
        partial.rename(kept.folder)
        _to_disk(self._folder)
        return kept

    def accept(self, kept: Kept) -> None:
        """From now on this is the version to start from; others are taken away."""
        # For whoever wants a folder by a name that stays.
        link = self._folder / "live.partial"
        link.unlink(missing_ok=True)
        link.symlink_to(kept.digest)
        link.replace(self._folder / "live")
        write_secret(self._current, json.dumps({"number": kept.number, "digest": kept.digest}))
        _to_disk(self._folder)
        for other in self._folder.iterdir():
            if other.is_dir() and not other.is_symlink() and other != kept.folder:
                shutil.rmtree(other, ignore_errors=True)

    def refuse(self, kept: Kept) -> None:
        """Take a version away that is not to be used; the accepted one stays, whatever is said of it now."""
        if kept.folder != getattr(self.current(), "folder", None):
            shutil.rmtree(kept.folder, ignore_errors=True)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
