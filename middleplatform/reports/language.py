"""In which language a report is written, and how its numbers are shown to people."""

from __future__ import annotations

from enum import StrEnum

from models.report.content import Form, Value
from models.site.model import Name


class Language(StrEnum):
    """`BOTH`: Chinese first, then English."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"

    def say(self, name: Name, between: str = " ") -> str:
        """A name in this language."""
        if self is Language.BOTH:
            return name.zh if name.zh == name.en else f"{name.zh}{between}{name.en}"
        return name.zh if self is Language.ZH else name.en


NOT_KNOWN = "—"
"""What stands where there is no value."""
FORMATS = {
    Form.TEXT: "General",
    Form.SHARE: "0.0%",
    Form.HOURS: "#,##0.00",
    Form.COUNT: "#,##0",
    Form.NUMBER: "#,##0.00",
}
"""By form, as a spreadsheet writes it."""


def shown(value: Value, form: Form, language: Language) -> str:
    """A cell as a page shows it."""
    if value is None:
        return NOT_KNOWN
    if isinstance(value, Name):
        return language.say(value)
    if isinstance(value, str):
        return value
    if form is Form.SHARE:
        return f"{100 * value:.1f}%"
    if form is Form.COUNT or (form is Form.TEXT and isinstance(value, int)):
        return f"{value:,.0f}"
    return f"{value:,.2f}"
