"""The scheduled reports, round after round of a process that lives on: what was made and what could not be is logged,
each once."""

from __future__ import annotations

from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from middleplatform.database import DatabaseError, Place
from middleplatform.reports import schedule
from models.site.model import Site
from models.site.problems import SiteErrors

log = structlog.get_logger("reports")


class ReportRounds:
    """Never raises: a report that cannot be made must not keep figures from being made."""

    def __init__(self, where: Place, home: Path, folder: Path | None = None) -> None:
        """`folder`: of the site, by default the one in the home."""
        self._where, self._home, self._folder = where, home, folder
        self._told: set[str] = set()

    def round(self, site: Site, now: int) -> list[schedule.Outcome]:
        """Make what is due, by the names of this site's shifts. `now`: µs UTC."""
        names = {site.code: {str(at): shift.name for at, shift in enumerate(site.shifts, start=1)}}
        try:
            found = schedule.run(self._where, self._home, now, names, self._folder)
        except (SiteErrors, OSError) as wrong:
            self._once(
                f"reports.yaml: {wrong}"[:2000], "报表计划有误，不编制报表 · the schedule of reports has mistakes"
            )
            return []
        except (DatabaseError, SQLAlchemyError) as wrong:
            self._once(f"{type(wrong).__name__}: {wrong}"[:300], "暂不编制报表 · no reports for now, tried again soon")
            return []
        except Exception as wrong:  # whatever it is, figures go on being made
            self._once(f"{type(wrong).__name__}: {wrong}"[:300], "编制报表出错 · a mistake in making reports")
            return []
        for each in found:
            what = f"{each.due.entry.name} {each.due.period}"
            if each.code:
                log.info(
                    "报表已编制 · report made", report=what, code=each.code, files=[str(path) for path in each.files]
                )
            else:
                self._once(f"{what}: {each.why}", "报表未能编制，稍后重试 · a report cannot be made yet")
        return found

    def _once(self, why: str, words: str) -> None:
        if why not in self._told:
            self._told.add(why)
            log.warning(words, why=why)
