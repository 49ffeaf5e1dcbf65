"""`sevenones check`: the mistakes on stdout and 1, or a summary and 0."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from protocols import registry
from sevenones.cli import build
from tests.models.sites import CONNECTIONS, EQUIPMENT, POINTS, write
from tests.models.test_site import DEMO

runner = CliRunner()


def check(folder: Path, *options: str) -> tuple[int, str]:
    result = runner.invoke(build("check"), ["check", str(folder), *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def test_a_right_site_is_summed_up(tmp_path: Path) -> None:
    code, text = check(write(tmp_path))
    assert code == 0, text
    assert "测试矿 · Test mine (140525000099)" in text
    assert "plc: 2 points by modbus, gateway edge1 (fast 0.2 s, slow 5 s)" in text
    assert "gas: 2 points" in text and text.rstrip().endswith("没有错误 · no problems")
    assert "not bound" in text and "not bound" not in check(tmp_path, "--no-notes")[1]


def test_adapters_judge_addresses_and_settings(tmp_path: Path) -> None:
    connections = CONNECTIONS.replace("${PORT:-502}", "99999").replace("client_id: t", "client_id: t, hots: x")
    table = POINTS.replace("hr:2", "hr:2x")
    code, text = check(write(tmp_path, connections_yaml=connections, points__all_csv=table))
    assert code == 1
    assert re.search(
        r"^connections\.yaml:7: 'port' 不得大于 65535，现为 99999 · 'port' must be at most 65535, got 99999$",
        text,
        re.M,
    ), text
    wrong = r"未知的键 'hots'；是否指 'host'？ · unknown key 'hots'; did you mean 'host'\?"
    assert re.search(rf"^connections\.yaml:14: {wrong}$", text, re.M), text
    assert re.search(r"^points/all\.csv:E3: .*hr:2x", text, re.M), text
    assert "3 处错误 · 3 problems" in text


def test_a_password_is_never_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "geheim-4711")
    settings = (
        'settings: {host: 127.0.0.1, client_id: t, port: "${SECRET}", password: ["${SECRET}"], password_file: 4711}'
    )
    connections = CONNECTIONS.replace("settings: {host: 127.0.0.1, client_id: t}", settings)
    code, text = check(write(tmp_path, connections_yaml=connections))
    assert code == 1 and "geheim" not in text and "4711" not in text, text
    shown = "'port' 须为整数，现为 '${SECRET}' · 'port' must be a whole number, got '${SECRET}'"
    assert f"connections.yaml:14: {shown}\n" in text


def test_an_unknown_protocol_is_named_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    connections = CONNECTIONS.replace("adapter: modbus", "adapter: modbuss")
    table = POINTS.replace("kg/s", "kN")
    code, text = check(write(tmp_path, connections_yaml=connections, points__all_csv=table))
    assert code == 1 and text.count("modbuss") == 2  # once, in two languages
    assert "connections.yaml:4: 此处没有协议 'modbuss'，已安装 " in text
    assert " · there is no protocol 'modbuss' here; installed are " in text
    assert "points/all.csv:J3" in text and ", ".join(registry.names()) in text


UNSET = "环境变量 SEVENONES_TEST_UNSET 没有设置 · the environment variable SEVENONES_TEST_UNSET is not set"


def test_an_unset_variable_is_a_note_or_with_environment_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, connections_yaml=CONNECTIONS.replace("${PORT:-502}", "${SEVENONES_TEST_UNSET}"))
    assert check(tmp_path)[0] == 0
    code, text = check(tmp_path, "--environment")
    assert code == 1 and f"connections.yaml:7: {UNSET}\n" in text


def test_nothing_but_a_folder_is_a_plain_message(tmp_path: Path) -> None:
    code, text = check(tmp_path / "none")
    assert code == 1 and "is not a folder" in text


def test_the_demo_mine_passes_from_the_shell() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "sevenones", "check", str(DEMO)], check=False, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "泽州示范矿" in run.stdout and "methane_t1: 2 points" in run.stdout


def test_an_equipment_file_with_two_mistakes_gives_two(tmp_path: Path) -> None:
    spoilt = EQUIPMENT.replace("area: mine", "area: mime").replace("limit_set: T2", "limit_set: T22")
    code, text = check(write(tmp_path, equipment__all_yaml=spoilt), "--no-notes")
    assert code == 1 and text.count("equipment/all.yaml:") == 2
