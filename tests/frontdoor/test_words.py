"""What the front door says to small mistakes: plainly, in Chinese and English, in the singular where there is one."""

import shutil

import pytest

from models.site.problems import Problem, SiteErrors
from sevenones.demo import BUNDLED_SITE
from tests.onboarding.command import sevenones


@pytest.mark.parametrize("last", ["1y", "0s", "", "-5m", "ten minutes", "0.0h"])
async def test_history_refuses_a_length_of_time_that_is_none_before_it_asks_anybody(tmp_path, last):
    done = await sevenones("history", "x/y/z", f"--last={last}", "--home", tmp_path)
    assert done.code == 1
    assert f"--last '{last}' 不是时长" in done.err and "is not a length of time" in done.err and "7d" in done.err


async def test_one_mistake_is_one_problem_and_two_are_problems(tmp_path):
    site = shutil.copytree(BUNDLED_SITE, tmp_path / "site")
    table = site / "points" / "belts.csv"
    table.write_text(table.read_text().replace("belt_101,power,", "belt_101,pwer,", 1))
    one = await sevenones("check", site)
    assert one.code == 1 and "1 problem\n" in one.out
    table.write_text(table.read_text().replace("belt_101,flow,", "belt_101,flw,", 1))
    assert "2 problems\n" in (await sevenones("check", site)).out
    assert str(SiteErrors([Problem("a", "1", "x")])).startswith("矿井配置有 1 处错误 · 1 problem in this site:\n")
