"""The demo: every part of the house on one machine, under one supervisor.

Nothing here is special to the demo but the simulated devices: the processes are started by the
same commands that a mine would use.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

import simulators
from bus import authority, credentials, server
from bus.secret import write_secret
from middleplatform.access import tokens, users
from middleplatform.mirror.settings import MirrorError, Settings
from models.site.model import Connection, Site
from sevenones.home import held, open_home
from sevenones.relational import place_of
from sevenones.site_check import examine
from sevenones.stand_in import surroundings
from sevenones.supervisor import Program, Supervisor, python

READY_S = 90.0
MINE_READY_S = 300.0
"""A whole mine's: its hour of warm-up and its gateways take turns on a small machine."""
MINES = Path(simulators.__file__).parent / "mines"
BUNDLED_SITE = MINES / "demo"
MIRROR = "mirror.yaml"
"""A site's folder that has it is mirrored."""


PERSONS = {"演示值班长": ("dispatcher", "operator"), "演示电工": ("electrician", "maintainer")}
"""Who may command a simulated mine, so that it can be tried at once: two, for what needs two."""


class DemoError(Exception):
    """The demo cannot start: what is in the way and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The demo's ports, one after the other from the API's."""

    api: int

    @property
    def bus(self) -> int:
        return self.api + 1

    @property
    def mqtt(self) -> int:
        return self.api + 2

    @property
    def modbus(self) -> int:
        return self.api + 3

    @property
    def opcua(self) -> int:
        return self.api + 4

    def __iter__(self) -> Iterator[tuple[str, int]]:
        yield from (
            ("API", self.api),
            ("bus", self.bus),
            ("MQTT", self.mqtt),
            ("Modbus", self.modbus),
            ("OPC UA", self.opcua),
        )


class Demo:
    """One run on one home folder: of a simulated `mine`, or of a `site` of one's own, which has real devices."""

    def __init__(
        self, home: Path, port: int, seed: int, console: Console, site: Path | None = None, mine: str = "demo"
    ) -> None:
        self.home = home.resolve()
        self.site = site
        self.mine = mine
        self.ready_s = READY_S if mine == "demo" else MINE_READY_S
        self.ports = Ports(port)
        self.seed = seed
        self.console = console

    async def run(self, stop: asyncio.Event) -> None:
        """Start everything, say where it is, and keep it running until `stop`. Raises DemoError, HomeError."""
        if self.site is None:
            _bundled(self.mine)  # a wrong name makes nothing
        open_home(self.home)
        with held(self.home):
            self._check_ports()
            site, environment = self._prepare()
            supervisor = Supervisor(self.console, self.home / "logs")
            try:
                await self._start(supervisor, site, environment, stop)
                if not stop.is_set():
                    self._welcome(site)
                await stop.wait()
            finally:
                self.console.print("\n正在停止 · stopping …", style="bold")
                await supervisor.stop()
                self.console.print("已全部停止 · all stopped", style="bold")

    @property
    def folder(self) -> Path:
        """The site's."""
        return self.site.resolve() if self.site is not None else self.home / "site"

    def _check_ports(self) -> None:
        devices = ("Modbus", "OPC UA") if self.site is not None or self.mine != "demo" else ()
        taken = [f"{what} {port}" for what, port in self.ports if what not in devices and not _free(port)]
        if taken:
            other = self.ports.api + 20
            words = "demo" if self.mine == "demo" else f"demo --mine {self.mine}"
            if self.site is not None:
                words = f"run --site {self.site}"
            raise DemoError(
                f"端口已被占用：{'、'.join(taken)}。请停止占用它们的程序，"
                f"或换一组端口：sevenones {words} --port {other}\n"
                f"Ports taken on 127.0.0.1: {', '.join(taken)}. Stop what holds them, or choose others: "
                f"sevenones {words} --port {other}"
            )

    def _prepare(self) -> tuple[Site, dict[str, str]]:
        folder = self.folder
        environment = {"SEVENONES_MQTT_PORT": str(self.ports.mqtt)}
        if self.site is None:
            if self._tls() is not None:
                raise DemoError(
                    f"{self.home} 已启用 TLS（pki），模拟设备不使用 TLS：请用另一个 --home。\n"
                    f"{self.home} has an authority (pki), and the simulated devices speak MQTT in clear: "
                    "choose another --home for a simulated mine."
                )
            if not folder.exists():
                shutil.copytree(_bundled(self.mine), folder)
            self._check_mine()
            environment |= {name: value for name, value in surroundings(self.home).items() if name not in os.environ}
            environment["SEVENONES_HOME"] = str(self.home)
        if self.site is None and self.mine == "demo":
            environment |= {
                "SEVENONES_MODBUS_PORT": str(self.ports.modbus),
                "SEVENONES_OPCUA_PORT": str(self.ports.opcua),
            }
        if (folder / MIRROR).exists():
            try:
                Settings.load(folder / MIRROR, os.environ)
            except MirrorError as error:
                raise DemoError(f"镜像设置有误 · the mirror cannot run as it is set up: {error}") from None
        # The bus makes the devices' password from the mine's code and gateways, so these come first.
        site = _examined(folder, {**environment, "SEVENONES_MQTT_PASSWORD": "?"})
        made = credentials.make_all(self.home, site.code, site.gateways())
        environment["SEVENONES_MQTT_PASSWORD"] = made.mqtt_password("gateway")
        if self.site is None:
            self._check_device_ports(site)
            # Before any gateway starts: what one was once told to believe it keeps.
            self._persons(site)
        return site, environment

    def _persons(self, site: Site) -> None:
        """A simulated mine's command authority, the sequences' credential and the persons', where there is none. Raises
        DemoError."""
        if authority.made(self.home):
            return
        now = time.time_ns() // 1000
        try:
            authority.init(self.home, site.code)
            authority.issue(self.home, "sequence", ["sequence"], authority.person(self.home, "sequence"), now)
            for name, roles in PERSONS.items():
                authority.issue(self.home, name, roles, self._folder_of(name), now)
        except (authority.AuthorityError, OSError) as error:
            raise DemoError(f"无法建立操作授权机构 · the command authority cannot be made: {error}") from None

    def _folder_of(self, person: str) -> Path:
        return self.home / "person" / person

    def _check_mine(self) -> None:
        """A home keeps the mine that it was made for. Raises DemoError."""
        there = _code(self.folder)
        other = next((path.name for path in _mines() if _code(path) == there), self.mine)
        if other != self.mine:
            raise DemoError(
                f"{self.home} 里是另一个矿井 {other}。请用另一个数据目录：sevenones demo --mine {self.mine} "
                f"--home .sevenones-{self.mine}\n"
                f"{self.home} holds another mine, {other}. Take another home: sevenones demo --mine {self.mine} "
                f"--home .sevenones-{self.mine}"
            )

    def _check_device_ports(self, site: Site) -> None:
        """Those of the simulated devices, which the site says. Raises DemoError."""
        asked = {name: _port_of(connection) for name, connection in site.connections.items()}
        taken = [f"{name} {port}" for name, port in asked.items() if port is not None and not _free(port)]
        if taken:
            raise DemoError(
                f"模拟设备的端口已被占用：{'、'.join(taken)}。请停止占用它们的程序"
                "（另一个正在运行的模拟矿井？），或按矿井的 README 用环境变量换端口。\n"
                f"Ports of simulated devices taken on 127.0.0.1: {', '.join(taken)}. Stop what holds them (another "
                "simulated mine?), or choose others by the variables that the mine's README lists."
            )

    async def _start(
        self, supervisor: Supervisor, site: Site, environment: dict[str, str], stop: asyncio.Event
    ) -> None:
        # Prepared here as well as by the command: what is in its way is then said once, before anything starts.
        config = server.prepare(self.home, name="mine", port=self.ports.bus, mqtt_port=self.ports.mqtt)
        common = ("--site", str(self.folder), "--home", str(self.home))
        ports = ("--port", str(self.ports.bus), "--mqtt-port", str(self.ports.mqtt))
        supervisor.start(Program("bus", python("bus", *common, *ports), "blue", environment))
        await server.wait_ready(config.url, READY_S)
        on_bus = (*common, "--bus", config.url)
        simulator = Program("simulator", python("simulate", *on_bus, "--seed", str(self.seed)), "magenta", environment)
        for program in (
            *((simulator,) if self.site is None else ()),
            Program("store", python("store", *on_bus), "green", environment),
            Program("figures", python("figures", *common), "bright_green", environment),
            Program("watch", python("alarm-engine", *on_bus), "red", environment),
            Program("api", python("api", *on_bus, "--port", str(self.ports.api)), "cyan", environment),
            *self._mirror(on_bus, environment),
        ):
            supervisor.start(program)
        self._sign_in()
        deadline = time.monotonic() + self.ready_s
        if self.site is None:
            await self._devices_answer(site, deadline, stop)
        for name in site.gateways():
            gateway = python("gateway", *on_bus, "--name", name)
            supervisor.start(Program(f"gw-{name}"[:10], gateway, "yellow", environment))
        while not stop.is_set():
            if await asyncio.to_thread(self._live):
                return
            if time.monotonic() > deadline:
                raise DemoError(
                    f"{self.ready_s:.0f} 秒内未就绪，请查看 {self.home}/logs 中的日志。\n"
                    f"Not ready within {self.ready_s:.0f} s: the logs in {self.home}/logs say why."
                )
            await asyncio.sleep(0.5)

    async def _devices_answer(self, site: Site, deadline: float, stop: asyncio.Event) -> None:
        """Until the simulated devices are there, as a mine's are before its gateways: of each point whose device is
        not there yet a gateway tells that it is not connected, which is an alarm."""
        ports = {port for each in site.connections.values() if (port := _port_of(each)) is not None}
        while ports and not stop.is_set() and time.monotonic() < deadline:
            answers = await asyncio.gather(*(asyncio.to_thread(_answers, port) for port in ports))
            ports = {port for port, there in zip(ports, answers, strict=True) if not there}
            if ports:
                await asyncio.sleep(0.2)

    def _mirror(self, on_bus: tuple[str, ...], environment: dict[str, str]) -> tuple[Program, ...]:
        """The mirror, where the site's folder says what it copies and where to."""
        settings = self.folder / MIRROR
        if not settings.exists():
            return ()
        return (Program("mirror", python("mirror", *on_bus, "--settings", str(settings)), "white", environment),)

    def _sign_in(self) -> None:
        path = self.home / "demo.json"
        url = f"{'http' if self._tls() is None else 'https'}://127.0.0.1:{self.ports.api}"
        if path.exists():
            known = json.loads(path.read_text())
        else:
            known = {
                "token": tokens.create_token(place_of(self.home), name="demo", role="administrator"),
                "admin_password": secrets.token_urlsafe(12),
            }
            users.create_user(
                place_of(self.home), "admin", known["admin_password"], role="administrator", must_change=True
            )
        folders = {
            name: str(self._folder_of(name)) for name in PERSONS if (self._folder_of(name) / "person.key").exists()
        }
        write_secret(path, json.dumps({**known, "url": url, "persons": folders}, ensure_ascii=False, indent=2) + "\n")

    def _live(self) -> bool:
        """Whether good values flow all the way to the API."""
        known = json.loads((self.home / "demo.json").read_text())
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{known['url']}/api/v1/live", headers={"Authorization": f"Bearer {known['token']}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5, context=self._tls()) as answer:  # noqa: S310
                values = json.load(answer)["values"]
        except (urllib.error.URLError, OSError, ValueError, KeyError):
            return False
        if self.site is not None:
            return True  # whatever its devices do: what is away now may come
        good = sum(1 for value in values if value["quality"] >= 192 and not value["stale"])
        return good > len(values) // 2

    def _tls(self) -> ssl.SSLContext | None:
        """Whom we believe where the home has an authority."""
        ca = self.home / "pki" / "ca.pem"
        return ssl.create_default_context(cafile=ca) if ca.exists() else None

    def _welcome(self, site: Site) -> None:
        known = json.loads((self.home / "demo.json").read_text())
        self.console.rule()
        for line in (
            f"  {site.name.zh} · {site.name.en}：{self._state(len(site.points))}",
            f"  地址 · address      {known['url']}",
            f"  用户 · user         admin      {self._password(known)}",
            f"  接口文档 · API docs {known['url']}/api/docs      令牌 · token in {self.home / 'demo.json'}",
            f"  另开终端 · in another terminal:  {self._command()}",
            *(
                f"  操作凭证 · to command as    {name}（{', '.join(PERSONS[name])}）  {folder}"
                for name, folder in known.get("persons", {}).items()
            ),
            "  Ctrl-C 停止 · Ctrl-C stops all of it",
        ):
            self.console.print(line, style="bold", soft_wrap=True, markup=False)
        self.console.rule()

    def _password(self, known: dict[str, str]) -> str:
        if users.check_password(place_of(self.home), "admin", known["admin_password"]) is None:
            return "密码为您自己所设 · the password is the one that you set"
        return f"初始密码，登录后须更改 · initial password, to be changed  {known['admin_password']}"

    def _state(self, points: int) -> str:
        if self.site is None:
            return f"{points} 个测点已上线 · {points} points are live"
        return f"{points} 个测点，网关已启动 · {points} points, the gateway has started"

    def _command(self) -> str:
        plain = self.site is None and self.mine == "demo"
        return ".venv/bin/sevenones watch" if plain else f"sevenones watch --home {self.home}"


def _mines() -> list[Path]:
    """The folders of the simulated mines that come with this program."""
    return sorted(path for path in MINES.iterdir() if (path / "simulation.yaml").exists())


def _bundled(mine: str) -> Path:
    """Raises DemoError for one that is not there."""
    found = {path.name: path for path in _mines()}
    if mine not in found:
        raise DemoError(f"没有自带的矿井 '{mine}' · there is no mine '{mine}': {', '.join(found)}")
    return found[mine]


def _code(folder: Path) -> str:
    """A site's mine code as its file says it, "" where it cannot be read: whoever reads the whole site says why."""
    try:
        text = (folder / "site.yaml").read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r"^code: *[\"']?(\w+)", text, re.MULTILINE)
    return found[1] if found else ""


def _port_of(connection: Connection) -> int | None:
    """Where a simulated device listens; None for one that listens nowhere."""
    if connection.adapter == "modbus":
        return int(connection.settings["port"])
    if connection.adapter == "opcua":
        return urlsplit(str(connection.settings["url"])).port
    return None


def _examined(folder: Path, environment: dict[str, str]) -> Site:
    """The site, with all its mistakes named in a DemoError if it has any."""
    report = examine(folder, environment={**os.environ, **environment})
    if report.site is None:
        mistakes = "\n".join(map(str, report.problems))
        raise DemoError(f"矿井配置有误 · the site folder {folder} has mistakes:\n{mistakes}")
    return report.site


def _answers(port: int) -> bool:
    """Whether something listens there; asked by a connection, for a bind would be in the way of who comes to listen."""
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
