"""The configuration of the bus server. Its format takes JSON, so no text is pasted together here.

It holds public keys and password hashes; the one secret is the seed by which an edge's server joins the
mine's, which the server takes in no other way: the file is for its owner only (mode 0600).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bus import permissions, subjects
from bus.credentials import Credential, Credentials, Person
from bus.subjects import STREAMS

MAX_PAYLOAD = 8 << 20
MQTT_MAX_BYTES = 1 << 30
"""Most disk that the devices' own account may use: sessions and messages in flight, not history."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The mine's server that an edge's server joins: `url` like tls://host:7422 or nats://host:7422,
    and the credential `leaf-<edge>` that the mine's home made. `ca_file` when TLS needs one."""

    url: str
    credential: Credential
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate and key that a listener shows; `ca_file`: whose certificates it wants from those who come, None for
    nobody's."""

    cert_file: str
    key_file: str
    ca_file: str | None = None

    @staticmethod
    def of_home(home: Path, listener: str, *, mutual: bool) -> Tls | None:
        """What a home's authority made for a listener; None where there is no authority."""
        where = home.resolve() / "pki"
        if not (where / "ca.pem").exists():
            return None
        ca = str(where / "ca.pem") if mutual else None
        return Tls(str(where / f"{listener}.pem"), str(where / f"{listener}.key"), ca)

    def as_config(self) -> dict[str, Any]:
        """The form of the server's configuration."""
        config: dict[str, Any] = {"cert_file": self.cert_file, "key_file": self.key_file}
        if self.ca_file is not None:
            config |= {"ca_file": self.ca_file, "verify": True}
        return config


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the server listens: addresses and ports; None: does not."""

    host: str
    port: int
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int | None = None
    leaf_host: str = "127.0.0.1"
    leaf_port: int | None = None
    leaf_tls: Tls | None = None
    monitor_port: int | None = None
    tls: Tls | None = None
    mqtt_tls: Tls | None = None


def render(
    name: str,
    made: Credentials,
    listen: Listen,
    store: Path,
    max_file: int,
    upstream: Upstream | None,
    upstream_tls: Mapping[str, str] | None = None,
    people: Iterable[Person] = (),
) -> dict[str, Any]:
    """The whole configuration. The server makes its folder `jetstream` in `store`, whose use of the disk
    `max_file` bounds (bytes)."""
    config: dict[str, Any] = {
        "server_name": name,
        "listen": f"{listen.host}:{listen.port}",
        "max_payload": MAX_PAYLOAD,
        # A reader that is stuck this long is cut off; it reconnects and reads on.
        "write_deadline": "10s",
        "ping_interval": "20s",
        "jetstream": {
            "store_dir": str(store),
            "domain": subjects.domain_of(name, made.code),
            # An acknowledged message is on the disk, not in a cache that a power cut empties.
            "sync_interval": "always",
            "max_file_store": max_file,
            "max_memory_store": 64 << 20,
        },
        "accounts": _accounts(made, people, min(MQTT_MAX_BYTES, max_file // 10)),
    }
    if listen.tls is not None:
        # A client of ours begins the handshake at once; who waits is greeted after this, and then asked for TLS.
        config["tls"] = {**listen.tls.as_config(), "handshake_first": "200ms", "timeout": 5}
    if listen.monitor_port is not None:
        config["http"] = f"127.0.0.1:{listen.monitor_port}"
    if listen.mqtt_port is not None:
        # A client that died gets what it had not acknowledged again after this, not at its return: by
        # default that would be 30 s late.
        waits = {"max_ack_pending": 1000, "ack_wait": "10s"}
        config["mqtt"] = {"listen": f"{listen.mqtt_host}:{listen.mqtt_port}", **waits}
        if listen.mqtt_tls is not None:
            config["mqtt"]["tls"] = listen.mqtt_tls.as_config()
    leafnodes: dict[str, Any] = {}
    if listen.leaf_port is not None:
        # Advertised addresses would let a leaf find a way around the proxy or firewall it must use.
        leafnodes |= {"listen": f"{listen.leaf_host}:{listen.leaf_port}", "no_advertise": True}
        if listen.leaf_tls is not None:
            leafnodes["tls"] = listen.leaf_tls.as_config()
    if upstream is not None:
        leafnodes["reconnect"] = "1s"
        leafnodes["remotes"] = [_remote(made.code, upstream, upstream_tls)]
    if leafnodes:
        config["leafnodes"] = leafnodes
    return config


def _accounts(made: Credentials, people: Iterable[Person], devices_bytes: int) -> dict[str, Any]:
    users = []
    for process, credential in made.processes.items():
        leaf = process.startswith("leaf-")
        users.append(
            {
                "nkey": credential.public,
                "permissions": made.permissions(process).as_config(),
                "allowed_connection_types": ["LEAFNODE" if leaf else "STANDARD"],
            }
        )
    users += [
        {
            "nkey": person.public,
            "permissions": person.permissions.as_config(),
            "allowed_connection_types": ["STANDARD"],
        }
        for person in people
    ]
    devices = [
        {
            "user": user.user,
            "password": user.password_hash,
            "permissions": allowed.as_config(),
            "allowed_connection_types": ["MQTT"],
        }
        for user, allowed in ((user, permissions.of_device(name)) for name, user in made.mqtt.items())
    ]
    return {
        "MINE": {"jetstream": "enabled", "users": users},
        # Apart from the mine's account: MQTT topic a/b is subject a.b, so a device could forge samples.
        "DEVICES": {"jetstream": {"max_file": devices_bytes, "max_mem": 32 << 20}, "users": devices},
    }


def _remote(code: str, upstream: Upstream, tls: Mapping[str, str] | None) -> dict[str, Any]:
    # What the edge's streams keep goes up by sourcing alone: sent both ways it would be kept twice.
    kept = [subjects.of_stream(stream, code, ">") for stream in STREAMS]
    remote: dict[str, Any] = {
        "urls": [upstream.url],
        "account": "MINE",
        "nkey": upstream.credential.seed,
        "deny_exports": kept,
        "deny_imports": kept,
    }
    if tls is not None or upstream.ca_file is not None:
        remote["tls"] = {**(tls or {}), **({"ca_file": upstream.ca_file} if upstream.ca_file else {})}
    return remote
