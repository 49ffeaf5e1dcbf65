"""Dictionaries: read whole or refused with reasons, versioned, and the one that holds on a day is found."""

from __future__ import annotations

import datetime
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.access.scope import Scope
from middleplatform.access.tokens import create_token
from middleplatform.governance.dictionaries import editions, effective, entries, load
from models.dictionaries.builtin import builtin
from models.dictionaries.read import DictionaryErrors, read
from models.dictionaries.shape import Dictionary, kinds
from models.dictionaries.sheet import MAX_BYTES, MAX_TAGS, MAX_UNPACKED

FACTS = {"kind": "owners", "edition": "1", "source": "the mine's order 7", "effective_from": "2026-01-01"}
OWNERS = "适用范围,责任人,部门\nrole:ch4,王工,通风科\n*,Li,dispatch\n".encode()


def owners(day: str, owner: str = "Li") -> Dictionary:
    return read(f"applies_to,owner\n*,{owner}\n".encode(), "o.csv", {**FACTS, "effective_from": day})


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def mistakes(data: bytes, file: str, **facts: str) -> str:
    with pytest.raises(DictionaryErrors) as refused:
        read(data, file, {**FACTS, **facts})
    return str(refused.value)


def test_the_programs_own_are_all_there_and_right():
    assert set(builtin()) == set(kinds())
    codes = {entry["code"]: entry for entry in builtin()["sensor_types"].entries}
    assert codes["0001"]["zh"] == "环境瓦斯" and codes["1008"]["one_en"] == "smoke"
    assert builtin()["sensor_types"].effective_from == datetime.date(2023, 7, 1)
    assert builtin()["classification"].entries == ()


def test_the_same_table_from_csv_gbk_xlsx_and_yaml():
    rows = [("适用范围", "责任人", "部门"), ("role:ch4", "王工", "通风科"), ("*", "Li", "dispatch")]
    yaml = (
        "kind: owners\nedition: '1'\nsource: the mine's order 7\neffective_from: 2026-01-01\nentries:\n"
        "  - {applies_to: 'role:ch4', owner: 王工, department: 通风科}\n"
        "  - {applies_to: '*', owner: Li, department: dispatch}\n"
    )
    said = b"# kind: owners\n# edition: 1\n# source: the mine's order 7\n# effective_from: 2026-01-01\n" + OWNERS
    read_ones = [
        read(OWNERS, "o.csv", FACTS),
        read(OWNERS.decode().encode("gb18030"), "o.csv", FACTS),
        read(workbook(*rows), "o.xlsx", FACTS),
        read(yaml.encode(), "o.yaml"),
        read(said, "o.csv"),
    ]
    assert len({each.digest() for each in read_ones}) == 1
    assert read_ones[0].entries[0] == {"applies_to": "role:ch4", "owner": "王工", "department": "通风科"}


@pytest.mark.parametrize(
    ("data", "file", "said"),
    [
        (b'applies_to,owner\n*,=HYPERLINK("http://x")\n', "o.csv", "formula"),
        (b"applies_to,owner\n*,+cmd|' /C calc'!A0\n", "o.csv", "formula"),
        (b"applies_to,owner\n*,@SUM(A1)\n", "o.csv", "formula"),
        (b'applies_to,owner\n*,"\tx"\n', "o.csv", "formula"),
        (b"applies_to,owner\n*,\n", "o.csv", "may not be empty"),
        (b"applies_to,owner\n*,a\n*,b\n", "o.csv", "here twice"),
        (b"applies_to,boss\n*,a\n", "o.csv", "no column 'boss'"),
        (b"applies_to,owner\n*,a,b\n", "o.csv", "beyond the last column"),
        (b"applies_to,owner,owner\n*,a,b\n", "o.csv", "here twice"),
        (b"applies_to,owner\nroll:ch4,a\n", "o.csv", "of the form"),
        (b"applies_to,owner\nrole:ch4; belts,a\n", "o.csv", "of the form"),
        (b"", "o.csv", "no heading"),
        (b"\0\0", "o.csv", "NUL"),
        (b"\xff\xff\xff", "o.csv", "neither UTF-8"),
        (b"applies_to,owner\n*," + b"x" * 501 + b"\n", "o.csv", "500 characters"),
        (b"a" * (MAX_BYTES + 1), "o.csv", "at most 2.1 MB"),
        (b"applies_to,owner\n" + b"".join(b"point:a/%d,x\n" % k for k in range(90_000)), "o.csv", "over 20000"),
        (b",".join([b"x"] * 100), "o.csv", "over 40 columns"),
        (b"PK\x03\x04rubbish", "o.xlsx", "not an Excel workbook"),
        (b"kind: owners\nentries: 3\n", "o.yaml", "a list 'entries'"),
        (b"entries: [&a {x: 1}, *a]\n", "o.yaml", "anchors"),
        (b"[" * 5000, "o.yaml", "nested deeper"),
        (b"x", "o.exe", "are taken"),
    ],
)
def test_what_is_wrong_or_hostile_is_refused_with_the_reason(data, file, said):
    assert said in mistakes(data, file)


def test_hostile_workbooks_are_refused():
    assert "holds a formula" in mistakes(workbook(("applies_to", "owner"), ("*", "=1+1")), "o.xlsx")
    good = workbook(("applies_to", "owner"), ("*", "Li"))

    def altered(name: str, content: bytes) -> bytes:
        found = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new:
            for entry in old.infolist():
                if entry.filename != name:
                    new.writestr(entry.filename, old.read(entry))
            new.writestr(name, content)
        return found.getvalue()

    bomb = altered("xl/worksheets/sheet1.xml", b"<worksheet>" + b" " * (MAX_UNPACKED + 1))
    assert len(bomb) < 100_000 and "unpacks to" in mistakes(bomb, "o.xlsx")
    empty = altered(
        "xl/worksheets/sheet1.xml", b"<worksheet><sheetData>" + b"<row/>" * MAX_TAGS + b"</sheetData></worksheet>"
    )
    assert len(empty) < 100_000 and "empty ones too" in mistakes(empty, "o.xlsx")
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'
    assert "document type" in mistakes(altered("xl/worksheets/sheet1.xml", laughs), "o.xlsx")
    assert "macros" in mistakes(altered("xl/vbaProject.bin", b"x"), "o.xlsx")
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for k in range(300):
            archive.writestr(f"{k}.xml", b"")
    assert "300 files" in mistakes(many.getvalue(), "o.xlsx")


@pytest.mark.parametrize(("rows", "said"), [(1_000_000, "unpacks to"), (30_000, "over 20000 entries")])
def test_a_workbook_of_a_million_rows_is_refused_soon(rows, said):
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'.format
    heading = f"<row>{cell('applies_to')}{cell('owner')}</row>"
    sheet = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    body = f"<row>{cell('x')}{cell('y')}</row>" * rows
    found = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(("a",)))) as old,
        zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            mine = f"{sheet}{heading}{body}</sheetData></worksheet>"
            new.writestr(entry.filename, mine if "sheet1" in entry.filename else old.read(entry))
    assert len(found.getvalue()) < MAX_BYTES
    assert said in mistakes(found.getvalue(), "o.xlsx")


def test_a_classification_hangs_together():
    head = {**FACTS, "kind": "classification"}
    good = b"code,parent,zh,level\nA,,x,business_domain\nA1,A,y,data_domain\n"
    assert len(read(good, "c.csv", head).entries) == 2
    with pytest.raises(DictionaryErrors, match="no entry 'B'"):
        read(b"code,parent,zh,level\nA,B,x,object\n", "c.csv", head)
    with pytest.raises(DictionaryErrors, match="within itself"):
        read(b"code,parent,zh,level\nA,B,x,object\nB,A,y,object\n", "c.csv", head)
    with pytest.raises(DictionaryErrors, match="must be one of"):
        read(b"code,zh,level\nA,x,thing\n", "c.csv", head)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["o.csv", "o.xlsx", "o.yaml"]))
def test_any_bytes_are_a_dictionary_or_refused(data, file):
    try:
        read(data, file, FACTS)
    except DictionaryErrors as error:
        assert error.problems and all(problem.message for problem in error.problems)


def test_the_one_that_holds_on_a_day(place):
    spring, autumn = load(place, owners("2026-03-01"), "olga")[0], load(place, owners("2026-09-01", "Wu"), "olga")[0]
    again, new = load(place, owners("2026-03-01"), "somebody")
    assert (again, new) == (spring, False)
    amended = load(place, owners("2026-03-01", "Zhao"), "pavel")[0]
    assert [e.version for e in editions(place, "owners")] == [0, 1, 2, 3]

    def holds(day: str) -> int | None:
        found = effective(place, "owners", datetime.date.fromisoformat(day))
        return None if found is None else found.version

    assert [holds(day) for day in ("2020-01-01", "2026-02-28", "2026-03-01", "2026-08-31", "2026-09-01")] == [
        None, 0, 3, 3, autumn.version,
    ]  # fmt: skip
    assert entries(place, amended) == ({"applies_to": "*", "owner": "Zhao"},)
    assert (amended.who, amended.entries) == ("pavel", 1)
    assert load(place, builtin()["owners"], "olga") == (editions(place, "owners")[0], False)


def test_many_that_load_at_once_keep_it_once(place):
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda k: load(place, owners("2026-03-01", f"o{k % 2}"), "olga"), range(6)))
    assert [e.version for e in editions(place, "owners")] == [0, 1, 2]
    assert sum(new for _, new in made) == 2


def test_loaded_over_the_api_it_holds_at_once(platform):
    engineer = create_token(platform.home, "e", role="engineer")
    eastern = create_token(platform.home, "east", role="engineer", scope=Scope.of({"areas": ["east"]}))
    send = {"file": "o.csv", **FACTS}
    with platform.client() as reader:
        refused = reader.post("/api/v1/dictionaries", params=send, content=OWNERS)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
        reader.headers["Authorization"] = f"Bearer {engineer}"
        wrong = reader.post("/api/v1/dictionaries", params=send, content=b"applies_to,owner\n*,=1\n")
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "wrong_dictionary")
        assert wrong.json()["error"]["problems"][0]["where"] == "B2"
        reader.headers["Authorization"] = f"Bearer {eastern}"
        beyond = reader.post("/api/v1/dictionaries", params=send, content=OWNERS)
        assert (beyond.status_code, beyond.json()["error"]["code"]) == (403, "beyond_your_scope")
        reader.headers["Authorization"] = f"Bearer {engineer}"
        large = reader.post("/api/v1/dictionaries", params=send, content=b"x" * (MAX_BYTES + 10))
        assert large.status_code == 413
        loaded = reader.post("/api/v1/dictionaries", params=send, content=OWNERS).json()
        assert (loaded["version"], loaded["who"].split(":")[2], loaded["new"]) == (1, "e", True)
        shown = reader.get("/api/v1/dictionaries/owners").json()
        assert shown["rows"][1] == {"applies_to": "*", "owner": "Li", "department": "dispatch"}
        assert reader.get("/api/v1/dictionaries/owners", params={"day": "2024-01-01"}).json()["version"] == 0
        assert reader.get("/api/v1/dictionaries/owners", params={"version": 9}).status_code == 404
        kinds_of = {kind["kind"]: kind for kind in reader.get("/api/v1/dictionaries").json()["kinds"]}
        assert kinds_of["owners"]["holds"] == 1 and kinds_of["sensor_types"]["holds"] == 0
        point = reader.get("/api/v1/catalogue", params={"q": "speed"}).json()["points"][0]
        assert point["owner"] == {"owner": "Li", "department": "dispatch", "contact": ""}
        wide = b"applies_to,owner\npoint:pump1/*,Zhao\nequipment:belt*;equipment:pump1,Qian\narea:sump,Sun\n*,Li\n"
        wide_facts = {**send, "edition": "2", "effective_from": "2026-06-01"}
        assert reader.post("/api/v1/dictionaries", params=wide_facts, content=wide).status_code == 200
        reader.headers["Authorization"] = f"Bearer {eastern}"
        rows = reader.get("/api/v1/dictionaries/owners").json()
        assert ([row["owner"] for row in rows["rows"]], rows["total"]) == (["Qian", "Li"], 2)
