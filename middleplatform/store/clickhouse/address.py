"""Where the servers are and how to speak to them: one URL.

    clickhouse://user:password@host1:9000,host2:9000/database?cluster=mine&profile=legacy

`clickhouses://` is TLS, checked against the authorities of the system or the file `ca`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

from middleplatform.store.errors import StoreError

_SCHEMES = {"clickhouse": 9000, "clickhouses": 9440}
_OPTIONS = frozenset({"cluster", "profile", "ca"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SHAPE = "clickhouse://user:password@host:9000/database?cluster=name"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a generation of servers understands; from `profiles.yaml`."""

    name: str
    oldest: tuple[int, ...]
    before: tuple[int, ...] | None
    codecs: bool
    """Whether columns may name how they are compressed, and tables when they reach the disk."""
    low_cardinality: bool
    lightweight_delete: bool
    session: dict[str, Any]
    writer: dict[str, Any]
    reader: dict[str, Any]


@cache
def profiles() -> dict[str, Profile]:
    """The profiles by name."""
    found = yaml.safe_load(Path(__file__).with_name("profiles.yaml").read_text(encoding="utf-8"))["profiles"]
    return {
        name: Profile(
            name,
            tuple(facts["oldest"]),
            tuple(facts["before"]) if facts["before"] else None,
            facts["codecs"],
            facts["low_cardinality"],
            facts["lightweight_delete"],
            facts["session"],
            facts["writer"],
            facts["reader"],
        )
        for name, facts in found.items()
    }


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed URL. Without `cluster` the first server that answers holds everything; with it, that name in the
    servers' `remote_servers` says which shards and replicas there are."""

    hosts: tuple[tuple[str, int], ...]
    user: str
    password: str = field(repr=False)
    database: str
    cluster: str | None
    profile: Profile
    secure: bool
    ca: str | None

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises StoreError, which never repeats the password."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise StoreError(f"the store's address is not of the form {_SHAPE}") from None
        if parts.scheme not in _SCHEMES:
            raise StoreError(f"the store's address begins with clickhouse:// or clickhouses://: {_SHAPE}")
        account, _, places = parts.netloc.rpartition("@")
        user, _, password = account.partition(":")
        hosts = tuple(_host(place, _SCHEMES[parts.scheme]) for place in places.split(","))
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if strange := sorted(set(options) - _OPTIONS):
            raise StoreError(f"the store's address has the option '{strange[0]}', not one of {sorted(_OPTIONS)}")
        named = options.get("profile", "current")
        if named not in profiles():
            raise StoreError(f"the store's address has the profile '{named}', not one of {sorted(profiles())}")
        database, cluster = parts.path.lstrip("/"), options.get("cluster")
        for what, name in (("database", database), ("cluster", cluster)):
            if name is not None and not _NAME.fullmatch(name):
                raise StoreError(f"the store's address needs a {what} of letters, digits and _, got '{name}': {_SHAPE}")
        return cls(
            hosts,
            unquote(user) or "default",
            unquote(password),
            database,
            cluster,
            profiles()[named],
            parts.scheme == "clickhouses",
            options.get("ca"),
        )

    def __str__(self) -> str:
        """Without the account: for logs and messages."""
        return f"{', '.join(f'{host}:{port}' for host, port in self.hosts)}, database {self.database}"


def _host(place: str, default: int) -> tuple[str, int]:
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]/]+)(?::(\d{1,5}))?", place)
    if found is None or not 0 < int(found[2] or default) < 65536:
        raise StoreError(f"the store's address names no server in '{place}': {_SHAPE}")
    return found[1].strip("[]"), int(found[2] or default)
