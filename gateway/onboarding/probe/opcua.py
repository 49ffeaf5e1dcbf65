"""Probing an OPC UA server: does it speak OPC UA, which doors does it offer, whose certificate does it show."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import struct
import time
from typing import Any
from urllib.parse import urlsplit

from gateway.onboarding import door
from gateway.onboarding.door import DoorShut, knock
from gateway.onboarding.probe.report import Options, Report
from gateway.onboarding.target import Target

TOKENS = {
    0: ("匿名", "anonymous"),
    1: ("用户密码", "user and password"),
    2: ("证书", "certificate"),
    3: ("令牌", "token"),
}


async def ask(target: Target, options: Options, report: Report) -> None:
    url = str(target.settings["url"])
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 4840
    timeout_s = max(options.timeout_s, 2.0)
    try:
        if await _hello(host, port, url, timeout_s, report):
            await _endpoints(url, timeout_s, options.rounds, report)
    except DoorShut as shut:
        report.bad(shut.zh, shut.en, kind=shut.kind)


async def _hello(host: str, port: int, url: str, timeout_s: float, report: Report) -> bool:
    """The protocol's own greeting, before any security: whether it is OPC UA that answers."""
    opened = await knock(host, port, timeout_s)
    name = url.encode()
    body = struct.pack("<IIIII", 0, 65536, 65536, 0, 0) + struct.pack("<i", len(name)) + name
    data = b""
    try:
        async with asyncio.timeout(timeout_s):
            opened.writer.write(b"HELF" + struct.pack("<I", len(body) + 8) + body)
            data = await opened.reader.read(1024)
    except TimeoutError:
        report.bad(
            "接受连接，但不回应 OPC UA 的问候：端口是否正确？",
            "it takes the connection, but does not answer the greeting of OPC UA: is the port right?",
            kind="silent",
        )
        return False
    except OSError:
        data = b""
    finally:
        await opened.close()
    if data.startswith(b"ACKF"):
        report.good(f"{host}:{port} 是 OPC UA 服务器", f"{host}:{port} is an OPC UA server")
        return True
    if data.startswith(b"ERRF") and len(data) >= 12:
        code = struct.unpack_from("<I", data, 8)[0]
        report.bad(
            f"OPC UA 服务器拒绝该地址（0x{code:08X}）：url 的路径是否正确？",
            f"the OPC UA server refuses this url (0x{code:08X}): is its path right?",
            kind="refused url",
        )
        return False
    if not data:
        report.bad(
            "应答者不是 OPC UA：它直接关闭连接",
            "what is there is not OPC UA: it closes the connection without a word",
            kind="foreign",
        )
        return False
    zh, en = door.speaker(data)
    report.bad(f"应答者不是 OPC UA，而是{zh}", f"what answers is not OPC UA but {en}", kind="foreign", speaks=en)
    return False


async def _endpoints(url: str, timeout_s: float, rounds: int, report: Report) -> None:
    from asyncua import Client, ua

    client = Client(url, timeout=timeout_s)
    took: list[float] = []
    endpoints: list[Any] = []
    try:
        async with asyncio.timeout(timeout_s * 4):
            await client.connect_socket()
            await client.send_hello()
            await client.open_secure_channel()
            for _ in range(max(1, min(rounds, 10))):
                started = time.monotonic()
                endpoints = await client.get_endpoints()
                took.append(time.monotonic() - started)
            await client.close_secure_channel()
    except (OSError, TimeoutError, ua.UaError) as error:
        report.bad(
            "服务器不给出端点列表", f"the server does not list its endpoints: {error or 'no answer'}", kind="list"
        )
        return
    finally:
        client.disconnect_socket()
    report.round_trip(took)
    seen: dict[bytes, None] = {}
    for endpoint in endpoints:
        _say_endpoint(endpoint, report)
        if endpoint.ServerCertificate:
            seen[bytes(endpoint.ServerCertificate)] = None
    for certificate in seen:
        _say_certificate(certificate, report)


def _say_endpoint(endpoint: Any, report: Report) -> None:
    policy = str(endpoint.SecurityPolicyUri or "").rpartition("#")[2] or "None"
    mode = endpoint.SecurityMode.name
    tokens = sorted({int(token.TokenType) for token in endpoint.UserIdentityTokens or ()})
    zh = "、".join(TOKENS[token][0] for token in tokens if token in TOKENS)
    en = ", ".join(TOKENS[token][1] for token in tokens if token in TOKENS)
    say = report.note if policy == "None" else report.good
    more_zh, more = ("（不加密）", " (in the clear)") if policy == "None" else ("", "")
    say(
        f"端点 {policy}/{mode}{more_zh}，登录方式：{zh or '无'}",
        f"endpoint {policy}/{mode}{more} at {endpoint.EndpointUrl}, sign-in by {en or 'nothing'}",
        policy=policy,
        mode=mode,
        url=endpoint.EndpointUrl,
        tokens=tokens,
    )


def _say_certificate(content: bytes, report: Report) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        # A chain may follow the server's own.
        end = int.from_bytes(content[2:4], "big") + 4
        certificate = x509.load_der_x509_certificate(content[:end])
    except ValueError as error:
        report.note("服务器证书无法解析", f"the server's certificate cannot be read: {error}")
        return
    ends = certificate.not_valid_after_utc
    begins = certificate.not_valid_before_utc
    now = datetime.datetime.now(datetime.UTC)
    print_ = hashlib.sha1(content[:end], usedforsecurity=False).hexdigest().upper()
    # Servers' own pages show the one or the other; `opcua trust` and what refuses a certificate show SHA-256.
    sha256 = certificate.fingerprint(hashes.SHA256()).hex(":")
    subject = certificate.subject.rfc4514_string()
    prints = f"SHA-1 {print_}，SHA-256 {sha256}", f"SHA-1 {print_}, SHA-256 {sha256}"
    zh = f"服务器证书 {subject}，有效期 {begins:%Y-%m-%d} 至 {ends:%Y-%m-%d}，指纹 {prints[0]}"
    en = f"server certificate {subject}, valid {begins:%Y-%m-%d} to {ends:%Y-%m-%d}, thumbprint {prints[1]}"
    facts = {"subject": subject, "not_after": ends.isoformat(), "thumbprint": print_, "sha256": sha256}
    if now > ends:
        report.note(f"{zh}：已过期", f"{en}: it has expired", **facts)
    elif now < begins:
        report.note(f"{zh}：尚未生效，请检查双方时钟", f"{en}: it is not valid yet, check both clocks", **facts)
    else:
        report.good(zh, en, **facts)
