"""A site's unattended chambers and the plan of their patrols are dated data; slips of the pen are named."""

from __future__ import annotations

from datetime import date

import pytest

from models.site.loader import examine
from tests.models.sites import write

TEXT = """\
patrols:
  room:
    name: {zh: 硐室, en: Room}
    equipment: [belt]
    environment: [gas/ch4]
    presence: belt/flow
    camera: 摄像-01
    plan:
      - {every: 8 h, by: {zh: 机电队, en: electrical team}, effective_from: 2026-06-01}
      - {every: 4 h, by: 运输队, effective_from: 2026-01-01}
    source: 矿方 mine
"""


def test_the_plan_of_the_day_holds(tmp_path):
    site = examine(write(tmp_path, patrols__all_yaml=TEXT), environment={}).site
    assert site is not None
    room = site.chambers["room"]
    assert room.equipment == ("140525000099/belt",) and room.presence == "140525000099/belt/flow" and room.door == ""
    assert room.plan_at(date(2025, 12, 31)) is None
    assert [room.plan_at(date(2026, month, 1)).by.zh for month in (1, 5, 6)] == ["运输队", "运输队", "机电队"]
    assert [each.by.en for each in room.plans] == ["运输队", "electrical team"], "one word is for both languages"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("[belt]", "[bolt]", 2, "no equipment 'bolt'; did you mean 'belt'?"),
        ("gas/ch4", "gas/co", 2, "no bound point 'gas/co'"),
        ("belt/flow", "gas/state", 2, "gas/state is no number of persons"),
        ("every: 8 h", "every: 5 min", 9, "'every' must be at least 600"),
        ("by: 运输队", "by: {zh: 运输队}", 10, "'en' is missing"),
        ("2026-06-01", "2026-01-01", 8, "two plans begin on the same day"),
        (TEXT[TEXT.index("    plan:") : TEXT.index("    source:")], "", 2, "'plan' is missing"),
    ],
)
def test_mistakes_are_named_at_their_line(tmp_path, old, new, line, words):
    examined = examine(write(tmp_path, patrols__all_yaml=TEXT.replace(old, new)), environment={})
    told = [(problem.file, problem.where, problem.message) for problem in examined.problems]
    assert any((file, where) == ("patrols/all.yaml", str(line)) and words in said for file, where, said in told), told
