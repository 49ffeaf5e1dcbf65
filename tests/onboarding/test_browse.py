"""`sevenones browse` on a real OPC UA server, and the draft that it makes."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.onboarding.walk import Step, as_csv, draft
from models.identity import SEGMENT
from models.site.problems import Problems
from models.site.tables import read_csv
from protocols.adapter import Node
from tests.onboarding.command import sevenones
from tests.protocols.opcua.machine import Machine


def site(folder, machine):
    settings = {**machine.settings(), "certificate_dir": str(folder / "pki")}
    entry = {"gateway": "edge1", "adapter": "opcua", "settings": settings}
    (folder / "connections.yaml").write_text(json.dumps({"connections": {"machine": entry}}))
    return folder


async def test_browse_lists_and_drafts_rows_that_a_point_table_takes(machine: Machine, tmp_path):
    site(tmp_path, machine)
    listed = await sevenones("browse", "machine", "--site", tmp_path)
    assert listed.code == 0 and "Machine/" in listed.out and "Server/" in listed.out
    below = await sevenones("browse", "machine", "--site", tmp_path, "--below", "Machine")
    assert "Speed  Double  m/min  0 … 12.5  可写 writable  nsu=urn:test:machine;s=Speed" in below.out
    file = tmp_path / "draft.csv"
    words = ("browse", "machine", "--site", tmp_path, "--below", "Machine", "--draft", file, "--equipment", "belt_1")
    done = await sevenones(*words)
    assert done.code == 0, done
    problems = Problems()
    rows = list(read_csv(file.read_bytes(), "draft.csv", problems))
    assert not problems.count
    speed = next(row.values for row in rows if row.values["point"] == "speed")
    assert speed == {
        "equipment": "belt_1",
        "point": "speed",
        "connection": "machine",
        "address": "nsu=urn:test:machine;s=Speed",
        "unit": "m/min",
        "name_en": "Speed",
    }
    again = await sevenones(*words)
    assert again.code == 1 and "--force" in again.err
    nowhere = await sevenones("browse", "machine", "--site", tmp_path, "--below", "Nothing")
    assert nowhere.code == 1 and "nothing at 'Nothing'" in nowhere.err


async def test_a_protocol_that_does_not_describe_itself_says_what_to_use():
    done = await sevenones("browse", "modbus://127.0.0.1:1/1")
    assert done.code == 1 and "use probe and read" in done.err


@given(st.lists(st.text(max_size=50), max_size=30))
def test_drafted_keys_are_names_and_no_two_are_the_same(names):
    steps = [Step(Node(f"a{number}", name, "", ""), f"机器/{name}", 1) for number, name in enumerate(names)]
    rows = draft(steps, "c", "e")
    keys = [row["point"] for row in rows]
    assert len(set(keys)) == len(keys) == len(names)
    assert all(SEGMENT.fullmatch(key) for key in keys)
    read = list(csv.reader(io.StringIO(as_csv(rows).decode("utf-8-sig"), newline="")))
    assert len(read) == len(rows) + 1 and all(cell.isprintable() for row in read for cell in row)
