"""Certificates and users that do not fit: each is told apart, and nothing but what was accepted gets through."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from protocols.opcua import OpcUa
from protocols.opcua.identity import load_certificate, own_identity
from protocols.opcua.session import look
from protocols.opcua.trust import fingerprint
from sevenones.commands.opcua import app
from tests.protocols.opcua.machine import SHARED, Machine
from tests.protocols.opcua.server import PASSWORD, USER
from tests.protocols.opcua.test_sign_in import refusal, started, works

IDENTITY = own_identity(OpcUa.Settings(url="opc.tcp://h:4840/", certificate_dir=str(SHARED / "client")))


@pytest.mark.parametrize(
    ("fault", "certificate", "words"),
    [
        ("expired", {"begins": -30, "ends": -2}, "it ended on"),
        ("not_yet_valid", {"begins": 2}, "begins only on"),
        ("host_name", {"host": "plc.mine.local"}, "it is for plc.mine.local, not for 127.0.0.1"),
        ("application_uri", {"uri": "urn:another:server"}, "it is for urn:another:server, and the server is"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_refused_by_its_own_name_until_that_is_accepted(
    tmp_path: Path, fault: str, certificate: dict[str, Any], words: str
) -> None:
    async with started(Machine(tmp_path, **certificate)) as machine:
        told = await refusal(machine)
        assert words in told and f"accept: [{fault}]" in told
        assert not (tmp_path / "client" / "trusted").exists()
        await works(machine, accept=[fault])


async def test_nothing_is_trusted_at_first_sight_when_that_is_forbidden(tmp_path: Path) -> None:
    async with started(Machine(tmp_path)) as machine:
        told = await refusal(machine, trust="explicit")
        shown = fingerprint((tmp_path / "cert.der").read_bytes())
        assert "nobody has trusted" in told and shown[:23] in told and "opcua trust" in told
        settings = OpcUa.Settings.model_validate(machine.settings())
        name, seen, offered = await look(settings)
        assert fingerprint(seen.certificate) == shown and seen.uri == "urn:test:server"
        assert offered == ["Basic256Sha256/SignAndEncrypt"] and name


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("BadCertificateTimeInvalid", "not valid now"),
        ("BadCertificateUriInvalid", "another application"),
        ("BadCertificateUntrusted", "let the server trust"),
        ("BadCertificateRevoked", "was revoked"),
        ("BadSecurityChecksFailed", "let the server trust"),
    ],
)
async def test_what_a_server_says_of_our_certificate_is_told_apart(status: str, words: str) -> None:
    async with started(Machine(distrust=status)) as machine:
        told = await refusal(machine)
        assert words in told and "own.der" in told and status in told


def aged(days: tuple[int, int], path: Path) -> None:
    """Our own certificate with other dates, in c.pem and k.pem."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    old, key = load_certificate(IDENTITY.certificate), load_pem_private_key(IDENTITY.key, None)
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(7)
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    (path / "c.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))  # type: ignore[arg-type]
    (path / "k.pem").write_bytes(IDENTITY.key)


@pytest.mark.parametrize(("days", "words"), [((-9, -2), "it ended on"), ((2, 9), "begins only on")])
async def test_our_own_certificate_out_of_its_time_is_found_before_the_server_is_asked(
    tmp_path: Path, days: tuple[int, int], words: str, machine: Machine
) -> None:
    aged(days, tmp_path)
    told = await refusal(machine, certificate=str(tmp_path / "c.pem"), private_key=str(tmp_path / "k.pem"))
    assert words in told and "our certificate" in told


@pytest.mark.parametrize(
    ("security", "policy"),
    [
        ("aes128sha256rsaoaep", "Aes128Sha256RsaOaep_SignAndEncrypt"),
        ("aes256sha256rsapss", "Aes256Sha256RsaPss_SignAndEncrypt"),
        ("basic256sha256", "Basic256Sha256_Sign"),
    ],
)
async def test_each_policy_works_and_another_than_is_offered_is_refused_by_name(security: str, policy: str) -> None:
    async with started(Machine(policies=[policy])) as machine:
        mode = "sign" if policy.endswith("_Sign") else "sign_and_encrypt"
        await works(machine, security=security, mode=mode)
        other = "basic256sha256" if security != "basic256sha256" else "aes128sha256rsaoaep"
        told = await refusal(machine, security=other)
        assert "does not offer" in told and policy.replace("_", "") in told.replace("_", "").replace("/", "")


async def test_users_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "u.pem").write_bytes(IDENTITY.certificate)
    (tmp_path / "u.key").write_bytes(IDENTITY.key)
    by_certificate = {
        "user": "",
        "password": "",
        "user_certificate": str(tmp_path / "u.pem"),
        "user_key": str(tmp_path / "u.key"),
    }
    async with started(Machine(tmp_path, tokens=["UserName"])) as machine:
        told = await refusal(machine, password="wrong")
        assert f"the user '{USER}' or the password" in told and "wrong" not in told and PASSWORD not in told
        assert f"the user '{USER}x'" in await refusal(machine, user=f"{USER}x")
        told = await refusal(machine, user="", password="")
        assert "does not take an anonymous user; it takes user and password" in told
        told = await refusal(machine, **by_certificate)
        assert "does not take a user certificate; it takes user and password" in told
    async with started(Machine(tmp_path, tokens=["X509"])) as machine:
        told = await refusal(machine, **by_certificate)
        assert "refuses the user certificate" in told and "u.pem" in told
        (tmp_path / "user.der").write_bytes(load_certificate(IDENTITY.certificate).public_bytes(Encoding.DER))
        await works(machine, **by_certificate)
        assert "does not take user and password" in await refusal(machine)
        (tmp_path / "u.key").write_bytes(b"no key")
        assert "u.key" in await refusal(machine, **by_certificate)


async def test_the_command_shows_trusts_lists_replaces_and_forgets(tmp_path: Path) -> None:
    run, home = CliRunner(), str(tmp_path)

    async def command(*words: str, answer: str = "") -> tuple[int, str]:
        import asyncio

        result = await asyncio.to_thread(run.invoke, app, [*words, "--home", home], input=answer)
        return result.exit_code, result.output + (str(result.exception) if result.exit_code else "")

    folder = str(tmp_path / "opcua")
    async with started(Machine(tmp_path / "a")) as machine:
        url = f"opc.tcp://127.0.0.1:{machine.port}/test"
        assert "no certificate is trusted" in (await command("list"))[1]
        code, told = await command("trust", url, answer="n\n")
        shown = fingerprint((tmp_path / "a" / "cert.der").read_bytes())
        assert code == 1 and shown in told and "CN=test machine" in told and "nothing was trusted" in told
        await refusal(machine, certificate_dir=folder, trust="explicit")
        code, told = await command("trust", url, answer="y\n")
        assert code == 0 and "已信任 · trusted" in told
        await works(machine, certificate_dir=folder, trust="explicit")
        assert "trusted already" in (await command("trust", url))[1]
        assert shown in (await command("list"))[1]
        # A site begins with its connections: what else is not there yet is no reason not to trust a server.
        site = tmp_path / "site"
        site.mkdir()
        words = {"adapter": "opcua", "gateway": "edge1", "groups": {"fast": {"period": "1 s"}}}
        words["settings"] = {"url": url, "certificate_dir": str(tmp_path / "of_site")}
        (site / "connections.yaml").write_text(json.dumps({"connections": {"shearer": words}}))
        code, told = await command("trust", "shearer", "--site", str(site), "--yes")
        assert code == 0 and shown in told and "已信任 · trusted" in told
        assert shown in (await command("list", "--dir", str(tmp_path / "of_site")))[1]
        code, told = await command("trust", "drum", "--site", str(site), "--yes")
        assert code == 1 and "there is no connection 'drum'" in told
    other = Machine(tmp_path / "b", host="elsewhere")
    other.port = machine.port
    async with started(other):
        assert "opcua trust" in await refusal(other, certificate_dir=folder)
        code, told = await command("trust", url, "--yes")
        assert code == 0 and shown in told and "until now another" in told and "accept: [host_name]" in told
        await works(other, certificate_dir=folder, accept=["host_name"])
        assert (await command("forget", url))[0] == 0
        assert (await command("forget", url))[0] == 1
    code, told = await command("trust", url)
    assert code == 1 and "cannot be reached" in told
    code, told = await command("trust", "shearer")
    assert code == 1 and "--site" in told
