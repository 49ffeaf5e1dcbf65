"""Why a link is lost or a sign-in refused is read in the console: it is said in Chinese and in English, everywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("protocols", "gateway")
RAISED = {"LinkLost", "SignInRefused"}
CHINESE = re.compile(r"[一-鿿]")


def _text(said: ast.expr) -> str | None:
    """The text that is written there, its values as {}; None where it comes from elsewhere."""
    if isinstance(said, ast.Constant) and isinstance(said.value, str):
        return said.value
    if isinstance(said, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in said.values)
        return text if re.search(r"[^\W\d_]", text) else None
    if isinstance(said, ast.BoolOp):
        return _text(said.values[-1])
    return None


def reasons(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED
        if called and isinstance(node, ast.Call) and node.args and (text := _text(node.args[0])) is not None:
            yield node.lineno, text


@pytest.mark.parametrize("room", ROOMS)
def test_a_lost_link_says_why_in_both_languages(room: str) -> None:
    found = [
        (f"{path.relative_to(ROOT)}:{line}", text)
        for path in sorted((ROOT / room).rglob("*.py"))
        for line, text in reasons(path)
    ]
    assert len(found) > 5
    for where, text in found:
        zh, separator, en = text.partition(" · ")
        assert separator and CHINESE.search(zh) and not CHINESE.search(en), f"{where}: {text}"
        # The console cuts a text of several parts at this sign.
        assert "；" not in text, f"{where}: {text}"
