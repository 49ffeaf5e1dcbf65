"""The servers' certificates: which are trusted, and what is wrong with one.

A server's certificate is pinned in a file: by `sevenones opcua trust`, which shows it first, or when it
is first seen and a session with it succeeds, unless `trust: explicit` forbids that. Another one later
is refused. The first sight is the weak moment: where that matters, be explicit.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from models.words import halves
from protocols.adapter import SignInRefused
from protocols.opcua.identity import load_certificate, put
from protocols.opcua.settings import OpcUaSettings


@dataclass(frozen=True, slots=True)
class Shown:
    """A server's certificate, DER, the host that we asked for, and what the server calls itself."""

    certificate: bytes
    host: str
    uri: str


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate, DER, as colon-separated hexadecimal."""
    return load_certificate(certificate).fingerprint(hashes.SHA256()).hex(":")


def faults(shown: Shown) -> dict[str, str]:
    """What is wrong with a certificate, by the name that `accept` takes: words for an engineer, as
    "Chinese · English"."""
    certificate = load_certificate(shown.certificate)
    now = datetime.datetime.now(datetime.UTC)
    found: dict[str, str] = {}
    if certificate.not_valid_after_utc < now:
        found["expired"] = (
            f"已于 {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC 到期 · "
            f"it ended on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        )
    if certificate.not_valid_before_utc > now:
        found["not_yet_valid"] = (
            f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC 才生效，请核对双方时钟 · "
            f"it begins only on {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: are both clocks right?"
        )
    hosts, uris = _names(certificate)
    if not any(_same_host(shown.host, host) for host in hosts):
        found["host_name"] = (
            f"签发给 {'、'.join(hosts) or '（无主机）'}，不是 {shown.host} · "
            f"it is for {', '.join(hosts) or 'no host'}, not for {shown.host}"
        )
    if shown.uri not in uris:
        found["application_uri"] = (
            f"签发给 {'、'.join(uris) or '（无应用）'}，而服务器为 {shown.uri} · "
            f"it is for {', '.join(uris) or 'no application'}, and the server is {shown.uri}"
        )
    return found


def _names(certificate: x509.Certificate) -> tuple[list[str], list[str]]:
    """Hosts and application URIs of a certificate."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return [], []
    hosts = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    return hosts, names.get_values_for_type(x509.UniformResourceIdentifier)


def _same_host(asked: str, named: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(asked) == ipaddress.ip_address(named)
    return asked.lower().rstrip(".") == named.lower().rstrip(".")


def subject(certificate: bytes) -> str:
    """Whose certificate it is, DER, in one line."""
    return load_certificate(certificate).subject.rfc4514_string()


def validity(certificate: bytes) -> tuple[datetime.datetime, datetime.datetime]:
    """From when to when it holds, UTC."""
    loaded = load_certificate(certificate)
    return loaded.not_valid_before_utc, loaded.not_valid_after_utc


# ---- the store of pinned certificates


def pin_path(settings: OpcUaSettings) -> Path:
    """Where the certificate of the settings' server is pinned."""
    parts = urlsplit(settings.url)
    host = (parts.hostname or "").replace(":", "_")
    return Path(settings.certificate_dir) / "trusted" / f"{host}_{parts.port or 4840}.der"


def pinned(certificate_dir: Path) -> Iterator[tuple[Path, bytes | None]]:
    """The files of a store and the certificate in each, DER; None where it cannot be read."""
    for path in sorted((certificate_dir / "trusted").glob("*.der")):
        try:
            yield path, load_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER)
        except (OSError, ValueError):
            yield path, None


def known_server(settings: OpcUaSettings) -> bytes | None:
    """The certificate, DER, that the server must show; None when it was never seen. Raises SignInRefused."""
    path = Path(settings.server_certificate) if settings.server_certificate else pin_path(settings)
    try:
        if not settings.server_certificate and not path.exists():
            return None
        return load_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER)
    except (OSError, ValueError) as error:
        raise SignInRefused(
            f"服务器证书 {path} 无法读取：{error} · the server's certificate {path} cannot be read: {error}"
        ) from None


def judge(settings: OpcUaSettings, where: str, shown: Shown) -> None:
    """Raises SignInRefused when this certificate is not the trusted one, or when something is wrong with
    it that the settings do not accept."""
    wanted = known_server(settings)
    if wanted is None and settings.trust == "explicit":
        raise SignInRefused(
            f"{where} 出示的证书尚无人信任（{fingerprint(shown.certificate)[:23]}…），"
            "请用 sevenones opcua trust 查看 · "
            f"{where} shows a certificate that nobody has trusted yet ({fingerprint(shown.certificate)[:23]}…): "
            "look at it with sevenones opcua trust"
        )
    if wanted is not None and shown.certificate != wanted:
        held = settings.server_certificate or pin_path(settings)
        raise SignInRefused(
            f"{where} 出示的证书与 {held} 中所信任的不同，若服务器确已更换，"
            "请用 sevenones opcua trust 信任新证书，或替换该文件 · "
            f"{where} shows another certificate than the trusted one in {held}; if the server was changed on "
            "purpose, trust the new one with sevenones opcua trust, or replace that file"
        )
    for fault, what in faults(shown).items():
        if fault not in settings.accept:
            said = halves(what)
            raise SignInRefused(
                f"{where} 出示的证书不成立：{said.zh}。请为服务器换上正确的证书，"
                f"或在连接设置中写入 accept: [{fault}] · "
                f"{where} shows a certificate that does not hold: {said.en}. Let the server have a right one, or "
                f"write `accept: [{fault}]` in the connection's settings"
            )


def trust(settings: OpcUaSettings, certificate: bytes, *, instead: bool = False) -> Path:
    """Pin a certificate, DER; where one is pinned it stays, unless `instead`. Gives the file."""
    path = pin_path(settings)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if instead:
        path.unlink(missing_ok=True)
    put(path, certificate)
    return path


def forget(settings: OpcUaSettings) -> Path | None:
    """Remove the pinned certificate of a server; None when there is none."""
    path = pin_path(settings)
    if not path.exists():
        return None
    path.unlink()
    return path
