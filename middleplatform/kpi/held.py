"""The site that holds, by which figures are made: the published version, not what somebody has just written into the
site's folder. A second pair of eyes sees a version before it is published; of the folder nobody needs to know."""

from __future__ import annotations

import structlog

from middleplatform.database import Place
from middleplatform.governance.versions import SiteVersion, newest_published
from middleplatform.kpi import sites
from middleplatform.store.catalogue import SiteFolder
from models.site.model import Site

log = structlog.get_logger("figures")


class Held:
    """`site`: that figures are made by; `outdated`: why it is not the one that holds, empty where it is."""

    def __init__(self, where: Place, folder: SiteFolder, loaded: Site) -> None:
        """`loaded`: what stood in the folder as this process started: what holds where nothing is published."""
        self.site = loaded
        self.outdated = ""
        self._where, self._folder, self._offered = where, folder, loaded
        self._mistakes = ""
        self._begun = False
        self._told: str | None = None

    def look(self) -> None:
        """Find what holds now. Raises DatabaseError, SQLAlchemyError: then nothing is known of it, and `site` stays."""
        self._read()
        version = newest_published(self._where, self.site.code)
        if version is None:
            self.outdated = ""
            self._tell("" if self._offered.version == self.site.version else self._offered.version)
        elif self._found(version):
            self.outdated = ""
            self._tell("" if self._offered.version == version.digest else self._offered.version)
        else:
            self._missing(version)
        self._begun = True

    def _read(self) -> None:
        try:
            catalogue = self._folder.read()
        except Exception as error:  # whatever is wrong with the files
            self._mistakes = str(error)[:500]
            log.error("配置目录有误 · the site's folder has mistakes", error=str(error)[:2000])
            return
        if catalogue is not None:
            self._mistakes = ""
            self._offered = catalogue.site

    def _found(self, version: SiteVersion) -> bool:
        """Take over the published version, from the folder or from among those that figures were made by before."""
        if self.site.version == version.digest:
            return True
        there = self._offered.version == version.digest
        site = self._offered if there else sites.kept(self._where, self.site.code, version.digest)
        if site is not None:
            self.site = site
        return site is not None

    def _missing(self, version: SiteVersion) -> None:
        """The published version is nowhere here: go on by the last that figures were made by, never by what the folder
        has beside it."""
        if not self._begun:
            self.site = sites.kept(self._where, self.site.code) or self.site
        why = self._mistakes or (
            f"已发布的版本 {version.number} 不在配置目录中：请把它取到该目录（sevenones site follow）· "
            f"version {version.number} is published and is not in the site's folder: bring it there (sevenones site "
            "follow)"
        )
        if why != self.outdated:
            log.error("沿用旧配置 · the last good site stays", why=why)
        self.outdated = why

    def _tell(self, other: str) -> None:
        """Say once that the folder has another site than the one that holds."""
        if other and other != self._told:
            log.warning(
                "改动未发布，指标不采用 · what the site's folder has is not published: no figure takes it",
                folder=other[:12],
                holds=self.site.version[:12],
            )
        self._told = other
