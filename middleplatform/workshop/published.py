"""Whether what stands in the site's folder is what was published to the gateways."""

from __future__ import annotations

from middleplatform.database import Place
from middleplatform.governance.versions import newest_published
from middleplatform.workshop.tools import Facts
from models.site.model import Site


def published(where: Place, running: Site, digest: str | None) -> Facts:
    """`number`: of the newest version on the bus, None where none was ever published and the platform runs from files;
    `same`: whether the folder, whose digest is given (None: it has mistakes), holds what that has."""
    newest = newest_published(where, running.code)
    number, there = (None, running.version) if newest is None else (newest.number, newest.digest)
    return {"number": number, "same": digest == there}
