"""What people give for manual entries, and what is answered about them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from middleplatform.api.routes import Asked
from middleplatform.governance.manual import MAX_SAMPLES
from models.events import MAX_ATTRIBUTES

Time = Annotated[str, Field(min_length=1, max_length=60)]


def _visible(text: str) -> str:
    """PostgreSQL keeps no NUL, and nobody reads what cannot be seen."""
    for place, sign in enumerate(text, start=1):
        if sign != "\n" and not sign.isprintable():
            facts = {"place": place, "sign": f"U+{ord(sign):04X}"}
            raise PydanticCustomError(
                "invisible", "character {place} ({sign}) cannot be seen: delete it, or type the text anew", facts
            )
    return text


Plain = AfterValidator(_visible)
Reason = Annotated[str, Field(min_length=3, max_length=500, pattern=r"\S"), Plain]


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
"""What every reader of JSON takes: neither NaN nor a whole number of any length."""
Attribute = (
    Annotated[str, Field(max_length=MAX_ATTRIBUTES), Plain] | Annotated[bool, Field(strict=True)] | Whole | Number
)
Named = Annotated[str, Field(min_length=1, max_length=200), Plain]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SampleGiven(Strict):
    """`value` null: there is no true value, and the quality (bad by default) says why. `text` is for text points."""

    time: Time
    value: Number | None = None
    quality: int | None = Field(None, ge=0, le=255)
    text: Annotated[str, Field(max_length=2_000), Plain] | None = None


class ValuesGiven(Strict):
    point: str = Field(min_length=1, max_length=140)
    samples: list[SampleGiven] = Field(min_length=1, max_length=MAX_SAMPLES)
    reason: Reason


class Corrected(Strict):
    """The event that is corrected: its id, and the start that it has now."""

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    start: Time


class EventGiven(Strict):
    equipment: str = Field(min_length=1, max_length=100)
    kind: str = Field(pattern=r"^[a-z0-9_.-]{1,60}$")
    start: Time
    end: Time | None = None
    attributes: dict[Named, Attribute | None] = Field({}, max_length=50)
    reason: Reason
    corrects: Corrected | None = None


class Decision(Strict):
    reason: Annotated[str, Field(max_length=500), Plain] = ""


class EntryFacts(BaseModel):
    """`state`: waiting, approved, rejected, withdrawn; `published`: when an approved one was on the bus."""

    id: int
    kind: str
    subject: str
    start: int
    end: int | None
    body: dict[str, Any] | None
    was: dict[str, Any] | None
    reason: str
    who: str
    at: int
    time: str
    state: str
    decided_by: str | None
    decided_at: int | None
    decision: str | None
    number: str | None
    published: int | None


class EntryDetail(EntryFacts):
    """`samples`: of an entry of values; `was_*` is what the store had before it, of one that waits what it has now, all
    null where nothing was there. `was_known`: whether that is known."""

    samples: list[dict[str, Any]]
    was_known: bool


class ListedEntry(EntryFacts):
    """`first`: of an entry of values its first sample (ts, value, quality, text), of `count`; null of an event."""

    first: dict[str, Any] | None
    count: int


class EntryList(BaseModel):
    entries: list[ListedEntry]


class VersionsOf(BaseModel):
    """By time; of one time the oldest first. `was_*` of the first is what the device had said."""

    point: str
    versions: list[dict[str, Any]]
    truncated: bool


class EntriesQuery(Asked):
    state: Literal["", "waiting", "approved", "rejected", "withdrawn"] = ""
    point: str = Field("", max_length=140)
    limit: int = Field(100, ge=1, le=1_000)
    before: int | None = Field(None, ge=1, le=2**31 - 1)


class VersionsQuery(Asked):
    point: str = Field(min_length=1, max_length=140)
    start: str = Field("-1d", max_length=60)
    end: str = Field("now", max_length=60)
    limit: int = Field(1_000, ge=1, le=10_000)
