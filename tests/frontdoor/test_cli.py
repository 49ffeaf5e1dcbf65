"""The one command: what it has, how fast it opens, and what it says where a package is not installed."""

import subprocess
import sys

import pytest

from sevenones.cli import COMMANDS, HELP, main

WITHOUT = """
import importlib.abc, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"chdb", "fastapi", "sqlalchemy"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv = ["sevenones", *sys.argv[1:]]
from sevenones.cli import main
main()
"""


def on_an_edge_box(*words, cwd):
    """As after `pip install sevenones[gateway]`: no database, no web framework."""
    argv = [sys.executable, "-c", WITHOUT, *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)


def test_every_command_has_its_line_and_its_help(tmp_path, monkeypatch, capsys):
    assert set(COMMANDS) == set(HELP)
    monkeypatch.chdir(tmp_path)
    for name in COMMANDS:
        monkeypatch.setattr(sys, "argv", ["sevenones", name, "--help"])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().out
        assert ended.value.code in (None, 0) and "·" in said and name in said, (name, said)
    assert list(tmp_path.iterdir()) == [], "asking for help makes nothing"


@pytest.mark.parametrize(
    "words", [("demo",), ("api", "--site", "x"), ("token", "create", "--name", "x", "--home", ".")]
)
def test_an_edge_box_says_what_to_install(tmp_path, words):
    found = on_an_edge_box(*words, cwd=tmp_path)
    assert found.returncode == 1
    assert "sevenones[platform]" in found.stderr and "Traceback" not in found.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is begun"


def test_an_edge_box_needs_no_platform_for_its_own_commands(tmp_path):
    for words in (("gateway", "--help"), ("bus", "--help"), ("check", "--help")):
        assert on_an_edge_box(*words, cwd=tmp_path).returncode == 0
    refused = on_an_edge_box("gateway", "--site", "nowhere", "--bus", "nats://127.0.0.1:1", cwd=tmp_path)
    assert refused.returncode == 1 and "nowhere" in refused.stderr


def test_no_command_and_a_wrong_one(tmp_path):
    for words, said in (((), "demo"), (("demmo",), "demmo")):
        argv = [sys.executable, "-m", "sevenones", *words]
        found = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
        assert found.returncode == 2 and said in found.stdout + found.stderr
