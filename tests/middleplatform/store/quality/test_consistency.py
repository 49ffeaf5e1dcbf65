"""Points that belong together, against a reference minute by minute, and how a site says which."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.store.catalogue import Catalogue
from middleplatform.store.quality import consistency as consistency_module
from middleplatform.store.quality.assessment import Asked, Assessment
from middleplatform.store.quality.consistency import Consistency
from middleplatform.store.rollup_tables import HOUR, MINUTE
from models.site import consistency as file
from models.site.files import Folder
from models.site.model import Name, Relation
from models.site.problems import Problems
from tests.middleplatform.store.build import site_of
from tests.middleplatform.store.test_rollups import BASE, NEW_IDS, Stage

SITE = site_of({"edge1": ["a", "b", "c"]})
POINTS = {point.path.split("/", 1)[1]: point for point in SITE.points}
MINUTES = 90


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, MINUTES - 1), st.integers(-20, 20), st.sampled_from([192, 192, 24])
        ),
        max_size=60,
        unique_by=lambda row: row[:2],
    ),
    st.booleans(),
    st.sampled_from([(0.0, 0.0), (3.0, 0.0), (0.0, 0.2), (1.0, 0.5)]),
)
def test_minutes_that_agree_equal_the_reference(engine, rows, balance, tolerance):
    first = next(NEW_IDS)
    ids = (first, first + 1, first + 2)
    stage = Stage(engine, dict.fromkeys(ids, 5 * MINUTE))
    stage.now = BASE + 3 * HOUR
    if rows:
        stage.write([(first + p, BASE + minute * MINUTE, float(v), q) for p, minute, v, q in rows], 1)
    within, share = tolerance
    sides = (ids[:2], ids[2:]) if balance else (ids,)
    relation = Relation("r", Name("", ""), sides, within, share)
    held = [[None] * 120 for _ in ids]
    for p, minute, v, q in sorted(rows):
        for after in range(minute, min(minute + 5, 120)):
            held[p][after] = v if q >= 192 else None
    compared, agreed = [0, 0], [0, 0]
    for minute in range(120):
        a, b, c = (row[minute] for row in held)
        if None in (a, b, c):
            continue
        values = [a + b, c] if balance else [a, b, c]
        compared[minute // 60] += 1
        agreed[minute // 60] += max(values) - min(values) <= max(within, share * max(map(abs, values)))
    catalogue = Catalogue(replace(SITE, relations=(relation,)))
    source = Consistency(stage.history, lambda: catalogue)
    assessment = Assessment(engine, stage.windows, stage.of, (source,), clock=lambda: stage.now)
    got = assessment.assess([*ids, 7], [0, 1, 1, 2], BASE, BASE + 2 * HOUR, HOUR)[0]
    of_group = {name: got.column(name).to_numpy().reshape(3, 2).tolist() for name in ("compared", "agreed")}
    assert of_group["compared"] == [compared, compared, [0, 0]] and of_group["agreed"] == [agreed, agreed, [0, 0]]


def test_of_too_much_nothing_is_said(engine, monkeypatch):
    monkeypatch.setattr(consistency_module, "MOST_HOURS", 1)
    catalogue = Catalogue(replace(SITE, relations=(Relation("r", Name("", ""), ((1, 2),)),)))
    source = Consistency(None, lambda: catalogue)
    asked = Asked([1], [0], BASE, BASE + 2 * HOUR, HOUR, BASE + 2 * HOUR)
    assert source.sums(asked)["compared"].tolist() == [0, 0]


def read(tmp_path, text: str) -> tuple[tuple[Relation, ...], str]:
    (tmp_path / file.FILE).write_text(text)
    problems = Problems()
    points = {**POINTS, "belt1/other": replace(POINTS["belt1/a"], unit="t")}
    found = file.relations(Folder(tmp_path, problems), problems, points)
    return found, " ".join(str(problem) for problem in problems.found)


def test_a_site_says_which_points_belong_together(tmp_path):
    text = """relations:
  same: {name: {zh: 同, en: same}, kind: redundant, points: [belt1/a, belt1/b], within: 0.1}
  flow: {name: {zh: 平衡, en: flow}, kind: balance, into: [belt1/a, belt1/b], out: [belt1/c], share: 0.02}
"""
    (same, flow), problems = read(tmp_path, text)
    ids = {key: POINTS[f"belt1/{key}"].id for key in "abc"}
    assert same.sides == ((ids["a"], ids["b"]),) and (same.within, same.share) == (0.1, 0.0) and not problems
    assert flow.sides == ((ids["a"], ids["b"]), (ids["c"],)) and flow.share == 0.02
    assert file.relations(Folder(tmp_path / "..", Problems()), Problems(), POINTS) == ()


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("kind: redundant, points: [belt1/a]", "two or more"),
        ("kind: redundant, points: [belt1/a, belt1/a]", "twice"),
        ("kind: redundant, points: [belt1/a, belt1/nix]", "no bound point"),
        ("kind: redundant, points: [belt1/a, belt1/other]", "different units"),
        ("kind: balance, into: [belt1/a]", "into: and out:"),
        ("kind: redundant, points: [belt1/a, belt1/b], share: 2", "share"),
        ("kind: magic, points: [belt1/a, belt1/b]", "kind"),
    ],
)
def test_mistakes_are_named(tmp_path, entry, words):
    found, problems = read(tmp_path, f"relations:\n  r: {{name: {{zh: 同, en: same}}, {entry}}}\n")
    assert found == () and words in problems
