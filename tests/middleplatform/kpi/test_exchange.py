"""A mine's days go to the bureau in a file: whole, checked line by line, and never over what was made later."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from middleplatform.audit.log import entries
from middleplatform.kpi import book, exchange, parcel
from middleplatform.kpi.parcel import ExchangeRefused
from models.kpi.day import digest
from models.utilisation.figure import TIMES
from tests.middleplatform.kpi.made import (
    BY,
    FIRST,
    HOUR,
    ONE,
    TWO,
    day_of,
    energy_of,
    keep_beside,
    keep_day,
    keep_mine,
    march,
)

LAST = date(2026, 3, 31)
NOW = 1_780_000_000_000_000


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of three days of a mine, its second day in its second revision, and of an energy document."""
    folder = tmp_path_factory.mktemp("sent")
    home = folder / "mine"
    home.mkdir()
    keep_mine(home, ONE, march(3))
    keep_day(home, day_of(ONE, march(3)[1], seed=1), later=HOUR)
    keep_day(home, day_of(ONE, march(4)[3]), provisional=True)
    energy = energy_of(ONE, FIRST).document()
    book.keep(home, ONE, book.ENERGY, FIRST, energy, BY, at=day_of(ONE, FIRST).end)
    file = folder / "days.zst"
    assert exchange.export(home, ONE, FIRST, LAST, file, NOW - HOUR) == 4
    return file


def lines(file: Path) -> list[bytes]:
    with pa.CompressedInputStream(pa.OSFile(str(file), "rb"), "zstd") as packed:
        return packed.read().split(b"\n")[:-1]


def pack(file: Path, said: list[bytes], again: bool = True) -> Path:
    """Write a file anew; `again`: with an end that fits, as one who means harm would."""
    if again:
        body = b"".join(line + b"\n" for line in said[:-1])
        end = {"lines": len(said) - 1, "digest": hashlib.sha256(body).hexdigest()}
        said = [*said[:-1], parcel.canonical(end).encode()]
    with pa.CompressedOutputStream(pa.OSFile(str(file), "wb"), "zstd") as out:
        out.write(b"".join(line + b"\n" for line in said))
    return file


def test_what_a_mine_kept_is_what_the_bureau_has(place, sent):
    taken = exchange.take(place, sent, now=NOW)
    assert [len(each) for each in (taken.new, taken.newer, taken.same, taken.older)] == [4, 0, 0, 0]
    mine = sent.parent / "mine"
    for section in (book.UTILISATION, book.ENERGY):
        here, there = (book.read(where, ONE, section, FIRST, LAST) for where in (place, mine))
        finished = {day: kept for day, kept in there.items() if not kept.provisional}
        assert {day: (k.document, k.digest, k.versions, k.made_at) for day, k in here.items()} == {
            day: (k.document, k.digest, k.versions, k.made_at) for day, k in finished.items()
        }
    assert [(m.mine, m.name.en, m.capacity_kt) for m in book.mines(place)] == [(ONE, "Colliery 1", 1200.0)]
    assert exchange.take(place, sent, now=NOW).new == []
    assert len(exchange.take(place, sent, now=NOW).same) == 4, "a file that comes twice changes nothing"


def test_only_what_was_made_later_replaces_a_day(place, sent, tmp_path):
    exchange.take(place, sent, now=NOW)
    mine = tmp_path / "again"
    shutil.copytree(sent.parent / "mine", mine)
    keep_day(mine, day_of(ONE, FIRST, seed=2), later=2 * HOUR)
    newer = tmp_path / "newer.zst"
    exchange.export(mine, ONE, FIRST, LAST, newer, NOW)
    assert exchange.take(place, newer, now=NOW).newer == [(book.UTILISATION, FIRST)]
    known = book.read(place, ONE, book.UTILISATION, FIRST, FIRST)[FIRST]
    assert known.revision == 2 and known.document == day_of(ONE, FIRST, seed=2).document()
    old = exchange.take(place, sent, now=NOW)
    assert old.older == [(book.UTILISATION, FIRST)]
    assert book.read(place, ONE, book.UTILISATION, FIRST, FIRST)[FIRST] == known, "an old file brings no old day back"


def test_a_mine_whose_days_are_made_here_takes_none_from_a_file(tmp_path, sent):
    """Its own file, with other times in it and a later time of making, is how one would forge them."""
    home = tmp_path / "mine"
    shutil.copytree(sent.parent / "mine", home)
    text = day_of(ONE, FIRST, seed=9).document()
    book.keep(home, ONE, book.UTILISATION, FIRST, text, BY, evidence=b"judged", at=day_of(ONE, FIRST).end)
    forged = pack(tmp_path / "forged.zst", changed(sent, 1, made_at=NOW))
    with pytest.raises(ExchangeRefused, match="are made here"):
        exchange.take(home, forged, now=NOW)
    assert book.read(home, ONE, book.UTILISATION, FIRST, FIRST)[FIRST].document == text


def test_when_a_day_came_is_kept_apart_from_when_it_says_it_was_made(place, sent):
    exchange.take(place, sent, now=NOW)
    later = pack(sent.parent / "later.zst", changed(sent, 1, made_at=NOW, **_other(sent)))
    exchange.take(place, later, now=NOW + HOUR)
    first, second = book.revisions(place, ONE, book.UTILISATION, FIRST)
    assert (first.received_at, first.superseded_at) == (NOW, NOW + HOUR)
    assert (second.received_at, second.made_at) == (NOW + HOUR, NOW)


def _other(file: Path) -> dict[str, str]:
    text = day_of(ONE, FIRST, seed=9).document()
    return {"document": text, "digest": digest(text)}


def test_a_file_without_days_tells_nothing_of_a_mine(place, sent):
    exchange.take(place, sent, now=NOW)
    bare = pack(sent.parent / "bare.zst", [changed(sent, 0, capacity_kt=899.0)[0], lines(sent)[-1]])
    with pytest.raises(ExchangeRefused, match="holds no day"):
        exchange.take(place, bare, now=NOW)
    assert [each.capacity_kt for each in book.mines(place)] == [1200.0]


def test_what_is_known_of_a_mine_changes_by_a_later_file_alone_and_is_told(place, sent):
    def say(name: str, at: int | None, kt: float) -> exchange.Taken:
        file = pack(sent.parent / name, changed(sent, 0, capacity_kt=kt, written_at=at))
        return exchange.take(place, file, now=NOW)

    assert say("first", NOW, 1200.0).facts["capacity_kt"] == (None, 1200.0)
    old = say("old", NOW - HOUR, 899.0)
    assert (old.facts, old.old_facts) == ({}, {"capacity_kt": (1200.0, 899.0)})
    assert say("of the days alone", None, 899.0).old_facts, "a file that does not say when it was written"
    assert [each.capacity_kt for each in book.mines(place)] == [1200.0]
    assert say("new", NOW + HOUR, 1500.0).facts == {"capacity_kt": (1200.0, 1500.0)}
    assert [each.capacity_kt for each in book.mines(place)] == [1500.0]
    entry = entries(place, what="kpi.import", limit=1)[0]
    assert entry.before == '{"mine.capacity_kt": 1200.0}' and '"mine.capacity_kt": 1500.0' in str(entry.after)


def changed(file: Path, number: int, **facts: object) -> list[bytes]:
    said = lines(file)
    said[number] = parcel.canonical(json.loads(said[number]) | facts).encode()
    return said


def document(file: Path, number: int, **facts: object) -> list[bytes]:
    """One whose document was changed, with a digest that fits."""
    own = json.loads(json.loads(lines(file)[number])["document"]) | facts
    text = parcel.canonical(own)
    return changed(file, number, document=text, digest=digest(text))


def other_rules(file: Path) -> list[bytes]:
    """A day by rules of a known name that said something else."""
    own = json.loads(document(file, 1, rules_digest="0" * 64)[1])
    return changed(file, 1, document=own["document"], digest=own["digest"], rules_digest="0" * 64)


@pytest.mark.parametrize(
    ("spoil", "line", "words"),
    [
        (lambda file: changed(file, 1, digest="0" * 64), 2, "another digest"),
        (lambda file: document(file, 1, mine=TWO), 2, "another mine or day"),
        (lambda file: document(file, 2, day="2026-03-01"), 3, "another mine or day"),
        (lambda file: document(file, 1, rules="2099-9"), 2, "versions"),
        (lambda file: document(file, 1, rules_digest="0" * 64), 2, "versions"),
        (other_rules, 2, "say something else than ours"),
        (lambda file: document(file, 1, end=10**17), 2, "no day is so long"),
        (lambda file: document(file, 1, units=[{"category": "face"}]), 2, "no day of utilisation"),
        (lambda file: changed(file, 1, made_at=1), 2, "not over when it was made"),
        (lambda file: changed(file, 1, made_at=NOW + 2 * 24 * HOUR), 2, "in the future"),
        (lambda file: changed(file, 1, section="gossip"), 2, "section"),
        (lambda file: changed(file, 2, day="2026-04-01"), 3, "not of the time"),
        (lambda file: [*lines(file)[:2], lines(file)[1], *lines(file)[2:]], 3, "twice"),
        (lambda file: [b"{}", *lines(file)[1:]], 1, "no file of days"),
        (lambda file: [lines(file)[0], b"rubbish", *lines(file)[1:]], 2, "cannot be read"),
        (lambda file: [lines(file)[0], b"[" * 100_000, *lines(file)[1:]], 2, "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_file_and_line(tmp_path, sent, spoil, line, words):
    bad = pack(tmp_path / "bad.zst", spoil(sent))
    with pytest.raises(ExchangeRefused, match=words) as refused:
        parcel.read(bad, "", NOW)
    assert refused.value.problems[0].line == line
    assert f"bad.zst:{line}:" in str(refused.value)


def test_an_energy_document_that_is_none_is_refused(tmp_path, sent):
    said = document(sent, 4, meters="none")
    with pytest.raises(ExchangeRefused, match="no day of energy"):
        parcel.read(pack(tmp_path / "bad.zst", said), "", NOW)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of one day: its energy, production and findings, in this order."""
    home = tmp_path_factory.mktemp("beside")
    keep_mine(home, ONE, [])
    keep_beside(home, ONE, FIRST)
    exchange.export(home, ONE, FIRST, FIRST, home / "days.zst", NOW - HOUR)
    return home / "days.zst"


ENERGY, PRODUCTION, FINDINGS = 1, 2, 3
KNOWN = [HOUR] * 23 + [0]


def counter(value: object, known: object = KNOWN) -> list[object]:
    return ["in", "incoming", [], "power", [value, [0.0] * 24, known, known, 0, 0], 0]


@pytest.mark.parametrize(
    ("line", "facts", "words"),
    [
        (ENERGY, {"meters": [counter(["abc"] * 24)]}, "value"),
        (ENERGY, {"meters": [counter([True] * 24)]}, "value"),
        (ENERGY, {"meters": [counter([10.0])]}, "what in counted"),
        (ENERGY, {"meters": [counter([-1e9] * 24)]}, "what in counted"),
        (ENERGY, {"meters": [counter([1e300] * 24)]}, "what in counted"),
        (ENERGY, {"meters": [counter([1.0] * 24, [2 * HOUR] * 24)]}, "what in counted"),
        (ENERGY, {"output": [["scale", counter(["12"] * 24)[4]]]}, "output"),
        (ENERGY, {"edges": [0, HOUR], "hours": [0]}, "another day"),
        (ENERGY, {"edges": [n * 50 * HOUR for n in range(2)], "hours": [0]}, "no day is so"),
        (ENERGY, {"edges": [n * HOUR for n in range(25)]}, "another day"),
        (ENERGY, {"hours": [0] * 3}, "its hours"),
        (ENERGY, {"prices": ["t", ["flat"], [1.0], [1.0], []]}, "its prices"),
        (ENERGY, {"belts": [["belt_1", -1.0, None]]}, "length of belt_1"),
        (ENERGY, {"grid": 7}, "grid"),
        (PRODUCTION, {"output": [["scale", [["a"] * 3, [0.0] * 3, [0] * 3, [0] * 3, 0, 0]]]}, "output"),
        (PRODUCTION, {"output": [["scale", [[1.0], [0.0], [0], [0], 0, 0]]]}, "what scale counted"),
        (PRODUCTION, {"journal": "yes"}, "journal"),
        (PRODUCTION, {"stretches": []}, "no day is so"),
        (FINDINGS, {"asked": {"frozen": "often"}}, "asked"),
    ],
)  # fmt: skip
def test_a_section_that_says_what_cannot_be_is_refused(tmp_path, beside, line, facts, words):
    assert parcel.read(beside, "", NOW)[1], "as it was sent it is good"
    with pytest.raises(ExchangeRefused, match=words) as refused:
        parcel.read(pack(tmp_path / "bad.zst", document(beside, line, **facts)), "", NOW)
    assert [each.line for each in refused.value.problems] == [line + 1]


@pytest.mark.parametrize(
    "machine",
    [
        {"times": {"9": [HOUR, 0, 0, 0, 0, 0]}},
        {"times": {"1": [8 * HOUR, HOUR, 0, 0, HOUR, HOUR]}},
        {"times": {"1": [8 * HOUR, 0, -HOUR, 0, 0, 0]}},
        {"down_us": 26 * HOUR},
        {"failures": [["r", "g", 0, None, "stood"]]},
    ],
)  # fmt: skip
def test_a_machine_whose_times_cannot_be_is_refused(tmp_path, beside, machine):
    own = json.loads(json.loads(lines(beside)[PRODUCTION])["document"])["machines"][0] | machine
    with pytest.raises(ExchangeRefused, match=r"belt_1|no day of production"):
        parcel.read(pack(tmp_path / "bad.zst", document(beside, PRODUCTION, machines=[own])), "", NOW)


def test_one_wrong_line_keeps_all_of_a_file_out(tmp_path, sent):
    bad = pack(tmp_path / "bad.zst", changed(sent, 3, digest="0" * 64))
    with pytest.raises(ExchangeRefused, match="another digest"):
        exchange.take(tmp_path, bad, now=NOW)
    assert book.mines(tmp_path) == [] and book.read(tmp_path, ONE, book.UTILISATION, FIRST, LAST) == {}


def test_times_that_cannot_be_are_refused(tmp_path, sent):
    own = json.loads(json.loads(lines(sent)[1])["document"])
    for times in (
        {"intelligent": -1, "calendar": HOUR},
        {"intelligent": 2 * HOUR, "calendar": HOUR},
        {"calendar": 25 * HOUR},
        {"unsure": 1, "calendar": HOUR},
        {"by_hand": 1, "unsure_by_hand": 2, "calendar": HOUR},
    ):
        own["units"][0]["shifts"] = {"1": [*(times.get(name, 0) for name in TIMES), {}]}
        with pytest.raises(ExchangeRefused, match="face_1"):
            parcel.read(pack(tmp_path / "bad.zst", document(sent, 1, units=own["units"])), "", NOW)


def test_a_file_of_another_mine_one_cut_off_and_one_without_its_end_are_refused(tmp_path, sent):
    with pytest.raises(ExchangeRefused, match=f"not of {TWO}"):
        parcel.read(sent, TWO, NOW)
    with pytest.raises(ExchangeRefused, match="cut off"):
        parcel.read(pack(tmp_path / "short.zst", lines(sent)[:-1], again=False), "", NOW)
    with pytest.raises(ExchangeRefused, match="damaged or changed"):
        parcel.read(pack(tmp_path / "less.zst", [*lines(sent)[:2], *lines(sent)[3:]], again=False), "", NOW)


def test_one_that_unpacks_without_end_is_refused(tmp_path, monkeypatch, sent):
    monkeypatch.setattr(parcel, "MOST_BYTES", 2_000_000)
    bomb = tmp_path / "bomb.zst"
    with pa.CompressedOutputStream(pa.OSFile(str(bomb), "wb"), "zstd") as out:
        out.write(b"0" * 50_000_000)
    with pytest.raises(ExchangeRefused, match="unpacked it is over"):
        parcel.read(bomb, "", NOW)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_rubbish_is_refused_in_plain_words_wherever_it_is_broken(tmp_path, sent, data):
    raw = bytearray(sent.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    cut = data.draw(st.booleans())
    spoilt = bytes(raw[:at]) if cut else bytes(raw[:at]) + bytes([raw[at] ^ 0xFF]) + bytes(raw[at + 1 :])
    file = tmp_path / "spoilt.zst"
    file.write_bytes(spoilt)
    with pytest.raises(ExchangeRefused):
        parcel.read(file, "", NOW)


def test_nothing_to_send_is_said(tmp_path):
    keep_mine(tmp_path, ONE, [])
    with pytest.raises(LookupError, match="no day"):
        exchange.export(tmp_path, ONE, FIRST, LAST, tmp_path / "x.zst")
    with pytest.raises(KeyError):
        exchange.export(tmp_path, TWO, FIRST, LAST, tmp_path / "x.zst")
    assert not list(tmp_path.glob("x.zst*"))
