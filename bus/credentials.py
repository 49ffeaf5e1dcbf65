"""Who may come in: a generated credential for every process, kept on disk for that process alone.

A process proves itself with an nkey (Ed25519): its seed lies in `bus/credentials/<process>.json`
(mode 0600), the server's configuration holds only the public key. MQTT knows only passwords: they
are random, and the server holds their bcrypt hash. What exists is kept, so a restart changes nothing.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt
import nkeys

from bus import permissions, subjects
from bus.errors import CredentialError
from bus.permissions import Permissions
from bus.secret import write_secret
from bus.tls import ClientTls
from models.identity import MANUAL

MQTT_USERS = ("gateway", "simulator")
_NAME = re.compile(r"[a-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class Credential:
    """What one process shows the bus. `seed` is secret and stays out of logs and `repr`."""

    process: str
    public: str
    seed: str = field(repr=False)
    tls: ClientTls | None = field(default=None, repr=False)
    """With it the process speaks to the bus by TLS alone."""

    @property
    def inbox(self) -> str:
        """The prefix of the subjects on which this process receives answers."""
        return subjects.inbox_of(self.process)

    def as_json(self) -> str:
        """As its file holds it: with the seed."""
        found: dict[str, Any] = {"process": self.process, "public": self.public, "seed": self.seed}
        if self.tls is not None:
            found["tls"] = {"ca": self.tls.ca, "certificate": self.tls.certificate, "key": self.tls.key}
        return json.dumps(found, indent=2)

    @staticmethod
    def load(path: Path) -> Credential:
        """Read a credential file. Raises CredentialError."""
        found = _read(path)
        try:
            tls = ClientTls.of(found["tls"]) if "tls" in found else None
            return Credential(str(found["process"]), str(found["public"]), str(found["seed"]), tls)
        except KeyError as error:
            raise CredentialError(f"{path} is not a credential of a process: it has no {error}") from error


@dataclass(frozen=True, slots=True)
class Person:
    """A person's credential as the server knows it: the public key, and what it may hear."""

    name: str
    public: str
    permissions: Permissions


@dataclass(frozen=True, slots=True)
class MqttUser:
    """A user of the devices' account: the password is the client's, the hash the server's."""

    user: str
    password: str = field(repr=False)
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """All credentials of one home, and the facts of the mine that their permissions follow from.

    `leaves` names each edge's server and the gateways behind it.
    """

    code: str
    gateways: tuple[str, ...]
    leaves: Mapping[str, tuple[str, ...]]
    processes: Mapping[str, Credential]
    mqtt: Mapping[str, MqttUser]

    def mqtt_password(self, user: str) -> str:
        """The password of an MQTT user: `gateway` or `simulator`."""
        return self.mqtt[user].password

    def permissions(self, process: str) -> Permissions:
        """What a process may do on the bus."""
        kind, _, name = process.partition("-")
        if kind == permissions.LEAF:
            return permissions.of_leaf(self.code, name, self.leaves[name])
        return permissions.of_process(self.code, process)


def make(process: str) -> Credential:
    """A new credential, kept nowhere yet."""
    seed = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
    public = nkeys.from_seed(bytearray(seed)).public_key
    return Credential(process, public.decode(), seed.decode())


def folder(home: Path) -> Path:
    """Where a home keeps its credentials."""
    return home / "bus" / "credentials"


def load(home: Path, process: str) -> Credential:
    """The credential of one process of a home. Raises CredentialError."""
    return Credential.load(folder(home) / f"{process}.json")


def make_all(
    home: Path,
    code: str,
    gateways: Iterable[str],
    leaves: Mapping[str, Iterable[str]] | None = None,
) -> Credentials:
    """Make what is missing and keep what is there, then return all of it.

    `gateways` connect to this home's server; `leaves` maps each edge's server that joins it to the
    gateways behind it. Raises ValueError for a name that cannot be part of a subject.
    """
    behind = {edge: tuple(names) for edge, names in (leaves or {}).items()}
    names = tuple(gateways)
    for name in (*names, *behind, *(name for group in behind.values() for name in group)):
        if not _NAME.fullmatch(name):
            raise ValueError(f"'{name}' cannot name a gateway or edge: 1 to 40 of a-z, 0-9, _ and -")
        if name == MANUAL:
            raise ValueError(f"'{MANUAL}' is the source of what people enter: give the gateway another name")
    where = folder(home)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = {"code": code, "gateways": names, "leaves": behind}
    write_secret(where / "mine.facts", json.dumps(facts, indent=2))
    made = _all(where, facts, missing=True)
    if (home / "pki" / "ca.key").exists():
        from bus.certificates import renew_processes  # a box without TLS needs no cryptography

        if renew_processes(home):
            return _all(where, facts, missing=False)
    return made


def load_all(home: Path) -> Credentials:
    """All credentials that `make_all` made last. Raises CredentialError."""
    where = folder(home)
    return _all(where, _read(where / "mine.facts"), missing=False)


def _all(where: Path, facts: Mapping[str, Any], *, missing: bool) -> Credentials:
    names = tuple(facts["gateways"])
    behind = {edge: tuple(group) for edge, group in facts["leaves"].items()}
    processes = (
        *permissions.processes(),
        *(f"gateway-{name}" for name in names),
        *(f"leaf-{edge}" for edge in behind),
    )
    return Credentials(
        str(facts["code"]),
        names,
        behind,
        {process: _process(where / f"{process}.json", process, missing=missing) for process in processes},
        {user: _mqtt(where / f"mqtt-{user}.json", user, missing=missing) for user in MQTT_USERS},
    )


def _process(path: Path, process: str, *, missing: bool) -> Credential:
    if missing and not path.exists():
        write_secret(path, make(process).as_json())
    return Credential.load(path)


def _mqtt(path: Path, user: str, *, missing: bool) -> MqttUser:
    if missing and not path.exists():
        password = secrets.token_urlsafe(24)
        # The password has 192 random bits: a costly hash would only slow every device's connect.
        digest = bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=6)).decode()
        write_secret(path, json.dumps({"user": user, "password": password, "hash": digest}, indent=2))
    found = _read(path)
    try:
        return MqttUser(str(found["user"]), str(found["password"]), str(found["hash"]))
    except KeyError as error:
        raise CredentialError(f"{path} is not a credential of an MQTT user: it has no {error}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        raise CredentialError(
            f"there is no {path}: the server's machine makes the credentials when its bus starts; "
            "copy this one file from there if the process runs elsewhere"
        ) from None
    except (OSError, ValueError) as error:
        raise CredentialError(f"cannot read the credential {path}: {error}") from error
    if not isinstance(found, dict):
        raise CredentialError(f"{path} is not a credential: it holds no JSON object")
    return found
