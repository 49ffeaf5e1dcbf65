"""Opening a TCP connection and saying why it did not open; and who speaks, when it is not whom we asked."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from dataclasses import dataclass

SIGNATURES = (
    (b"HTTP/", "HTTP", "网页服务"),
    (b"<!DOC", "HTTP", "网页服务"),
    (b"<html", "HTTP", "网页服务"),
    (b"SSH-", "SSH", "SSH 远程登录"),
    (b"ACKF", "OPC UA", "OPC UA"),
    (b"ERRF", "OPC UA", "OPC UA"),
    (b"\x20\x02\x00", "MQTT", "MQTT"),
    (b"\x20\x03\x00", "MQTT", "MQTT"),
    (b"\x15\x03", "TLS", "TLS 加密端口"),
    (b"\x16\x03", "TLS", "TLS 加密端口"),
    (b"\xff\xfb", "Telnet", "Telnet"),
    (b"\xff\xfd", "Telnet", "Telnet"),
    (b"220 ", "FTP or SMTP", "FTP 或 SMTP"),
    (b"INFO {", "NATS", "NATS 总线"),
)


class DoorShut(Exception):
    """No connection: `kind` is name, refused, timeout, unreachable or tls."""

    def __init__(self, kind: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.kind, self.zh, self.en = kind, zh, en


@dataclass(slots=True)
class Door:
    """An open connection; `took_s` to open it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    took_s: float

    async def close(self) -> None:
        self.writer.transport.abort()
        await asyncio.sleep(0)


async def knock(host: str, port: int, timeout_s: float, tls: ssl.SSLContext | None = None) -> Door:
    """Open a connection. Raises DoorShut."""
    where = f"{host}:{port}"
    started = time.monotonic()
    try:
        async with asyncio.timeout(max(timeout_s, 3.0)):
            reader, writer = await asyncio.open_connection(
                host, port, ssl=tls, server_hostname=host if tls is not None else None
            )
    except TimeoutError:
        raise DoorShut(
            "timeout",
            f"{where} 没有回应：设备未通电、不在本网段，或防火墙丢弃了报文",
            f"{where} does not answer at all: the device is off, not on this network, or a firewall drops the packets",
        ) from None
    except ssl.SSLError as error:
        raise DoorShut(
            "tls",
            f"{where} 的 TLS 握手失败：证书不受信任，或该端口不是 TLS",
            f"the TLS handshake with {where} failed: the certificate is not trusted, or the port is not TLS ({error})",
        ) from None
    except socket.gaierror:
        raise DoorShut("name", f"没有主机名 {host}", f"there is no host named {host}: is it spelt right?") from None
    except ConnectionRefusedError:
        raise DoorShut(
            "refused",
            f"{where} 拒绝连接：主机在线，但该端口没有服务，端口是否正确？",
            f"{where} refuses the connection: the host is there, but nothing listens on this port; is the port right?",
        ) from None
    except OSError as error:
        words = error.strerror or str(error)
        what = "没有到达的路由" if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH) else "连接不上"
        raise DoorShut("unreachable", f"{where} {what}", f"{where} cannot be reached: {words}") from None
    return Door(reader, writer, time.monotonic() - started)


def speaker(data: bytes) -> tuple[str, str]:
    """Who sent such bytes, in Chinese and English, as far as a beginning tells."""
    for begin, en, zh in SIGNATURES:
        if data.startswith(begin):
            return zh, en
    return "未知协议", "something unknown"
