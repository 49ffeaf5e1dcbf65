"""The house's rules are whole; a file that cannot hold is refused with its line and the reason."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from models.site.problems import SiteErrors
from models.utilisation.rules import FILE, Rules, read, standard


def changed(change: Callable[[dict[str, Any]], None]) -> str:
    document = yaml.safe_load(FILE.read_text("utf-8"))
    change(document["versions"][0])
    return yaml.safe_dump(document, allow_unicode=True)


def test_the_five_categories() -> None:
    version = standard().at(datetime.date(2026, 11, 26))
    assert version is not None
    assert list(version.categories) == ["face", "roadheader", "bolting", "chamber", "belt"]
    assert standard().at(datetime.date(2019, 12, 31)) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda v: v["categories"]["belt"]["intelligent"][0]["when"].update(role="belt.colour"), "belt.colour"),
        (lambda v: v["categories"]["belt"].update(chambers=True), "one of the two"),
        (lambda v: v["categories"]["belt"].update(templates=[]), "one of the two"),
        (lambda v: v["categories"]["belt"].update(intelligent=[]), "intelligent"),
        (lambda v: v["categories"]["belt"].update(weight=0.3), "add up to 1"),
        (lambda v: v["categories"]["face"].update({"with": {"afc": "afc"}}), "'of: supports'"),
        (lambda v: v["categories"]["face"]["ratings"].update({"cutting.curent": 1}), "no role 'cutting.curent'"),
        (lambda v: v["categories"]["belt"]["intelligent"][1].update(key="mode"), "same key: mode"),
        (lambda v: v["categories"]["belt"].update(stood={"often": 3}), "a condition has one of the keys"),
        (lambda v: v["categories"]["belt"]["intelligent"][0]["when"].update({"is": []}), "is"),
        (lambda v: v.update(coverage=1.2), "coverage"),
        (lambda v: v.update(colour="red"), "colour"),
    ],
)  # fmt: skip
def test_what_cannot_hold_is_refused(change: Callable[[dict[str, Any]], None], told: str) -> None:
    with pytest.raises(SiteErrors) as refused:
        read(changed(change), "rules.yaml")
    assert told in str(refused.value)


def test_versions_stand_in_their_order() -> None:
    document = yaml.safe_load(FILE.read_text("utf-8"))
    first = document["versions"][0]

    def whole(versions: list[dict[str, Any]]) -> Rules:
        return read(json.dumps({"versions": versions}), "rules.yaml")

    later = {**first, "version": "2027-1", "effective_from": "2027-01-01"}
    both = whole([first, later])
    assert both.at(datetime.date(2026, 12, 31)) == both.versions[0]
    assert both.at(datetime.date(2027, 1, 1)) == both.versions[1]
    for wrong in ([later, first], [first, {**first, "version": "again"}], [first, {**later, "version": "2026-1"}]):
        with pytest.raises(SiteErrors):
            whole(wrong)
