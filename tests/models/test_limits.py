"""The limits of an equipment: the template's, the place's, the mine's own, and what a mine may not set."""

from pathlib import Path

import pytest

from models.site import examine, load
from tests.models.sites import EQUIPMENT, POINTS, write

WHY = "source: 机电科 mechanical department, effective_from: 2026-03-01"
TEMPERATURE = POINTS + "belt,drum_temp,plc,slow,hr:9,int16,,0.1,,degC\n"


def own(limits: str, equipment: str = "gas") -> str:
    """The right equipment file, with limits of the mine's own for one equipment."""
    if equipment == "belt":
        return EQUIPMENT.replace(
            "name: {zh: 皮带, en: Belt}, area: mine}", f"name: {{zh: 皮带, en: Belt}}, area: mine, limits: {limits}}}"
        )
    return EQUIPMENT.replace("    limit_set: T2\n", f"    limit_set: T2\n    limits: {limits}\n")


def problems(root: Path, equipment: str) -> list[str]:
    return [str(problem) for problem in examine(write(root, equipment__all_yaml=equipment)).problems]


def test_a_mines_own_limit_replaces_its_kind_and_says_why(tmp_path: Path) -> None:
    text = own(f"{{ch4: [{{kind: hi, value: 0.8, {WHY}, reason: 回风巷瓦斯涌出大}}]}}")
    ch4 = next(p for p in load(write(tmp_path, equipment__all_yaml=text)).points if p.key == "ch4")
    found = {limit.kind: (limit.value, limit.reason, limit.confirmed) for limit in ch4.limits}
    assert found == {"hi": (0.8, "回风巷瓦斯涌出大", True), "hihi": (1.0, "", False)}


def test_another_kind_is_added_beside_the_templates(tmp_path: Path) -> None:
    text = own(f"{{drum_temp: [{{kind: hihi, value: 70, {WHY}, reason: 现场试验}}]}}", "belt")
    point = next(
        p
        for p in load(write(tmp_path, equipment__all_yaml=text, points__all_csv=TEMPERATURE)).points
        if p.key == "drum_temp"
    )
    assert sorted((limit.kind, limit.value) for limit in point.limits) == [("hi", 60), ("hihi", 70)]


@pytest.mark.parametrize(
    ("limits", "words"),
    {
        f"{{ch4: [{{kind: hi, value: 0.8, {WHY}}}]}}": "'reason' is missing",
        "{ch4: [{kind: hi, value: 0.8, reason: x, effective_from: 2026-03-01}]}": "'source' is missing",
        f"{{ch5: [{{kind: hi, value: 0.8, {WHY}, reason: x}}]}}": "has no point 'ch5'; did you mean 'ch4'?",
        f"{{state: [{{kind: hi, value: 1, {WHY}, reason: x}}]}}": "a point of kind state has no limits",
        f"{{ch4: [{{kind: hi, value: 1.2, {WHY}, reason: x}}]}}": "the limit hi 1.2 is looser than 1 of 《煤矿",
        f"{{ch4: [{{kind: hihi, value: 1, restore: 1.0, {WHY}, reason: x}}, {{kind: hi, value: 0, {WHY}, reason: x}}, "
        f"{{kind: lo, value: 0.5, {WHY}, reason: x}}]}}": "the limit lo 0.5 must be below hi 0",
        f"{{ch4: [{{kind: hi, value: -1, {WHY}, reason: x}}]}}": "outside what the value can be",
    }.items(),
)  # fmt: skip
def test_what_a_mine_may_not_set_is_named_at_its_line(limits: str, words: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, own(limits))
    assert found.startswith("equipment/all.yaml:6: ") and words in found


def test_a_restore_that_comes_too_early_is_looser_too(tmp_path: Path) -> None:
    text = own(f"{{ch4: [{{kind: hihi, value: 1.0, restore: 1.0, {WHY}, reason: x}}]}}")
    assert not problems(tmp_path, text)
    corner = text.replace("limit_set: T2", "limit_set: T0").replace(
        "value: 1.0, restore: 1.0", "value: 1.4, restore: 1.2"
    )
    (found,) = problems(tmp_path, corner)
    assert "the limit hihi 1.4 (restore 1.2) is looser than 1.5 (restore 1) of" in found


def test_a_point_that_is_not_statutory_may_be_given_more_room(tmp_path: Path) -> None:
    text = own(f"{{drum_temp: [{{kind: hi, value: 75, {WHY}, reason: 高温滚筒包胶}}]}}", "belt")
    assert not problems(tmp_path, text)
