"""Whoever is wrong in a site's folder is told so in Chinese and in English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.site import examine
from models.site.problems import hinted
from models.words import together
from tests.models.sites import AREAS, write
from tests.models.test_site_mistakes import PLANTED

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("models/site", "models/dictionaries", "models/thing.py", "models/units.py", "sevenones/site_check.py")
CHINESE = re.compile(r"[一-鿿]")
SENTENCE = re.compile(r"[A-Za-z']{2,} ([A-Za-z{}']+ )*[A-Za-z']{2,}")
IN_PARTS = {"hinted", "Name", "need", "unknown"}
"""What takes the two languages one by one, or a word that has its Chinese elsewhere."""
NAMED = {"message", "told", "said", "usual"}
"""What a message is called before it is told."""


def _text(said: ast.expr) -> str:
    if isinstance(said, ast.Constant):
        return said.value if isinstance(said.value, str) else ""
    if isinstance(said, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in said.values)
    return ""


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """What is raised, told or handed on there as a text of its own: line and text, values as {}."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        given: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            given = [] if name in IN_PARTS | {"AttributeError"} else node.args
        elif isinstance(node, ast.Return) and node.value is not None:
            given = [node.value]
        elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            given = node.value.elts
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in NAMED:
            given = [node.value]
        for each in given:
            if SENTENCE.search(text := _text(each)):
                yield each.lineno, text


@pytest.mark.parametrize("room", ROOMS)
def test_every_mistake_is_written_in_both_languages(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py")) or [ROOT / room]
    found = [(f"{path.relative_to(ROOT)}:{line}", text) for path in files for line, text in sentences(path)]
    assert found
    for where, text in found:
        zh, separator, en = text.partition(" · ")
        assert separator and not CHINESE.search(en), f"{where}: {text}"
        assert zh == "{}" or CHINESE.search(zh), f"{where}: {text}"


UNQUOTED = re.compile(r"'[^']*'")


def test_each_mistake_and_note_of_a_site_is_told_in_both_languages(tmp_path: Path) -> None:
    site = write(
        tmp_path / "site",
        **PLANTED | {"areas_yaml": AREAS + "  9x!: {name: {zh: 错, en: Wrong}, parent: mine}\n", "equipmen": ""},
        rules__a_yaml="rules:\n  a: {by: mine}\n",
        interlocks__a_yaml="interlocks:\n  a: {unless: []}\n",
        sequences__a_yaml="sequences:\n  runs: {name: 1}\n",
        patrols__a_yaml="patrols: []\n",
        network_yaml="rings: 1\n",
        map__a_geojson="{}",
    )
    report = examine(site)
    assert {problem.file.partition("/")[0] for problem in report.problems} >= {
        "site.yaml", "areas.yaml", "connections.yaml", "equipment", "points", "rules", "interlocks", "sequences",
        "patrols", "network.yaml", "map",
    }  # fmt: skip
    for problem in (*report.problems, *report.notes):
        zh, separator, en = problem.message.partition(" · ")
        assert separator and CHINESE.search(zh) and not CHINESE.search(UNQUOTED.sub("", en)), problem
        assert " · " not in en, problem


def test_what_is_nearest_is_told_in_the_language_of_its_part() -> None:
    assert hinted("没有区域 'mien'", "there is no area 'mien'", "mien", ["mine", "face"]) == (
        "没有区域 'mien'；是否指 'mine'？ · there is no area 'mien'; did you mean 'mine'?"
    )
    assert hinted("没有", "none", "x", ["face", "mine"]) == "没有；现有 face、mine · none; there is face, mine"
    assert hinted("没有", "none", "x", []) == "没有；一个也没有 · none; there is none"


def test_several_mistakes_are_told_together_each_language_by_itself() -> None:
    assert together(["甲 · a", "乙 · b", "c"]) == "甲。乙。c · a; b; c"
