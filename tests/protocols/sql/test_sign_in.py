"""What is wrong with a database is told apart, and nothing in a site's file can become a statement."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import sys
from pathlib import Path

import pytest
import yaml

from protocols.adapter import LinkLost, SignInRefused
from protocols.sql import Sql
from tests.protocols.sql.source import Reader, Source, tag

CH4 = [tag(0, "CH4")]


@pytest.fixture
def source(postgres):
    return Source(postgres)


async def refusal(settings, kind=LinkLost):
    with pytest.raises(kind) as refused:
        async with Reader(settings, CH4) as reader:
            await asyncio.wait_for(reader.task, 10)
    assert "reads" not in str(refused.value).replace("password", ""), "no password in words"
    return type(refused.value), str(refused.value)


async def test_each_mistake_has_its_own_words(source, tmp_path):
    url, server = source.server.url, source.server
    source.do("CREATE TABLE hidden (id int, at timestamptz, name text, value real)")
    wrong = {
        "refused the user or the password": {"url": url("reader", "wrong")},
        "refused the user or the password: ": {"url": url("nobody_here", "x")},
        "does not exist": {"url": url("reader", "reads", "no_such_mine")},
        "no_such_view: is the name right": {"view": f"{source.schema}.no_such_view"},
        "has no column 'serial' (key); it has id, at, name, value": {"key": "serial"},
        "GRANT SELECT on it": {"view": f"{source.schema}.hidden"},
        "it must be a number or a time that rises": {"key": "name"},
        "the url is none": {"url": "not a url"},
        "is not set": {"url": None, "url_env": "SEVENONES_NO_SUCH_VARIABLE"},
        "cannot be read": {"password_file": "/nonexistent"},
    }
    source.add("CH4", 1)
    said = {}
    for words, change in wrong.items():
        kind, said[words] = await refusal(source.settings(tmp_path, **change))
        assert words in said[words]
        assert (kind is SignInRefused) == ("refused the user" in words or "cannot be read" in words)
    assert len(set(said.values())) == len(wrong)
    assert server.execute("SELECT 1") is None


async def test_a_slow_answer_is_ended_by_the_database_and_said(source, tmp_path):
    source.do("CREATE VIEW slow AS SELECT * FROM raw WHERE pg_sleep(30) IS NOT NULL", "GRANT SELECT ON slow TO reader")
    source.add("CH4", 1)
    _, words = await refusal(source.settings(tmp_path, view=f"{source.schema}.slow", timeout_s=0.5))
    assert "did not answer in time" in words and "index" in words
    with source.connect() as admin:
        active = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'"
        async with asyncio.timeout(15):  # nothing goes on there: it would for half a minute
            while admin.execute(active).fetchone()[0]:
                await asyncio.sleep(0.1)


async def test_the_password_may_be_in_a_file_and_the_url_in_the_environment(source, tmp_path, monkeypatch):
    (tmp_path / "password").write_text("reads\n")
    monkeypatch.setenv("SEVENONES_TEST_DATABASE", source.settings(tmp_path)["url"].replace(":reads", ""))
    settings = source.settings(
        tmp_path, url=None, url_env="SEVENONES_TEST_DATABASE", password_file=str(tmp_path / "password")
    )
    source.add("CH4", 1)
    async with Reader(settings, CH4) as reader:
        await reader.has(1)
    assert "reads" not in repr(Sql.Settings.model_validate(source.settings(tmp_path)))


async def test_names_in_a_site_file_are_never_a_statement(source, tmp_path):
    evil = 'x"; DROP TABLE raw; --'
    quoted = '"' + evil.replace('"', '""') + '"'
    source.do(f"CREATE VIEW {quoted} AS SELECT * FROM raw")  # noqa: S608
    source.add("CH4'; DROP TABLE raw; --", 4)
    settings = source.settings(tmp_path, view=f"{source.schema}.{evil}", url=source.server.url())
    async with Reader(settings, [tag(0, "CH4'; DROP TABLE raw; --")]) as reader:
        await reader.has(4)
    for column in ("key", "time", "name", "value", "quality"):
        _, words = await refusal(source.settings(tmp_path, **{column: evil}))
        assert "has no column" in words
    source.add("CH4", 1)  # the table is still there


async def test_the_session_cannot_write_even_as_the_superuser(source, tmp_path):
    delete = f"DELETE FROM {source.schema}.raw RETURNING 1"  # noqa: S608
    source.do(f"CREATE FUNCTION spoil() RETURNS int LANGUAGE sql AS '{delete}'")
    source.add("CH4", 1)
    query = f"SELECT id, at, name, {source.schema}.spoil() AS value FROM {source.schema}.raw"  # noqa: S608
    superuser = source.server.url()
    _, words = await refusal(source.settings(tmp_path, view=None, query=query, url=superuser))
    assert "read-only transaction" in words
    query = f"SELECT id, at, name, value * 2 AS value FROM {source.schema}.raw"  # noqa: S608
    query += " WHERE name LIKE 'CH%' AND at > '2020-01-01 00:00:00';"
    async with Reader(source.settings(tmp_path, view=None, query=query, url=superuser), CH4) as reader:
        await reader.has(2)


async def test_another_dialect_serves_as_well(tmp_path):
    path = tmp_path / "scale.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE weights (id INTEGER PRIMARY KEY, at TEXT, name TEXT, value REAL)")
        database.execute("INSERT INTO weights VALUES (1, '2026-09-23 10:13:19', 'CH4', 12.5)")
    settings = {"url": f"sqlite:///{path}", "view": "weights", "key": "id", "time": "at", "name": "name"}
    settings |= {"value": "value", "poll_s": 0.05, "timeout_s": 1, "state_dir": str(tmp_path / "state")}
    async with Reader(settings, CH4) as reader:
        await reader.has(12.5)
        with sqlite3.connect(path) as database:
            database.execute("INSERT INTO weights VALUES (2, '2026-09-23 10:13:20', 'CH4', 13.5)")
        await reader.has(12.5, 13.5)
        assert [row[3] for row in reader.rows()] == [1790129599000000, 1790129600000000]
    _, words = await refusal({**settings, "view": "none"})
    assert "has no none" in words


async def test_without_the_extra_it_says_in_both_languages_what_to_install(source, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    _, words = await refusal(source.settings(tmp_path))
    assert "未安装数据库支持" in words and "pip install 'sevenones[sql]'" in words


async def test_without_the_driver_it_says_so(source, tmp_path):
    _, words = await refusal(source.settings(tmp_path, url="mysql+no_such_driver://u@127.0.0.1/x"))
    assert "未安装" in words and "no_such_driver" in words


TEXT = (Path(__file__).parents[3] / "protocols" / "sql" / "README.md").read_text()


def test_the_readmes_samples_are_valid_and_nothing_is_left_unnamed():
    samples = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert len(samples) == 2
    for sample in samples:
        (connection,) = yaml.safe_load(sample).values()
        settings = Sql.Settings.model_validate(connection["settings"])
    assert not [name for name in [*Sql.Settings.model_fields, *Sql(settings).counters()] if name not in TEXT]
