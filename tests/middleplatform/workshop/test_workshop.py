"""The workshop's routes over a real bus, to a real gateway with real devices, into a real folder."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from middleplatform.audit.log import entries
from middleplatform.workshop.asking import recorded
from tests.middleplatform.api.stage import Stage, threaded, until
from tests.middleplatform.workshop.mine import TABLE, mine
from tests.servers import CODE


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with threaded(lambda loop: mine(tmp_path_factory.mktemp("workshop"), loop)) as standing:
        yield standing


@pytest.fixture
def ask(stage):
    """A request by an engineer; the answer, or the refusal's own words."""

    def asked(path, body=None, status=200):
        with stage.client("engineer") as client:
            answer = client.get(f"/api/v1/workshop/{path}") if body is None else client.post(
                f"/api/v1/workshop/{path}", json=body
            )  # fmt: skip
        assert answer.status_code == status, answer.text
        return answer.json() if status == 200 else answer.json()["error"]

    return asked


def belt(stage):
    return {"adapter": "modbus", "settings": {"host": "127.0.0.1", "port": stage.belt.port, "unit": 3}}


def draft(stage, **more):
    return {
        "connection": "belt_plc",
        "new": {"gateway": "edge1", **belt(stage), "groups": {"normal": "1 s"}},
        "equipment": "belt_1",
        "template": "belt_conveyor",
        "name": {"zh": "1号皮带机", "en": "Belt 1"},
        "group": "normal",
        "file": "皮带.csv",
        "table": base64.b64encode(TABLE.encode()).decode(),
        "first": 1,
        "words": {"points": {"皮带速度": "speed"}},
        "skip_unknown": True,
        **more,
    }


def test_live_gateways_are_told_with_their_connections(stage, ask):
    found = until(lambda: [one for one in ask("gateways")["gateways"] if one["live"]])
    assert found == [{"name": "edge1", "live": True, "silent_s": None, "connections": {"panel": "modbus"}}]


def test_a_device_is_asked_through_the_gateway_and_the_audit_keeps_no_secret(stage, ask):
    secret = "a very secret horse"
    told = ask("questions", {"gateway": "edge1", "ask": "connect", "device": belt(stage)})
    assert told["connected"] and told["took_ms"] > 0
    seen = ask("questions", {"gateway": "edge1", "ask": "read", "device": belt(stage), "address": "hr:100", "count": 2})
    shown = {(one["type"], one["order"]): one["value"] for one in seen["meanings"]}
    assert shown["float32", "cdab"] == pytest.approx(3.459) and seen["took_ms"] > 0
    found = ask("questions", {"gateway": "edge1", "ask": "learn", "device": belt(stage), "address": "hr:100",
                              "value": 3.459, "tolerance": 0.01})  # fmt: skip
    assert found["fits"][0]["key"] == "float32/cdab"
    settings = {**stage.machine.settings(), "password": secret}
    told = ask(
        "questions", {"gateway": "edge1", "ask": "connect", "device": {"adapter": "opcua", "settings": settings}}
    )
    assert told["state"] == "sign-in refused" and secret not in json.dumps(told)
    url = f"modbus://olga:{secret}@127.0.0.1:{stage.belt.port}/3"
    refused = ask("questions", {"gateway": "edge1", "ask": "connect", "device": url, "password": secret}, 409)
    assert "password in a URL" in refused["message"] and secret not in json.dumps(refused)
    kept = entries(stage.home, what="device.ask")
    assert len(kept) == 5 and secret not in repr(kept) and "olga" not in repr(kept)
    assert f"127.0.0.1:{stage.belt.port}" in repr(kept)


def test_a_row_is_read_as_its_own_type_order_and_bit_make_of_the_bytes(stage, ask):
    def bound(address, **binding):
        question = {"gateway": "edge1", "ask": "read", "device": belt(stage), "address": address, "count": 4}
        seen = ask("questions", {**question, "bound": binding})
        assert seen["raw_hex"], seen
        return seen["bound"]

    assert bound("hr:120.8", type="bool")["value"] == 1 and bound("hr:120.0", type="bool")["value"] == 0
    assert bound("hr:120.8", type="bool", options={"active": "low"})["value"] == 0
    assert bound("hr:120.8-9", type="uint16")["value"] == 1
    right = bound("hr:102", type="float32", order="cdab")
    assert right["value"] == pytest.approx(812.5) and right["sensible"] and right["quality_words"]["zh"] == "好"
    wrong = bound("hr:102", type="float32", order="abcd")
    assert 0 < wrong["value"] < 1e-6 and not wrong["sensible"]
    assert bound("hr:100[4]", type="string")["text"]
    unfit = bound("hr:120.0", type="float32")
    assert unfit["value"] is None and "one bit" in unfit["reason"] and unfit["quality"] == 0
    device = {"adapter": "opcua", "settings": stage.machine.settings()}
    seen = ask("questions", {"gateway": "edge1", "ask": "read", "device": device, "bound": {},
                             "address": "nsu=urn:test:machine;s=Speed"})  # fmt: skip
    assert seen["bound"]["value"] == seen["values"][0]["value"] is not None


def test_a_server_that_describes_itself_is_browsed(stage, ask):
    device = {"adapter": "opcua", "settings": stage.machine.settings()}
    below = ask("questions", {"gateway": "edge1", "ask": "browse", "device": device, "below": "Machine", "depth": 1})
    assert "nsu=urn:test:machine;s=Speed" in {node["address"] for node in below["nodes"]}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"gateway": "edge9", "ask": "connect", "device": "panel"}, 404, "no gateway"),
        ({"gateway": "edge1", "ask": "connect", "device": "nothing"}, 404, "no connection"),
        ({"gateway": "edge1", "ask": "connect"}, 400, "missing"),
        ({"gateway": "edge1", "ask": "write", "device": "panel"}, 400, "ask"),
        ({"gateway": "edge1", "ask": "browse", "device": "panel"}, 409, "does not describe itself"),
        ({"gateway": "edge1", "ask": "connect", "device": {"adapter": "modbus", "settings": {"host": "x" * 9000}}},
         400, "too long"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_both_languages(stage, ask, body, status, words):
    error = ask("questions", body, status)
    assert words in error["message"] and error["message_zh"]


def test_a_diagnosis_tells_bytes_latency_and_why_a_point_is_bad(stage, ask):
    def told():
        found = ask("diagnosis?connection=panel")
        by_point = {one["point"]: one["told"] for one in found["points"]}
        return by_point if (by_point[f"{CODE}/gas_1/ch4"] or {}).get("quality") == 192 else None

    found = until(told)
    good, bad = found[f"{CODE}/gas_1/ch4"], found[f"{CODE}/feeder_1/current_a"]
    assert good["raw_hex"] == "00 32" and good["decoded"] == 50 and good["scaled"] == pytest.approx(0.5)
    assert good["latency_ms"] >= 0 and good["reason"] is None
    assert bad["quality"] < 64 and bad["reason"]
    searched = ask("diagnosis?q=甲烷浓度&limit=1")
    assert searched["total"] == 1 and searched["points"][0]["point"] == f"{CODE}/gas_1/ch4"
    only_bad = until(lambda: (found := ask("diagnosis?bad=true"))["total"] < 5 and found)
    assert f"{CODE}/feeder_1/current_a" in {one["point"] for one in only_bad["points"]}
    assert f"{CODE}/gas_1/ch4" not in {one["point"] for one in only_bad["points"]}

    def connected():
        (gateway,) = ask("connections")["gateways"]
        panel = gateway["connections"]["panel"]
        return panel if panel["state"] == "up" else None

    panel = until(connected)
    assert panel["counters"]["requests_total"] > 0 and panel["latency_ms"]["median"] >= 0
    assert panel["groups"]["fast"]["answered"] > 0


def test_the_forms_of_all_protocols_have_words_in_both_languages(ask):
    forms = {form["name"]: form for form in ask("protocols")["protocols"]}
    assert {"modbus", "opcua", "mqtt", "sparkplug", "kj", "sql"} <= forms.keys()
    for form in forms.values():
        without = [field["name"] for field in form["fields"] if field["zh"] == field["en"] or not field["en"]]
        assert not without, (form["name"], without)
    secrets = {field["name"] for field in forms["opcua"]["fields"] if field["kind"] == "secret"}
    assert secrets == {"password"}


def test_a_vendors_table_is_reviewed_committed_and_taken_back(stage, ask):
    folder = stage.home / "site"
    before = {path.name: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    found = ask("review", draft(stage, skip_unknown=False))
    assert [(one["where"], one["said"]) for one in found["unknown"]] == [("B6", "备用")]
    assert "备用" in found["problems"][0]["zh"] and found["seen"] is None and not found["files"]
    assert [row["values"]["address"] for row in found["rows"]] == ["hr:100", "hr:102", "hr:106"]

    found = ask("review", draft(stage))
    assert not found["problems"] and found["added"] == ["belt_1/speed", "belt_1/flow", "belt_1/current_1"]
    assert {(file["name"], file["made"]) for file in found["files"]} == {
        ("connections.yaml", False), ("equipment/belt_1.yaml", True), ("points/belt_1.csv", True),
    }  # fmt: skip
    assert before == {path.name: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}

    error = ask("commit", {"draft": draft(stage), "seen": "0" * 64}, 409)
    assert error["code"] == "changed_since" and not (folder / "points").exists()
    written = ask("commit", {"draft": draft(stage), "seen": found["seen"]})
    assert "sevenones site publish" in written["publish"]
    text = (folder / "connections.yaml").read_text("utf-8")
    assert "手写的说明要保留" in text and "结尾的说明也是" in text and "belt_plc" in text
    assert any(one["name"] == "belt_plc" for one in ask("folder")["connections"])
    there = ask("folder")
    assert there["published"] == {"number": None, "same": False}
    assert (
        there["undo"]["equipment"] == "belt_1"
        and there["undo"]["who"]
        and "points/belt_1.csv" in there["undo"]["files"]
    )
    assert [one.about for one in entries(stage.home, what="site.folder")] == ["belt_1"]
    again = ask("review", draft(stage, new=None))
    assert again["unchanged"] == 3 and not again["files"]
    assert set(ask("undo", {})["files"]) == set(written["written"])
    assert [one.about for one in entries(stage.home, what="site.folder")] == ["belt_1", "belt_1"]
    assert before == {path.name: path.read_bytes() for path in folder.rglob("*.*")
                      if path.is_file() and ".changes" not in path.as_posix()}  # fmt: skip
    assert ask("folder")["published"]["same"]
    assert "no import to undo" in ask("undo", {}, 409)["message"]


def test_a_new_devices_password_never_comes_into_the_folder(stage, ask):
    settings = {"url": "opc.tcp://10.1.2.3:4840", "user": "olga", "password": "a very secret horse"}
    new = {"gateway": "edge1", "adapter": "opcua", "settings": settings, "groups": {}}
    table = base64.b64encode("测点,地址\n带速,nsu=urn:x;s=Speed\n".encode()).decode()
    found = ask("review", draft(stage, connection="hmi", new=new, table=table, group="", words={}))
    assert found["variables"] == ["SEVENONES_HMI_PASSWORD"] and not found["problems"], found
    assert "secret" not in json.dumps(found)
    assert any("${SEVENONES_HMI_PASSWORD}" in line for file in found["files"] for line in file["lines"])
    new["settings"] = {"url": "opc.tcp://olga:horse@10.1.2.3:4840"}
    found = ask("review", draft(stage, connection="hmi", new=new, table=table))
    assert "密码" in found["problems"][0]["zh"] and "horse" not in json.dumps(found)


def test_mistakes_are_named_at_their_cells(stage, ask):
    wrong = TABLE.replace("101,3,Float,CDAB", "1x1,3,Floot,CDAB")
    found = ask("review", draft(stage, table=base64.b64encode(wrong.encode()).decode()))
    assert {one["where"] for one in found["problems"]} == {"C3", "E3"}
    found = ask("review", draft(stage, template="nothing", area="nowhere"))
    assert any("nothing" in one["en"] for one in found["problems"])
    # A name is written as it was entered, or not at all.
    for name in ({"zh": "1/2号皮带机", "en": "Belt"}, {"zh": "皮带机", "en": "Belt 1/2"}):
        found = ask("review", draft(stage, name=name))
        assert any("/" in one["zh"] and "/" in one["en"] for one in found["problems"]) and found["seen"] is None
    assert "only .xlsx and .csv" in ask("review", draft(stage, file="a.exe"))["problems"][0]["en"]
    new = {"gateway": "edge1", "adapter": "modbus", "settings": {"hast": 1}, "groups": {"normal": "1 s"}}
    found = ask("review", draft(stage, new=new))
    assert any(one["file"] == "connections.yaml" and one["where"] and "hast" in one["en"] for one in found["problems"])


def test_rules_are_told_in_words_and_tried_on_values_over_time(ask):
    (rule,) = ask("rules")["rules"]
    assert rule["id"] == "cut_1" and rule["latched"] and rule["command"][0]["state"]["zh"]
    ch4 = f"{CODE}/gas_1/ch4"
    rows = [
        {"at_s": 0, "values": {ch4: 0.4, f"{CODE}/gas_1/state": 0, f"{CODE}/feeder_1/breaker": 1}},
        {"at_s": 10, "values": {ch4: 1.6}},
        {"at_s": 20, "values": {ch4: 0.6}},
        {"at_s": 30, "values": {ch4: None}},
    ]
    found = ask("rules/trial", {"rules": ["cut_1"], "rows": rows, "until_s": 60})
    first, second = found["trips"]
    assert first["at_s"] == 10 and first["needed"] and first["well_again_s"] == 20 and "1.5" in first["why"]["en"]
    assert first["writes"][0]["point"] == f"{CODE}/feeder_1/command" and first["writes"][0]["value"] == 2
    # Power is cut too when the sensor is lost for its rule's time.
    assert second["at_s"] == 40 and second["inputs"][0]["lost"]
    conditions = {step["at_s"]: step["rules"]["cut_1"] for step in found["steps"]}
    assert not conditions[0]["holds"] and conditions[10]["holds"] and not conditions[20]["holds"]
    for strange in ({"rules": ["none"]}, {"rows": [{"at_s": 0, "values": {"belt_9/x": 1}}]}):
        error = ask("rules/trial", {"rules": ["cut_1"], "rows": rows, "until_s": 60} | strange, 409)
        assert error["message_zh"] and error["code"].startswith("unknown_")


def test_what_is_written_down_of_a_question_has_no_settings():
    device = {"adapter": "sql", "settings": {"url": "postgresql://olga:secret@db/x?password=secret"}}
    assert recorded({"ask": "connect", "device": device, "password": "secret"}) == {
        "device": "sql postgresql://db/x", "ask": "connect",
    }  # fmt: skip
    assert "secret" not in repr(recorded({"ask": "read", "device": "opc.tcp://olga:secret@h:1?password=secret#x"}))
