"""The page of field faults names every item, and tests that are there."""

import pytest
import yaml

from tools.reference import faults

ITEMS = yaml.safe_load(faults.LIST.read_text(encoding="utf-8"))
ROWS = [("mess", number, item) for number, item in ITEMS["mess"].items()]
ROWS += [("p", number, item) for number, item in ITEMS["pains"].items()]


def test_every_item_has_its_row() -> None:
    assert list(ITEMS["mess"]) == list(range(1, 23))
    assert list(ITEMS["pains"]) == list(range(1, 26))
    for _, number, item in ROWS:
        assert set(item) <= {"what", "tests", "elsewhere", "note"}, number


@pytest.mark.parametrize(("kind", "number", "item"), ROWS, ids=[f"{kind}{number}" for kind, number, _ in ROWS])
def test_every_test_that_a_row_names_is_in_the_tree(kind: str, number: int, item: dict) -> None:
    there = faults.all_tests()
    missing = [test for test in faults.tests_of(kind, number, item, faults.named_tests()) if test not in there]
    assert not missing


def test_a_test_that_names_an_item_names_one_that_there_is() -> None:
    known = {f"{kind} {number}" for kind, number, _ in ROWS}
    assert set(faults.named_tests()) <= known


def test_the_page_has_the_tests() -> None:
    page = faults.page().splitlines()
    for kind, number, item in ROWS:
        name = f"P{number}" if kind == "p" else str(number)
        row = next(line for line in page if line.startswith(f"| {name} | "))
        for test in faults.tests_of(kind, number, item, faults.named_tests()):
            assert f"`{test}`" in row


def test_folders_and_names_are_found() -> None:
    found = faults.named_tests()
    assert "tests/faults/test_folders.py::test_a_fault_met_in_the_field[signed_read_as_unsigned]" in found["mess 3"]


@pytest.mark.parametrize(
    ("name", "items"),
    {
        "test_mess_04_numbers_for_no_value": ["mess 4"],
        "test_mess_14_and_p5_one_register": ["mess 14", "p 5"],
        "test_p7_one_bad_address": ["p 7"],
        "test_p2_100_ms": ["p 2"],
        "test_messages_come": [],
        "test_planning": [],
        "test_p9": [],
        "test_one_of_p7_fails": [],
    }.items(),
)
def test_a_tests_name_tells_its_items(name: str, items: list[str]) -> None:
    assert faults.items_of(name) == items
