"""Commands find the relational store by one setting, and never show its password."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from middleplatform.access.tokens import list_tokens
from middleplatform.database import SETTING
from sevenones import relational
from sevenones.commands import audit, token
from tests.middleplatform.database.conftest import empty_database
from tests.postgres import PASSWORD, Postgres


def test_the_setting_names_the_place_for_every_command(tmp_path: Path, postgres: Postgres) -> None:
    assert relational.SETTING == SETTING
    url = empty_database(postgres)
    runner = CliRunner(env={SETTING: url, "COLUMNS": "200"})
    made = runner.invoke(token.app, ["create", "--name", "script", "--home", str(tmp_path)])
    assert made.exit_code == 0, made.output
    assert [each.name for each in list_tokens(url)] == ["script"]
    told = runner.invoke(audit.app, ["list", "--home", str(tmp_path)])
    assert "token.add" in told.output
    assert not list(tmp_path.iterdir()), "nothing is made in the home"
    shown = told.output + made.output + runner.invoke(audit.app, ["list", "--help"]).output
    assert PASSWORD not in shown and SETTING in shown


def test_without_it_the_home_is_the_place_and_has_to_be_there(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    assert relational.place_of(tmp_path) == tmp_path
    assert relational.place_of(tmp_path / "no", "postgresql://h/d") == "postgresql://h/d"
    missing = CliRunner().invoke(token.app, ["list", "--home", str(tmp_path / "no")])
    assert missing.exit_code == 1 and "there is no home folder" in str(missing.exception) + missing.output


def test_a_database_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    away = {SETTING: f"postgresql://u:{PASSWORD}@127.0.0.1:1/x"}
    for app, words in ((audit.app, ["list"]), (token.app, ["list"])):
        done = CliRunner(env=away).invoke(app, [*words, "--home", str(tmp_path)])
        said = done.output + str(done.exception)
        assert done.exit_code == 1 and PASSWORD not in said and "cannot open the relational store" in said
