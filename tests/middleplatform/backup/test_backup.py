"""Backups taken from a store that runs and is written to, brought back into an empty place; and those that must not
be."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from bus import subjects
from middleplatform.alarms import book as alarms
from middleplatform.alarms.condition import Act, Change, Position
from middleplatform.audit.log import entries, tell
from middleplatform.backup import BackupError, archive, restore, take
from middleplatform.database import DatabaseError
from middleplatform.store.errors import StoreVersionError
from middleplatform.store.history import History
from middleplatform.store.retention import Keeper, file_of
from middleplatform.store.rollup_tables import HOUR
from middleplatform.store.schema import SAMPLE_COLUMNS, VERSION, open_store
from middleplatform.store.upkeep import Upkeep
from middleplatform.store.windows import Windows
from middleplatform.tickets import book as tickets
from tests.middleplatform.store.build import CODE, now
from tests.middleplatform.store.test_history import columns_of
from tests.middleplatform.store.test_process import IDS, batch, stage, until

pytestmark = pytest.mark.timeout(180)

MINE = str(Path(__file__).parents[3] / "simulators" / "mines" / "low")
PASSWORDS = {"SEVENONES_OPCUA_PASSWORD": "x", "SEVENONES_MQTT_PASSWORD": "x"}
LOOK = """
import json, sys
from pathlib import Path
from tests.middleplatform.backup.test_backup import look
print(json.dumps(look(Path(sys.argv[1]))))
"""


def look(home) -> dict:
    """What the store of a home holds; run in a process of its own, for the engine opens one folder in each."""
    engine = open_store(home / "store")
    try:

        def ages(asked):
            return np.full(len(asked), 60_000_000, np.int64)

        windows = Windows(engine)
        keeper = Keeper(engine, windows, None, lambda: IDS[:0], lambda: file_of(home))
        found = Upkeep(engine, windows, keeper, ages).check().to_pylist()
        rows = engine.query("SELECT ver, count() AS n FROM samples FINAL GROUP BY ver ORDER BY ver").to_pylist()
        point = int(np.sort(IDS)[0])
        with_rollups = History(engine, ages, windows).buckets([point], 0, now() // HOUR * HOUR, 24 * HOUR)
        return {
            "wrong": [line["en"] for line in found if not line["good"]],
            "rows": {row["ver"]: row["n"] for row in rows},
            "of_a_point": int(with_rollups.column("n").to_numpy().sum()),
        }
    finally:
        engine.close()


def looked_at(home) -> dict:
    done = subprocess.run([sys.executable, "-c", LOOK, str(home)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


async def test_a_backup_taken_while_samples_flow_comes_back_whole(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "version").write_text("1\n")
    async with stage(home) as (_, store, gateway):
        client = await store.client()
        ticket = tickets.open_ticket(home, CODE, tickets.Kind.MAINTENANCE, "olga", "belt splice", ["belt1"], 1)
        tell(home, "sql.run", "json", after={"sql": "SELECT 1"})
        raised = Change("methane high", f"{CODE}/methane_t1/ch4", Act.RAISE, 5, rule_version=1, priority=1)
        alarms.record(home, CODE, Position("watch-alarms", "SAFETY", 1, 7), [raised])
        kept = alarms.alarms_of(home, CODE)
        done, sent = asyncio.Event(), []
        base = now() - 50 * HOUR

        async def publish() -> None:
            while not done.is_set():
                number = len(sent) + 1
                ts = base + number * 60_000_000
                await gateway.publish(subjects.samples(CODE, "edge1"), batch(number, ts).encode(), f"e-{number}")
                sent.append(ts)
                await asyncio.sleep(0.02)

        publishing = asyncio.create_task(publish())
        await until(lambda: client.status()["rows"] >= 20 * len(IDS))
        before = client.status()["rows"] // len(IDS)
        as_tar = await asyncio.to_thread(take, home, tmp_path / "backup.tar")
        as_folder = await asyncio.to_thread(take, home, tmp_path / "backup")
        done.set()
        await publishing
        assert not list((home / "store" / "chdb" / "shadow").glob("backup_*")), "nothing is held after a backup"
    assert as_folder["rows"]["samples"] >= as_tar["rows"]["samples"] >= before * len(IDS)
    names = {str(path.relative_to(tmp_path / "backup")) for path in (tmp_path / "backup").rglob("*") if path.is_file()}
    assert {"home/site/points.json", "home/bus/credentials/store.json", "home/version"} <= names
    assert "relational/audit.parquet" in names and "home/platform.db" not in names
    assert not [name for name in names if "jetstream" in name or "endpoint.json" in name or "/logs/" in name]

    shutil.rmtree(home)
    for source in ("backup.tar", "backup"):
        back = tmp_path / f"back-from-{source}"
        restore(tmp_path / source, back)
        got = await asyncio.to_thread(looked_at, back)
        assert got["wrong"] == []
        assert len(got["rows"]) >= before and set(got["rows"].values()) == {len(IDS)}
        assert sorted(map(int, got["rows"])) == list(range(1, len(got["rows"]) + 1)), "batches without a gap"
        assert got["of_a_point"] == len(got["rows"])
        assert [(each.what, each.about) for each in entries(back)] == [("sql.run", "json"), ("ticket.open", "1")]
        assert tickets.find(back, CODE, ticket.id) == ticket
        assert alarms.alarms_of(back, CODE) == kept != []
        assert alarms.reached(back, "watch-alarms", "SAFETY", 1) == 7, "what was judged before is not judged again"
        assert (back / "bus" / "credentials" / "store.json").stat().st_mode & 0o077 == 0
        assert not (back / "restoring").exists()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A backup of a home with a few samples, made in a process of its own."""
    place = tmp_path_factory.mktemp("small")
    (place / "home" / "site").mkdir(parents=True)
    (place / "home" / "version").write_text("1\n")
    (place / "home" / "exports" / "some").mkdir(parents=True)
    (place / "home" / "exports" / "some" / "samples.csv").write_text("it grows\n")
    (place / "home" / "site" / "site.yaml").write_text("code: x\n")
    script = (
        "import sys; from pathlib import Path; from tests.middleplatform.backup.test_backup import fill;"
        "from middleplatform.backup import take; home = Path(sys.argv[1]); fill(home); take(home, home.parent / 'b');"
        "take(home, home.parent / 'b.tar')"
    )
    subprocess.run([sys.executable, "-c", script, str(place / "home")], check=True)
    return place


def fill(home) -> None:
    engine = open_store(home / "store")
    columns = columns_of(
        [[1] * 50, [now() - 5 * HOUR + i for i in range(50)], [0.5] * 50, [192] * 50, [None] * 50, [1] * 50]
    )
    import pyarrow as pa

    engine.insert("samples", pa.table(columns, schema=SAMPLE_COLUMNS))
    engine.close()


def refused(source, home, words: str) -> None:
    with pytest.raises(BackupError, match=words):
        restore(source, home)
    assert not home.exists() or not any(home.iterdir()), "a refused restore leaves nothing"


def test_a_damaged_backup_is_refused_and_leaves_nothing(small, tmp_path):
    spoilt = tmp_path / "b"
    shutil.copytree(small / "b", spoilt)
    victim = next(spoilt.rglob("parts/samples/*/*.bin"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"!")
    refused(spoilt, tmp_path / "new", "is not what was backed up")
    victim.unlink()
    refused(spoilt, tmp_path / "new", "lacks")
    (spoilt / "manifest.json").unlink()
    refused(spoilt, tmp_path / "new", "not a whole backup")
    cut = tmp_path / "b.tar"
    cut.write_bytes((small / "b.tar").read_bytes()[:9000])
    refused(cut, tmp_path / "new", "whole backup|cannot be read|lacks")
    (tmp_path / "no.tar").write_bytes(b"nothing of the kind" * 100)
    refused(tmp_path / "no.tar", tmp_path / "new", "cannot be read")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 99}, "format 99"),
        ({"store_version": VERSION + 1}, "reads up to"),
        ({"files": [["../../evil", 1, "0", 0o600]]}, "outside of the backup"),
        ({"files": [["home/../../evil", 1, "0", 0o600]]}, "outside of the backup"),
        ({"files": [["/etc/evil", 1, "0", 0o600]]}, "outside of the backup"),
        ({"files": [["evil", 1, "0", 0o600]]}, "lacks|does not belong"),
        ({"files": 3}, "cannot be read"),
        ({"relational": {"revision": "9999", "rows": {}}}, "revision 9999"),
        ({"relational": 3}, "'relational' cannot be read"),
        ({"store_version": "x"}, "cannot be read"),
        ({"rows": []}, "cannot be read"),
        ({"rows": {"samples": 51}}, "50 rows of samples came back"),
    ],
)
def test_a_backup_of_a_newer_program_or_with_a_hostile_manifest_is_refused(small, tmp_path, change, words):
    made = changed(small, tmp_path, change)
    with pytest.raises((BackupError, DatabaseError), match=words):
        restore(made, tmp_path / "new")
    assert not list(tmp_path.glob("new*")) and not (tmp_path / "evil").exists()


def changed(small, tmp_path, change: dict) -> Path:
    """The backup with another manifest."""
    made = tmp_path / "b"
    shutil.copytree(small / "b", made)
    manifest = json.loads((made / "manifest.json").read_text()) | change
    (made / "manifest.json").write_text(json.dumps(manifest))
    return made


def test_a_backup_that_lacks_rows_is_refused(small, tmp_path):
    made = changed(small, tmp_path, {"rows": {"samples": 51}})
    script = (
        "import sys; from pathlib import Path; from middleplatform.backup import restore, BackupError\n"
        "try:\n    restore(*map(Path, sys.argv[1:]))\nexcept BackupError as error:\n"
        "    print('refused', error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(made), str(tmp_path / "new")], stdout=subprocess.PIPE, text=True, check=True
    )
    assert "refused" in done.stdout and "50 rows of samples came back" in done.stdout
    assert not list(tmp_path.glob("new*"))


def test_a_backup_never_writes_over_anything(small, tmp_path, monkeypatch):
    with pytest.raises(BackupError, match="not a home"):
        take(tmp_path, tmp_path / "x")
    with pytest.raises(BackupError, match="cannot lie in the home"):
        take(small / "home", small / "home" / "b")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine").write_text("x")
    with pytest.raises(BackupError, match="not empty"):
        restore(small / "b", tmp_path / "new")
    assert (tmp_path / "new" / "mine").read_text() == "x"
    (tmp_path / "b.part").mkdir()
    with pytest.raises(BackupError, match="broken off"), archive.written(tmp_path / "b"):
        pass
    with pytest.raises(BackupError, match="there already"), archive.written(small / "b"):
        pass


def test_a_tar_holds_what_the_folder_holds(small):
    with tarfile.open(small / "b.tar") as tar:
        names = set(tar.getnames())
    folder = {str(path.relative_to(small / "b")) for path in (small / "b").rglob("*") if path.is_file()}

    def plain(names):
        return {name for name in names if not name.startswith("parts/")}

    assert plain(names) == plain(folder) and "manifest.json" in names
    assert not [name for name in names if "exports" in name], "what changes while it is read would end the backup"


def test_a_store_of_the_version_before_is_opened_and_rolled_up_and_a_newer_one_is_refused(small, tmp_path):
    script = (
        "import sys; from pathlib import Path; from middleplatform.store.schema import open_store;"
        "from middleplatform.store.windows import Windows; from tests.middleplatform.backup.test_backup import fill;"
        "home = Path(sys.argv[1]); fill(home); (home / 'store' / 'version').write_text('1\\n');"
        "engine = open_store(home / 'store');"
        "[engine.execute(f'DROP TABLE {t} SYNC') for t in ('dirty', 'rollup_1m', 'rollup_1h', 'rollup_ages')];"
        "engine.close(); (home / 'store' / 'version').write_text('1\\n'); engine = open_store(home / 'store');"
        "windows = Windows(engine); print(windows.dirty_hours > 0, (home / 'store' / 'version').read_text().strip());"
        "engine.close()"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.split() == ["True", str(VERSION)]
    (tmp_path / "store" / "version").write_text(f"{VERSION + 1}\n")
    with pytest.raises(StoreVersionError, match="this program reads version"):
        open_store(tmp_path / "store")


def test_the_commands_look_after_a_home_whose_store_does_not_run(small, tmp_path):
    def said(*words: str, code: int = 0) -> str:
        argv = [sys.executable, "-m", "sevenones", *words]
        done = subprocess.run(
            argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | PASSWORDS
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    home = str(tmp_path / "new")
    assert "50 样本" in said("restore", str(small / "b.tar"), "--home", home)
    assert "not empty" in said("restore", str(small / "b.tar"), "--home", home, code=1)
    here = ("--home", home, "--site", MINE)
    checked = said("store", "check", *here)
    assert "✗" not in checked and "✓ samples" in checked
    assert "samples" in said("store", "compact", *here)
    assert "nothing is over its time" in said("store", "retention", *here)
    assert "there is no store" in said("store", "check", "--home", str(tmp_path / "nowhere"), code=1)
    assert "give --site" in said("store", "--home", home, code=1)
