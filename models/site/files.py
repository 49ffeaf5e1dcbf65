"""The files of a site, read within bounds: plain files inside the folder, of a sane size and number."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from models.site.problems import Problems

MAX_FILE = 64 * 1024 * 1024
MAX_YAML = 8 * 1024 * 1024
MAX_FILES = 2000


class Folder:
    """A folder and the digest of what was read from it."""

    def __init__(self, root: Path, problems: Problems) -> None:
        self.root = root.resolve()
        self.problems = problems
        self._read: dict[str, str] = {}

    def name(self, path: Path) -> str:
        """The path as problems name it: relative to the site."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return f"{path.parent.name}/{path.name}"

    def list(self, folder: str, suffixes: tuple[str, ...]) -> list[Path]:
        """The files of a sub-folder with one of the suffixes, sorted; others are noted."""
        below = self.root / folder
        if not below.is_dir():
            return []
        found: list[Path] = []
        for path in sorted(below.iterdir()):
            if path.name.startswith((".", "~$")):
                continue
            if path.suffix.lower() in suffixes:
                found.append(path)
            elif path.suffix.lower() != ".md":
                self.problems.note(self.name(path), "", f"is not read: only {', '.join(suffixes)} here")
        if len(found) > MAX_FILES:
            self.problems.add(folder, "", f"has {len(found)} files, at most {MAX_FILES} are read")
        return found[:MAX_FILES]

    def read(self, path: Path, limit: int = MAX_FILE) -> bytes | None:
        """The bytes of a file, or None with the reason added."""
        name = self.name(path)
        try:
            if path.is_symlink() and not path.resolve().is_relative_to(self.root):
                self.problems.add(name, "", "is a link that leads out of the site's folder: put the file itself here")
                return None
            facts = path.stat()
            if not stat.S_ISREG(facts.st_mode):
                self.problems.add(name, "", "is not a plain file")
                return None
            if facts.st_size > limit:
                self.problems.add(
                    name, "", f"has {facts.st_size / 1e6:.1f} MB, at most {limit / 1e6:.1f} MB are read: split it"
                )
                return None
            data = path.read_bytes()
        except FileNotFoundError:
            self.problems.add(name, "", "is missing")
            return None
        except OSError as error:
            self.problems.add(name, "", f"cannot be read: {error.strerror or error}")
            return None
        self._read[name] = hashlib.sha256(data).hexdigest()
        return data

    def read_text(self, path: Path, limit: int = MAX_YAML) -> str | None:
        """A UTF-8 file's text, a byte-order mark taken off."""
        data = self.read(path, limit)
        if data is None:
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            self.problems.add(self.name(path), line, "is not UTF-8: save it as UTF-8")
            return None

    def digest(self, path: Path) -> str:
        """The SHA-256 of a file that was read, in hexadecimal; "" for one that was not."""
        return self._read.get(self.name(path), "")

    def version(self) -> str:
        """A digest of all files read and their names: 32 hexadecimal digits."""
        whole = hashlib.sha256()
        for name, digest in sorted(self._read.items()):
            whole.update(f"{name}\0{digest}\n".encode())
        return whole.hexdigest()[:32]
