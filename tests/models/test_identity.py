"""Paths are taken apart or refused by part; ids are the same on every machine."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import identity
from models.identity import IdentityError, PointPath, ids_by_path, parse_path, point_id

segments = st.from_regex(r"\A[a-z0-9_-]{1,40}\Z")
mines = st.from_regex(r"\A[0-9]{12}\Z")


@given(mines, segments, segments)
def test_a_path_comes_back_whole(mine: str, equipment: str, point: str) -> None:
    assert parse_path(f"{mine}/{equipment}/{point}") == PointPath(mine, equipment, point)
    assert str(PointPath(mine, equipment, point)) == f"{mine}/{equipment}/{point}"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("140525000001/belt", "2 parts, not 3"),
        ("140525000001/belt/speed/x", "4 parts, not 3"),
        ("14052500001/belt/speed", "mine code '14052500001' is not 12 digits"),
        ("１40525000001/belt/speed", "not 12 digits"),
        ("140525000001/Belt/speed", "equipment name 'Belt'"),
        ("140525000001/belt/带速", "point name '带速'"),
        ("140525000001/belt/", "point name ''"),
        ("140525000001/belt/" + "a" * 41, "point name"),
        ("140525000001/belt/speed\n", "point name"),
    ],
)
def test_a_wrong_part_is_named(path: str, words: str) -> None:
    with pytest.raises(IdentityError, match=words):
        parse_path(path)


@given(st.text(max_size=80))
def test_rubbish_is_refused(text: str) -> None:
    with contextlib.suppress(IdentityError):
        assert str(parse_path(text)) == text


def test_the_id_is_fixed_for_all_time() -> None:
    # Stored rows and other machines know points by this number: a change here orphans them.
    assert point_id("140525000001/belt_101/speed") == 12696902240202467407


def test_a_collision_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "point_id", len)
    with pytest.raises(IdentityError, match="'c/d' and 'a/b' have the same id 3"):
        ids_by_path(["a/b", "c/d"])
    assert ids_by_path(["a/b", "a/b"]) == {"a/b": 3}
