"""Modbus TCP: a transaction number in front of each request says which reply is its own.

Numbers go on from one connection to the next, so that a late reply finds no request that it fits.
"""

from __future__ import annotations

import random
import struct

from protocols.modbus.framing import WAIT, Framing, Verdict
from protocols.modbus.pdu import Ask, mismatch

LONGEST = 254
"""The most that a frame's length field may say: unit, function and 252 bytes."""
_HEADER = struct.Struct(">HHHB")
_HEAD = struct.Struct(">HHH")
_LAST_TRANSACTION = 65_535


class Mbap(Framing):
    """The framing of Modbus TCP."""

    numbered = True

    def __init__(self) -> None:
        # A device that mixes up connections could hold replies to an earlier process, too.
        self.transaction = random.randrange(1, 30_000)  # noqa: S311
        self._ask: Ask | None = None
        self._buffer = b""

    def start(self, ask: Ask) -> bytes:
        self.transaction = self.transaction % _LAST_TRANSACTION + 1
        self._ask = ask
        return _HEADER.pack(self.transaction, 0, len(ask.pdu) + 1, ask.unit) + ask.pdu

    def feed(self, data: bytes) -> Verdict:
        if self._buffer:
            data = self._buffer + data
        at, end, strays = 0, len(data), 0
        reply: bytes | None = None
        fault = ""
        while end - at >= 6:
            transaction, protocol, length = _HEAD.unpack_from(data, at)
            if protocol or not 3 <= length <= LONGEST:
                fault = (
                    "收到的不是 Modbus TCP 报文，请检查端口是否为 Modbus 服务 · "
                    "what came is not Modbus TCP: check that the port is the Modbus server's"
                )
                break
            if end - at < 6 + length:
                break
            unit, pdu = data[at + 6], data[at + 7 : at + 6 + length]
            at += 6 + length
            if self._ask is None:
                strays += 1
            elif transaction == self.transaction:
                fault = mismatch(self._ask, unit, pdu)
                if fault:
                    break
                reply = pdu
                self._ask = None
            elif transaction == 0:
                fault = "设备的应答没有事务号 · the device sent a reply without a transaction number"
                break
            else:
                strays += 1
        self._buffer = data[at:]
        return Verdict(reply, fault, strays) if reply is not None or fault or strays else WAIT

    def end(self) -> None:
        self._ask = None

    def reset(self) -> None:
        self._ask = None
        self._buffer = b""
