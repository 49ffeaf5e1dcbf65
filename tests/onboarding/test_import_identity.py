"""P22: a table that is exported and imported again is the same, column by column; and no cell is too odd."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from models.site import tables
from models.site.foreign import cells, reading
from models.site.foreign.addresses import AddressError, translate
from models.site.foreign.difference import difference
from models.site.foreign.existing import Bound, Existing, canonical
from models.site.foreign.table import to_csv, to_xlsx
from models.site.foreign.words import Words
from models.site.problems import Problems
from models.thing import Template

POINTS = {
    f"p{number}": {"name": {"zh": f"测点{number}", "en": f"Point {number}"}, "role": "any.thing", "kind": "analog"}
    for number in range(12)
}
TEMPLATE = Template.model_validate({"id": "t", "name": {"zh": "模", "en": "t"}, "category": "other", "points": POINTS})
HOW = reading.How(
    Words(),
    {"e1": TEMPLATE, "e2": TEMPLATE},
    adapters={"plc": "modbus", "broker": "mqtt"},
    takes=lambda adapter, address: ":" in address,
)
NAMES = st.text(st.characters(codec="gb18030", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
BINDING = st.fixed_dictionaries(
    {"connection": st.sampled_from(["plc", "broker"]), "address": st.integers(0, 65535).map(lambda n: f"hr:{n}")},
    optional={
        "group": st.sampled_from(["fast", "slow"]),
        "type": st.sampled_from(["int16", "float32", "uint32"]),
        "order": st.sampled_from(["abcd", "cdab", "badc", "dcba"]),
        "scale": FLOATS.filter(bool),
        "offset": FLOATS,
        "unit": st.sampled_from(["A", "t/h", "℃", "%", "m/s", "kPa", "MPa"]),
        "low": FLOATS,
        "high": FLOATS,
        "dead_band": st.floats(0, 1e6),
        "silence": st.floats(0.1, 3600),
        "name_zh": NAMES,
        "name_en": NAMES.filter(lambda text: not text.startswith("#")),
        "options": st.dictionaries(NAMES, st.one_of(NAMES, st.integers(0, 9), st.booleans()), max_size=3),
    },
)
TABLES = st.dictionaries(
    st.tuples(st.sampled_from(["e1", "e2"]), st.sampled_from(sorted(POINTS))), BINDING, min_size=1, max_size=15
)
FORMS = {
    "utf-8.csv": to_csv,
    "utf-8 with Chinese headings.csv": lambda rows: to_csv(rows, chinese=True),
    "gbk.csv": lambda rows: to_csv(rows, "gbk"),
    "book.xlsx": to_xlsx,
    "book with Chinese headings.xlsx": lambda rows: to_xlsx(rows, chinese=True),
}


@settings(max_examples=40, deadline=None)
@given(TABLES, st.sampled_from(sorted(FORMS)))
def test_p22_export_then_import_is_the_identity(rows, form):
    data = FORMS[form](rows)
    suffix = form[form.rindex(".") :]
    wanted = {key: canonical(values, {}) for key, values in rows.items()}

    problems = Problems()
    read = tables.read_csv if suffix == ".csv" else tables.read_xlsx
    loaded = {}
    for row in read(data, form, problems):
        equipment, point = row.values.pop("equipment"), row.values.pop("point")
        loaded[equipment, point] = canonical(row.values, {})
    assert not problems.count, problems.found
    assert loaded == wanted, "the site's own reader"

    found = reading.read(data, suffix, form, HOW, problems)
    assert not problems.count, problems.found
    imported = {row.key: canonical({k: v for k, v in row.values.items() if k not in ("equipment", "point")}, {})
                for row in found.rows}  # fmt: skip
    assert imported == wanted, "the importer"

    bound = {key: Bound(values, "points/t.csv", "A2", 2) for key, values in rows.items()}
    change = difference(found.rows, Existing(bound, {}, {}), "points/t.csv", problems)
    assert not change.changes and change.unchanged == list(rows)


@settings(max_examples=60, deadline=None)
@given(TABLES, st.data())
def test_a_difference_applied_gives_what_was_imported(rows, data):
    """Added, changed, removed and unchanged are each what they say; the table written reads back as the import."""
    before = {key: Bound(values, "points/t.csv", "A2", 2) for key, values in data.draw(TABLES).items()}
    read = reading.read(to_csv(rows), ".csv", "t.csv", HOW, Problems())
    problems = Problems()
    change = difference(read.rows, Existing(before, {}, {}), "points/t.csv", problems)
    assert not problems.count
    machines = {equipment for equipment, _ in rows}
    assert set(change.added) == rows.keys() - before.keys()
    assert set(change.removed) == {key for key in before.keys() - rows.keys() if key[0] in machines}
    same = {k for k in rows.keys() & before.keys() if canonical(rows[k], {}) == canonical(before[k].values, {})}
    assert set(change.unchanged) == same
    assert {one.key for one in change.changed} == (rows.keys() & before.keys()) - same
    kept = {key: bound.values for key, bound in before.items() if key[0] not in machines}
    after = {key: canonical(values, {}) for key, values in {**kept, **rows}.items()}
    assert {key: canonical(values, {}) for key, values in change.table.items()} == after


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12), st.sampled_from(["", "hr", "ir", "co", "di"]), st.integers(0, 1))
def test_an_address_is_translated_or_refused_in_words(text, table, first):
    try:
        found = translate(text, table, first)
    except AddressError as error:
        assert " · " in str(error)
    else:
        front, _, number = found.partition(":")
        assert front in ("hr", "ir", "co", "di") and 0 <= float(number) <= 65535.15


@given(st.binary(max_size=2000), st.sampled_from([".csv", ".xlsx"]))
@settings(max_examples=300, deadline=None)
def test_no_file_is_too_odd_to_be_refused(data, suffix):
    problems = Problems()
    found = reading.read(data, suffix, f"odd{suffix}", HOW, problems)
    assert problems.count or found.rows or suffix == ".csv"


def test_manuals_addresses():
    """Mess 1: 0-based, 1-based and 4xxxx."""
    for text, table, first, wanted in (
        ("40001", "", 0, "hr:0"),
        ("400001", "", 0, "hr:0"),
        ("4x0101", "", 0, "hr:100"),
        ("30005", "", 0, "ir:4"),
        ("10001", "", 0, "di:0"),
        ("00017", "", 0, "co:16"),
        ("40101.3", "", 0, "hr:100.3"),
        ("100", "hr", 0, "hr:100"),
        ("100", "hr", 1, "hr:99"),
        ("0x64", "ir", 0, "ir:100"),
        ("64H", "ir", 0, "ir:100"),
        ("40101", "hr", 0, "hr:100"),
    ):
        assert translate(text, table, first) == wanted, text
    assert translate("7", "hr", 0, bit="4", unit="3") == "3/hr:7.4"
    assert math.isclose(cells.number("/10"), 0.1) and cells.number("×0.01") == 0.01
    assert cells.kind("Float CDAB", Words()) == ("float32", "cdab")
    assert cells.kind("32位浮点数", Words()) == ("float32", "")
    assert cells.order("3412", Words()) == "cdab" and cells.table("保持寄存器", Words()) == "hr"
