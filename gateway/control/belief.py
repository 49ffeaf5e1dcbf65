"""Whom this gateway believes: the command authority of its home, and the credentials that were withdrawn.

What it has believed is on its own disk too. So neither taking the home's files away nor putting older ones in their
place makes it believe more than before.
"""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from pathlib import Path

import structlog

from bus import authority
from bus.authority import AuthorityError
from bus.secret import set_aside, write_secret
from models.control.canonical import to_bytes, to_text
from models.control.credential import KEY_BYTES, Authority, Withdrawn

log = structlog.get_logger(__name__)

GONE = (
    "本网关曾有操作授权机构，现在没有：拒绝一切命令，请重新安装 · this gateway had a command authority and has none "
    "now: it takes no command, signed or not; run 'sevenones control install'"
)
OLDER = (
    "吊销名单是旧的，按较新的执行，请重新安装 · withdrawn.json is older than one that was here, which counts: run "
    "'sevenones control install'"
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was believed last."""

    authority: Authority
    withdrawn: Withdrawn


class Belief:
    """Reads the home's two files whenever they have changed. `file`: what was believed, on this gateway's own disk;
    None: it is not kept."""

    def __init__(self, home: Path, file: Path | None) -> None:
        self._home = home
        self._file = file
        self._stamp: tuple[int, ...] | None = None
        self._authority: Authority | None = None
        self._required = False
        self._kept: _Kept | None = None
        self._saving = threading.Lock()
        self.withdrawn: frozenset[str] = frozenset()
        self.trouble = ""
        """What is wrong with the files."""
        self._read()
        if self._required and not authority.made(home):
            log.error("authority_gone", home=str(home))

    @property
    def required(self) -> bool:
        """Whether commands must be signed: since an authority is there, or was at any time before. It does not end by
        taking its file away."""
        if not self._required:
            self._required = authority.made(self._home)
        return self._required

    def current(self) -> Authority:
        """The authority, `withdrawn` being its list now. Raises ValueError when nobody can be believed."""
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._take(authority.load(self._home), authority.withdrawn_list(self._home))
            except AuthorityError as error:
                # Without the list of withdrawn ones nobody can say who may still command: nobody may.
                gone = self.required and not authority.made(self._home)
                self._authority, self.trouble = None, GONE if gone else str(error)
        if self._authority is None:
            raise ValueError(self.trouble)
        return self._authority

    # ---- inside

    def _take(self, found: Authority, listed: Withdrawn) -> None:
        kept = self._kept
        if kept is None or kept.authority != found:
            self._kept, self.trouble = _Kept(found, listed), ""
        else:
            # Nobody is given back what was withdrawn, whichever of the two lists is the older.
            older = listed.number < kept.withdrawn.number
            number = max(listed.number, kept.withdrawn.number)
            self._kept = _Kept(found, Withdrawn(number, listed.serials | kept.withdrawn.serials))
            self.trouble = OLDER if older else ""
            if older:
                log.error("withdrawn_list_older", number=listed.number, known=kept.withdrawn.number)
        self._authority, self.withdrawn = found, self._kept.withdrawn.serials
        if self._kept != kept:
            self._save()

    def _save(self) -> None:
        if self._file is None:
            return
        try:
            asyncio.get_running_loop().run_in_executor(None, self._write, self._file)
        except RuntimeError:
            self._write(self._file)

    def _write(self, path: Path) -> None:
        with self._saving:
            kept = self._kept
            if kept is None:
                return
            content = {
                "site": kept.authority.site,
                "key": to_text(kept.authority.key),
                "number": kept.withdrawn.number,
                "serials": sorted(kept.withdrawn.serials),
            }
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_secret(path, json.dumps(content))
            except OSError as error:
                log.error("belief_not_kept", file=str(path), error=str(error))

    def _read(self) -> None:
        if self._file is None:
            return
        try:
            found = json.loads(self._file.read_text())
            known = Authority(str(found["site"]), to_bytes(found["key"], KEY_BYTES))
            withdrawn = Withdrawn(int(found["number"]), frozenset(map(str, found["serials"])))
            self._kept, self._required = _Kept(known, withdrawn), True
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            # That it is there says that there was an authority.
            self._required = True
            log.error("belief_unreadable", file=str(self._file), error=str(error))
            try:
                set_aside(self._file)
                # So that this is not forgotten with it.
                self._file.touch(mode=0o600)
            except OSError as failure:
                log.error("belief_not_set_aside", file=str(self._file), error=str(failure))

    def _stamped(self) -> tuple[int, ...]:
        found = []
        for name in ("authority.json", "withdrawn.json"):
            try:
                stat = (authority.folder(self._home) / name).stat()
                found += [stat.st_mtime_ns, stat.st_ino]
            except OSError:
                found.append(0)
        return tuple(found)
