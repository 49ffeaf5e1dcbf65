"""Real ClickHouse servers, and the ZooKeeper that replicas agree through, for tests: Debian's packages on free
ports of loopback, in folders that are gone when the test ends."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import MISSING
from tests.needs import program
from tests.ports import free_port

USER, PASSWORD = "mine", "only-in-tests"
CLUSTER = "mine"
START_S = 90
"""Three times what the slowest start took on a machine with other work."""

_JARS = ("zookeeper", "zookeeper-jute", "netty-all", "slf4j-api", "slf4j-nop", "metrics-core", "snappy-java")


class _Child:
    """A server that can be started, stopped, killed, hung and started again on what it left."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start, without waiting."""
        assert not self.runs
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.home)

    def answers(self) -> bool:
        """Whether it takes a connection."""
        with socket.socket() as door:
            door.settimeout(1)
            return door.connect_ex(("127.0.0.1", self.port)) == 0

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_S
        while not self.answers():
            if time.monotonic() > deadline or not self.runs:
                raise AssertionError((self.home / "log").read_text(errors="replace")[-3000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9. No harm when it is down."""
        if self._process is not None and self.runs:
            self._process.kill()
            self._process.wait(30)

    def hang(self) -> None:
        """From now on it answers nothing, and all connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class ZooKeeper(_Child):
    """One ZooKeeper."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, free_port())
        home.mkdir()
        jars = Path("/usr/share/java")
        missing = [name for name in _JARS if not (jars / f"{name}.jar").exists()]
        if missing:
            pytest.skip(f"{MISSING}Debian's package zookeeper (its {', '.join(missing)}); `make install` as root")
        self._path = ":".join(str(jars / f"{name}.jar") for name in _JARS)
        lines = (
            f"dataDir={home / 'data'}", f"clientPort={self.port}", "clientPortAddress=127.0.0.1", "tickTime=500",
            "admin.enableServer=false", "4lw.commands.whitelist=srvr", "forceSync=no", "maxClientCnxns=0",
        )  # fmt: skip
        (home / "zoo.cfg").write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        main = "org.apache.zookeeper.server.ZooKeeperServerMain"
        # Small, and quick to start: it holds a few thousand nodes.
        spare = ("-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        return [program("java"), *spare, "-cp", self._path, main, str(self.home / "zoo.cfg")]

    def answers(self) -> bool:
        """Whether it serves: it takes connections before it does."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as door:
            door.sendall(b"srvr")
            return b"Mode:" in door.makefile("rb").read()
        return False


class ClickHouse(_Child):
    """One server. `address` for clients; `describe` writes its configuration before the first start."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, free_port())
        home.mkdir()
        self._program = program("clickhouse-server")
        self._between = free_port()
        self.address = f"127.0.0.1:{self.port}"

    def describe(self, shards: Sequence[Sequence[ClickHouse]], keeper: ZooKeeper | None) -> None:
        """Write the configuration: which servers make up which shards."""
        own = next(
            (f"<shard>{at}</shard><replica>{replicas.index(self)}</replica>")
            for at, replicas in enumerate(shards)
            if self in replicas
        )
        replica = "<replica><host>127.0.0.1</host><port>{}</port><user>{}</user><password>{}</password></replica>"
        layout = "".join(
            "<shard><internal_replication>true</internal_replication>"
            + "".join(replica.format(server.port, USER, PASSWORD) for server in replicas)
            + "</shard>"
            for replicas in shards
        )
        at = f"<node><host>127.0.0.1</host><port>{keeper.port}</port></node>" if keeper else ""
        (self.home / "config.xml").write_text(
            f"""<yandex>
<logger><level>warning</level><log>{self.home}/server.log</log><errorlog>{self.home}/error.log</errorlog></logger>
<listen_host>127.0.0.1</listen_host><tcp_port>{self.port}</tcp_port>
<interserver_http_port>{self._between}</interserver_http_port><interserver_http_host>127.0.0.1</interserver_http_host>
<path>{self.home}/data/</path><tmp_path>{self.home}/scratch/</tmp_path>
<user_files_path>{self.home}/files/</user_files_path><users_config>{self.home}/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone>
<remote_servers><{CLUSTER}>{layout}</{CLUSTER}></remote_servers><macros>{own}</macros>
{f"<zookeeper>{at}<session_timeout_ms>5000</session_timeout_ms></zookeeper>" if at else ""}
</yandex>"""
        )
        (self.home / "users.xml").write_text(
            f"""<yandex>
<profiles><default><background_pool_size>4</background_pool_size></default></profiles>
<quotas><default/></quotas>
<users><{USER}><password>{PASSWORD}</password><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></{USER}></users>
</yandex>"""
        )

    def command(self) -> list[str]:
        return [self._program, f"--config-file={self.home / 'config.xml'}"]

    def ask(self, sql: str) -> list[tuple]:
        """Rows of a statement on this server alone, past the code under test."""
        from clickhouse_driver import Client

        with Client("127.0.0.1", self.port, user=USER, password=PASSWORD, connect_timeout=10) as client:
            return client.execute(sql)


class Cluster:
    """Servers as shards of replicas; one shard of one replica is a plain server without ZooKeeper."""

    def __init__(self, shards: int, replicas: int) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="sevenones-clickhouse-"))
        try:
            self.single = shards == replicas == 1
            self.keeper = None if self.single else ZooKeeper(self.home / "keeper")
            self.shards = [
                [ClickHouse(self.home / f"shard{shard}-replica{replica}") for replica in range(replicas)]
                for shard in range(shards)
            ]
            for server in self.servers:
                server.describe(self.shards, self.keeper)
        except BaseException:
            self.remove()
            raise

    @property
    def servers(self) -> list[ClickHouse]:
        return [server for replicas in self.shards for server in replicas]

    def start(self) -> None:
        """Start what does not run, and wait until all answer."""
        for child in self._children():
            if not child.runs:
                child.launch()
        for child in self._children():
            child.wait()

    def url(self, database: str, **options: str) -> str:
        """The store's setting for this cluster."""
        hosts = ",".join(server.address for server in self.servers)
        asked = {**({} if self.single else {"cluster": CLUSTER}), "profile": "legacy", **options}
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        return f"clickhouse://{USER}:{PASSWORD}@{hosts}/{database}?{query}"

    def _children(self) -> list[_Child]:
        return [*([self.keeper] if self.keeper else []), *self.servers]

    def remove(self) -> None:
        for child in self._children() if hasattr(self, "shards") else []:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
        shutil.rmtree(self.home, ignore_errors=True)
