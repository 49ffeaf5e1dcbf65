"""The bytes' way to and from a device: a TCP connection or a serial port. Knows nothing of Modbus."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import serial

from protocols.adapter import LinkLost
from protocols.modbus.place import Place

Received = Callable[[bytes], None]
Lost = Callable[[str], None]


class Wire(Protocol):
    """An open way. Calls `received` with what comes, and `lost` once, with the reason, when it is gone."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


async def open_wire(place: Place, timeout_s: float, received: Received, lost: Lost) -> Wire:
    """Open a place's wire. Raises LinkLost in plain words."""
    if place.transport == "serial":
        return SerialWire(place, received, lost)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            _, protocol = await loop.create_connection(lambda: TcpWire(received, lost), place.host, int(place.port))
    except TimeoutError:
        raise LinkLost(
            f"{place} 在 {timeout_s:g} 秒内没有应答：设备在网络上吗？ · "
            f"{place} did not answer within {timeout_s:g} s: is the "
            "device on the network?"
        ) from None
    except socket.gaierror:
        raise LinkLost(
            f"{place}：没有这个主机名，请检查 host 或域名服务器 · "
            f"{place}: there is no host of that name; check `host`, or "
            "the name server"
        ) from None
    except ConnectionRefusedError:
        raise LinkLost(
            f"{place} 拒绝连接：Modbus 服务开启了吗，主机和端口对吗？ · "
            f"{place} refused the connection: is its Modbus server on, and are host and port right?"
        ) from None
    except OSError as error:
        raise LinkLost(
            f"{place} 无法到达：{error.strerror or error} · {place} cannot be reached: {error.strerror or error}"
        ) from None
    return protocol


class TcpWire(asyncio.Protocol):
    """A TCP connection."""

    def __init__(self, received: Received, lost: Lost) -> None:
        self._received, self._lost = received, lost
        self._transport: asyncio.Transport | None = None
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if not self._closed:
            self._received(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._closed:
            self._closed = True
            self._lost("设备或途中的环节断开了连接 · the device, or something on the way, ended it")

    def write(self, data: bytes) -> None:
        assert self._transport is not None  # noqa: S101
        self._transport.write(data)

    def close(self) -> None:
        self._closed = True
        if self._transport is not None:
            self._transport.abort()


class SerialWire:
    """A serial port. pyserial sets the line up; its bytes are read and written by the event loop."""

    def __init__(self, place: Place, received: Received, lost: Lost) -> None:
        self._received, self._lost = received, lost
        self._loop = asyncio.get_running_loop()
        path = str(place.port)
        try:
            if not stat.S_ISCHR(Path(path).stat().st_mode):
                raise LinkLost(f"{path} 不是串口，请检查 port · {path} is no serial port: check `port`")
            self._serial = serial.Serial(
                path,
                place.baud,
                parity=place.parity[0].upper(),
                stopbits=place.stop,
                timeout=0,
                write_timeout=0,
                exclusive=True,
            )
        except FileNotFoundError:
            raise LinkLost(
                f"没有串口 {path}，转换器插好了吗？ · there is no serial port {path}: is the converter plugged in?"
            ) from None
        except (OSError, ValueError) as error:  # pyserial's own error is an OSError
            raise LinkLost(
                f"串口 {path} 无法打开：{error} · the serial port {path} cannot be opened: {error}"
            ) from None
        self._serial.reset_input_buffer()
        self._fd: int = self._serial.fileno()
        self._loop.add_reader(self._fd, self._readable)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._gone(f"串口故障：{error.strerror} · the serial port failed: {error.strerror}")
            return
        if data:
            self._received(data)
        else:
            self._gone("串口已拔出 · the serial port was unplugged")

    def _gone(self, why: str) -> None:
        self.close()
        self._lost(why)

    def write(self, data: bytes) -> None:
        try:
            sent = os.write(self._fd, data)
        except OSError as error:
            sent, why = -1, f"串口故障：{error.strerror} · the serial port failed: {error.strerror}"
        else:
            why = "串口不再接收数据 · the serial port takes no more bytes"
        if sent != len(data):
            self._loop.call_soon(self._gone, why)

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._fd = -1
            self._serial.close()
