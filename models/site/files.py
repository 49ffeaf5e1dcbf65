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
                self.problems.note(
                    self.name(path),
                    "",
                    f"不会被读取：此处只读 {'、'.join(suffixes)} · is not read: only {', '.join(suffixes)} here",
                )
        if len(found) > MAX_FILES:
            message = (
                f"有 {len(found)} 个文件，最多读取 {MAX_FILES} 个 · "
                f"has {len(found)} files, at most {MAX_FILES} are read"
            )
            self.problems.add(folder, "", message)
        return found[:MAX_FILES]

    def read(self, path: Path, limit: int = MAX_FILE) -> bytes | None:
        """The bytes of a file, or None with the reason added."""
        name = self.name(path)
        try:
            if path.is_symlink() and not path.resolve().is_relative_to(self.root):
                message = (
                    "是指向矿井配置目录之外的链接：请把文件本身放在此处 · "
                    "is a link that leads out of the site's folder: put the file itself here"
                )
                self.problems.add(name, "", message)
                return None
            facts = path.stat()
            if not stat.S_ISREG(facts.st_mode):
                self.problems.add(name, "", "不是普通文件 · is not a plain file")
                return None
            if facts.st_size > limit:
                size, most = f"{facts.st_size / 1e6:.1f} MB", f"{limit / 1e6:.1f} MB"
                message = f"有 {size}，最多读取 {most}：请拆分 · has {size}, at most {most} are read: split it"
                self.problems.add(name, "", message)
                return None
            data = path.read_bytes()
        except FileNotFoundError:
            self.problems.add(name, "", "文件不存在 · is missing")
            return None
        except OSError as error:
            why = error.strerror or error
            self.problems.add(name, "", f"无法读取：{why} · cannot be read: {why}")
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
            self.problems.add(self.name(path), line, "不是 UTF-8：请另存为 UTF-8 · is not UTF-8: save it as UTF-8")
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
