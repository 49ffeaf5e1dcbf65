"""The site's command authority (操作授权机构): its key, persons' credentials, and the list of withdrawn ones.

In a home's folder `control/`: `authority.json` and `withdrawn.json`, which every gateway's home needs and which hold
nothing secret; `authority.key` and `issued.json` on the machine that issues alone. A person's folder holds
`credential.json` and `person.key`. Keys are for their owner only (mode 0600).
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bus.secret import write_secret
from models.command import Command
from models.control.canonical import to_bytes, to_text
from models.control.credential import KEY_BYTES, WITHDRAWN, Authority, Credential, Withdrawn, closed
from models.control.order import Order
from models.control.policy import policy
from models.control.signing import Signer, checked, public, signed_credential

NAME = re.compile(r"[^\W_][\w.-]{0,39}")
EARLY_US = 3_600_000_000
"""A credential is good from an hour before it is made: clocks of edge boxes are not always right."""
DAY_US = 86_400_000_000


class AuthorityError(Exception):
    """The authority or a credential cannot be made or used: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential that this authority made. Times µs UTC."""

    serial: str
    name: str
    roles: tuple[str, ...]
    not_after: int
    withdrawn: bool


def folder(home: Path) -> Path:
    return home / "control"


def made(home: Path) -> bool:
    """Whether a gateway with this home takes signed commands alone."""
    return (folder(home) / "authority.json").exists()


def init(home: Path, site: str) -> None:
    """Make the authority of `site`. Raises AuthorityError when there is one: another would make all credentials
    void."""
    where = folder(home)
    if made(home):
        raise AuthorityError(f"{where} 已有授权机构 · there is a command authority in {where} already")
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    write_secret(where / "authority.key", _pem_of(key))
    write_secret(where / "issued.json", "[]")
    _withdraw(where, site, key, Withdrawn(0, frozenset()))
    # Last: from this file on gateways refuse what is not signed, and what is needed to sign is there.
    write_secret(where / "authority.json", json.dumps({"site": site, "key": to_text(public(key))}))


def install(home: Path, to: Path) -> None:
    """Copy what a gateway needs into its home `to`. Raises AuthorityError."""
    load(home)
    where = folder(to)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("withdrawn.json", "authority.json"):
        write_secret(where / name, (folder(home) / name).read_text())


def issue(
    home: Path,
    name: str,
    roles: Sequence[str],
    to: Path,
    now: int,
    *,
    areas: Sequence[str] | None = None,
    equipment: Sequence[str] | None = None,
    days: float | None = None,
    renew: bool = False,
) -> Credential:
    """Make a person's key and credential in the folder `to`. `now`: µs UTC. `renew`: it is the person who has the name
    already; otherwise a name that has a good credential is refused. Raises AuthorityError."""
    if not NAME.fullmatch(name):
        raise AuthorityError(
            f"姓名应为 1 至 40 个字母、数字、_ . - · '{name}' is not 1 to 40 letters, digits, _ . and -"
        )
    if unknown := [role for role in roles if role not in policy().roles]:
        known = ", ".join(policy().roles)
        raise AuthorityError(f"没有角色 {unknown[0]} · there is no role '{unknown[0]}', there are: {known}")
    if not roles:
        raise AuthorityError("至少一个角色 · give one role or more")
    if (to / "person.key").exists():
        raise AuthorityError(f"{to} 已有密钥 · there is a key in {to} already: give another folder")
    authority, key = load(home), _key(home)
    before = _before(home, name, now, renew)
    own = Ed25519PrivateKey.generate()
    lasting = int((days or policy().credential_days) * DAY_US)
    credential = Credential(
        site=authority.site,
        name=name,
        roles=tuple(dict.fromkeys(roles)),
        key=public(own),
        not_before=now - EARLY_US,
        not_after=now + lasting,
        serial=secrets.token_hex(8),
        areas=None if areas is None else tuple(areas),
        equipment=None if equipment is None else tuple(equipment),
        first=before,
    )
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Before it is given out: what is not in the register could not be withdrawn by name.
    known_ones = [*_register(home), {"serial": credential.serial, "name": name, "roles": list(credential.roles),
                                     "not_after": credential.not_after, "first": credential.person}]  # fmt: skip
    write_secret(folder(home) / "issued.json", json.dumps(known_ones, ensure_ascii=False, indent=1))
    write_secret(to / "person.key", _pem_of(own))
    write_secret(to / "credential.json", json.dumps(signed_credential(credential, key), ensure_ascii=False, indent=1))
    return credential


def revoke(home: Path, who: str) -> list[str]:
    """Withdraw a credential by its serial, or all of a person's; the serials. Gateways that share this home take it at
    once, others when they are given the list. Raises AuthorityError."""
    authority, key, known = load(home), _key(home), withdrawn_list(home)
    found = [each["serial"] for each in _register(home) if who in (each["serial"], each["name"])]
    new = [serial for serial in found if serial not in known.serials]
    if not new:
        raise AuthorityError(f"没有可吊销的凭证：{who} · there is no credential of '{who}' to withdraw")
    _withdraw(folder(home), authority.site, key, Withdrawn(known.number, known.serials.union(new)))
    return new


def listed(home: Path) -> list[Issued]:
    """All that were issued here. Raises AuthorityError."""
    gone = withdrawn(home)
    return [
        Issued(each["serial"], each["name"], tuple(each["roles"]), each["not_after"], each["serial"] in gone)
        for each in _register(home)
    ]


def load(home: Path) -> Authority:
    """The public half. Raises AuthorityError."""
    path = folder(home) / "authority.json"
    try:
        found = json.loads(path.read_text())
        return Authority(str(found["site"]), to_bytes(found["key"], KEY_BYTES))
    except FileNotFoundError:
        raise AuthorityError(
            f"{home} 尚无授权机构，请先 sevenones control authority · {home} has no command authority: run "
            "'sevenones control authority' first"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AuthorityError(f"{path} 无法读取 · {path} cannot be read: {error}") from None


def withdrawn(home: Path) -> frozenset[str]:
    """The serials of withdrawn credentials. Raises AuthorityError."""
    return withdrawn_list(home).serials


def withdrawn_list(home: Path) -> Withdrawn:
    """The list of withdrawn credentials. Raises AuthorityError also when it is not there: without it nobody can say who
    may still command."""
    path = folder(home) / "withdrawn.json"
    try:
        return load(home).withdrawn(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise AuthorityError(f"{path} 无法读取 · {path} cannot be read: {error}") from None


def signer(person: Path, authority: Authority | None = None) -> Signer:
    """The hand of the person whose folder this is. Raises AuthorityError."""
    try:
        key = serialization.load_pem_private_key((person / "person.key").read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("person.key is not a key that this program made")
        found = Signer(json.loads((person / "credential.json").read_text()), key)
        if authority is not None:
            checked(found, authority)
        elif found.statement.key != public(key):
            raise ValueError("the key is not the credential's")
        return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AuthorityError(
            f"{person} 中的操作凭证无法使用 · the credential in {person} cannot be used: {error}"
        ) from None


def person(home: Path, name: str) -> Path:
    """Where the credential of a person or program is that was issued into no other folder."""
    return folder(home) / "people" / name


def sealed(home: Path, program: str, command: Command, gateway: str) -> bytes:
    """A program's command as it goes to a gateway: signed where this home has a credential of the program's, else as
    it is. Raises AuthorityError when the credential cannot be used."""
    where = person(home, program)
    if not (where / "credential.json").exists():
        return command.encode()
    return signer(where).sign(Order.of_command(command, gateway)).encode()


def _before(home: Path, name: str, now: int, renew: bool) -> str:
    """The serial of the first credential of the person who has the name, "" when it is a new one's."""
    known = [each for each in _register(home) if each["name"] == name]
    if renew:
        if not known:
            raise AuthorityError(f"{name} 尚无凭证 · there is no credential of '{name}' to renew")
        return str(known[-1].get("first", known[-1]["serial"]))
    gone = withdrawn(home)
    if any(each["not_after"] >= now and each["serial"] not in gone for each in known):
        raise AuthorityError(
            f"{name} 已有有效凭证：同一人请用 --renew，重名者请换名（如加工号） · '{name}' has a good credential: "
            "the same person's is made with --renew, a namesake needs another name (add a staff number)"
        )
    return ""


def _withdraw(where: Path, site: str, key: Ed25519PrivateKey, before: Withdrawn) -> None:
    # By the clock where it can be: a home that was restored from a backup then makes no number that was there before.
    number = max(before.number + 1, time.time_ns() // 1000)
    statement = {"site": site, "number": number, "serials": sorted(before.serials)}
    write_secret(where / "withdrawn.json", json.dumps(closed(statement, key, WITHDRAWN)))


def _register(home: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads((folder(home) / "issued.json").read_text())
        return found
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise AuthorityError(f"{folder(home)}/issued.json: {error}") from None


def _key(home: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key((folder(home) / "authority.key").read_bytes(), None)
    except FileNotFoundError:
        raise AuthorityError(
            f"{folder(home)} 中没有 authority.key，只能在保存它的机器上签发 · there is no authority.key in "
            f"{folder(home)}: credentials are made on the machine that keeps it"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise AuthorityError(f"{folder(home)}/authority.key is not a key that this program made")
    return key


def _pem_of(key: Ed25519PrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
