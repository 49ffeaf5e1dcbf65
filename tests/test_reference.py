"""The pages that are written from the code are what the code says."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from protocols import registry
from tools.reference import adapters, templates
from tools.reference.__main__ import main, pages

DOCS = Path(__file__).resolve().parent.parent / "docs"
KINDS = {kind.sheet.name: kind for kind in adapters.adapters()}


@pytest.mark.parametrize(("name", "text"), pages().items(), ids=list(pages()))
def test_a_page_is_fresh(name: str, text: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == text, "run python -m tools.reference"


@pytest.mark.parametrize("name", ["templates.md", "adapters.md", "field-faults.md"])
def test_every_row_of_a_table_has_all_its_cells(name: str) -> None:
    width, rows = 0, 0
    for line in pages()[name].splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not cells or not width or cells == width, line
        width, rows = cells, rows + bool(cells)
    assert rows > 20


def test_a_changed_page_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    right = templates.page()
    monkeypatch.setattr(templates, "page", lambda: right + "more\n")
    assert main(["--check"]) == 1
    assert "templates.md; run python -m tools.reference" in capsys.readouterr().out


def test_the_page_has_every_adapter_that_this_tree_installs() -> None:
    assert set(KINDS) <= set(registry.names()) and {"modbus", "opcua", "mqtt"} <= set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_every_setting_is_described(name: str) -> None:
    for setting, _, may_be, meaning in adapters.setting_rows(KINDS[name]):
        assert meaning and may_be, f"{name}: {setting} has no description, or nothing says what it may be"


@pytest.mark.parametrize("name", ["modbus", "mqtt", "opcua", "sparkplug"])
def test_a_sheet_says_what_bounds_the_adapter_in_both_languages(name: str) -> None:
    limits = KINDS[name].sheet.limits
    assert limits
    for limit in limits:
        assert any("一" <= sign <= "鿿" for sign in limit.zh) and limit.en.isascii()
        assert set(re.findall("[0-9]+", limit.zh)) == set(re.findall("[0-9]+", limit.en)), "the same figures"
        assert f"* {limit.zh} · {limit.en}" in adapters.page()


@pytest.mark.parametrize("name", KINDS)
def test_every_counter_is_in_words(name: str) -> None:
    words = adapters.counters_in_words()
    missing = [counter for counter in adapters.counters_of(KINDS[name]) if counter not in words]
    assert not missing, f"say in protocols/counters.md what they count: {missing}"


@pytest.mark.parametrize("name", KINDS)
def test_what_an_adapter_counts_is_on_its_page(name: str) -> None:
    kind = KINDS[name]
    required = {}
    for field, info in kind.Settings.model_fields.items():
        if info.is_required():
            required[field] = SecretStr("x") if info.annotation is SecretStr else "opc.tcp://127.0.0.1:4840"
    settings = kind.Settings.model_construct(**required)
    assert set(kind(settings).counters()) <= set(adapters.counters_of(kind))
