"""`sevenones import`: a vendor's table into a site, its mistakes at their cells, a preview, and the way back."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import openpyxl
import pytest
import yaml

from sevenones.demo import BUNDLED_SITE
from sevenones.point_import import Choice, ImportRefused, prepare
from sevenones.site_change import ChangeError, apply, undo
from tests.onboarding.command import sevenones

VENDOR = [
    ["1号皮带机PLC点表 V2.3", None, None, None, None, None, None, None],
    ["序号", "变量名称", "寄存器地址(十进制)", "功能码", "数据类型", "字节序", "倍率", "单位"],
    [1, "带速", 40101, "03", "Float", "CDAB", None, "米/秒"],
    [2, "煤流量", 40103, "03", "浮点数", "3412", None, "t/h"],
    [3, "1号电机电流", 40105, "03", "INT16", None, "×0.1", "A"],
    [4, "跑偏保护", "00001", 1, "BOOL", None, None, None],
    ["", "", "", "", "", "", "", ""],
    ["# 以下备用", None, None, None, None, None, None, None],
]
ADD = ("--template", "belt_conveyor", "--equipment", "belt_9", "--area", "main_incline", "--connection", "belt_plc")
MORE = ("--name", "9号皮带机/Belt 9", "--group", "normal")


@pytest.fixture
def site(tmp_path):
    return shutil.copytree(BUNDLED_SITE, tmp_path / "site")


def book(path, rows):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.save(path)
    return path


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and ".changes" not in path.parts}  # fmt: skip


def first_area(site):
    return next(iter(yaml.safe_load((site / "areas.yaml").read_text())["areas"]))


CHOICE = Choice(template="belt_conveyor", equipment="belt_9", connection="belt_plc", group="normal")


async def test_a_vendors_table_is_previewed_written_and_taken_back(site, tmp_path):
    area = first_area(site)
    words = ("import", book(tmp_path / "vendor.xlsx", VENDOR), "--site", site, *ADD, *MORE)
    words = tuple(area if word == "main_incline" else word for word in words)
    before = files(site)
    preview = await sevenones(*words)
    assert preview.code == 0, preview
    assert "+ belt_9/speed  belt_plc normal hr:100 float32 cdab m/s" in preview.out
    assert "+ belt_9/current_1  belt_plc normal hr:104 int16 0.1 A" in preview.out
    assert "+ belt_9/deviation  belt_plc normal co:0" in preview.out
    assert "4 added, 0 changed, 0 removed, 0 unchanged" in preview.out and "add --yes" in preview.out
    assert files(site) == before, "a preview writes nothing"

    written = await sevenones(*words, "--yes")
    assert written.code == 0 and "equipment/belt_9.yaml" in written.out
    checked = await sevenones("check", site)
    assert checked.code == 0 and "belt_9: 4 points" in checked.out, checked
    again = prepare(site, tmp_path / "vendor.xlsx", CHOICE)
    assert len(again.difference.unchanged) == 4 and not again.files

    changed = [*VENDOR[:2], [1, "带速", 40101, "03", "Float", "ABCD", None, "m/s"], *VENDOR[3:5]]
    words = (words[0], book(tmp_path / "newer.xlsx", changed), *words[2:])
    newer = await sevenones(*words, "--yes")
    assert "~ belt_9/speed  order: cdab → abcd" in newer.out and "- belt_9/deviation" in newer.out
    assert "0 added, 1 changed, 1 removed, 2 unchanged" in newer.out

    assert (await sevenones("import", "--undo", "--site", site)).code == 0
    assert len(prepare(site, tmp_path / "vendor.xlsx", CHOICE).difference.unchanged) == 4, "the first import is back"
    undo(site)
    assert files(site) == before, "all of it is as it was"
    with pytest.raises(ChangeError, match="no import to undo"):
        undo(site)


def test_what_was_edited_since_is_not_overwritten_by_undo(site, tmp_path):
    planned = prepare(site, book(tmp_path / "vendor.xlsx", VENDOR), replace(CHOICE, area=first_area(site)))
    apply(site, planned.files, datetime.now(UTC), "import vendor.xlsx")
    table = site / "points" / "belt_9.csv"
    table.write_text(table.read_text().replace("hr:100", "hr:102"))
    with pytest.raises(ChangeError, match=r"points/belt_9.csv changed since"):
        undo(site)
    assert "hr:102" in table.read_text()


def refused(site, path, **choice):
    with pytest.raises(ImportRefused) as caught:
        prepare(site, path, Choice(**choice))
    return {(problem.where, problem.message.rpartition(" · ")[2]) for problem in caught.value.problems}


def test_every_mistake_is_named_at_its_row_and_column_and_what_to_do(site, tmp_path):
    wrong = [
        VENDOR[1],
        [1, "带速度", 40101, "03", "Float", "CDAB", None, "m/s"],
        [2, "煤流量", "第5个", "03", "浮点数", "3412", None, "t/h"],
        [3, "1号电机电流", 105, None, "INT16", None, "十分之一", "A"],
        [4, "撕裂保护", 40001, 9, "位图", "XYZ", None, None],
        [5, "带速", 40110, 3, "Float", None, None, None],
        [6, "带速", 40112, 3, "Float", None, None, None],
        [7, "2号电机电流", 40120, 3, "INT16", None, None, "m/s"],
    ]
    said = refused(site, book(tmp_path / "wrong.xlsx", wrong), equipment="belt_101", connection="belt_plc")
    by_cell = {}
    for where, message in said:
        by_cell.setdefault(where, []).append(message)
    assert "did you mean speed" in by_cell["B2"][0]
    assert "is not a Modbus address" in by_cell["C3"][0]
    assert "does not say of which table" in by_cell["C4"][0] and "is not a number" in by_cell["G4"][0]
    assert "no function code" in by_cell["D5"][0] and "order 'XYZ'" in by_cell["F5"][0]
    assert any("is here twice, first at B6" in message for message in by_cell["B7"])


def test_what_only_check_can_know_is_named_at_the_cell_of_the_table_too(site, tmp_path):
    rows = [VENDOR[1], [1, "带速", 40101, "03", "Float", None, None, "kg"]]
    choice = {"template": "belt_conveyor", "equipment": "belt_9", "connection": "belt_plc", "group": "normal"}
    area = first_area(site)
    said = refused(site, book(tmp_path / "unit.xlsx", rows), area=area, **choice)
    assert [where for where, _ in said] == ["H2"] and "'kg' cannot become 'm/s'" in next(iter(said))[1]


def test_a_mapping_file_teaches_other_words(site, tmp_path):
    (tmp_path / "map.yaml").write_text(
        "columns: {数据点: point, 编址: address}\npoints: {皮带线速度: speed}\ntypes: {R4: float32}\n"
    )
    (tmp_path / "odd.csv").write_bytes("数据点,编址,类型\n皮带线速度,40301,R4\n没有的,40303,R4\n".encode("gbk"))
    area = first_area(site)
    choice = {"template": "belt_conveyor", "equipment": "belt_9", "connection": "belt_plc", "group": "normal"}
    more = {"area": area, "mapping": tmp_path / "map.yaml", "skip_unknown": True}
    planned = prepare(site, tmp_path / "odd.csv", Choice(**choice, **more))
    assert planned.difference.added == [("belt_9", "speed")]
    assert planned.difference.table["belt_9", "speed"]["address"] == "40301"
    assert planned.found.skipped == ["A3 没有的"]


def test_a_point_that_another_file_binds_otherwise_is_refused_with_its_place(site, tmp_path):
    (tmp_path / "t.csv").write_text(
        "equipment,point,connection,group,address,type\nbelt_101,speed,belt_plc,fast,hr:4,int16\n"
    )
    said = refused(site, tmp_path / "t.csv", to="other")
    assert "bound otherwise at points/belts.csv:" in next(iter(said))[1]


async def test_the_demos_own_table_goes_out_and_comes_back_unchanged(site, tmp_path):
    for name, more in (("out.xlsx", ("--chinese",)), ("gbk.csv", ("--gbk",))):
        out = await sevenones("export", tmp_path / name, "--site", site, *more)
        assert out.code == 0, out
        back = prepare(site, tmp_path / name, Choice())
        assert len(back.difference.unchanged) == 98 and not back.difference.changes and not back.files


HEADINGS = ["变量名称", "地址", "功能码", "数据类型", "字节序", "倍率", "单位"]


@pytest.mark.parametrize(
    ("row", "where", "reason"),
    [
        (["煤流量", 103.7, 3, "Float", "CDAB", None, "t/h"], "D2", "hr:103.7 is a single bit, and its type is float32"),
        (["煤流量", 103, 1, "Float", "CDAB", None, "t/h"], "D2", "co:103 is a single bit, and its type is float32"),
        (
            ["1号电机电流", 107.3, 3, "INT16", None, 0.1, "A"],
            "B2",
            "hr:107.3 is a single bit, and current_1 is a number",
        ),
        (["跑偏保护", "107.3", 1, "BOOL", None, None, None], "B2", "each address of the table co is a bit by itself"),
        (["跑偏保护", 40110.10, None, "BOOL", None, None, None], "B2", "may be bit 1 or bit 10: write 40110.01, or"),
        (["煤流量", 103, 3, "Float", "CDAB", "1e400", "t/h"], "F2", "'1e400' is not a number"),
        (["煤流量", 103, 3, "Float", "CDAB", "=1/10", "t/h"], "F2", "a formula whose value was never calculated"),
    ],
)
async def test_what_would_show_a_wrong_value_as_good_is_named_at_its_cell(site, tmp_path, row, where, reason):
    before = files(site)
    table = book(tmp_path / "vendor.xlsx", [HEADINGS, row])
    done = await sevenones(
        "import", table, "--site", site, *ADD[:4], *ADD[6:], "--area", first_area(site), *MORE, "--yes"
    )
    assert done.code == 1 and f"vendor.xlsx:{where}: " in done.err and reason in done.err, done
    assert files(site) == before


async def test_a_bit_of_a_status_word_may_have_the_type_of_its_word(site, tmp_path):
    table = book(tmp_path / "vendor.xlsx", [HEADINGS, ["跑偏保护", "107.3", 3, "WORD", "ABCD", None, None]])
    done = await sevenones("import", table, "--site", site, *ADD[:4], *ADD[6:], "--area", first_area(site), *MORE)
    assert done.code == 0 and "+ belt_9/deviation  belt_plc normal hr:107.3\n" in done.out, done
    for written, bit in ((40110.01, 1), ("40110.10", 10), (40110.12, 12)):
        table = book(tmp_path / "vendor.xlsx", [HEADINGS, ["跑偏保护", written, 3, "BOOL", None, None, None]])
        done = await sevenones("import", table, "--site", site, *ADD[:4], *ADD[6:], "--area", first_area(site), *MORE)
        assert f"normal hr:109.{bit}\n" in done.out and "whole register" not in done.out, done


async def test_a_whole_register_read_as_a_bool_is_noted_by_import_and_check(site, tmp_path):
    note = "a whole register read as a bool: any bit set is 1; name the bit, hr:109.0"
    rows = [["煤流量", "40110", 3, "bool", None, None, "t/h"], ["跑偏保护", 40110.0, 3, "BOOL", None, None, None]]
    for row in rows:
        table = book(tmp_path / "vendor.xlsx", [HEADINGS, row])
        words = ("import", table, "--site", site, *ADD[:4], *ADD[6:], "--area", first_area(site), *MORE, "--yes")
        done = await sevenones(*words)
        assert done.code == 0 and note in done.out and "! vendor.xlsx:" in done.out, done
        checked = await sevenones("check", site)
        assert checked.code == 0 and note in checked.out + checked.err, checked


@pytest.mark.parametrize("form", [("table.xlsx",), ("table.csv", "--chinese", "--gbk")])
async def test_what_was_exported_and_edited_goes_back_to_where_it_came_from(site, tmp_path, form):
    row = ["带速", 103, 3, "Float", "CDAB", None, "m/s"]
    vendor = book(tmp_path / "vendor.xlsx", [[*HEADINGS, "空值", "冻结"], [*row, 9999, "10 min"]])
    added = ("import", vendor, "--site", site, *ADD[:4], *ADD[6:], "--area", first_area(site), *MORE, "--yes")
    assert (await sevenones(*added)).code == 0
    assert b"9999,10 min" in (site / "points" / "belt_9.csv").read_bytes()
    out = tmp_path / form[0]
    assert (await sevenones("export", out, "--site", site, "--equipment", "belt_9", *form[1:])).code == 0
    if out.suffix == ".csv":
        text = out.read_text("gb18030")
        assert "空值" in text and "no_value" not in text
        out.write_text(text.replace("hr:103", "hr:105"), "gb18030")
    else:
        edited = openpyxl.load_workbook(out)
        for cells in edited.active.iter_rows():
            for cell in cells:
                cell.value = "hr:105" if cell.value == "hr:103" else cell.value
        edited.save(out)
    for to in ((), ("--to", "points/belt_9.csv")):
        done = await sevenones("import", out, "--site", site, *to)
        assert done.code == 0 and "~ belt_9/speed  address: hr:103 → hr:105" in done.out, done
        assert "0 added, 1 changed, 0 removed" in done.out
