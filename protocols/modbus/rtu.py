"""Modbus RTU, on a serial line or inside TCP: unit, function and data, with a checksum behind them.

Nothing in a reply says to which request it belongs, and nothing where a frame begins. So a reply is
taken only if it is all that came since the request, whole frames of others aside, and fits the
request in unit, function, length and echo; the line adds the silence behind it.
"""

from __future__ import annotations

from protocols.modbus.framing import WAIT, Framing, Verdict
from protocols.modbus.pdu import Ask, mismatch
from protocols.modbus.place import Place

LONGEST = 256
_FAST_SILENCE_S = 0.00175
_TCP_SILENCE_S = 0.002
_BITS_A_BYTE = 11


def silence_s(place: Place) -> float:
    """The silence that ends a frame: 3.5 characters, and above 19,200 baud a fixed time (Modbus over serial
    line 1.02, 2.5.1.1). Inside TCP, as long as a converter may need to send the rest. 0 for Modbus TCP."""
    if place.transport == "tcp":
        return 0.0
    if place.transport == "serial":
        return max(3.5 * _BITS_A_BYTE / place.baud, _FAST_SILENCE_S)
    return _TCP_SILENCE_S


def line_s(place: Place, sent: int, received: int) -> float:
    """How long a request and its reply of so many bytes take on a serial line, with the silence behind each but
    without the unit's own time; 0 on a network."""
    if place.transport != "serial":
        return 0.0
    return (sent + received) * _BITS_A_BYTE / place.baud + 2 * silence_s(place)


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_TABLE = _table()


def checksum(data: bytes) -> bytes:
    """CRC-16 of Modbus, as it stands on the wire."""
    value, table = 0xFFFF, _TABLE
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


_BODY = {5: 4, 6: 4, 8: 4, 15: 4, 16: 4, 22: 6}
_COUNTED = frozenset({1, 2, 3, 4, 23})


def frame_length(data: bytes) -> int:
    """How long the reply at the beginning of `data` is, by its own function code; 0 when it is too short to
    say, -1 when it is of no kind that we know."""
    if len(data) < 2:
        return 0
    function = data[1]
    if function & 0x80:
        return 5
    if function in _COUNTED:
        return 5 + data[2] if len(data) > 2 else 0
    body = _BODY.get(function)
    return 4 + body if body else -1


class Rtu(Framing):
    """The framing of Modbus RTU."""

    numbered = False

    def __init__(self, *, local_echo: bool = False) -> None:
        self._local_echo = local_echo
        self._echo = b""
        self._ask: Ask | None = None
        self._buffer = b""
        self._fault = ""

    def start(self, ask: Ask) -> bytes:
        self.end()
        self._ask = ask
        data = bytes((ask.unit,)) + ask.pdu
        data += checksum(data)
        self._echo = data if self._local_echo else b""
        return data

    def feed(self, data: bytes) -> Verdict:
        if self._ask is None:
            # A frame that comes in several parts is counted once for each.
            return Verdict(strays=1)
        if self._fault:
            # What is spoilt stays so until it is quiet, however long that babbles.
            return Verdict(fault=self._fault)
        self._buffer += data
        verdict = self._judge(self._ask)
        self._fault = verdict.fault
        return verdict

    def _judge(self, ask: Ask) -> Verdict:
        strays = 0
        if self._echo:
            if len(self._buffer) < len(self._echo):
                return WAIT
            if not self._buffer.startswith(self._echo):
                return Verdict(
                    fault="请求没有先被送回，与 local_echo 所述不符 · "
                    "the request did not come back first, as local_echo says that it does"
                )
            self._buffer, self._echo = self._buffer[len(self._echo) :], b""
        while True:
            # No unit has these numbers; a line that changes hands often looks like them for a moment.
            self._buffer = self._buffer.lstrip(b"\x00\xff")
            length = frame_length(self._buffer)
            if length < 0:
                return Verdict(
                    None,
                    "收到的不是 Modbus RTU 报文：有干扰，或波特率、校验位不对？ · "
                    "what came is no frame of Modbus RTU: noise, or wrong baud or parity?",
                    strays,
                )
            if not length or len(self._buffer) < length:
                return Verdict(strays=strays) if strays else WAIT
            frame, rest = self._buffer[:length], self._buffer[length:]
            if checksum(frame[:-2]) != frame[-2:]:
                return Verdict(
                    None,
                    "校验码错误：有干扰、两个主站，或两台设备同一站号？ · "
                    "the checksum is wrong: noise, two masters, or two devices of one unit?",
                    strays,
                )
            unit, pdu = frame[0], frame[1:-2]
            if unit != ask.unit or pdu[0] & 0x7F != ask.pdu[0]:
                strays += 1
                self._buffer = rest
                continue
            fault = mismatch(ask, unit, pdu)
            if not fault and rest:
                fault = "收到的多于一个应答，均不可信 · more came than one reply, so neither is trusted"
            return Verdict(None if fault else pdu, fault, strays)

    def end(self) -> None:
        self._ask = None
        self._buffer, self._fault = b"", ""

    def reset(self) -> None:
        self.end()
