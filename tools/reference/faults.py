"""docs/field-faults.md: what devices get wrong, and the tests that show the right value or the right reason."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.reference.markdown import WRITTEN, table

ROOT = Path(__file__).resolve().parent.parent.parent
LIST = ROOT / "tests" / "field_faults.yaml"
FOLDERS = ROOT / "tests" / "faults"

_TEST = re.compile(r"^[ ]*(?:async )?def (test_\w+)", re.M)
_ITEMS = re.compile(r"test((?:_(?:and_)?(?:mess_|p)[0-9]+(?=_))+)")
_ITEM = re.compile(r"(mess|p)_?([0-9]+)")


def page() -> str:
    """docs/field-faults.md."""
    faults = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    tests = named_tests()
    lines = [
        "# 现场故障 · Faults of the field", "", WRITTEN + " What is written by hand is in "
        "[tests/field_faults.yaml](../tests/field_faults.yaml); a test named `test_mess_4_…` or `test_p7_…` comes to "
        "its row by itself.", "",
        "Each row: what goes wrong, and the tests in which a device behaves so and the value is right, or its quality "
        "and reason are. Recorded faults are replayed from folders: "
        "[tests/faults/README.md](../tests/faults/README.md).", "",
        "## What devices get wrong", "", *table(("", "Fault", "Shown by"), _rows("mess", faults["mess"], tests)), "",
        "## What users of gateways complain of", "",
        *table(("", "Pain", "Shown by"), _rows("p", faults["pains"], tests)), "",
        "## Recorded faults", "",
        *table(("Folder", "What", "Rows"), _folder_rows()), "",
    ]  # fmt: skip
    return "\n".join(lines)


def _rows(
    kind: str, faults: Mapping[int, Mapping[str, Any]], tests: Mapping[str, list[str]]
) -> Iterator[tuple[str, ...]]:
    for number, fault in faults.items():
        shown = [f"`{test}`" for test in tests_of(kind, number, fault, tests)]
        words = []
        if fault.get("elsewhere"):
            words.append(f"**Concerns** {fault['elsewhere']}.")
        elif not shown and not fault.get("note"):
            words.append("**Not shown yet.**")
        if fault.get("note"):
            words.append(f"**Note**: {fault['note']}.")
        name = f"P{number}" if kind == "p" else str(number)
        yield name, fault["what"], "<br>".join([*shown, *words])


def tests_of(kind: str, number: int, fault: Mapping[str, Any], tests: Mapping[str, list[str]]) -> list[str]:
    """All tests of one row: those that the list names, and those that name it."""
    return [*dict.fromkeys([*fault.get("tests", ()), *tests.get(f"{kind} {number}", ())])]


@cache
def named_tests() -> dict[str, list[str]]:
    """By row, "mess 4" or "p 7": tests that have it in their name, and folders that say they show it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in test_files():
        for name in _TEST.findall(path.read_text(encoding="utf-8")):
            for item in items_of(name):
                found[item].append(f"{path.relative_to(ROOT).as_posix()}::{name}")
    for folder, expected in folders().items():
        for row in expected.get("shows", ()):
            item = row if row.startswith("mess ") else f"p {row[1:]}"
            found[item].append(f"tests/faults/test_folders.py::test_a_fault_met_in_the_field[{folder}]")
    return found


def items_of(test: str) -> list[str]:
    """The items that a test's name begins with: test_mess_14_and_p5_… gives "mess 14" and "p 5"."""
    named = _ITEMS.match(test)
    return [f"{kind} {int(number)}" for kind, number in _ITEM.findall(named[1])] if named else []


def test_files() -> list[Path]:
    """The tests' own files, without those of installed stacks."""
    files = (ROOT / "tests").rglob("*.py")
    return sorted(path for path in files if "node_modules" not in path.parts)


@cache
def all_tests() -> set[str]:
    """Every test of the tree, by file and name, and the folders of faults."""
    found = {
        f"{path.relative_to(ROOT).as_posix()}::{name}"
        for path in test_files()
        for name in _TEST.findall(path.read_text(encoding="utf-8"))
    }
    return found | {f"tests/faults/test_folders.py::test_a_fault_met_in_the_field[{name}]" for name in folders()}


def folders() -> dict[str, Mapping[str, Any]]:
    """Each fault's folder and what it expects."""
    return {
        path.parent.name: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDERS.glob("*/expected.yaml"))
    }


def _folder_rows() -> Iterator[tuple[str, ...]]:
    for name, expected in folders().items():
        title = (FOLDERS / name / "README.md").read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        yield f"[{name}](../tests/faults/{name}/README.md)", title, ", ".join(expected.get("shows", ()))
