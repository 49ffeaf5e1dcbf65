"""Days of the test mine in the book of figures, with their evidence, and samples of one of them in the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from middleplatform.kpi import book
from middleplatform.kpi.evidence import Evidence, UnitSpans
from models.kpi.calendar import bounds
from models.kpi.day import Excluded
from models.kpi.findings import Finding, FindingsDay
from models.site.model import Name
from models.spans import NOTHING, Spans
from models.utilisation.judge import Judged
from models.utilisation.rules import standard
from models.utilisation.verdict import Verdict
from tests.middleplatform.api.build import batch, site
from tests.middleplatform.api.stage import Stage
from tests.middleplatform.kpi.made import ONE, energy_of, keep_mine, production_of
from tests.servers import CODE

HOUR = 3_600_000_000
MINUTE = HOUR // 60
FIRST = date(2026, 3, 1)
DAY = date(2026, 3, 2)
"""Of which there are samples: belt1 was worked by hand from six to ten."""
RULES = standard().versions[-1]
BY = book.Versions(RULES.version, "v1", "test", RULES.digest)


def _verdict(day: date, *hours: tuple[float, float], unknown: Sequence[tuple[float, float]] = ()) -> Verdict:
    start, end = bounds(site(), day)
    yes, blind = (
        Spans.of((start + round(a * HOUR), start + round(b * HOUR)) for a, b in own) for own in (hours, unknown)
    )
    return Verdict(yes, (yes | blind).gaps(start, end))


def _belt(day: date, name: str, words: Name, till: float) -> UnitSpans:
    """A belt that ran from 2 to 10, from the control room until `till`, and of which nobody knows from 20 to 20:30."""
    start, end = bounds(site(), day)
    moving, mode, begun = RULES.categories["belt"].clauses()
    ran = _verdict(day, (2, 10), unknown=[(20, 20.5)])
    held = ((mode, _verdict(day, (0, till))), (begun, _verdict(day, (0, 24))))
    return UnitSpans("belt", name, words, (name,), (), None, start, end, Judged(((moving, ran),), held, NOTHING))


def _header(day: date) -> UnitSpans:
    start, end = bounds(site(), day)
    cutting, mode = RULES.categories["roadheader"].clauses()
    judged = Judged(((cutting, _verdict(day, (8, 12))),), ((mode, _verdict(day, (8, 11))),), NOTHING)
    return UnitSpans(
        "roadheader", "header_1", Name("一号掘进机", "heading machine 1"), (), (), None, start, end, judged
    )


def keep_day(home: Path, day: date, later: int = 0, provisional: bool = False) -> None:
    """Keep a day of the test mine."""
    start, end = bounds(site(), day)
    out = Excluded(7, "geology", "belt", "belt1", start + 3 * HOUR, start + 4 * HOUR)
    till = 6 + (day.day % 3) * 0.25
    units = (
        _belt(day, "belt1", Name("一号带式输送机", "belt 1"), 6.0 if day == DAY else till),
        _belt(day, "pump1", Name("二号带式输送机", "belt 2"), till),
        _header(day),
    )
    made = Evidence(*(CODE, day, start, end, RULES.version, "v1", (("rest", start, end),), units, (out,), RULES.digest))
    at = end + HOUR + later
    document = made.mine_day().document()
    book.keep(home, CODE, book.UTILISATION, day, document, BY, made.pack(), at=at, provisional=provisional)


def keep_month(stage: Stage) -> None:
    """March 2026 of the test mine, of another beside it, and what was found on one day."""
    words = site().name
    book.keep_mine(stage.home, CODE, words, "Asia/Shanghai", 900, "low", at=1)
    keep_mine(stage.home, ONE, [FIRST + timedelta(days=n) for n in range(3)], share=0.7)
    for n in range(31):
        day = FIRST + timedelta(days=n)
        keep_day(stage.home, day)
        book.keep(stage.home, CODE, book.ENERGY, day, energy_of(CODE, day).document(), BY, at=bounds(site(), day)[1])
        book.keep(
            stage.home, CODE, book.PRODUCTION, day, production_of(CODE, day).document(), BY, at=bounds(site(), day)[1]
        )
    start, end = bounds(site(), DAY)
    found = Finding(
        *("frozen", Name("信号不变", "a signal stood still"), "belt", "belt1", "belt1", start, start + HOUR),
        *({"same_s": 3600.0}, (f"{CODE}/belt1/speed",)),
    )
    said = FindingsDay(CODE, DAY, start, end, "2026-1", "v1", {"frozen": 1}, (found,), {"belt1": ("belt1",)})
    book.keep(stage.home, CODE, "findings", DAY, said.document(), BY, at=end)


def send_samples(stage: Stage) -> None:
    """The speed of belt1, each minute around the morning of the day."""
    start, _ = bounds(site(), DAY)
    rows = [("belt1/speed", start + 2 * HOUR + n * MINUTE // 2, 3.0 if n < 960 else 0.0, 192) for n in range(1200)]
    stage.send(batch(stage.next_number(), *rows), live=False)
