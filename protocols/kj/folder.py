"""The watched folder: which files are ready, and where each goes afterwards.

Nothing here waits: `collect` looks once. What is not whole yet is left alone until it is, or until
its time is over. A file leaves the folder by one rename, so that a kill at any moment leaves it
where it was or where it goes. All of it blocks on the disk; symbolic links are never followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
import xxhash

from models.exchange import FileName, Records, Refused, Why, parse, profile
from models.words import halves
from protocols.adapter import LinkLost
from protocols.findings import FindingBook
from protocols.kj.definitions import KINDS, Definitions
from protocols.kj.settings import KjSettings

log = structlog.get_logger(__name__)

FILES_AT_ONCE = 20
BYTES_AT_ONCE = 8 << 20
"""Of one look: this bounds what is in memory, and how much comes again after a kill."""
MOST_ENTRIES = 20_000
"""Of the folder that are looked at in one go."""
REMEMBERED = 10_000
LONGEST_NAME = 255
"""Bytes of a file's name, on every disk of today."""
COUNTS = (
    "files_total",
    "partial_files_total",
    "stale_files_total",
    "duplicate_files_total",
    "refused_files_total",
    "unknown_type_files_total",
    "incomplete_files_total",
    "records_total",
    "bad_records_total",
)


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was read: deliver it, then `archive` it. `stale`: a newer one of its kind came before."""

    path: Path
    name: FileName
    records: Records
    digest: int
    stale: bool


@dataclass(slots=True)
class _Waiting:
    """A file that is not whole: what it looked like, since when, and why it cannot be taken yet."""

    shape: tuple[int, int]
    since: float
    words: str


class _NotYetError(Exception):
    """The file may be right later; the message says what it lacks."""


class _AgainstRuleError(Exception):
    """The file breaks a rule and goes to the error folder; the message says which."""


_WORDS = {
    Why.ENCODING: "编码错误",
    Why.HEADER: "文件头错误",
    Why.MALFORMED: "格式错误",
    Why.TOO_MANY_BAD: "错误记录过多",
}


class Folder:
    """The folder of one connection. `now` gives the wall time in seconds."""

    def __init__(
        self,
        settings: KjSettings,
        definitions: Definitions,
        counts: dict[str, int],
        book: FindingBook,
        now: Callable[[], float],
    ) -> None:
        self.path = Path(settings.folder)
        self.archive = settings.archive_folder()
        self.error = settings.error_folder()
        self.definitions = definitions
        self._settings = settings
        self._profile = profile(settings.profile)
        self._zone = ZoneInfo(settings.time_zone)
        self._counts = counts
        self._book = book
        self._now = now
        self._waiting: dict[str, _Waiting] = {}
        self._latest: dict[str, int] = {}
        self._recent: OrderedDict[tuple[str, int], None] = OrderedDict()

    def open(self) -> None:
        """See that all folders can be used, and read the definitions of before. Raises LinkLost."""
        try:
            if not self.path.is_dir():
                raise LinkLost(
                    f"没有目录 {self.path}，共享挂载了吗，名称对吗？ · "
                    f"there is no folder {self.path}: is the share mounted, and is the name right?"
                )
            for folder in (self.archive, self.error, self.archive / "definitions"):
                folder.mkdir(parents=True, exist_ok=True)
                if folder.stat().st_dev != self.path.stat().st_dev:
                    raise LinkLost(
                        f"{folder} 与 {self.path} 不在同一磁盘，文件靠改名移动 · "
                        f"{folder} is on another disk than {self.path}: files are moved there by a rename"
                    )
            for folder in (self.path, self.archive, self.error):
                if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                    raise LinkLost(
                        f"此用户无权读写 {folder}，文件需从中移出 · "
                        f"{folder} may not be read and written by this user: files are moved out of it"
                    )
            self._remembered_definitions()
        except OSError as error:
            raise LinkLost(
                f"目录 {self.path} 无法使用：{error} · the folder {self.path} cannot be used: {error}"
            ) from None

    def _remembered_definitions(self) -> None:
        """Of each kind the newest file that can be read: over the years there come to be thousands of them."""
        found: list[tuple[str, str, str]] = []
        with os.scandir(self.archive / "definitions") as listed:
            for entry in listed:
                name = self._profile.read_name(entry.name)
                if name is not None and name.kind in KINDS:
                    found.append((name.stamp, name.kind, entry.path))
        known: set[str] = set()
        for _, kind, path in sorted(found, reverse=True):
            if kind not in known:
                with contextlib.suppress(OSError, Refused):
                    self.definitions.take(self._parse(Path(path), kind)[0])
                    known.add(kind)

    def _parse(self, path: Path, kind: str) -> tuple[Records, int]:
        data = self._read(path)
        found = parse(data, self._profile, kind, self._zone, self._settings.encoding)
        return found, xxhash.xxh3_64_intdigest(data)

    def _read(self, path: Path) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "not a file")
            return file.read(self._settings.max_bytes + 1)

    # ---- looking

    def probe(self) -> None:
        """See that the folder answers. Raises LinkLost when it is gone."""
        try:
            with os.scandir(self.path) as listed:
                next(listed, None)
        except OSError as error:
            raise LinkLost(
                f"目录 {self.path} 已无法读取：{error} · the folder {self.path} cannot be read any more: {error}"
            ) from None

    def collect(self) -> list[Taken]:
        """The files that are ready, in the order of their names' times, the definitions first. Those that
        break a rule are moved away. Raises LinkLost when the folder is gone."""
        try:
            entries = self._entries()
        except OSError as error:
            raise LinkLost(
                f"目录 {self.path} 已无法读取：{error} · the folder {self.path} cannot be read any more: {error}"
            ) from None
        for gone in self._waiting.keys() - {entry.name for entry, _ in entries}:
            del self._waiting[gone]
        found: list[Taken] = []
        size = 0
        for entry, name in entries:
            if len(found) >= FILES_AT_ONCE or size >= BYTES_AT_ONCE:
                break
            with contextlib.suppress(FileNotFoundError):  # somebody else took it
                info = entry.stat(follow_symlinks=False)
                taken = self._look(Path(entry.path), name, info)
                if taken is not None:
                    found.append(taken)
                    size += info.st_size
        return found

    def _entries(self) -> list[tuple[os.DirEntry[str], FileName | None]]:
        with os.scandir(self.path) as listed:
            some = [entry for entry, _ in zip(listed, range(MOST_ENTRIES), strict=False)]
        # A name that begins with a dot, or does not end in .txt, is its writer's business until it is renamed.
        files = [e for e in some if e.name.endswith(".txt") and not e.name.startswith(".")]
        named = [(e, self._profile.read_name(e.name)) for e in files if not e.is_dir(follow_symlinks=False)]

        def order(pair: tuple[os.DirEntry[str], FileName | None]) -> tuple[str, bool, str]:
            entry, name = pair
            return (name.stamp, name.kind not in KINDS, entry.name) if name else ("", False, entry.name)

        return sorted(named, key=order)

    def _look(self, path: Path, name: FileName | None, info: os.stat_result) -> Taken | None:
        try:
            named = self._judge_outside(path, name, info)
            if named.kind in self._profile.layouts:
                return self._judge_inside(path, named)
            self._counts["unknown_type_files_total"] += 1
            self._book.note("unknown type", named.kind, f"files of this type are not read: {path.name}")
            self._move(path, self.archive / named.stamp[:8])
        except _NotYetError as not_yet:
            self._wait(path, info, str(not_yet))
        except _AgainstRuleError as wrong:
            self._refuse(path, str(wrong))
        return None

    def _judge_outside(self, path: Path, name: FileName | None, info: os.stat_result) -> FileName:
        """What can be said without opening the file."""
        if stat.S_ISLNK(info.st_mode):
            raise _AgainstRuleError("链接文件 · a symbolic link, which is never followed")
        if not stat.S_ISREG(info.st_mode):
            raise _AgainstRuleError("不是普通文件 · not a plain file")
        if name is None:
            raise _NotYetError("文件名不符合规则 · the name is not of the form <mine>_<TYPE>_<yyyyMMddHHmmss>.txt")
        if name.mine != self._settings.mine:
            raise _AgainstRuleError(f"其他煤矿的文件 · a file of the mine {name.mine}; here is {self._settings.mine}")
        if info.st_size > self._settings.max_bytes:
            raise _AgainstRuleError(f"文件过大 · {info.st_size:,} bytes, over {self._settings.max_bytes:,}")
        known = self._waiting.get(path.name)
        if known is not None and known.shape == (info.st_size, info.st_mtime_ns):
            raise _NotYetError(known.words)
        return name

    def _judge_inside(self, path: Path, name: FileName) -> Taken | None:
        try:
            records, digest = self._parse(path, name.kind)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _NotYetError(f"无法读取 · it cannot be read: {error.strerror}") from None
        except Refused as refused:
            if refused.why is Why.INCOMPLETE:
                raise _NotYetError(f"文件不完整 · {refused}") from None
            raise _AgainstRuleError(f"{_WORDS[refused.why]} · {refused}") from None
        self._waiting.pop(path.name, None)
        if records.mine != name.mine:
            raise _AgainstRuleError(
                f"文件头是其他煤矿 · the header is of the mine {records.mine}, the name of {name.mine}"
            )
        ahead = records.sent / 1e6 - self._now()
        if ahead > self._settings.future_s:
            raise _AgainstRuleError(f"时间在未来 · the header's time is {ahead:.0f} s ahead of our clock")
        if (path.name, digest) in self._recent or self._archived(path, name):
            self._counts["duplicate_files_total"] += 1
            self._put_away(path, name)
            return None
        stale = records.sent < self._latest.get(name.kind, 0)
        self._latest[name.kind] = max(records.sent, self._latest.get(name.kind, 0))
        self._count(records, stale)
        self.definitions.take(records)
        if records.problems:
            log.warning("kj_problems", file=path.name, count=records.problem_count, first=str(records.problems[0]))
            first = "; ".join(map(str, records.problems[:3]))
            words = f"{records.problem_count} 处问题：{first} · {records.problem_count} problems; {first}"
            self._book.note("problems in a file", path.name, words)
        return Taken(path, name, records, digest, stale)

    def _count(self, records: Records, stale: bool) -> None:
        self._counts["files_total"] += 1
        self._counts["records_total"] += records.total
        self._counts["bad_records_total"] += records.bad
        self._counts["partial_files_total"] += bool(records.bad)
        self._counts["stale_files_total"] += stale

    # ---- moving

    def done(self, taken: Taken) -> None:
        """The bus has it: into the archive. Raises LinkLost when it cannot be moved."""
        self._recent[taken.path.name, taken.digest] = None
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        self._put_away(taken.path, taken.name)

    def _put_away(self, path: Path, name: FileName) -> None:
        if name.kind in KINDS:
            self._move(path, self.archive / "definitions")
        else:
            self._move(path, self.archive / name.stamp[:8])

    def _archived(self, path: Path, name: FileName) -> bool:
        """Whether the very same file was archived before, by this process or the one before it."""
        folder = self.archive / ("definitions" if name.kind in KINDS else name.stamp[:8])
        try:
            return (folder / path.name).lstat().st_size == path.lstat().st_size and (
                self._read(folder / path.name) == self._read(path)
            )
        except OSError:
            return False

    def _wait(self, path: Path, info: os.stat_result, words: str) -> None:
        """Leave the file alone for now; refuse it when it has not changed for too long."""
        shape = (info.st_size, info.st_mtime_ns)
        known = self._waiting.get(path.name)
        if known is None or known.shape != shape:
            self._waiting[path.name] = _Waiting(shape, self._now(), words)
        elif self._now() - known.since >= self._settings.incomplete_s:
            said, s = halves(words), self._settings.incomplete_s
            self._refuse(path, f"{said.zh}（{s:g} 秒） · {said.en} ({s:g} s)")
            self._counts["incomplete_files_total"] += 1

    def _refuse(self, path: Path, words: str) -> None:
        self._waiting.pop(path.name, None)
        log.warning("kj_refused", file=shown(path.name), reason=words)
        self._book.note("refused file", shown(path.name), words)
        moved = self._move(path, self.error)
        with contextlib.suppress(OSError):
            _write_anew(moved.with_name(moved.name + ".reason"), words + "\n")
        # Counted once it is where it is told to be, so that who waits for the count finds it there.
        self._counts["refused_files_total"] += 1

    def _move(self, path: Path, folder: Path) -> Path:
        """Rename into the folder; what is there under that name and is not the same keeps it."""
        try:
            # No parents: where a share is not mounted any more, nothing may be made in its place.
            folder.mkdir(exist_ok=True)
            target = next(place for place in _places(folder, path.name) if self._free(path, place))
            path.replace(target)
        except FileNotFoundError:
            return folder / path.name
        except OSError as error:
            raise LinkLost(
                f"{shown(str(path))} 无法移到 {folder}：{error.strerror}，否则会再次读到 · "
                f"{shown(str(path))} cannot be moved to {folder}: {error.strerror}; it would come again"
            ) from None
        return target

    def _free(self, path: Path, place: Path) -> bool:
        try:
            there = place.lstat()
        except FileNotFoundError:
            return True
        if not stat.S_ISREG(there.st_mode) or path.is_symlink():
            return False
        try:
            return there.st_size == path.lstat().st_size and self._read(place) == self._read(path)
        except PermissionError:
            return False


def shown(name: str) -> str:
    """A file's name for logs and pages. One that is no UTF-8 was written as GBK, by a Windows system."""
    data = os.fsencode(name)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def _write_anew(path: Path, words: str) -> None:
    """A new file in the place of whatever is there: a link under that name is not followed, a pipe not waited for."""
    path.unlink(missing_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(words)


def _places(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    stem, dot, suffix = name.rpartition(".")
    number = 1
    while True:
        # With a number behind it, and `.reason` behind that, it must still be a name that a disk takes.
        short = os.fsdecode(os.fsencode(stem)[: LONGEST_NAME - 40])
        yield folder / f"{short}_{number}{dot}{suffix}"
        number += 1
