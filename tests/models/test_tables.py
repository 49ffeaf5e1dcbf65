"""Point tables as people save them: GBK from a Chinese Excel, a byte-order mark, workbooks with cells."""

import datetime
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.site import examine, load
from models.site import tables as tables_module
from models.site.problems import Problems
from models.site.tables import letter, options, read_csv, read_xlsx
from tests.models.sites import POINTS, write

CHINESE = """\
设备,测点,连接,分组,地址,类型,字节序,倍率,单位,中文名
belt,speed,plc,fast,hr:0,float32,cdab,,,主带速
# 备注：以下为流量
,,,,,,,,,

belt,flow,plc,slow,hr:2,uint16,,0.1,kg/s,煤流量（皮带秤）
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_chinese_table_is_read_in_any_of_its_encodings(tmp_path: Path, encoding: str, newline: str) -> None:
    data = CHINESE.replace("\n", newline).encode(encoding)
    points = {point.key: point for point in load(write(tmp_path, points__all_csv=data)).points}
    assert points["speed"].name.zh == "主带速"
    assert (points["flow"].name.zh, points["flow"].factor) == ("煤流量（皮带秤）", pytest.approx(0.36))


def test_rows_are_counted_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    spoilt = CHINESE.replace("煤流量（皮带秤）", '"煤\n流"').replace("kg/s,", "kg,") + "belt,x,plc,slow,hr:9\n"
    problems = examine(write(tmp_path, points__all_csv=spoilt)).problems
    assert [problem.where for problem in problems] == ["I6", "B7"]


def workbook(*sheets: tuple[str, Sequence[Sequence[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


HEAD = ["equipment", "point", "connection", "group", "address", "type", "order", "scale", "unit"]


def test_a_workbook_gives_the_points_of_the_same_csv(tmp_path: Path) -> None:
    rows = [line.split(",") for line in POINTS.splitlines()]
    typed = [[float(c) if c.replace(".", "").isdigit() else c or None for c in row] for row in rows]
    csv_site = load(write(tmp_path / "a"))
    (write(tmp_path / "b") / "points" / "all.csv").unlink()
    xlsx_site = load(write(tmp_path / "b", points__all_csv="", points__all_xlsx=workbook(("点表", typed))))
    assert xlsx_site.points == csv_site.points


def test_mistakes_of_a_workbook_are_named_by_cell(tmp_path: Path) -> None:
    data = workbook(
        (
            "点表",
            [
                HEAD,
                ["belt", "speed", "plc", "fast", "hr:0", "float32", "cdab", 1, "m/s"],
                ["belt", "flow", "plc", "fast", datetime.date(2026, 1, 2), "uint16"],
                ["belt", "power", "plc", "fats", "hr:4", "uint16", None, "a tenth"],
                [None] * 9,
                ["belt", "tension", "plc", "fast", "hr:5", "uint16", True],
                ["belt", "running", "plc", "fast", 7.0, None, None, None, "A"],
            ],
        ),
    )
    problems = examine(write(tmp_path, points__all_csv="", points__all_xlsx=data)).problems
    assert [(problem.file, problem.where) for problem in problems] == [
        ("points/all.xlsx", cell) for cell in ("E3", "H4", "G6", "I7")
    ]
    assert "Excel has made a date of this cell" in problems[0].message
    assert "Excel has made true or false of this cell" in problems[2].message


def test_cells_name_their_sheet_when_there_are_several(tmp_path: Path) -> None:
    good = ["belt", "speed", "plc", "fast", "hr:0"]
    data = workbook(
        ("1号", [HEAD, good]),
        ("2号", [[], HEAD, ["belt", "flaw", "plc", "fast", "hr:2"]]),
        ("说明", [["这是说明"]]),
        ("#说明", [["这也是"]]),
        ("空", []),
    )
    problems = examine(write(tmp_path, points__all_csv="", points__all_xlsx=data)).problems
    found = [(problem.where, problem.message) for problem in problems]
    assert found[0][0] == "2号!B3" and "did you mean 'flow'" in found[0][1]
    assert {where for where, _ in found[1:]} == {"说明!A1"}
    assert "begin a sheet's name with # to leave it out" in found[-1][1]


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_module, "MAX_UNPACKED", 1_000_000)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2_000_000)
    problems = Problems()
    assert list(read_xlsx(bomb.getvalue(), "x.xlsx", problems)) == []
    assert "unpacks to 2 MB" in problems.found[0].message


@given(st.binary(max_size=400))
def test_rubbish_is_a_problem_and_no_crash(data: bytes) -> None:
    problems = Problems()
    assert [row for row in read_csv(data, "x.csv", problems) if len(row.values) > 15] == []
    assert list(read_xlsx(b"PK\3\4" + data, "x.xlsx", problems)) == []
    assert problems.count


def test_columns_are_lettered_as_in_a_spreadsheet() -> None:
    assert [letter(n) for n in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("time=ts", {"time": "ts"}), (" a = 1 ；b=x.y; ", {"a": 1, "b": "x.y"}), ('{"a": {"b": [1]}}', {"a": {"b": [1]}})],
)
def test_options(text: str, expected: dict[str, Any]) -> None:
    assert options(text) == expected


@pytest.mark.parametrize("text", ["time", "=x", "{", '{"a":' * 5000, "a=1;b"])
def test_options_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"not JSON|is not an option"):
        options(text)
