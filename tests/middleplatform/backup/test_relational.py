"""The relational store's rows out of either dialect and into either, and what must not get out or be left behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing

import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine, insert, inspect, select, text, update

from middleplatform.access.tokens import create_token
from middleplatform.access.users import create_user
from middleplatform.audit.log import tell
from middleplatform.audit.verify import verify
from middleplatform.backup import BackupError, restore
from middleplatform.database import DatabaseError, Place, connect
from middleplatform.database.dump import dump, load
from middleplatform.database.metadata import metadata
from middleplatform.database.migrate import alone, bring_to
from middleplatform.database.tables.access import tokens
from middleplatform.database.tables.dictionaries import dictionaries
from middleplatform.database.tables.kpi import kpi_days
from middleplatform.database.tables.manual import manual_entries, manual_samples
from middleplatform.database.tables.sites import site_parts
from tests.middleplatform.database.conftest import empty_database
from tests.postgres import PASSWORD, Postgres

pytestmark = pytest.mark.timeout(180)

ODD = "矿 ½ \U0001f9ea\t'\"\\ \r\n;--"


def fill(place: Place) -> None:
    """Rows in each kind of table, with what is at the edge of each type."""
    create_user(place, "wang", "long enough 1", "administrator")
    for number in range(3):
        create_token(place, name=f"t{number}", role="analyst", days=None if number else 1.5)
    tell(place, "sql.run", "json", after={"sql": ODD})
    entry = {
        "id": 41, "mine": "m", "kind": "value", "subject": "s", "start": -(2**63), "end": 2**63 - 1, "body": None,
        "was": "", "reason": ODD, "who": "w", "at": 0, "state": "waiting", "number": 2**62,
    }  # fmt: skip
    values = [0.1, -1.5, 5e-324, 1.7976931348623157e308, float("inf"), None, 2**53 + 1.0]
    with connect(place).begin() as connection:
        connection.execute(insert(manual_entries), entry)
        connection.execute(
            insert(manual_samples),
            [{"entry": 41, "ts": k - 3, "value": value, "quality": 192, "text": ODD} for k, value in enumerate(values)],
        )
        connection.execute(
            insert(site_parts),
            [{"mine": "m", "kind": "point", "name": f"p{k}", "since": 1, "body": "{}"} for k in range(1_234)],
        )
        figures = {
            "mine": "m", "section": "s", "day": "2026-03-02", "provisional": True, "made_at": 2**62, "rules": "r",
            "site": "v", "program": "p", "digest": "d", "document": ODD, "rules_digest": "", "received_at": 2**62,
        }  # fmt: skip
        blobs = (None, b"", bytes(range(256)))
        connection.execute(
            insert(kpi_days), [figures | {"revision": k, "evidence": blob} for k, blob in enumerate(blobs, 1)]
        )
        large = {"kind": "k", "version": 1, "edition": "e", "effective_from": "2026-01-01", "source": "s", "who": "w"}
        connection.execute(insert(dictionaries), large | {"at": 1, "digest": "d", "entries": 1, "body": ODD * 5_000})


def rows(place: Place) -> dict[str, list[tuple]]:
    """Every row of every table; as text, so that 1 is not 1.0 or True."""
    with connect(place).connect() as connection:
        return {
            table.name: [
                tuple(map(repr, row)) for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request, tmp_path) -> Place:
    """An empty place beside the first."""
    if request.param == "postgresql":
        return empty_database(request.getfixturevalue("postgres"))
    (tmp_path / "other").mkdir()
    return tmp_path / "other"


def test_every_row_comes_back_on_either_dialect(place, other, tmp_path):
    fill(place)
    before = rows(place)
    folder = tmp_path / "dump"
    folder.mkdir()
    held = dump(place, folder)
    assert held is not None and sum(held["rows"].values()) > 1_234
    load(other, folder, held)
    assert rows(other) == before == rows(place)
    report = verify(other)
    assert report.whole and report.entries == held["rows"]["audit"] >= 5
    # Life goes on where it stopped: numbers, the chain and its triggers.
    create_token(other, name="next", role="analyst")
    with connect(other).connect() as connection:
        assert connection.execute(select(tokens.c.id).where(tokens.c.name == "next")).scalar_one() > 3
    assert verify(other).whole
    with pytest.raises(Exception, match="append-only"), connect(other).begin() as connection:
        connection.execute(update(metadata.tables["audit"]).values(who="nobody"))
    with pytest.raises(DatabaseError, match="is not empty"):
        load(other, folder, held)


def test_an_older_revision_comes_back_as_the_newest(place, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    url = place if isinstance(place, str) else f"sqlite:///{place / 'platform.db'}"
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with alone(engine) as connection:
        bring_to(connection, "0003")
        connection.execute(
            text("INSERT INTO tokens (digest, name, role, created) VALUES ('d', 'of old', 'analyst', 7)")
        )
    folder = tmp_path / "dump"
    folder.mkdir()
    held = dump(place, folder)
    assert held is not None and held["revision"] == "0003" and "audit" not in held["rows"]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0003", "untouched"
    engine.dispose()
    load(other, folder, held)
    found = rows(other)
    assert "'of old'" in found["tokens"][0] and found["audit_head"]
    with pytest.raises(DatabaseError, match="revision 9999"):
        load(other, folder, {"revision": "9999", "rows": {}})


def test_a_dump_is_of_one_moment_while_others_write(place, tmp_path, monkeypatch):
    """Both tables gain a row between any two reads of the dump, and yet agree."""
    from middleplatform.database import dump as module

    fill(place)
    written = module._write

    def meanwhile(connection, table, folder):
        tell(place, "sql.run", table.name)
        return written(connection, table, folder)

    monkeypatch.setattr(module, "_write", meanwhile)
    held = dump(place, tmp_path)
    assert held is not None
    (head,) = pq.read_table(tmp_path / "audit_head.parquet").to_pylist()
    assert head["number"] == held["rows"]["audit"] == pq.read_table(tmp_path / "audit.parquet").num_rows
    assert verify(place).entries > held["rows"]["audit"]


def test_what_is_damaged_is_refused_and_leaves_nothing(other, tmp_path):
    place = tmp_path
    create_token(place, name="t", role="analyst")
    folder = tmp_path / "dump"
    folder.mkdir()
    held = dump(place, folder)
    assert held is not None
    path = folder / "tokens.parquet"
    whole, table = path.read_bytes(), pq.read_table(path)

    def refused(words: str, told=held) -> None:
        with pytest.raises(DatabaseError, match=words):
            load(other, folder, told)
        url = other if isinstance(other, str) else f"sqlite:///{other / 'platform.db'}"
        assert inspect(create_engine(url.replace("postgresql:", "postgresql+psycopg:"))).get_table_names() == []

    refused("came back", {**held, "rows": {**held["rows"], "tokens": 2}})
    path.write_bytes(whole[:-20])
    refused("cannot be read")
    pq.write_table(table.drop_columns(["digest"]), path)
    refused("other columns")
    pq.write_table(table.take([0, 0]), path)
    refused("is not taken")
    path.unlink()
    refused("cannot be read")


def test_a_place_that_cannot_be_reached_is_told_without_its_password(tmp_path, postgres):
    wrong = [
        postgres.url(password="s3cret-word"),
        postgres.url(user="nobody", password="s3cret-word"),
        "postgresql://u:s3cret-word@127.0.0.1:1/x?password=s3cret-word",
        "postgresql://u:s3cret-word@127.0.0.1:port/x",
        "no url s3cret-word",
        "nothing://u:s3cret-word@h/x",
    ]
    for url in wrong:
        for act in (lambda url=url: connect(url), lambda url=url: dump(url, tmp_path)):
            with pytest.raises(DatabaseError) as refused:
                act()
            assert "s3cret-word" not in str(refused.value)


def said(*words: str, database: str | None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "SEVENONES_DATABASE"}
    if database:
        environment["SEVENONES_DATABASE"] = database
    done = subprocess.run(
        [sys.executable, "-m", "sevenones", *words],
        check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert PASSWORD not in done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def taken(tmp_path_factory, postgres: Postgres):
    """A home with its relational store in PostgreSQL, its backup in `b`, and the URL."""
    folder = tmp_path_factory.mktemp("taken")
    (folder / "home" / "site").mkdir(parents=True)
    (folder / "home" / "version").write_text("1\n")
    (folder / "home" / "site" / "site.yaml").write_text("code: x\n")
    url = empty_database(postgres)
    fill(url)
    assert "关系库" in said("backup", str(folder / "b"), "--home", str(folder / "home"), database=url)
    return folder, url


def test_the_commands_bring_postgresql_back_into_either(taken, tmp_path, postgres):
    folder, url = taken
    for path in (folder / "b").rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes()
    assert not (folder / "home" / "platform.db").exists(), "commands of this home follow the URL"
    again = empty_database(postgres)
    said("restore", str(folder / "b"), "--home", str(tmp_path / "one"), database=again)
    assert rows(again) == rows(url) and not (tmp_path / "one" / "platform.db").exists()
    assert verify(again).whole
    with pytest.raises(DatabaseError, match="is not empty") as refused:
        restore(folder / "b", tmp_path / "two", again)
    assert PASSWORD not in str(refused.value) and not list(tmp_path.glob("two*"))
    said("restore", str(folder / "b"), "--home", str(tmp_path / "two"), database=None)
    assert rows(tmp_path / "two") == rows(url)
    assert (tmp_path / "two" / "platform.db").stat().st_mode & 0o077 == 0


def test_a_backup_of_before_goes_into_postgresql_too(taken, tmp_path, postgres):
    """In format 1 the relational store was SQLite's own file."""
    folder, _ = taken
    old = tmp_path / "old"
    shutil.copytree(folder / "b", old)
    shutil.rmtree(old / "relational")
    (tmp_path / "was").mkdir()
    fill(tmp_path / "was")
    with closing(connect(tmp_path / "was").raw_connection()) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "was" / "platform.db", old / "home" / "platform.db")
    data = (old / "home" / "platform.db").read_bytes()
    manifest = json.loads((old / "manifest.json").read_text())
    files = [each for each in manifest["files"] if not each[0].startswith("relational/")]
    files.append(["home/platform.db", len(data), hashlib.sha256(data).hexdigest(), 0o600])
    del manifest["relational"]
    (old / "manifest.json").write_text(json.dumps({**manifest, "format": 1, "files": files}))
    url = empty_database(postgres)
    said("restore", str(old), "--home", str(tmp_path / "one"), database=url)
    assert rows(url) == rows(tmp_path / "was") and not (tmp_path / "one" / "platform.db").exists()


def killed(words: list[str], when, database: str) -> None:
    """Start a command and kill it with -9 when it has come so far."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sevenones", *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"SEVENONES_DATABASE": database},
    )  # fmt: skip
    deadline = time.monotonic() + 90
    while not when():
        assert process.poll() is None and time.monotonic() < deadline, "it ended before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed_in_the_middle_leaves_nothing_that_looks_whole(taken, tmp_path, postgres):
    folder, url = taken
    home = str(folder / "home")
    name = url.rpartition("/")[2]
    # Held where it reads the rows: another holds the table.
    with postgres.connect(name) as holder, postgres.connect(name) as watcher:
        holder.execute("BEGIN; LOCK TABLE site_parts IN ACCESS EXCLUSIVE MODE")
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"

        def waiting() -> bool:
            return watcher.execute(waits, [name]).fetchone()[0] > 0

        killed(["backup", str(tmp_path / "b"), "--home", home], waiting, url)
    assert not (tmp_path / "b").exists()

    # Held in the middle of making and filling tables.
    again = empty_database(postgres)
    name = again.rpartition("/")[2]
    slow = "CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(600); END $$"
    late = "CREATE EVENT TRIGGER late ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION slow()"
    postgres.execute(slow, late, database=name)
    sleeps = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = %s"
    with postgres.connect(name) as watcher:

        def asleep() -> bool:
            return watcher.execute(sleeps, [name]).fetchone() is not None

        killed(["restore", str(folder / "b"), "--home", str(tmp_path / "new")], asleep, again)
        watcher.execute("SELECT pg_terminate_backend(%s)", watcher.execute(sleeps, [name]).fetchone())
        watcher.execute("DROP EVENT TRIGGER late")
        assert watcher.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    assert not (tmp_path / "new").exists() and (tmp_path / "new.part").is_dir()
    with pytest.raises(BackupError, match="broken off"):
        restore(folder / "b", tmp_path / "new", again)
