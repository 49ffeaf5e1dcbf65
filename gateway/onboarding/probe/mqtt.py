"""Probing an MQTT broker: which versions it takes, does it let us in. Subscribes to nothing, publishes nothing."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from gateway.onboarding import door
from gateway.onboarding.door import Door, DoorShut
from gateway.onboarding.mqtt_session import VERSIONS, connect_packet, open_broker
from gateway.onboarding.probe.report import Options, Report
from gateway.onboarding.target import OWN_CLIENT, Target

REFUSED_3 = {
    1: ("不支持该版本", "it does not take this version"),
    2: ("不接受该客户端标识", "it does not take this client id"),
    3: ("服务不可用", "it is not available"),
    4: ("用户名或密码错误", "user or password are wrong"),
    5: ("未获授权", "not authorised"),
}
REFUSED_5 = {
    0x84: ("不支持该版本", "it does not take this version"),
    0x85: ("不接受该客户端标识", "it does not take this client id"),
    0x86: ("用户名或密码错误", "user or password are wrong"),
    0x87: ("未获授权", "not authorised"),
    0x88: ("服务不可用", "it is not available"),
    0x89: ("服务器忙", "it is busy"),
    0x8A: ("已被禁止", "we are banned"),
}
SIGN_IN = {4, 5, 0x86, 0x87}


async def ask(target: Target, options: Options, report: Report) -> None:
    settings: Any = target.build().settings
    timeout_s = max(options.timeout_s, 2.0)
    took: list[float] = []
    spoken = False
    try:
        for version, level in VERSIONS.items():
            opened = await open_broker(settings, timeout_s)
            try:
                spoken |= await _version(opened, settings, version, level, timeout_s, options.rounds, took, report)
            finally:
                await opened.close()
            if report.findings and report.findings[-1].level == "bad":
                return
    except DoorShut as shut:
        report.bad(shut.zh, shut.en, kind=shut.kind)
        return
    except OSError as error:
        report.bad("证书文件无法读取", f"the certificate files cannot be read: {error}", kind="files")
        return
    if not spoken:
        report.bad(
            "应答者不是 MQTT：它直接关闭连接",
            "what is there is not MQTT: it closes the connection without a word",
            kind="foreign",
        )
        return
    report.round_trip(took)
    if settings.tls is None:
        report.note("未加密：密码和数据以明文传输", "in the clear: password and data can be read on the way")


async def _version(
    opened: Door,
    settings: Any,
    version: str,
    level: int,
    timeout_s: float,
    rounds: int,
    took: list[float],
    report: Report,
) -> bool:
    """Try one version; whether MQTT was spoken at all."""
    packet = connect_packet(level, OWN_CLIENT + secrets.token_hex(4), settings.user, settings.secret())
    try:
        async with asyncio.timeout(timeout_s):
            opened.writer.write(packet)
            answer = await opened.reader.read(512)
    except TimeoutError:
        report.bad(
            "接受连接，但不回应 MQTT：端口是否正确？",
            "it takes the connection, but does not answer MQTT: is the port right?",
            kind="silent",
        )
        return False
    except OSError:
        answer = b""
    if not answer:
        report.note(f"MQTT {version}：连接被直接关闭", f"MQTT {version}: it closes the connection without a word")
        return False
    if answer[0] != 0x20 or len(answer) < 4:
        zh, en = door.speaker(answer)
        report.bad(f"应答者不是 MQTT，而是{zh}", f"what answers is not MQTT but {en}", kind="foreign", speaks=en)
        return False
    code = answer[3]
    if not code:
        report.good(
            f"MQTT {version}：接受{f'用户 {settings.user}' if settings.user else '匿名登录'}",
            f"MQTT {version}: lets {f'the user {settings.user}' if settings.user else 'anybody'} in",
            version=version,
        )
        took += await _pings(opened, timeout_s, rounds)
        return True
    zh, en = (REFUSED_5 if level == 5 else REFUSED_3).get(code, ("拒绝", "it refuses"))
    if code in SIGN_IN and not settings.user:
        zh, en = f"{zh}：需要用户名，写 mqtt://用户@主机", f"{en}: it wants a user, mqtt://user@host"
    report.note(
        f"MQTT {version}：{zh}（代码 {code}）", f"MQTT {version}: {en} (code {code})", version=version, code=code
    )
    return True


async def _pings(opened: Door, timeout_s: float, rounds: int) -> list[float]:
    took = []
    try:
        async with asyncio.timeout(timeout_s):
            for _ in range(rounds):
                started = time.monotonic()
                opened.writer.write(b"\xc0\0")
                await opened.reader.readexactly(2)
                took.append(time.monotonic() - started)
            opened.writer.write(b"\xe0\0")
            await opened.writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError):
        pass
    return took
