"""`sevenones dictionary`: loaded, listed, shown, refused in plain words."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from sevenones.commands.dictionary import app

OWNERS = "适用范围,责任人\nrole:ch4,王工\n"
SAID = ("--kind", "owners", "--edition", "1", "--source", "order 7", "--effective-from", "2026-01-01")


def run(home: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--home", str(home)])
    return done.exit_code, done.output


def test_load_list_show(tmp_path):
    table = tmp_path / "owners.csv"
    table.write_text(OWNERS)
    assert run(tmp_path, "load", str(table), *SAID, "--who", "olga") == (
        0, "已装载 owners 版本 1，1 条，2026-01-01 起生效 · "
        "loaded owners version 1 with 1 entries, which holds from 2026-01-01\n",
    )  # fmt: skip
    assert "already" in run(tmp_path, "load", str(table), *SAID)[1]
    assert "王工" in run(tmp_path, "show", "owners")[1]
    assert "王工" not in run(tmp_path, "show", "owners", "--version", "0")[1]
    assert "1 *" in run(tmp_path, "list")[1]


def test_refusals_name_the_cell(tmp_path):
    table = tmp_path / "owners.csv"
    table.write_text("applies_to,owner\n*,=1+1\n")
    code, said = run(tmp_path, "load", str(table), *SAID)
    assert code == 1 and "owners.csv:B2" in said and "formula" in said
    code, said = run(tmp_path, "show", "owners", "--version", "7")
    assert code == 1 and "versions: 0" in said
    code, said = run(tmp_path / "nowhere", "list")
    assert code == 1 and "--home" in said
