"""The commands, as they are typed at a terminal."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from middleplatform.kpi import book
from middleplatform.reports import making
from models.report.build import Order
from models.report.content import Kind
from sevenones.commands import kpi, report
from tests.middleplatform.kpi.made import FIRST, HOUR, ONE, TWO, keep_mine, march, start_of

LAST = date(2026, 3, 31)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("mine")
    keep_mine(home, ONE, march(31), 0.6)
    return home


def run(app, *words: object, home: Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*map(str, words), "--home", str(home)])
    return done.exit_code, done.output


def test_days_go_from_the_mine_to_the_bureau_and_are_seen_in_the_city(mine, tmp_path):
    code, said = run(kpi.app, "export", tmp_path / "march.days", "--month", "2026-03", home=mine)
    assert code == 0 and "31 documents" in said
    bureau = tmp_path / "bureau"
    bureau.mkdir()
    keep_mine(bureau, TWO, march(2), 0.9)
    code, said = run(kpi.app, "import", tmp_path / "march.days", "--mine", ONE, home=bureau)
    assert code == 0 and "31 new" in said
    assert len(book.read(bureau, ONE, book.UTILISATION, FIRST, LAST)) == 31
    code, said = run(kpi.app, "city", "2026-03", home=bureau)
    assert code == 0 and "2 / 2" not in said and "1 / 2" in said and "not assessable" in said
    row = next(line for line in said.splitlines() if "Colliery 1" in line and "60." in line)
    assert "…" not in said and "met" in row, "in a pipe a row is one line, and nothing is cut"
    code, said = run(report.app, "make", "daily", FIRST, "--mine", ONE, "--file", "xlsx", "--to", bureau, home=bureau)
    code, said = run(report.app, "verify", next(bureau.glob("*.xlsx")), home=bureau)
    assert code == 0 and "1 days were received, with no evidence here" in said
    text = [cell.value for row in load_workbook(next(bureau.glob("*.xlsx"))).worksheets[0] for cell in row]
    assert any("不能复算" in str(each) for each in text), "the report says so too"
    (tmp_path / "bad.days").write_bytes(b"rubbish")
    code, said = run(kpi.app, "import", tmp_path / "bad.days", home=bureau)
    assert code == 1 and "bad.days:0:" in said


def test_a_month_that_runs_ends_with_the_last_day_that_is_over(mine):
    noon = start_of(FIRST + timedelta(days=9)) + 12 * HOUR
    for kind in (Kind.MONTHLY, Kind.BUREAU):
        content = making.make(mine, Order(kind, (ONE,), FIRST, LAST), "zhang", at=noon).content
        assert content.last == date(2026, 3, 9) and "part of a month" in content.title.en
        if kind is Kind.MONTHLY:
            assert content.keys[1].value == "9 / 9", "days that are still to come do not lack"


def test_a_mine_that_sends_nothing_is_told_beside_the_figure_of_all(tmp_path):
    keep_mine(tmp_path, ONE, march(31), 0.9)
    keep_mine(tmp_path, TWO, [])
    code, said = run(kpi.app, "city", "2026-03", home=tmp_path)
    first = said.splitlines()[0]
    assert code == 0 and "not assessable" in first and "of 1 mine no day was kept" in first
    assert "[" not in first, "no bounds where nobody knows how large it is"
    content = making.make(tmp_path, Order(Kind.BUREAU, (ONE, TWO), FIRST, LAST), "zhang").content
    assert content.keys[0].words is not None and "not assessable" in content.keys[0].words.en
    assert (content.keys[0].bounds, content.keys[0].coverage) == (None, None)
    group = next(table for table in content.tables if table.key == "group")
    at = [column.key for column in group.columns].index("most")
    assert {row[at] for row in group.rows} == {None} and "Colliery 2" in group.note.en
    keep_mine(tmp_path, TWO, [FIRST - timedelta(days=3)], 0.0)
    first = run(kpi.app, "city", "2026-03", home=tmp_path)[1].splitlines()[0]
    assert "not assessable" in first and " – 9" in first, "bounds wide open"


@pytest.mark.parametrize("words", [("city", "2026-13"), ("city", "march"), ("export", "x", "--month", "2026")])
def test_what_is_no_month_is_refused(mine, words):
    code, said = run(kpi.app, *words, home=mine)
    assert code == 1 and "is no month" in said


def test_a_report_is_made_listed_and_verified(mine, tmp_path):
    code, said = run(report.app, "make", "daily", "2026-03-02", "--to", tmp_path, "--language", "both", home=mine)
    assert code == 0
    made = said.split()[-1]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pdf", ".xlsx"]
    assert made in run(report.app, "list", home=mine)[1]
    for what in (made, *tmp_path.iterdir()):
        code, said = run(report.app, "verify", what, home=mine)
        assert code == 0 and "same to the last digit" in said, said
    (path,) = tmp_path.glob("*.xlsx")
    workbook = load_workbook(path)
    workbook.worksheets[1]["C5"] = 1.0
    workbook.save(path)
    code, said = run(report.app, "verify", path, home=mine)
    assert code == 1 and "!C5" in said and "says 1, recorded" in said
    code, said = run(report.app, "verify", "AAAA-AAAA-AAAA-AAAA-AAAA", home=mine)
    assert code == 1 and "nobody made a report" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("make", "weekly", "2026-03"), "no such kind"),
        (("make", "daily", "2026-03-99"), "is no 2026-03"),
        (("make", "daily", "2026-04-01"), "no day"),
        (("make", "shift", "2026-03-02"), "names the shift"),
        (("make", "bureau", "2026-02-20..2026-03-10"), "one for each month"),
        (("make", "daily", "2099-01-01"), "not over yet"),
        (("list", "--kind", "weekly"), "no such report"),
        (("verify", "nothing.pdf"), "no such file"),
        (("verify", "hello"), "no code"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_in_plain_words(mine, words, told):
    code, said = run(report.app, *words, home=mine)
    assert code == 1 and told in said, said
