"""A site says which of its points belong together; a slip of the pen in it is named with its line."""

from __future__ import annotations

from models.site.loader import examine
from tests.models.sites import POINTS, write

TEXT = """\
relations:
  same:
    name: {zh: 同, en: same}
    kind: redundant
    points: [%s, %s]
    within: 0.5
"""
TWO = POINTS + "belt,speed_set,plc,fast,hr:4,float32,cdab,,,\n"


def test_the_relations_of_a_site_are_read_with_it(tmp_path):
    site = examine(write(tmp_path, points__all_csv=TWO), environment={}).site
    assert site is not None and site.relations == ()
    text = TEXT % ("belt/speed", "belt/speed_set")
    told = examine(write(tmp_path, points__all_csv=TWO, consistency_yaml=text), environment={}).site
    assert told is not None and told.version != site.version
    ids = {point.key: point.id for point in told.points}
    (relation,) = told.relations
    assert relation.id == "same" and relation.sides == ((ids["speed"], ids["speed_set"]),) and relation.within == 0.5


def test_what_is_not_there_is_named(tmp_path):
    examined = examine(write(tmp_path, consistency_yaml=TEXT % ("no/thing", "no/other")), environment={})
    assert examined.site is None
    assert [(problem.file, problem.where) for problem in examined.problems] == [("consistency.yaml", "2")] * 2
    assert "no/thing" in examined.problems[0].message
