"""Other gateways on the same simulated devices: thingsboard-gateway (tags, ranges) and Node-RED.

python benchmarks/peers.py [--rounds 3] [--seconds 15] [--devices 10 20 40 100]

Ours is measured in the same rounds. Prints one JSON object last.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
import psutil

from sevenones.bench import modbus
from sevenones.bench.stack import Stack, free_port

HERE = Path(__file__).resolve().parent
PEERS = HERE / ".peers"
WARM_UP_S = 15.0
REGISTERS = modbus.REGISTERS
BLOCK = 125


class Counter:
    """Counts the values that come to the broker, and how old they are."""

    def __init__(self, port: int, count: Callable[[str, Any], tuple[int, float]], topic: str) -> None:
        self._count, self._topic = count, topic
        self.values = 0
        self.ages_ms: list[float] = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe([(topic, 1), (LIMITS, 1)])
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.counting = threading.Event()

    def _on_message(self, client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        if message.topic.startswith(REQUEST):
            client.publish(message.topic.replace("request", "response"), json.dumps(NO_LIMITS))
        elif self.counting.is_set():
            values, ts_ms = self._count(message.topic, json.loads(message.payload))
            self.values += values
            self.ages_ms.append(time.time() * 1e3 - ts_ms)

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()


# thingsboard-gateway sends nothing before its server has told its limits.
REQUEST = "v1/devices/me/rpc/request/"
LIMITS = REQUEST + "+"
_RATES = {"messages": "", "telemetryMessages": "", "telemetryDataPoints": ""}
NO_LIMITS = {"maxPayloadSize": 65536, "maxInflightMessages": 0, "rateLimits": _RATES, "gatewayRateLimits": _RATES}


@contextlib.contextmanager
def broker(folder: Path) -> Iterator[int]:
    port = free_port()
    settings = f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
    (folder / "mosquitto.conf").write_text(settings)
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with child([program, "-c", str(folder / "mosquitto.conf")], folder / "mosquitto.log"):
        time.sleep(0.5)
        yield port


@contextlib.contextmanager
def child(
    argv: list[str], log: Path, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[psutil.Process]:
    with log.open("ab") as out:
        process = subprocess.Popen(
            argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, cwd=cwd
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def thingsboard(ports: list[int], mqtt: int, folder: Path, *, tags: bool) -> tuple[list[str], dict[str, str], Path]:
    """Its configuration: what it needs, and its buffer on disk."""
    config = folder / "config"
    package = next((PEERS / "thingsboard" / "lib").glob("python3*/site-packages/thingsboard_gateway/config"))
    config.mkdir()
    for name in ("logs.json", "list.json"):
        shutil.copy(package / name, config / name)
    (config / "connected_devices.json").write_text("{}")
    off = {"enable": False}
    none = dict.fromkeys(
        ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits", "deviceRateLimits",
         "deviceDpRateLimits", "deviceMessagesRateLimits"), "0:0,")  # fmt: skip
    gateway = {
        "thingsboard": {
            "host": "127.0.0.1", "port": mqtt, "remoteShell": False, "remoteConfiguration": False, "statistics": off,
            "deviceFiltering": {"enable": False, "filterFile": "list.json"}, "maxPayloadSizeBytes": 65536,
            "minPackSendDelayMS": 50, "minPackSizeToSend": 500, "checkConnectorsConfigurationInSeconds": 60,
            "handleDeviceRenaming": True, "security": {"type": "accessToken", "accessToken": "X"}, "qos": 1,
            "reportStrategy": {"type": "ON_RECEIVED"},
            "checkingDeviceActivity": {"checkDeviceInactivity": False, "inactivityTimeoutSeconds": 300,
                                       "inactivityCheckPeriodSeconds": 10},
            **none,
        },
        "storage": {"type": "sqlite", "data_file_path": f"{folder}/data/", "messages_ttl_check_in_hours": 1,
                    "messages_ttl_in_days": 7, "max_read_records_count": 1000},
        "grpc": {"enabled": False},
        "connectors": [{"name": "mb", "type": "modbus", "configuration": "modbus.json"}],
    }  # fmt: skip
    (folder / "data").mkdir()
    if tags:
        series = [
            {"tag": f"r{n}", "type": "16uint", "functionCode": 3, "objectsCount": 1, "address": n}
            for n in range(REGISTERS)
        ]
    else:
        series = [{"tag": "r${address}_${unitId}", "type": "16uint", "functionCode": 3, "objectsCount": 1,
                   "address": f"0-{REGISTERS - 1}", "maxRegistersPerRequest": BLOCK}]  # fmt: skip
    slaves = [
        {"host": "127.0.0.1", "port": port, "type": "tcp", "method": "socket", "unitId": 1, "deviceName": f"dev{n}",
         "deviceType": "default", "timeout": 5, "byteOrder": "BIG", "wordOrder": "BIG", "retries": 3,
         "retryOnEmpty": True, "retryOnInvalid": True, "pollPeriod": 1000, "connectAttemptTimeMs": 500,
         "connectAttemptCount": 5, "waitAfterFailedAttemptsMs": 30000, "attributes": [], "timeseries": series,
         "attributeUpdates": [], "rpc": []}
        for n, port in enumerate(ports)
    ]  # fmt: skip
    (config / "tb_gateway.json").write_text(json.dumps(gateway))
    (config / "modbus.json").write_text(
        json.dumps({"name": "mb", "id": "mb1", "logLevel": "INFO", "master": {"slaves": slaves}})
    )
    argv = [str(PEERS / "thingsboard" / "bin" / "python"), "-m", "thingsboard_gateway.tb_gateway"]
    return argv, {"TB_GW_CONFIG_DIR": str(config)}, folder


def thingsboard_values(_: str, payload: Any) -> tuple[int, float]:
    rows = [row for device in payload.values() for row in device]
    return sum(len(row["values"]) for row in rows), float(rows[0]["ts"]) if rows else 0.0


def node_red(ports: list[int], mqtt: int, folder: Path) -> tuple[list[str], dict[str, str], Path]:
    """A flow of block reads, one function that makes the message, and a publisher."""
    flow: list[dict[str, Any]] = [
        {"id": "tab", "type": "tab", "label": "bench"},
        {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(mqtt), "protocolVersion": "4",
         "autoConnect": True, "cleansession": True, "keepalive": "60"},
        {"id": "out", "type": "mqtt out", "z": "tab", "topic": "", "qos": "0", "retain": "false", "broker": "broker",
         "wires": []},
        {"id": "make", "type": "function", "z": "tab", "outputs": 1, "wires": [["out"]],
         "func": "return {topic: 'bench/' + msg.topic, payload: JSON.stringify({ts: Date.now(), v: msg.payload})};"},
    ]  # fmt: skip
    for n, port in enumerate(ports):
        flow.append({
            "id": f"c{n}", "type": "modbus-client", "name": f"device {n}", "clienttype": "tcp", "bufferCommands": True,
            "stateLogEnabled": False, "queueLogEnabled": False, "tcpHost": "127.0.0.1", "tcpPort": str(port),
            "tcpType": "DEFAULT", "unit_id": "1", "commandDelay": "1", "clientTimeout": "1000",
            "reconnectOnTimeout": True, "reconnectTimeout": "2000", "parallelUnitIdsAllowed": True,
            "serialConnectionDelay": "100", "failureLogEnabled": False,
        })  # fmt: skip
        for start in range(0, REGISTERS, BLOCK):
            flow.append({
                "id": f"r{n}_{start}", "type": "modbus-read", "z": "tab", "name": "", "topic": f"{n}/{start}",
                "showStatusActivities": False, "logIOActivities": False, "showErrors": False, "unitid": "1",
                "dataType": "HoldingRegister", "adr": str(start), "quantity": str(min(BLOCK, REGISTERS - start)),
                "rate": "1", "rateUnit": "s", "delayOnStart": False, "startDelayTime": "", "server": f"c{n}",
                "useIOFile": False, "ioFile": "", "useIOForPayload": False, "emptyMsgOnFail": False,
                "wires": [["make"], []],
            })  # fmt: skip
    (folder / "flows.json").write_text(json.dumps(flow))
    (folder / "settings.js").write_text(
        f"module.exports = {{flowFile: 'flows.json', uiHost: '127.0.0.1', uiPort: {free_port()},"
        f" nodesDir: [], logging: {{console: {{level: 'warn'}}}}, credentialSecret: false,"
        f" userDir: {json.dumps(str(folder))}, telemetry: {{enabled: false}}}};"
    )
    (folder / "node_modules").symlink_to(PEERS / "node" / "node_modules")
    (folder / "package.json").write_text(json.dumps({"dependencies": {"node-red-contrib-modbus": "5.23.3"}}))
    argv = ["node", str(PEERS / "node" / "node_modules" / "node-red" / "red.js"), "-u", str(folder)]
    return argv, {}, folder


def node_red_values(_: str, payload: Any) -> tuple[int, float]:
    return len(payload["v"]), float(payload["ts"])


def measure_peer(name: str, devices: int, seconds: int) -> dict[str, Any]:
    """One peer at one load."""
    load = modbus.Load(devices, 1000, float("inf"))
    with tempfile.TemporaryDirectory(prefix="sevenones-peers-") as scratch:
        folder = Path(scratch)
        (folder / "home").mkdir(mode=0o700)
        (folder / "peer").mkdir()
        with Stack(folder / "home", folder / "site") as stack, broker(folder) as mqtt:
            modbus.start_devices(stack, load, folder / "site")
            ports = json.loads((folder / "home" / "logs" / "simulators.log").read_text().splitlines()[0])["ports"]
            if name == "node-red":
                argv, environment, cwd = node_red(ports, mqtt, folder / "peer")
                counter = Counter(mqtt, node_red_values, "bench/#")
            else:
                argv, environment, cwd = thingsboard(ports, mqtt, folder / "peer", tags=name.endswith("tags"))
                counter = Counter(mqtt, thingsboard_values, "v1/gateway/telemetry")
            with child(argv, folder / "peer.log", environment, cwd) as process:
                time.sleep(WARM_UP_S + devices / 10)
                used, began = _cpu(process), time.monotonic()
                counter.counting.set()
                time.sleep(seconds)
                counter.counting.clear()
                used, took = _cpu(process) - used, time.monotonic() - began
                rss = sum(one.memory_info().rss for one in _tree(process)) / 2**20
            counter.close()
            if not counter.values:
                print((folder / "peer.log").read_text()[-2000:], file=sys.stderr)
    return {
        "asked_values_per_s": devices * REGISTERS,
        "values_per_s": round(counter.values / took),
        "cpu_us_per_value": round(used / max(counter.values, 1) * 1e6, 2),
        "p99_ms": round(float(np.percentile(counter.ages_ms, 99)), 1) if counter.ages_ms else None,
        "rss_mb": round(rss),
    }


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    return float(sum(sum(one.cpu_times()[:2]) for one in _tree(process)))


def run(rounds: int, seconds: int, devices: list[int]) -> dict[str, Any]:
    """All of them in turn, so many rounds; the medians."""
    if not PEERS.exists():
        sys.exit(f"未安装对比网关 · the peers are not installed: run {HERE}/setup_peers.sh first")
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for number in range(rounds):
        for count in devices:
            for name in ("thingsboard tags", "thingsboard ranges", "node-red", "sevenones"):
                if name == "sevenones":
                    one = modbus.measure(modbus.Load(count, 1000, float("inf")), seconds)
                    one["rss_mb"] = one["gateway_rss_mb"]
                else:
                    one = measure_peer(name, count, seconds)
                print(f"round {number + 1}: {count} devices, {name}: {json.dumps(one)}", flush=True)
                found.setdefault(name, {}).setdefault(str(count * REGISTERS), []).append(one)
    keys = ("values_per_s", "cpu_us_per_value", "p99_ms", "rss_mb")
    return {
        "bench": "modbus --peers",
        "rounds": rounds,
        "median": {
            name: {asked: {key: _median([row[key] for row in rows]) for key in keys} for asked, rows in loads.items()}
            for name, loads in found.items()
        },
    }


def _median(numbers: list[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return round(statistics.median(known), 2) if known else None


def main() -> None:
    parser = argparse.ArgumentParser(description="Other gateways beside ours, on the same devices.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--devices", type=int, nargs="+", default=[10, 20, 40, 100])
    given = parser.parse_args()
    print(json.dumps(run(given.rounds, given.seconds, given.devices)))


if __name__ == "__main__":
    main()
