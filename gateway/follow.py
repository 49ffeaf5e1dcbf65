"""Follows the site's versions on the bus: takes the newest, checks it whole, applies the difference.

A version with mistakes is refused whole, and told of in the heartbeat; what runs goes on. Without the
bus the gateway runs from the version that it accepted last. What waits in the outbox is not touched.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog

from bus import sites, subjects
from bus.connection import Bus
from bus.errors import BusError, BusUnavailable
from bus.permissions import MINE
from bus.sites import SiteFolderError, Version
from bus.versions import Kept, Versions
from models.site import SiteErrors
from models.site.model import Site

log = structlog.get_logger(__name__)

LOOK_S = 2.0
MOST_WORDS = 1000
PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What is wrong with this machine's disk or memory now, and may be right in a moment."""

Load = Callable[[Path], Site]
"""Reads and checks a site's folder. Raises SiteErrors."""
Apply = Callable[[Site], Awaitable[object]]
"""Makes the gateway's devices what a site says."""


class Refused(ValueError):
    """This version is not for this gateway."""


class Follower:
    """Keeps the gateway `name` of the mine `code` on the newest version that can be used."""

    def __init__(self, code: str, name: str, versions: Versions, load: Load, apply: Apply) -> None:
        self._code = code
        self._name = name
        self._versions = versions
        self._load = load
        self._apply = apply
        self._running: Kept | None = None
        self._seen = 0
        self._refused: dict[str, Any] | None = None
        self._domain: str | None = None

    def state(self) -> dict[str, Any]:
        """For the heartbeat: which version runs, and which newer one was refused and why."""
        running = self._running
        return {
            "number": None if running is None else running.number,
            "digest": None if running is None else running.digest,
            "refused": self._refused,
        }

    async def start(self) -> None:
        """Begin with the version on disk, if there is one. It was checked when it was accepted; if it has
        mistakes now (a variable that is not set any more), it waits for a better one."""
        kept = self._versions.current()
        if kept is None:
            log.info("no_site_yet", hint="publish one: sevenones site publish FOLDER")
            return
        try:
            site = await self._checked(kept)
        except (SiteErrors, Refused) as error:
            self._refuse(kept.number, kept.digest, "", str(error))
            return
        try:
            await self._apply(site)
        except Exception as error:  # the next version may do better; a new start would not
            log.exception("site_apply_failed", number=kept.number)
            self._refuse(kept.number, kept.digest, "", f"it could not be applied: {error!r}")
            return
        self._running = kept

    async def run(self, bus: Bus) -> None:
        """Look for new versions, until cancelled."""
        while True:
            try:
                await self._look(bus)
            except (BusError, OSError) as error:
                log.debug("no_look_at_versions", error=str(error))
            await asyncio.sleep(LOOK_S)

    async def _look(self, bus: Bus) -> None:
        if not await bus.wait_connected(0):
            return
        numbers = await self._numbers(bus)
        if not numbers or numbers[-1] == self._seen:
            return
        try:
            version = await sites.fetch(bus, numbers[-1], self._domain)
        except SiteFolderError as error:
            self._refuse(numbers[-1], "", "", str(error))
        else:
            await self.take(version)
        self._seen = numbers[-1]

    async def _numbers(self, bus: Bus) -> list[int]:
        try:
            return list(await sites.numbers(bus, self._domain))
        except BusUnavailable as error:
            if "not found" not in str(error):
                raise
            # An edge's server keeps no versions: they are at the mine's.
            self._domain = subjects.domain_of(MINE, self._code) if self._domain is None else None
            raise

    async def take(self, version: Version) -> None:
        """Use a version, if it can be used."""
        if self._running is not None and self._running.digest == version.digest:
            self._running = Kept(version.number, version.digest, self._running.folder)
            self._refused = None
            return
        kept: Kept | None = None
        try:
            kept = await asyncio.to_thread(self._versions.take, version)
            site = await self._checked(kept)
        except (SiteErrors, Refused, SiteFolderError) as error:
            self._refuse(version.number, version.digest, version.who, str(error))
            if kept is not None:
                await asyncio.to_thread(self._versions.refuse, kept)
            return
        except OSError as error:
            self._refuse(version.number, version.digest, version.who, f"it cannot be kept on this disk: {error}")
            if error.errno in PASSING:
                raise  # not the version's fault: the next look takes it again
            return
        except Exception as error:  # our own fault, which a new start would only meet again
            log.exception("site_check_failed", number=version.number)
            self._refuse(version.number, version.digest, version.who, f"the check failed: {error!r}")
            return
        try:
            applied = await self._apply(site)
        except Exception as error:  # our own fault, which a new start would only meet again
            log.exception("site_apply_failed", number=version.number)
            self._refuse(version.number, version.digest, version.who, f"it could not be applied: {error!r}")
            await asyncio.to_thread(self._versions.refuse, kept)
            return
        await asyncio.to_thread(self._versions.accept, kept)
        self._running, self._refused = kept, None
        log.info("site_applied", number=version.number, who=version.who, changes=str(applied))

    async def _checked(self, kept: Kept) -> Site:
        site = await asyncio.to_thread(self._load, kept.folder)
        if site.code != self._code:
            raise Refused(f"this is a site of the mine {site.code}, not {self._code}")
        if self._name not in site.gateways():
            known = ", ".join(site.gateways()) or "none"
            raise Refused(f"the site has no connection for the gateway '{self._name}'; it has gateways: {known}")
        return site

    def _refuse(self, number: int, digest: str, who: str, reason: str) -> None:
        refused = {"number": number, "digest": digest, "who": who, "reason": reason[:MOST_WORDS]}
        if refused != self._refused:
            log.error("site_refused", number=number, who=who, reason=reason)
        self._refused = refused
