"""Why an order was carried out or not: each check by name, whether it passed, and in what words."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from models.site.model import Name


class Check(StrEnum):
    """What an order is held against, in this order."""

    SIGNATURE = "signature"
    CREDENTIAL = "credential"
    """Valid now, and not withdrawn."""
    ORDER = "order"
    """For this site and gateway, in time, and not seen before."""
    SCOPE = "scope"
    ROLE = "role"
    MODE = "mode"
    TAG = "tag"
    INTERLOCK = "interlock"
    CONTROLLER = "controller"
    SECOND = "second"
    """Two persons, where it needs two."""
    SELECTED = "selected"
    """By the same person, for the same value, not long ago."""
    WRITER = "writer"
    """Whether the point takes this value now: see gateway.writer."""


class Refused(Exception):
    """An order is not carried out: by which check, and why."""

    def __init__(self, check: Check, zh: str, en: str) -> None:
        super().__init__(en)
        self.check = check
        self.reason = Name(zh, en)


@dataclass(frozen=True, slots=True)
class Finding:
    check: Check
    passed: bool
    words: Name

    def as_json(self) -> dict[str, Any]:
        return {"check": str(self.check), "passed": self.passed, "zh": self.words.zh, "en": self.words.en}


@dataclass(slots=True)
class Trace:
    """The findings of one order, in the order in which they were made."""

    findings: list[Finding] = field(default_factory=list)

    def passed(self, check: Check, zh: str, en: str) -> None:
        self.findings.append(Finding(check, True, Name(zh, en)))

    def failed(self, refused: Refused) -> None:
        self.findings.append(Finding(refused.check, False, refused.reason))

    @property
    def first_failure(self) -> Finding | None:
        """The reason that is told."""
        return next((found for found in self.findings if not found.passed), None)

    def as_json(self) -> list[dict[str, Any]]:
        return [found.as_json() for found in self.findings]
