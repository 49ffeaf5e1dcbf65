"""What a newcomer meets when the demo cannot start: one plain message, exit code 1, nothing left running."""

import shutil
import socket
import subprocess
import sys

import pytest

from sevenones.demo import BUNDLED_SITE, MINES, Ports
from sevenones.home import held, open_home
from tests.ports import free_block


def demo(home, port, *more):
    argv = [sys.executable, "-m", "sevenones", "demo", "--home", str(home), "--port", str(port), *more]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("place", range(5))
def test_a_taken_port_is_named_with_the_way_out(tmp_path, place):
    first = free_block()
    what, port = list(Ports(first))[place]
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        found = demo(tmp_path / "home", first)
    assert found.returncode == 1
    assert f"{what} {port}" in found.stdout and f"--port {first + 20}" in found.stdout
    assert "Traceback" not in found.stdout + found.stderr


def test_data_of_another_version_is_left_alone(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "version").write_text("7\n")
    found = demo(home, free_block())
    assert found.returncode == 1
    assert "'7'" in found.stdout and "Move that folder away" in found.stdout
    assert [entry.name for entry in home.iterdir()] == ["version"]


def test_a_home_that_another_demo_holds_is_refused(tmp_path):
    home = open_home(tmp_path / "home")
    with held(home):
        found = demo(home, free_block())
    assert found.returncode == 1 and "already running" in found.stdout


def test_a_site_with_mistakes_starts_nothing_and_names_them_all(tmp_path):
    home = open_home(tmp_path / "home")
    shutil.copytree(BUNDLED_SITE, home / "site")
    table = next(path for path in (home / "site" / "points").glob("*.csv") if "belt_101" in path.read_text())
    text = table.read_text().replace("belt_101,speed", "belt_999,speed").replace(",hr:6,", ",hr:x,")
    table.write_text(text)
    found = demo(home, free_block())
    assert found.returncode == 1
    assert "belt_999" in found.stdout and "hr:x" in found.stdout and table.name in found.stdout
    assert not (home / "demo.json").exists()


def test_a_mine_that_is_not_there_is_named_and_nothing_is_made(tmp_path):
    found = demo(tmp_path / "home", free_block(), "--mine", "nowhere")
    assert found.returncode == 1 and "'nowhere'" in found.stdout and "middle" in found.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_home_of_another_mine_is_left_alone(tmp_path):
    home = open_home(tmp_path / "home")
    shutil.copytree(MINES / "low", home / "site")
    for words, there in ((("--mine", "middle"), "low"), ((), "low")):
        found = demo(home, free_block(), *words)
        assert found.returncode == 1 and f"another mine, {there}" in found.stdout and "--home" in found.stdout
    assert not (home / "demo.json").exists()


def test_a_device_port_that_is_taken_is_named_before_anything_starts(tmp_path, monkeypatch):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        monkeypatch.setenv("SEVENONES_PUMP_PLC_PORT", str(port))
        found = demo(tmp_path / "home", free_block(), "--mine", "low")
    assert found.returncode == 1 and f"pump_plc {port}" in found.stdout and "Traceback" not in found.stdout
    assert not (tmp_path / "home" / "demo.json").exists()
