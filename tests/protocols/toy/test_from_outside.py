"""docs/adding-a-protocol.md, followed word by word: a protocol comes from outside, and nothing here is edited."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "adding-a-protocol.md"
BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The page's files in a folder, installed there as pip would: its metadata beside its modules."""
    files = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    assert {"pyproject.toml", "sevenones_line.py", "test_line.py", "site/site.yaml"} <= files.keys()
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    name, version = project["name"].replace("-", "_"), project["version"]
    facts = tmp_path / f"{name}-{version}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n")
    (facts / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
            for group, entries in project["entry-points"].items()
        )
    )
    return tmp_path


def run(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(package), str(ROOT)])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=package,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def suite(package: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_line.py", *more)


def test_the_site_of_the_page_has_no_mistake(package: Path) -> None:
    done = run(package, "-m", "sevenones", "check", "site")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 points by line" in done.stdout


def test_the_adapters_own_rules_are_asked_when_a_site_is_checked(package: Path) -> None:
    equipment = package / "site" / "equipment" / "gate.yaml"
    equipment.write_text(equipment.read_text().replace("address: tare", "address: Tare!"))
    connections = package / "site" / "connections.yaml"
    connections.write_text(connections.read_text().replace("port: 4001", "port: 99999"))
    done = run(package, "-m", "sevenones", "check", "site")
    assert done.returncode == 1
    assert "gate.yaml" in done.stdout and "'Tare!' is not a name on the scale" in done.stdout
    assert "connections.yaml" in done.stdout and "port" in done.stdout


def test_without_the_package_the_site_says_which_protocols_there_are(package: Path) -> None:
    next(package.glob("*.dist-info/entry_points.txt")).unlink()
    done = run(package, "-m", "sevenones", "check", "site")
    assert done.returncode == 1
    assert "no protocol 'line'" in done.stdout and "modbus" in done.stdout


def test_the_adapter_of_the_page_passes_the_suite(package: Path) -> None:
    done = suite(package)
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"\d\d passed", done.stdout) and "skipped" not in done.stdout, done.stdout[-1000:]


FAULTS = {
    "values at the wrong index": ("[tag.index for tag in tags]", "[tag.index for tag in tags[::-1]]", "callers"),
    "NaN as a good value": ("(np.isnan(value), Quality.BAD_SENSOR_FAILURE", "(np.isnan(value), GOOD", "nan"),
    "no reason": (
        '(missing, Quality.BAD_CONFIGURATION, "秤没有此名称 · the scale has no such name")',
        '(missing, 4, " ")',
        "missing",
    ),
    "float32 columns": (".astype(np.float64)", ".astype(np.float32)", "index"),
    "no time-out": ("async with asyncio.timeout(self.settings.timeout_s):", "if True:", "hang"),
    "close that raises": ("if streams is not None:\n", "if True:\n", "close"),
    "a promise not kept": ("Supports.READ | Supports.WRITE", "Supports.READ | Supports.BROWSE", "sheet"),
    "an undescribed setting": ('description="its TCP port"', "title=''", "settings"),
    "an address that is not looked at": ("if not re.fullmatch", "if False and not re.fullmatch", "check"),
    "a source time that is not there": ("source_time=False", "source_time=True", "index"),
    "a task left behind": (
        'self.settings.port}"\n',
        'self.settings.port}"\n        self._t = asyncio.create_task(asyncio.sleep(60))\n',
        "left",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_suite_finds_the_fault(package: Path, fault: str) -> None:
    right, wrong, tests = FAULTS[fault]
    module = package / "sevenones_line.py"
    text = module.read_text(encoding="utf-8")
    assert right in text
    module.write_text(text.replace(right, wrong), encoding="utf-8")
    hasty = package / "test_line.py"
    name = '    name = "line"\n\n    @'
    assert name in hasty.read_text(encoding="utf-8")
    bounds = "    name = 'line'\n    answer_s = loss_s = silence_s = 2.0\n\n    @"
    hasty.write_text(hasty.read_text(encoding="utf-8").replace(name, bounds), encoding="utf-8")
    done = suite(package, "-x", "-k", tests, "-o", "addopts=")
    assert done.returncode == 1, done.stdout[-3000:]
    assert "1 failed" in done.stdout
