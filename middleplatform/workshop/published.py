"""Whether what stands in the site's folder is what was published to the gateways."""

from __future__ import annotations

from middleplatform.database import Place
from middleplatform.governance.versions import versions
from middleplatform.workshop.tools import Facts
from models.site.model import Site

MOST = 50
"""Versions that are looked through: files that were never published are kept as versions too."""


def published(where: Place, running: Site, digest: str | None) -> Facts:
    """`number`: of the newest version on the bus, None where none was ever published and the platform runs from files;
    `same`: whether the folder, whose digest is given (None: it has mistakes), holds what that has."""
    newest = next((one for one in versions(where, running.code, MOST) if one.number is not None), None)
    number, there = (None, running.version) if newest is None else (newest.number, newest.digest)
    return {"number": number, "same": digest == there}
