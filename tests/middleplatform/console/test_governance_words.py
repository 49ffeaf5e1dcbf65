"""Words that the pages about the data have for what the platform's code and data name."""

from __future__ import annotations

import ast
import re

from middleplatform.console import STATIC
from middleplatform.control.book import Wish
from models.dictionaries.shape import kinds

WEB = STATIC.parent / "web" / "src"
HOUSE = STATIC.parent.parent.parent


def test_a_dictionarys_name_is_the_one_that_the_platform_gives_it() -> None:
    text = (WEB / "governance" / "dictionaries" / "editions.ts").read_text("utf-8")
    said = re.findall(r"^  (\w+): \{zh: '([^']+)', en: '([^']+)'\}", text, re.M)
    assert said == [(each.id, each.name.zh, each.name.en) for each in kinds().values()]


def test_every_act_that_is_told_has_words_and_can_be_looked_for() -> None:
    text = (WEB / "governance" / "audit" / "words.ts").read_text("utf-8")
    listed = re.search(r"export const ACTS = \[(.*?)\] as const", text, re.S)
    assert listed
    known = set(re.findall(r"'([a-z_.]+)'", listed[1]))
    for each in known:
        assert text.count(f" {each.replace('.', '_')}: '") == 2, f"{each} has no words"
    told = {each for each in told_acts() if not each.endswith(".")}
    assert {"device.ask", "site.folder", "kpi.remake", "export.remove", "rotation.rest"} <= told
    assert not told - known, "acts without words, which the filter lacks"
    for begun in told_acts() - told:
        assert any(each.startswith(begun) and each != begun for each in known), begun
    assert {f"sequence.{each}" for each in Wish} <= known


def told_acts() -> set[str]:
    """What the code says to the audit log; ending in a dot where the rest is known when it runs."""
    found: set[str] = set()
    for root in ("middleplatform", "sevenones"):
        for path in (HOUSE / root).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(call, ast.Call):
                    continue
                named = {each.id for each in (call.func, *call.args) if isinstance(each, ast.Name)}
                if not named & {"note", "tell"}:
                    continue
                for given in call.args:
                    for part in ast.walk(given):
                        text = part.value if isinstance(part, ast.Constant) else None
                        if isinstance(text, str) and re.fullmatch(r"[a-z_]+\.[a-z_]*", text):
                            found.add(text)
    return found
