"""Exports out of a real store: what is in the file, how it goes on, how much room it takes."""

from __future__ import annotations

import json
import math
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from bus.process import die_with_parent
from middleplatform.export import ExportRefused, Exports, Order, Owner
from middleplatform.export import exports as exports_module
from middleplatform.export import run as running
from middleplatform.export.room import Room
from middleplatform.store.answers import Answers
from middleplatform.store.client import StoreClient, StoreUnavailable
from middleplatform.store.flight import Door
from middleplatform.store.history import History
from middleplatform.store.latest import Latest
from middleplatform.store.schema import DAY, SAMPLE_COLUMNS, open_store

FIRST = 20_000 * DAY
POINTS = tuple(2**63 + k for k in range(5))
PATHS = tuple(f"140581000000/belt1/p{k}" for k in range(5))
OWNER = Owner("olga", 1)
FORMS = ("parquet", "arrow", "csv")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A door to a store with five points over four days, the third of which has nothing; some samples are sent
    twice. `rows` is what an export must hold, in its order."""
    engine = open_store(tmp_path_factory.mktemp("store"))
    chance = random.Random(7)
    held = {}
    for ver in (1, 2):
        batch = {}
        for _ in range(150):
            day = chance.choice([0, 1, 3])
            key = (chance.choice(POINTS), FIRST + day * DAY + chance.randrange(200) * 1_000_000)
            value = chance.choice([1.5, -2.0, 1e300, math.nan])
            batch[key] = (value, 24 if math.isnan(value) else 192, chance.choice([None, '断线, "x"\n']))
        held |= batch
        rows = [(p, t, v, q, x, ver) for (p, t), (v, q, x) in batch.items()]
        engine.insert("samples", pa.Table.from_pylist(
            [dict(zip(SAMPLE_COLUMNS.names, row, strict=True)) for row in rows], SAMPLE_COLUMNS))  # fmt: skip
    history = History(engine, lambda asked: np.full(len(asked), 10**7, np.int64))
    door = Door(Answers(history, Latest(), lambda: True, dict).handlers)
    door.client = StoreClient(door.endpoint)
    ordered = sorted(held.items(), key=lambda row: (row[0][1] // DAY, row[0]))
    door.rows = [(PATHS[POINTS.index(p)], p, t, v, q, x) for (p, t), (v, q, x) in ordered]
    yield door
    door.client.close()
    door.shutdown()
    engine.close()


def order(form: str, start: int = FIRST, end: int = FIRST + 10 * DAY) -> Order:
    return Order(POINTS, PATHS, start, end, form)


@pytest.fixture
def opened(store, tmp_path):
    """Makes exports on a folder; all are closed at the end."""
    made = []

    def open_exports(stalled: bool = False, **more) -> Exports:
        """With `stalled`, the store goes away once an export is taken on."""

        def ask(question):
            if stalled and threading.current_thread().name == "exports":
                raise StoreUnavailable("the store is away")
            return question(store.client)

        exports = Exports(tmp_path / "exports", ask, **more)
        made.append(exports)
        return exports

    yield open_exports
    for exports in made:
        exports.close()


def ended(exports: Exports, job):
    deadline = time.monotonic() + 60
    while job.active or job.finished is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return job


def read(form: str, path: Path) -> list[tuple]:
    if form == "csv":
        options = csv.ConvertOptions(column_types={"id": pa.uint64(), "text": pa.string()}, strings_can_be_null=True,
                                     quoted_strings_can_be_null=False)  # fmt: skip
        table = csv.read_csv(path, csv.ReadOptions(), csv.ParseOptions(newlines_in_values=True), options)
    else:
        table = parquet.read_table(path) if form == "parquet" else pa.ipc.open_stream(path.read_bytes()).read_all()
    names = ("point", "id", "ts", "value", "quality", "text")
    rows = zip(*(table.column(name).to_pylist() for name in names), strict=True)
    return [tuple(math.nan if name == "value" and cell is None else cell for name, cell in zip(names, row, strict=True))
            for row in rows]  # fmt: skip


@pytest.mark.parametrize("page", [7, 10_000])
def test_every_form_holds_every_sample_once_in_order(opened, store, monkeypatch, page):
    monkeypatch.setattr(running, "PAGE", page)
    monkeypatch.setattr(running, "MAX_POINTS", 2)
    exports = opened()
    for form in FORMS:
        job = ended(exports, exports.submit(OWNER, order(form)))
        assert (job.state, job.rows, job.progress) == ("done", len(store.rows), 1.0), job.words
        assert job.bytes == exports.file(job).stat().st_size
        assert repr(read(form, exports.file(job))) == repr(store.rows)
        assert len(store.rows) <= job.rows_expected <= 300


def test_a_range_is_cut_to_the_microsecond(opened, store):
    exports = opened()
    start, end = store.rows[10][2], FIRST + DAY + 100_000_001
    job = ended(exports, exports.submit(OWNER, order("csv", start, end)))
    assert repr(read("csv", exports.file(job))) == repr([row for row in store.rows if start <= row[2] < end])


@pytest.mark.parametrize("form", FORMS)
def test_a_range_without_samples_makes_a_file_without_rows(opened, form):
    exports = opened()
    job = ended(exports, exports.submit(OWNER, order(form, FIRST + 2 * DAY, FIRST + 3 * DAY)))
    assert (job.state, job.rows, job.days) == ("done", 0, [])
    assert read(form, exports.file(job)) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_killed_export_goes_on_and_the_file_is_the_same(opened, store, tmp_path, monkeypatch, form):
    """The work is done by a program of its own, which is killed twice; what it leaves half written is cut."""
    monkeypatch.setattr(running, "PAGE", 5)
    first = opened(stalled=True)
    job = first.submit(OWNER, order(form))
    endpoint = tmp_path / "endpoint.json"
    endpoint.write_text(json.dumps(store.endpoint))
    own = first.file(job).parent
    argv = (sys.executable, "-m", "tests.middleplatform.export.export_program", str(own.parent), str(endpoint), "5")
    rows = 0
    for _ in range(2):
        program = subprocess.Popen((*argv, "20"), preexec_fn=die_with_parent)  # noqa: PLW1509 - only sets a signal
        deadline = time.monotonic() + 60
        wanted = rows + 20 if form != "parquet" else 20
        while (rows := json.loads((own / "job.json").read_text())["rows"]) < wanted:
            assert time.monotonic() < deadline and program.poll() is None
            time.sleep(0.002)
        program.send_signal(signal.SIGKILL)
        program.wait()
        state = json.loads((own / "job.json").read_text())
        assert state["state"] == "running" and 0 < state["rows"] < len(store.rows)
        rows = state["rows"]
        with first.file(job).open("ab") as file:
            file.write(b"half a chunk")
    assert subprocess.run(argv, timeout=60, check=False).returncode == 0
    state = json.loads((own / "job.json").read_text())
    assert (state["state"], state["rows"]) == ("done", len(store.rows))
    assert repr(read(form, first.file(job))) == repr(store.rows)


def test_it_waits_for_a_store_that_is_away(store, tmp_path, monkeypatch):
    monkeypatch.setattr(exports_module, "_RETRY_S", (0.01,))
    away = []

    def ask(question):
        if len(away) in range(1, 6):
            away.append(1)
            raise StoreUnavailable("the store is away")
        away.append(1)
        return question(store.client)

    exports = Exports(tmp_path / "exports", ask)
    job = ended(exports, exports.submit(OWNER, order("arrow")))
    assert (job.state, job.rows) == ("done", len(store.rows))
    assert len(away) > 6
    exports.close()


def test_what_would_not_fit_is_refused_with_its_size(opened, tmp_path):
    exports = opened(room=Room(tmp_path / "exports", most=1_000))
    with pytest.raises(ExportRefused, match=r"would take about .* are left") as refused:
        exports.submit(OWNER, order("csv"))
    assert refused.value.code == "no_room" and "导出约需" in refused.value.zh
    full = opened(room=Room(tmp_path / "exports", reserve=2**60))
    with pytest.raises(ExportRefused, match=r"0\.0 MiB are left"):
        full.submit(OWNER, order("parquet"))
    assert exports.of(None) == [] and not any((tmp_path / "exports").iterdir())


def test_what_turns_out_not_to_fit_ends_and_leaves_no_file(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "PAGE", 20)
    monkeypatch.setattr("middleplatform.export.room.BYTES_A_ROW", {"csv": 1})
    exports = opened(room=Room(tmp_path / "exports", most=2_000))
    job = ended(exports, exports.submit(OWNER, order("csv")))
    assert job.state == "failed" and "would take about" in job.words[1]
    assert not exports.file(job).exists()
    assert 0 < job.rows < 100, "it was noticed at once, not when the disk was full"


def test_others_count_with_what_they_become(opened, store, tmp_path):
    needed = 130 * 300
    exports = opened(stalled=True, room=Room(tmp_path / "exports", most=round(needed * 1.5)))
    exports.submit(OWNER, order("csv"))
    with pytest.raises(ExportRefused):
        exports.submit(OWNER, order("csv"))


def test_an_owner_may_have_few_and_sees_his_own(opened, monkeypatch):
    monkeypatch.setattr(exports_module, "MOST_ACTIVE", 2)
    exports = opened(stalled=True)
    first, second = (exports.submit(OWNER, order("csv")) for _ in range(2))
    with pytest.raises(ExportRefused, match="not done"):
        exports.submit(OWNER, order("csv"))
    other = exports.submit(Owner(None, 9), order("csv"))
    assert {job.id for job in exports.of(OWNER)} == {first.id, second.id}
    assert exports.get(other.id, OWNER) is None and exports.get(other.id, Owner(None, 9)) is other
    assert exports.get(other.id, Owner(None, 8)) is None and len(exports.of(None)) == 3
    exports.remove(first)
    assert exports.get(first.id, OWNER) is None and not exports.file(first).parent.exists()
    assert exports.submit(OWNER, order("csv")).active


def test_nobody_takes_up_all_that_is_kept(opened, monkeypatch):
    monkeypatch.setattr(exports_module, "MOST_OWN", 2)
    exports = opened()
    for _ in range(2):
        ended(exports, exports.submit(OWNER, order("csv")))
    with pytest.raises(ExportRefused, match="at most 2"):
        exports.submit(OWNER, order("csv"))
    ended(exports, exports.submit(Owner(None, 9), order("csv")))


def test_an_export_is_kept_for_a_day(opened, monkeypatch):
    exports = opened()
    old = ended(exports, exports.submit(OWNER, order("csv")))
    monkeypatch.setattr(exports_module, "KEPT_S", 0)
    new = exports.submit(OWNER, order("csv"))
    deadline = time.monotonic() + 30
    while exports.get(old.id, None):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not exports.file(old).exists()
    assert new.id != old.id
