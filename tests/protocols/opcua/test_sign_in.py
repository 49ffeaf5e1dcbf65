"""Who may talk to whom: users, certificates, policies, and what the engineer is told."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from protocols.adapter import LinkLost, SignInRefused
from protocols.opcua import OpcUa
from protocols.opcua.identity import own_identity
from tests.ports import free_port
from tests.protocols.opcua.machine import Machine, tag
from tests.protocols.opcua.server import PASSWORD


@asynccontextmanager
async def started(machine: Machine) -> AsyncIterator[Machine]:
    await machine.start()
    try:
        yield machine
    finally:
        await machine.stop()


async def refusal(machine: Machine, **more: Any) -> str:
    adapter = machine.adapter(**more)
    with pytest.raises(SignInRefused) as refused:
        await adapter.connect()
    await adapter.close()
    return str(refused.value)


async def works(machine: Machine, **more: Any) -> None:
    adapter = machine.adapter(**more)
    await adapter.connect()
    reading = await adapter.read(adapter.plan([tag(0, "Speed")]))
    assert reading.quality.tolist() == [192]
    await adapter.close()


async def test_a_wrong_password_is_told_from_a_dead_port(machine: Machine) -> None:
    words = await refusal(machine, password="wrong")
    assert "gateway" in words and "password" in words and "wrong" not in words
    assert "anonymous" in await refusal(machine, user="", password="")
    adapter = machine.adapter(url=f"opc.tcp://127.0.0.1:{free_port()}/test")
    with pytest.raises(LinkLost) as lost:
        await adapter.connect()
    assert not isinstance(lost.value, SignInRefused)
    await adapter.close()
    await works(machine)


async def test_a_server_that_does_not_trust_us_says_which_certificate_it_needs() -> None:
    async with started(Machine(distrust="BadCertificateUntrusted")) as machine:
        words = await refusal(machine)
        assert "own.der" in words and "BadCertificateUntrusted" in words


async def test_a_server_without_encryption_is_refused_unless_that_is_meant() -> None:
    async with started(Machine(none=True)) as machine:
        words = await refusal(machine, security="basic256sha256")
        assert "Basic256Sha256" in words and "None" in words
        await works(machine)


async def test_a_server_with_encryption_refuses_a_client_without(machine: Machine) -> None:
    adapter = machine.adapter(security="none")
    with pytest.raises(LinkLost):
        await adapter.connect()
    await adapter.close()


async def test_a_server_is_trusted_at_first_sight_and_another_in_its_place_is_not(tmp_path: Path) -> None:
    async with started(Machine(tmp_path / "a")) as first:
        await works(first)
        await works(first)
        pinned = first.folder / "client" / "trusted" / f"127.0.0.1_{first.port}.der"
        assert pinned.read_bytes() == (first.folder / "cert.der").read_bytes()
        await works(first, server_certificate=str(pinned), certificate_dir=str(tmp_path / "elsewhere"))
        assert not (tmp_path / "elsewhere" / "trusted").exists()
    impostor = Machine(tmp_path / "b")
    impostor.port = first.port
    async with started(impostor):
        words = await refusal(impostor, certificate_dir=str(first.folder / "client"))
        assert "another certificate" in words and str(pinned) in words
        pinned.unlink()
        await works(impostor, certificate_dir=str(first.folder / "client"))


async def test_nothing_is_pinned_by_a_server_that_refused_us(tmp_path: Path) -> None:
    async with started(Machine(tmp_path)) as machine:
        await refusal(machine, password="wrong")
        assert not (tmp_path / "client" / "trusted").exists()


def test_our_certificate_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = OpcUa.Settings(url="opc.tcp://h:4840/", certificate_dir=str(tmp_path / "x" / "y"))
    first, second = own_identity(settings), own_identity(settings)
    assert first == second and first.uri == "urn:sevenones:gateway"
    folder = tmp_path / "x" / "y"
    assert stat.S_IMODE((folder / "own.pem").stat().st_mode) == 0o600
    assert b"PRIVATE" not in (folder / "own.der").read_bytes()
    assert {path.name for path in folder.iterdir()} == {"own.pem", "own.der"}


async def test_certificates_and_passwords_may_be_files(tmp_path: Path) -> None:
    machine = Machine()
    identity = own_identity(OpcUa.Settings.model_validate(machine.settings()))
    certificate, key, secret = tmp_path / "c.pem", tmp_path / "k.pem", tmp_path / "password"
    files = {"certificate": str(certificate), "private_key": str(key), "password": "", "password_file": str(secret)}
    assert str(secret) in await refusal(machine, **files)
    secret.write_text(PASSWORD + "\n")
    assert str(certificate) in await refusal(machine, **files)
    certificate.write_bytes(identity.certificate)
    key.write_bytes(b"rubbish")
    assert str(certificate) in await refusal(machine, **files)
    key.write_bytes(identity.key)
    async with started(machine):
        await works(machine, **files)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://127.0.0.1"},
        {"url": "opc.tcp://user:secret@host:4840"},
        {"url": "opc.tcp://host:99999"},
        {"security": "basic128"},
        {"password_file": "x"},
        {"user": ""},
        {"certificate": "c.pem"},
        {"queue_size": 2, "sampling_ms": 10, "publishing_ms": 500},
        {"watchdog_s": 1, "publishing_ms": 500, "queue_size": 1000},
        {"timeout_s": 0},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        OpcUa.Settings.model_validate({**Machine().settings(), **wrong})


def test_the_password_is_never_shown() -> None:
    assert PASSWORD not in repr(Machine().adapter().settings)
