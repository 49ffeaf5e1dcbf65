"""Every condition of the rules in words: none is left as a key, and numbers are those of the rules."""

from models.site.model import Name
from models.utilisation.phrased import phrased
from models.utilisation.rules import standard

CATEGORIES = standard().versions[-1].categories
OWNERS = {key: Name("它的机器", "its machine") for key in ("afc", "supports", "controller")}


def said(category: str, clause: str) -> Name:
    (one,) = [each for each in CATEGORIES[category].clauses() if each.key == clause]
    return phrased(one.when, {("afc.state", "afc"): {2: Name("正转", "running")}}, OWNERS)


def test_levels_states_and_owners_are_named() -> None:
    assert said("belt", "moving") == Name("带速超过额定值的10%", "belt speed is over 10 % of what it is rated at")
    assert said("face", "conveying").zh.endswith("为正转")
    assert said("face", "conveying").en.startswith("its machine: ")
    assert "超过0.5 m/min" in said("face", "cutting").zh
    assert said("face", "cutting").en.count(" and ") == 1


def test_what_lasts_or_was_is_told_with_its_seconds() -> None:
    assert "持续超过600秒" in said("chamber", "nobody").zh and "巡检" in said("chamber", "nobody").zh
    assert "within the last 60 s" in said("face", "override").en
    assert "最近40次" in said("face", "follow").zh and "85 %" in said("face", "follow").en
    assert "began" in said("belt", "start").en


def test_no_clause_is_silent_in_either_language() -> None:
    for key, category in CATEGORIES.items():
        for clause in category.clauses():
            words = said(key, clause.key)
            assert words.zh and words.en, (key, clause.key)
            assert "controller" not in words.zh + words.en, "parts are called by what they are"
