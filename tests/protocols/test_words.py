"""Why a link is lost or a sign-in refused is read in the console: it is said in Chinese and in English, everywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.onboarding.target import Target, TargetError, of_url
from models.words import at, halves
from protocols.adapter import Tag
from protocols.registry import adapter
from protocols.words import of_settings

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("protocols", "gateway")
RAISED = {"LinkLost", "SignInRefused"}
TOLD = RAISED | {
    "AbsentError",
    "AdapterError",
    "MalformedError",
    "NoAnswer",
    "NoValueError",
    "TargetError",
    "UnknownNamespaceError",
    "UnknownProtocol",
    "ValueError",
    "WriteRefused",
    "WriteUnknown",
}
"""What a person reads: of a connection, of a point, in the check of a site and when a device is onboarded."""
CHINESE = re.compile(r"[一-鿿]")


def _text(said: ast.expr) -> str | None:
    """The text that is written there, its values as {}; None where it comes from elsewhere."""
    if isinstance(said, ast.Constant) and isinstance(said.value, str):
        return said.value
    if isinstance(said, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in said.values)
        return text if re.search(r"[^\W\d_]", text) else None
    if isinstance(said, ast.BoolOp):
        return _text(said.values[-1])
    return None


def reasons(path: Path, raised: Set[str] = RAISED) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in raised
        if called and isinstance(node, ast.Call) and node.args and (text := _text(node.args[0])) is not None:
            yield node.lineno, text


@pytest.mark.parametrize("room", ROOMS)
def test_a_lost_link_says_why_in_both_languages(room: str) -> None:
    found = [
        (f"{path.relative_to(ROOT)}:{line}", text)
        for path in sorted((ROOT / room).rglob("*.py"))
        for line, text in reasons(path)
    ]
    assert len(found) > 5
    for where, text in found:
        zh, separator, en = text.partition(" · ")
        assert separator and CHINESE.search(zh) and not CHINESE.search(en), f"{where}: {text}"
        # The console cuts a text of several parts at this sign.
        assert "；" not in text, f"{where}: {text}"


ONLY_A_PROGRAMMER = ("an array", "an event has ")
"""What is caught where it is raised, or goes to the log alone."""


@pytest.mark.parametrize("room", ["protocols", "gateway/onboarding"])
def test_whatever_an_adapter_says_it_says_in_both_languages(room: str) -> None:
    found = [
        (f"{path.relative_to(ROOT)}:{line}", text)
        for path in sorted((ROOT / room).rglob("*.py"))
        for line, text in reasons(path, TOLD)
        if not text.startswith(ONLY_A_PROGRAMMER)
    ]
    assert len(found) > 5
    for where, text in found:
        both(text, where)
        assert "；" not in text, f"{where}: {text}"


def both(words: str, where: str = "") -> None:
    """Chinese first, then English, and no Chinese in that save in what it quotes."""
    zh, separator, en = words.partition(" · ")
    assert separator and CHINESE.search(zh), f"{where}: {words}"
    assert not CHINESE.search(re.sub(r"'[^']*'", "", en)) and " · " not in en, f"{where}: {words}"


POINTS: list[tuple[str, str, dict[str, Any]]] = [
    ("modbus", "hr100", {}),
    ("modbus", "300/hr:1", {}),
    ("modbus", "hr:65536", {}),
    ("modbus", "hr:1.16", {}),
    ("modbus", "hr:1.6-4", {}),
    ("modbus", "co:1.3", {}),
    ("modbus", "co:1[40]", {}),
    ("modbus", "hr:1", {"type": "complex"}),
    ("modbus", "hr:1.2", {"type": "float32"}),
    ("modbus", "hr:1", {"order": "水平"}),
    ("modbus", "hr:1[8]", {"order": "cdab"}),
    ("modbus", "hr:1", {"options": {"colour": "red"}}),
    ("modbus", "hr:1[8]", {"options": {"encoding": "latin-1"}}),
    ("modbus", "hr:1[8]", {"options": {"length": 90}}),
    ("mqtt", "mine/pump1", {}),
    ("mqtt", "mine/pump1#", {}),
    ("mqtt", "#a", {}),
    ("mqtt", "mine/#/pump#a", {}),
    ("mqtt", "mine/pump+#a", {}),
    ("mqtt", "mine/pump#a..b", {}),
    ("mqtt", "mine/pump#a[*].b[*]", {}),
    ("mqtt", "mine/pump#a", {"type": "complex"}),
    ("mqtt", "mine/pump#a", {"order": "abcd"}),
    ("mqtt", "mine/pump#a", {"options": {"format": "xml"}}),
    ("mqtt", "mine/pump#a", {"options": {"time_unit": "h"}}),
    ("mqtt", "mine/pump#a", {"options": {"time": "t", "time_zone": "北京"}}),
    ("mqtt", "mine/pump#a", {"options": {"words": "运行"}}),
    ("mqtt", "mine/pump#a", {"options": {"command": "mine/+"}}),
    ("opcua", "ns=2;s=x", {}),
    ("opcua", "svr=1;s=x", {}),
    ("opcua", "nsu=urn:x", {}),
    ("opcua", "x", {}),
    ("opcua", "i=x", {}),
    ("opcua", "g=x", {}),
    ("opcua", "call:i=1", {}),
    ("opcua", "i=1", {"type": "complex"}),
    ("opcua", "i=1", {"options": {"states": "天气"}}),
    ("opcua", "i=1", {"options": {"queue_size": 0}}),
    ("opcua", "i=1", {"options": {"colour": "red"}}),
    ("sparkplug", "g/n", {}),
    ("sparkplug", "g:m", {}),
    ("sparkplug", "g/+:m", {}),
    ("sparkplug", "g/n:m", {"options": {"element": -1}}),
    ("kj", "测点", {}),
    ("kj", "ABCD:1", {}),
    ("kj", "*", {}),
    ("kj", "CDSS:1#max", {}),
    ("sql", " ", {}),
    ("sql", "#column", {}),
    ("sql", "CH4_01", {"order": "abcd"}),
]


@pytest.mark.parametrize(("protocol", "address", "more"), POINTS)
def test_a_bad_point_is_refused_in_both_languages(protocol: str, address: str, more: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError) as refused:
        tag = Tag(0, "p", address, **more)
        adapter(protocol).check(tag)
        if protocol == "mqtt":  # what is written is looked at when it is
            from protocols.mqtt.command import Command

            Command.of(tag)
    both(str(refused.value))


OPCUA = {"url": "opc.tcp://10.1.2.3:4840", "security": "none"}
SQL = {"url": "sqlite://", "view": "v", "key": "k", "time": "t"}
MQTT = {"host": "h", "client_id": "c"}
KJ = {"folder": "/f", "mine": "610802019"}
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("modbus", {}),
    ("modbus", {"host": "h", "port": "/dev/ttyS0"}),
    ("modbus", {"transport": "serial", "port": 502}),
    ("modbus", {"transport": "serial", "port": "/dev/ttyS0", "host": "h"}),
    ("modbus", {"transport": "rtu-over-tcp", "host": "h", "unit": 0}),
    ("modbus", {"host": "h", "forbidden": ["保持寄存器"]}),
    ("modbus", {"host": "h", "forbidden": ["hr:9-1"]}),
    ("modbus", {"host": "h", "quirks": {"local_echo": True}}),
    ("mqtt", MQTT | {"password": "x"}),
    ("mqtt", MQTT | {"discover": ["mine/#/x"]}),
    ("opcua", OPCUA | {"url": "http://h"}),
    ("opcua", OPCUA | {"certificate": "c.pem"}),
    ("opcua", OPCUA | {"watchdog_s": 1.2, "publishing_ms": 500}),
    ("kj", KJ | {"profile": "无"}),
    ("kj", KJ | {"time_zone": "北京"}),
    ("sql", SQL | {"query": "select 1"}),
    ("sql", SQL | {"name": "n"}),
    ("sql", SQL | {"quality_map": {"坏": 256}}),
]


@pytest.mark.parametrize(("protocol", "given"), SETTINGS)
def test_bad_settings_are_refused_in_both_languages(protocol: str, given: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        adapter(protocol).Settings.model_validate(given)
    both(of_settings(refused.value))
    with pytest.raises(TargetError) as told:
        Target("pump", protocol, given).build()
    both(str(told.value))


@pytest.mark.parametrize("url", ["foo://h", "modbus://h/x", "modbus:///1", "mqtt://u:p@h", "modbus://h:x"])
def test_what_is_no_device_is_refused_in_both_languages(url: str) -> None:
    with pytest.raises(TargetError) as refused:
        of_url(url)
    both(str(refused.value))


def test_words_of_both_languages_are_put_together_each_by_itself() -> None:
    assert at("mine/pump1", "没有值 · no value") == "mine/pump1：没有值 · mine/pump1: no value"
    assert at("浏览失败 · cannot browse", "没有值 · no value") == "浏览失败：没有值 · cannot browse: no value"
    assert at("mine/pump1", "no value") == "mine/pump1: no value"
    assert halves("no value").zh == halves("no value").en == "no value"
