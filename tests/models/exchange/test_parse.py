"""The grammar of exchange files: round trips, and everything that can be wrong in one."""

from __future__ import annotations

import gc
import math
import random
import resource
import string
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.exchange import Refused, Why, encode, parse, profile, profiles
from models.exchange.dictionaries import meaning, point_state, sensor_types
from models.exchange.parse import MOST_TOLD
from models.quality import Quality
from tests.models.exchange.files import MINE, SENT, ZONE, cdss, header, micros, plainly, point

NMSA = profile("nmsa")
KINDS = tuple(NMSA.layouts)


def file(records, kind="CDSS", family=NMSA, sent=SENT, encoding=""):
    return encode(family, kind, header(kind, family, sent), records, encoding)


def why(data, kind="CDSS", encoding="auto", family=NMSA):
    with pytest.raises(Refused) as refused:
        parse(data, family, kind, ZONE, encoding)
    return refused.value.why, str(refused.value)


# Characters that GB 2312 has, whose second byte in GBK is one of the separators among them (丱 弢 箌 …).
HANZI = "矿井甲烷传感器东翼回风巷掘进工作面℃％—" + bytes.fromhex("817c857c907e927cb05e8d5d").decode("gbk")
TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2098, 12, 31)).map(lambda t: t.replace(microsecond=0))


def value_of(column):
    """A strategy for what one field may hold."""
    some = {
        "code": st.text(string.digits + string.ascii_uppercase, min_size=1, max_size=min(column.longest, 28)),
        "text": st.text(HANZI + string.ascii_letters + "0 .-+()[|", max_size=min(column.longest, 20)).map(
            lambda text: text.strip().replace("||", "")
        ),
        "number": st.floats(-1e9, 1e9, allow_nan=False).map(repr),
        "int": st.integers(-10_000, 10_000).map(str),
        "time": TIMES.map(lambda t: t.strftime("%Y-%m-%d %H:%M:%S")) | TIMES.map(lambda t: t.strftime("%Y%m%d%H%M%S")),
        "date": TIMES.map(lambda t: t.strftime("%Y-%m-%d")),
    }[column.kind]
    return some if column.required else some | st.just("")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", profiles())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_encoded_comes_back_as_a_plain_reader_reads_it(family, kind, data):
    family = profile(family)
    fields = family.layouts[kind].fields
    row = st.fixed_dictionaries({column.name: value_of(column) for column in fields})
    records = data.draw(st.lists(row, max_size=5))
    encoding = data.draw(st.sampled_from(["utf-8", "gb18030", "gbk"]))
    if family.file_end == "]]]":
        records = [{name: text.replace("]", "") for name, text in one.items()} for one in records]
    written = file(records, kind, family, encoding=encoding)
    found = parse(written, family, kind, ZONE, encoding)
    expected = plainly(written.decode(encoding), family, kind)
    assert (found.total, found.bad, found.problem_count, len(found)) == (len(records), 0, 0, len(records))
    assert (found.mine, found.sent) == (MINE, micros(SENT))
    for column in fields:
        ours = found.columns[column.name]
        ours = ours.tolist() if isinstance(ours, np.ndarray) else ours.to_pylist()
        for mine, theirs in zip(ours, [one[column.name] for one in expected], strict=True):
            assert mine == theirs or (math.isnan(mine) and math.isnan(theirs)), column.name


def test_gbk_characters_that_hold_a_separators_byte_do_not_separate():
    name = bytes.fromhex("817c817c857e").decode("gbk")
    written = file([{**cdss(), "place": name}], encoding="gbk")
    assert b"||" in written[:-2] or b"|\x81|" in written
    found = parse(written, NMSA, "CDSS", ZONE, "auto")
    assert found.text("place").to_pylist() == [name]


def test_line_breaks_between_and_within_records_mean_nothing():
    written = file([cdss(1), cdss(2)])
    for mark in (b"\r\n", b"\n"):
        broken = written.replace(b"~", b"~" + mark).replace(b";", mark + b";", 3) + mark
        found = parse(broken, NMSA, "CDSS", ZONE)
        assert found.text("point").to_pylist() == [point(1), point(2)] and not found.problems


def test_a_byte_order_mark_is_told_and_passed_over():
    found = parse(b"\xef\xbb\xbf" + file([cdss()]), NMSA, "CDSS", ZONE)
    assert (found.mine, len(found), found.bad) == (MINE, 1, 0)
    assert "byte order mark" in str(found.problems[0])


def test_a_file_without_its_end_is_incomplete_wherever_it_was_cut():
    for encoding in ("utf-8", "gbk"):
        written = file([{**cdss(), "place": "回风巷" * 5}] * 3, encoding=encoding)
        for cut in range(len(written)):
            assert why(written[:cut], encoding=encoding)[0] in (Why.INCOMPLETE,), cut


def test_full_width_separators_are_named():
    written = file([cdss(n) for n in range(10)])
    _, words = why(written.replace(b"||", "｜｜".encode()))
    assert "full width" in words
    one = written.decode().replace(";", "；", 12).replace("；", ";", 2).encode()
    found = parse(one, NMSA, "CDSS", ZONE)
    assert found.bad == 2 and all("； in full width" in str(problem) for problem in found.problems)
    assert "；" in why(written.decode().replace(";", "；").encode())[1]


def test_a_wrong_count_of_fields_leaves_out_that_record_alone():
    lines = file([cdss(n) for n in range(10)]).split(b"~")
    lines[4] += b";more"
    found = parse(b"~".join(lines), NMSA, "CDSS", ZONE)
    assert found.bad == 1 and found.text("point").to_pylist() == [point(n) for n in range(10) if n != 3]
    assert found.number.tolist() == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert (found.problems[0].record, found.problems[0].field) == (4, "") and "8 fields" in found.problems[0].words


def test_more_bad_records_than_a_fifth_refuse_the_file():
    def spoilt(count):
        return file([cdss(n, time="" if n < count else SENT) for n in range(10)])

    assert parse(spoilt(2), NMSA, "CDSS", ZONE).bad == 2
    reason, words = why(spoilt(3))
    assert reason is Why.TOO_MANY_BAD and "3 of 10" in words and "record 1, time" in words


@pytest.mark.parametrize("wrong", ["2026-02-31 10:00:00", "2026-13-01 10:00:00", "2026-09-23 24:00:00", "10:13", "１"])
def test_a_time_that_there_is_not_is_no_time(wrong):
    found = parse(file([cdss(n, time=wrong if n == 0 else SENT) for n in range(9)]), NMSA, "CDSS", ZONE)
    assert found.bad == 1 and (found.problems[0].record, found.problems[0].field) == (1, "time")


def test_an_optional_field_that_cannot_be_read_is_empty_and_told():
    good = {"point": point(), "max": "1.5", "min": "0.5", "average": "1", "time": SENT}
    rows = [good, {**good, "max": "1,5"}, {**good, "max": "1e999"}, {**good, "max": "NaN"}, {**good, "max": ""}]
    found = parse(file(rows, "TJSJ"), NMSA, "TJSJ", ZONE)
    assert found.bad == 0 and found.numbers("max")[0] == 1.5 and np.isnan(found.numbers("max")[1:]).all()
    assert [(p.record, p.field) for p in found.problems] == [(2, "max"), (3, "max"), (4, "max")]


def test_substations_may_leave_out_their_coordinates():
    lines = file([], "FZDY").removesuffix(b"||") + f"{MINE}00001;井底~{MINE}00002;东翼;1;2;3;{SENT}~||".encode()
    found = parse(lines, NMSA, "FZDY", ZONE)
    assert (found.bad, found.text("place").to_pylist(), found.numbers("z")[1]) == (0, ["井底", "东翼"], 3)


def test_what_makes_a_file_refused_is_told_apart():
    right = file([cdss()])
    assert why(right, "QQQQ")[0] is Why.UNKNOWN_TYPE
    assert why(right.replace(b";2026-09-23 10:13:19~", b"~", 1))[0] is Why.HEADER
    assert why(right.replace(b"2026-09-23", b"2026-09-33", 1))[0] is Why.HEADER
    assert why(right + right)[0] is Why.MALFORMED
    assert why(b"~" * 600_000 + b"||")[0] is Why.MALFORMED
    reason, words = why(file([cdss()], encoding="gbk"), encoding="utf-8")
    assert reason is Why.ENCODING and "can be read as gb18030" in words
    assert why(b"\xff\xff\xff||")[0] is Why.ENCODING


def test_a_file_of_rubbish_does_not_tell_without_end():
    bad = file([cdss(n) for n in range(5000)]).replace(b";0;", b";zero;0;", 900)
    found = parse(bad, NMSA, "CDSS", ZONE)
    assert found.bad == 900 == found.problem_count and len(found.problems) == MOST_TOLD


@pytest.mark.parametrize(
    ("word", "quality"),
    [
        ("0", Quality.GOOD),
        ("1", Quality.GOOD),
        ("2", Quality.GOOD),
        ("3", Quality.GOOD),
        ("4", Quality.UNCERTAIN_SENSOR),
        ("5", Quality.UNCERTAIN_SENSOR),
        ("8", Quality.UNCERTAIN_RANGE),
        ("17", Quality.BAD_COMMUNICATION),
        ("32", Quality.BAD_OUT_OF_SERVICE),
        ("64", Quality.BAD_OUT_OF_SERVICE),
        ("132", Quality.BAD_SENSOR_FAILURE),
        ("256", Quality.UNCERTAIN),
        ("", Quality.UNCERTAIN),
        ("报警", Quality.UNCERTAIN),
    ],
)
def test_state_3_and_5_and_those_outside_the_bit_table_have_a_meaning(word, quality):
    state = point_state(word)
    assert state.quality == quality and state.name.zh and state.name.en


def test_the_dictionaries_are_whole():
    types = sensor_types()
    assert len(types) == 78 and types["0043"].name.zh == "激光甲烷" and types["1002"].one.en == "open"
    assert {t.value_type for t in types.values()} == {"MN", "KG", "LJ", "DT"}
    assert meaning("exceptions", "004").zh == "传感器断线" and meaning("run", 5) is None
    assert all(profile(name).source and profile(name).effective_from for name in profiles())
    assert [len(NMSA.layouts[kind].fields) for kind in ("CDDY", "CDSS", "TJSJ", "YCBJ", "RYSS")] == [24, 7, 12, 17, 15]


def test_file_names_are_known_by_pattern_and_never_by_length():
    for name, mine in (
        (f"{MINE}_RYSS_20260923101319.txt", MINE),
        ("12345678901234567890_RYSS_20260923101319.txt", "12345678901234567890"),
        (f"{MINE}_RYSS_20260923101319_000001.txt", MINE),
        (f"{MINE}_RYSS_202609231013191.txt", MINE),
    ):
        assert NMSA.read_name(name).mine == mine and NMSA.read_name(name).kind == "RYSS"
    for name in (f"{MINE}_RYSS_20260923101319.txt.tmp", f"{MINE}_RYSS_2026.txt", "../x_RYSS_20260923101319.txt"):
        assert NMSA.read_name(name) is None
    metal = profile("nmsa-n")
    assert metal.read_name(f"{MINE}_NCDDY_20260923101319.txt").kind == "CDDY"
    assert metal.read_name(f"{MINE}_CDDY_20260923101319.txt") is None


# ---- fuzz

ODD = [b"", b";", b"~", b"||", b"|", "；".encode(), b"\x00", b"\xff", b"\xef\xbb\xbf", b"1e999", b"-", b"\r\n", b"NaN"]


def spoil(rng: random.Random, data: bytes) -> bytes:
    spoilt = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(spoilt))
        act = rng.randrange(5)
        if act == 0:
            spoilt[at : at + rng.randint(0, 12)] = rng.choice(ODD)
        elif act == 1:
            spoilt[at:at] = rng.randbytes(rng.randint(1, 9))
        elif act == 2:
            del spoilt[at : at + rng.randint(1, 60)]
        elif act == 3:
            other = rng.randint(0, len(spoilt))
            spoilt[at:at] = spoilt[other : other + rng.randint(1, 90)]
        else:
            spoilt = bytearray(rng.choice(ODD).join(bytes(spoilt).split(b";", rng.randint(0, 4))))
    return bytes(spoilt)


def fuzz(count: int, seed: int) -> tuple[int, int]:
    rng = random.Random(seed)
    moment = datetime(2026, 9, 23)
    made = []
    for kind in KINDS:
        rows = []
        for number in range(9):
            time = (moment + timedelta(seconds=number)).strftime("%Y-%m-%d %H:%M:%S")
            of = {"code": str(number), "text": "甲烷", "number": "1.5", "int": "3", "time": time, "date": time[:10]}
            rows.append({column.name: of[column.kind] for column in NMSA.layouts[kind].fields})
        made += [(kind, file(rows, kind, encoding=encoding)) for encoding in ("utf-8", "gbk")]
    weights = [1 / len(NMSA.layouts[kind].fields) ** 2 for kind, _ in made]  # the short ones are quicker
    taken = refused = 0
    for _ in range(count):
        kind, data = rng.choices(made, weights)[0]
        try:
            found = parse(spoil(rng, data), NMSA, kind, ZONE)
        except Refused as error:
            assert str(error)
            refused += 1
            continue
        taken += 1
        assert found.bad <= 0.2 * found.total and len(found) == found.total - found.bad
        assert all(len(column) == len(found) for column in found.columns.values())
    return taken, refused


def test_10000_malformed_files_raise_nothing_else():
    taken, refused = fuzz(10_000, 1)
    assert taken > 500 and refused > 500


@pytest.mark.proof
@pytest.mark.timeout(3600)
def test_1000000_malformed_files_raise_nothing_else_and_memory_stays():
    fuzz(20_000, 2)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fuzz(1_000_000, 3)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10, "KiB"
