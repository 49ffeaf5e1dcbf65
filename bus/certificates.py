"""The site's own certificate authority, and the certificates that listeners and processes show each other.

`pki/ca.pem` and `ca.key` are the authority's, `pki/<name>.pem` and `<name>.key` a listener's; keys are for their owner
only (mode 0600). What a process shows the bus is kept in its credential's file, so that one file is all it needs
elsewhere. Where a home has an authority, its listeners speak TLS alone.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bus.secret import write_secret
from bus.tls import ClientTls

NAME = re.compile(r"[a-z0-9_-]{1,40}")
LISTENERS = ("bus", "leaf", "mqtt", "api")
CA_DAYS = 3650
DAYS = 397
"""For how long a certificate is good: browsers refuse servers' certificates of more than 398 days."""
RENEW_DAYS = 30
"""A certificate that ends within these is to be renewed: `pki renew` does, `pki list` and the api's health say so."""
LOCAL = ("localhost", "127.0.0.1", "::1")


class PkiError(Exception):
    """The authority or a certificate cannot be made or used: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate: `kind` is ca, listener or process; `names` for which it is good; `expires` in UTC."""

    name: str
    kind: str
    names: tuple[str, ...]
    expires: datetime.datetime

    def days_left(self, now: datetime.datetime) -> float:
        return (self.expires - now).total_seconds() / 86_400


def folder(home: Path) -> Path:
    return home / "pki"


def made(home: Path) -> bool:
    """Whether this home's listeners speak TLS."""
    return (folder(home) / "ca.pem").exists()


def init(home: Path, names: Iterable[str] = ()) -> None:
    """Make the authority and all certificates. `names`: under which the listeners are reached besides this machine's
    own. Raises PkiError when there is an authority already: another one would shut everybody out."""
    where = folder(home)
    if made(home):
        raise PkiError(
            f"{where} 已有证书机构；续期用 pki renew · there is an authority in {where} already: use 'pki renew'"
        )
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sevenones site CA")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    certificate = (
        _builder(subject, subject, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    write_secret(where / "ca.key", _pem_of(key))
    write_secret(where / "names", json.dumps(list(dict.fromkeys((*LOCAL, *names)))))
    for name in LISTENERS:
        issue(home, name, certificate=certificate)
    # Last: from this file on the home speaks TLS, and what it needs is there.
    write_secret(where / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM).decode())
    renew_processes(home, everything=True)


def issue(
    home: Path,
    name: str,
    names: Sequence[str] = (),
    *,
    to: Path | None = None,
    certificate: x509.Certificate | None = None,
) -> Path:
    """A certificate for a listener, into `to` or the home. Raises PkiError."""
    where = to or folder(home)
    known = json.loads((folder(home) / "names").read_text()) if not names else list(names)
    pem, key = _signed(home, name, known, server=True, certificate=certificate)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(where / f"{name}.key", key)
    write_secret(where / f"{name}.pem", pem)
    return where / f"{name}.pem"


def renew(home: Path, days: float = RENEW_DAYS, *, everything: bool = False) -> list[str]:
    """Make anew what ends within `days`, or everything but the authority; the names of what was made. Processes and
    listeners take it when they start. Raises PkiError."""
    now = datetime.datetime.now(datetime.UTC)
    renewed = []
    for each in listed(home):
        if each.kind == "listener" and (everything or each.days_left(now) < days):
            issue(home, each.name, each.names)
            renewed.append(each.name)
    return renewed + renew_processes(home, days, everything=everything)


def renew_processes(home: Path, days: float = RENEW_DAYS, *, everything: bool = False) -> list[str]:
    """Give each credential of this home a certificate where it has none that is good for `days` more."""
    now, renewed = datetime.datetime.now(datetime.UTC), []
    for path in sorted((home / "bus" / "credentials").glob("*.json")):
        found = json.loads(path.read_text())
        if "process" not in found:
            continue
        have = found.get("tls")
        if have and not everything and _facts(have["certificate"], "", "process").days_left(now) >= days:
            continue
        made = of_client(home, found["process"])
        found["tls"] = {"ca": made.ca, "certificate": made.certificate, "key": made.key}
        write_secret(path, json.dumps(found, indent=2))
        renewed.append(found["process"])
    return renewed


def of_client(home: Path, name: str) -> ClientTls:
    """What a process or person shows a listener of this home. Raises PkiError."""
    pem, key = _signed(home, name, (), server=False)
    return ClientTls((folder(home) / "ca.pem").read_text(), pem, key)


def ending(home: Path, now: datetime.datetime, days: float = RENEW_DAYS) -> list[Issued]:
    """Those of a home that end within `days`, the soonest first; none where there is no authority. Raises OSError,
    ValueError for what cannot be read."""
    found = _found(home) if made(home) else []
    return sorted((each for each in found if each.days_left(now) < days), key=lambda each: each.expires)


def listed(home: Path) -> list[Issued]:
    """All certificates of this home: the authority, the listeners', the processes'. Raises PkiError."""
    _authority(home)
    return _found(home)


def _found(home: Path) -> list[Issued]:
    found = [_facts((folder(home) / "ca.pem").read_text(), "ca", "ca")]
    for path in sorted(folder(home).glob("*.pem")):
        if path.name != "ca.pem":
            found.append(_facts(path.read_text(), path.stem, "listener"))
    for path in sorted((home / "bus" / "credentials").glob("*.json")):
        credential = json.loads(path.read_text())
        if "tls" in credential:
            found.append(_facts(credential["tls"]["certificate"], credential["process"], "process"))
    return found


def _signed(
    home: Path, name: str, names: Sequence[str], *, server: bool, certificate: x509.Certificate | None = None
) -> tuple[str, str]:
    """A certificate and its key in PEM."""
    issuer, key = (certificate, _key(home)) if certificate is not None else _authority(home)
    own = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    usages = [ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _builder(subject, issuer.subject, own.public_key(), DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
    signed = builder.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode(), _pem_of(own)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: float
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks of edge boxes are not always right
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _authority(home: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate((folder(home) / "ca.pem").read_bytes())
    except FileNotFoundError:
        raise PkiError(
            f"{home} 尚无证书机构，请先 sevenones pki init · {home} has no authority: run 'sevenones pki init' first"
        ) from None
    return certificate, _key(home)


def _key(home: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key((folder(home) / "ca.key").read_bytes(), None)
    except FileNotFoundError:
        raise PkiError(
            f"{folder(home)} 中没有机构私钥 ca.key，只能在保存它的机器上签发 · there is no ca.key in {folder(home)}: "
            "certificates are made on the machine that keeps it"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PkiError(f"{folder(home)}/ca.key is not a key that this program made")
    return key


def _pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _facts(pem: str, name: str, kind: str) -> Issued:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = (*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress)))
    except x509.ExtensionNotFound:
        names = ()
    return Issued(name, kind, names, certificate.not_valid_after_utc)
