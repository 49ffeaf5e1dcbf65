"""docs/integrating-a-device.md, followed command by command by a newcomer's shell: what it shows is what comes."""

import asyncio
import os
import re
import shlex
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.ports import free_block, free_port

pytestmark = pytest.mark.long

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrating-a-device.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\b[0-9A-F]{4}\b|\d+(?:\.\d+)?")


def steps(text):
    """The page in its order: ("file", name, content) and ("command", line, shown lines)."""
    for kind, title, body in BLOCK.findall(text):
        if title:
            yield "file", title, body
        elif kind == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                yield "command", command, shown.splitlines()


def pattern(line):
    """A shown line as what must come: any numbers, any blanks, anything for …"""
    pieces = []
    for piece in line.split("…"):
        words = [r"-?[\dA-F.]+".join(map(re.escape, NUMBER.split(word))) for word in piece.split()]
        pieces.append(r"\s+".join(words))
    return re.compile(r".*?".join(pieces).strip())


def missing(shown, out):
    """The first shown line that did not come, in the order of the page."""
    lines = iter(out.splitlines())
    for line in shown:
        if line.strip() in ("", "…"):
            continue
        wanted = pattern(line)
        if not any(wanted.search(came.strip()) for came in lines):
            return line
    return None


class Shell:
    """A newcomer's: `sevenones` is on its path, and what ends with & goes on until the end."""

    def __init__(self, folder, environment):
        self.folder = folder
        self.environment = {**os.environ, "COLUMNS": "160", **environment}
        self.background = []

    async def start(self, command, **pipes):
        words = shlex.split(command)
        assert words[0] == "sevenones"
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sevenones", *words[1:], cwd=self.folder, env=self.environment,
            stdin=asyncio.subprocess.DEVNULL, **pipes,
        )  # fmt: skip

    async def run(self, command):
        process = await self.start(command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        assert b"Traceback" not in out, out.decode()
        return process.returncode, out.decode()

    async def leave_running(self, command):
        log = self.folder / f"background{len(self.background)}.log"
        with log.open("wb") as file:
            self.background.append(await self.start(command, stdout=file, stderr=file))
        return log

    async def end(self):
        for process in self.background[::-1]:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        for process in self.background:
            try:
                await asyncio.wait_for(process.wait(), 30)
            except TimeoutError:
                process.kill()


async def until_it_comes(shell, command, shown, seconds=90):
    """What waits for a process that has just been started is looked at again until it is there."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        code, out = await shell.run(command)
        left = missing(shown, out)
        if (code == 0 and left is None) or loop.time() > deadline:
            logs = "".join(path.read_text()[-3000:] for path in shell.folder.glob("background*.log"))
            assert code == 0 and left is None, f"{command}: '{left}' did not come:\n{out}\n{logs}"
            return out
        await asyncio.sleep(0.3)


@pytest.mark.processes
@pytest.mark.timeout(300)
async def test_a_newcomer_gets_from_a_spreadsheet_to_live_values(tmp_path):
    device, first = free_port(), free_block()
    text = PAGE.read_text(encoding="utf-8").replace("15020", str(device)).replace("8700", str(first))
    shell = Shell(tmp_path, {"SEVENONES_MODBUS_PORT": str(device)})
    done = []
    try:
        for kind, what, content in steps(text):
            if kind == "file":
                path = tmp_path / what
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
                continue
            done.append(what)
            if what.endswith("&"):
                await shell.leave_running(what.rstrip(" &"))
            elif "watch" in what or "probe" in what:
                out = await until_it_comes(shell, what, content)
            else:
                code, out = await shell.run(what)
                refused = "import" in what and "--mapping" not in what
                assert (code != 0) == refused, f"{what} ended with {code}:\n{out}"
                assert missing(content, out) is None, f"{what}: '{missing(content, out)}' did not come:\n{out}"
            if "learn-order" in what:
                assert "hr:100,float32,cdab," in out
            if "--yes" in what:
                table = (tmp_path / "site" / "points" / "belt_1.csv").read_text(encoding="utf-8-sig")
                assert "belt_1,speed,belt_plc,normal,hr:100,float32,cdab,,m/s" in table
        speed = re.search(r"speed\s+([\d.]+)\s+m/s\s+好", out)
        assert speed is not None and 3.0 < float(speed[1]) < 4.0, out
    finally:
        await shell.end()
    used = {command.split()[1] for command in done}
    assert used == {"simulate", "probe", "read", "learn-order", "import", "check", "plan", "run", "watch"}


def test_what_the_page_shows_can_be_missing():
    """The comparison is no rubber stamp."""
    shown = ["✓ 往返时间 最小 0.3 毫秒", "…", "float32 … 3.459* …", "没有错误 · no problems"]
    came = "✓ 往返时间  最小 12 毫秒\nx\nfloat32  1  3.5* 7\n没有错误 · no problems\n"
    assert missing(shown, came) is None
    assert missing(shown, came.replace("3.5*", "3.5")) == shown[2]
    assert missing(shown[::-1], came) == shown[2], "the order counts"


def test_the_same_table_as_a_workbook_gives_the_same_rows(tmp_path):
    import csv
    import io

    import openpyxl

    from sevenones.point_import import Choice, prepare

    files = {what: content for kind, what, content in steps(PAGE.read_text(encoding="utf-8")) if kind == "file"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(files["belt.csv"])):
        book.active.append([int(cell) if cell.isdigit() else cell or None for cell in row])
    book.save(tmp_path / "belt.xlsx")
    (tmp_path / "gbk.csv").write_bytes(files["belt.csv"].encode("gbk"))
    choice = Choice("belt_conveyor", "belt_1", "", "", "belt_plc", "normal", tmp_path / "mapping.yaml", "", 1, "", True)
    tables = [prepare(tmp_path / "site", tmp_path / name, choice).files["points/belt_1.csv"]
              for name in ("belt.csv", "belt.xlsx", "gbk.csv")]  # fmt: skip
    assert tables[0] == tables[1] == tables[2]
    shutil.rmtree(tmp_path / "site")
