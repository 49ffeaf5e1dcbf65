"""Every folder of a fault is replayed: README.md beside this file tells how one is made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults import replay as replaying
from tests.faults.folder import HERE, names
from tests.faults.replay import replay


@pytest.mark.parametrize("name", names())
async def test_a_fault_met_in_the_field(name: str, tmp_path: Path) -> None:
    await replay(HERE / name, tmp_path)


@pytest.mark.parametrize("name", names())
def test_a_folder_tells_its_story(name: str) -> None:
    text = (HERE / name / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# ") and len(text.splitlines()) >= 3


@pytest.mark.parametrize(
    ("file", "right", "wrong", "words"),
    [
        ("expected.yaml", "value: 6553.5,", "value: 6553.4,", "is 6553.5, uncertain"),
        ("expected.yaml", "is outside -60", "is outside -90", "the reason is '6553.5 deg is outside -60"),
        ("expected.yaml", "pitch: {value: 0.3}", "roll: {value: 0.3}", "the first step says what each point is"),
        ("equipment.yaml", "type: int16", "type: uint16", "roll is 6553.5, uncertain"),
        ("frames.txt", "00 06 01 03 00 00", "00 06 01 03 00 99", "nothing recorded answers"),
    ],
)
async def test_a_replay_finds_what_is_wrong(
    file: str, right: str, wrong: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = shutil.copytree(HERE / "signed_read_as_unsigned", tmp_path / "fault")
    text = (fault / file).read_text(encoding="utf-8")
    assert right in text
    (fault / file).write_text(text.replace(right, wrong), encoding="utf-8")
    monkeypatch.setattr(replaying, "WITHIN_S", 5.0)
    with pytest.raises((AssertionError, pytest.fail.Exception), match=words):
        await replay(fault, tmp_path)


async def test_a_wrong_value_for_a_moment_is_found(tmp_path: Path) -> None:
    fault = shutil.copytree(HERE / "signed_read_as_unsigned", tmp_path / "fault")
    frames = (fault / "frames.txt").read_text(encoding="utf-8")
    first = next(line for line in frames.splitlines() if line.startswith("< "))
    moment = first[: -len("00 03 00 03")] + "00 50 00 03"
    (fault / "frames.txt").write_text(frames.replace(first, f"{moment}\n{first}", 1), encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match=r"pitch was 8\.0, good, for a moment"):
        await replay(fault, tmp_path)
