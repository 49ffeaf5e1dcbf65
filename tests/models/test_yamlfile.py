"""YAML for people: what a scalar means, where it stands, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.site.problems import Problems
from models.site.yamlfile import parse
from tests.models.sites import english


def read(text: str) -> tuple[object, list[str]]:
    problems = Problems()
    document = parse(text, "f", problems)
    return (document.data if document else None), [english(problem) for problem in problems.found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ("014", "014"), ("1_0", "1_0"),
        ("14", 14), ("-3", -3), ("1e3", 1000.0), (".5", 0.5), ("0.5", 0.5), ("true", True), ("~", None), ("", None),
        ("'14'", "14"), ('"true"', "true"), ("0", 0), ("0x1F", "0x1F"), (".nan", ".nan"),
    ],
)  # fmt: skip
def test_scalars(text: str, value: object) -> None:
    data, problems = read(f"a: {text}\n")
    assert not problems
    assert data == {"a": value} and type(data["a"]) is type(value)  # type: ignore[index]


def test_lines() -> None:
    document = parse("a: 1\nb:\n  - x\n  - c: 2\n    d: |\n      long\n      text\n    e: 3\n", "f", Problems())
    assert document is not None
    assert document.data == {"a": 1, "b": ["x", {"c": 2, "d": "long\ntext\n", "e": 3}]}
    lines = [document.line(path) for path in (("a",), ("b",), ("b", 0), ("b", 1, "c"), ("b", 1, "e"))]
    assert lines == [1, 2, 3, 4, 8]
    assert document.line(("b", 1, "none", "there")) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: {c: 1, c: 2}\n", "f:2: the key 'c' is here twice; first in line 2"),
        ("a: &x [1]\nb: *x\n", "f:1: anchors"),
        ("a: !!python/object/apply:os.system [x]\n", "f:1: tags"),
        ("a: 1\n---\nb: 2\n", "f:2: one document a file"),
        ("? [a]\n: 1\n", "f:1: a key must be plain text"),
        ("[" * 10_000, "f:1: nested deeper than 20"),
        ("a:\n\t- 1\n", "f:2: not YAML"),
        ("a: 'x\n", "f:2: not YAML"),
        ("a: \x07\n", "f: not YAML"),
    ],
)
def test_what_is_refused(text: str, expected: str) -> None:
    data, problems = read(text)
    assert data is None and problems[0].startswith(expected), problems


def test_a_laughing_bomb_stays_small() -> None:
    text = "a: &a [x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    assert read(text)[0] is None


@given(st.text(max_size=200))
def test_rubbish_is_data_or_a_problem(text: str) -> None:
    problems = Problems()
    document = parse(text, "f", problems)
    assert (document is None) == bool(problems.count)
