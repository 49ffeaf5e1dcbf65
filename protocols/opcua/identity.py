"""Our own certificates: the application's, which every secured session needs, and a user's.

The application's is made when none is named: one file with key and certificate, so that two
connections that start together cannot make halves of two.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from models.words import halves
from protocols.adapter import SignInRefused
from protocols.opcua.settings import OpcUaSettings

APPLICATION_URI = "urn:sevenones:gateway"
YEARS = 10


@dataclass(frozen=True, slots=True)
class Identity:
    """Our certificate and key, PEM; `uri` is the application's name inside the certificate."""

    certificate: bytes
    key: bytes
    uri: str


def load_certificate(content: bytes) -> x509.Certificate:
    """A certificate, PEM or DER. Raises ValueError."""
    if b"-----BEGIN" in content:
        return x509.load_pem_x509_certificate(content)
    return x509.load_der_x509_certificate(content)


def _key(content: bytes) -> Any:
    if b"-----BEGIN" in content:
        return serialization.load_pem_private_key(content, None)
    return serialization.load_der_private_key(content, None)


def _identity(certificate: bytes, key: bytes) -> Identity:
    loaded = load_certificate(certificate)
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if not uris:
        raise ValueError("其中没有应用 URI · it names no application URI")
    if loaded.not_valid_before_utc > datetime.datetime.now(datetime.UTC):
        raise ValueError(
            f"{loaded.not_valid_before_utc:%Y-%m-%d} 才生效，请核对本机时钟 · "
            f"it begins only on {loaded.not_valid_before_utc:%Y-%m-%d}: is this machine's clock right?"
        )
    if loaded.not_valid_after_utc < datetime.datetime.now(datetime.UTC):
        raise ValueError(
            f"已于 {loaded.not_valid_after_utc:%Y-%m-%d} 到期 · it ended on {loaded.not_valid_after_utc:%Y-%m-%d}"
        )
    secret = _key(key).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Identity(loaded.public_bytes(serialization.Encoding.PEM), secret, uris[0])


def own_identity(settings: OpcUaSettings) -> Identity:
    """Our certificate: the one that the settings name, else that of certificate_dir, made when it is not
    there. Blocks (a key takes up to a second). Raises SignInRefused when it cannot be used."""
    paths = (settings.certificate, settings.private_key)
    try:
        if settings.certificate:
            return _identity(Path(paths[0]).read_bytes(), Path(paths[1]).read_bytes())
        folder = Path(settings.certificate_dir)
        path = folder / "own.pem"
        paths = (str(path), str(path))
        if not path.exists():
            _make(folder, path)
        content = path.read_bytes()
        return _identity(content, content)
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise SignInRefused(
            f"本方证书 {paths[0]} 无法使用：{halves(error).zh} · "
            f"our certificate {paths[0]} cannot be used: {halves(error).en}"
        ) from None


def user_identity(settings: OpcUaSettings) -> tuple[x509.Certificate, Any]:
    """The user's certificate and key. Raises SignInRefused when they cannot be used."""
    path = settings.user_certificate
    try:
        certificate = load_certificate(Path(path).read_bytes())
        if certificate.not_valid_after_utc < datetime.datetime.now(datetime.UTC):
            raise ValueError(
                f"已于 {certificate.not_valid_after_utc:%Y-%m-%d} 到期 · "
                f"it ended on {certificate.not_valid_after_utc:%Y-%m-%d}"
            )
        path = settings.user_key
        return certificate, _key(Path(path).read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise SignInRefused(
            f"用户证书或密钥 {path} 无法使用：{halves(error).zh} · "
            f"the user's certificate or key {path} cannot be used: {halves(error).en}"
        ) from None


def _make(folder: Path, path: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sevenones gateway")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.UniformResourceIdentifier(APPLICATION_URI), x509.DNSName(socket.gethostname())]
    usage = dict.fromkeys(
        ("key_agreement", "crl_sign", "encipher_only", "decipher_only"),
        False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=True,
                data_encipherment=True,
                key_cert_sign=True,
                **usage,
            ),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    put(path, secret + certificate.public_bytes(serialization.Encoding.PEM))
    # What an engineer gives to the server to trust; made again with each new certificate.
    (folder / "own.der").write_bytes(load_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER))


def put(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, whole or not at all, mode 0600; who comes second gives way."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
