"""Whether a figure that was published follows from what it was made of, to the last digit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import pyarrow as pa

from middleplatform.database import Place
from middleplatform.kpi import book
from middleplatform.kpi.book import Kept
from middleplatform.kpi.evidence import OtherRules, unpack
from models.kpi.day import digest


class Outcome(StrEnum):
    """`DAMAGED`: the document or its evidence is not what was written; `NO_RULES`: its version of the rules is not
    known to this program; `OTHER_RULES`: that version says something else now than when the figure was made."""

    SAME = "same"
    OTHER = "other"
    DAMAGED = "damaged"
    NO_EVIDENCE = "no_evidence"
    NO_RULES = "no_rules"
    OTHER_RULES = "other_rules"


@dataclass(frozen=True, slots=True)
class Verified:
    """`again`: the digest that came out this time, "" where none did."""

    kept: Kept
    outcome: Outcome
    again: str = ""


def verify(where: Place, mine: str, day: date, number: int | None = None) -> Verified | None:
    """Reckon a revision (by default the newest) of a day's utilisation again; None where it is not kept."""
    kept = (
        book.read(where, mine, book.UTILISATION, day, day).get(day)
        if number is None
        else book.revision(where, mine, book.UTILISATION, day, number)
    )
    if kept is None:
        return None
    if digest(kept.document) != kept.digest:
        return Verified(kept, Outcome.DAMAGED, digest(kept.document))
    packed = book.evidence(where, mine, book.UTILISATION, day, kept.revision)
    if packed is None:
        return Verified(kept, Outcome.NO_EVIDENCE)
    try:
        again = digest(unpack(packed).mine_day().document())
    except LookupError as wrong:
        return Verified(kept, Outcome.OTHER_RULES if isinstance(wrong, OtherRules) else Outcome.NO_RULES)
    except (pa.ArrowException, OSError, ValueError, TypeError):
        return Verified(kept, Outcome.DAMAGED)
    return Verified(kept, Outcome.SAME if again == kept.digest else Outcome.OTHER, again)
