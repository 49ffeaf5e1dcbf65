"""What plays a recording: a Modbus device on bare asyncio, and an MQTT device at a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Protocol

from tests.ports import free_port

ALWAYS = ""
"""The step of what stands above the first `== name`."""
CLOSE = b""
AGAIN = b"again"
_WORDS = {"close": CLOSE, "again": AGAIN}
_READS = {1: 1, 2: 1, 3: 16, 4: 16}
"""Function → bits that each of its numbers stands for."""


class Player(Protocol):
    environment: dict[str, str]
    """What the folder's connections find it by."""
    mistakes: list[str]
    """What the recording lacked."""

    async def start(self) -> None: ...
    async def enter(self, step: str) -> None: ...
    async def stop(self) -> None: ...


def lines(path: Path) -> list[tuple[str, str]]:
    """Each line that says something, with its step."""
    step, found = ALWAYS, []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            step = line[3:].strip()
        elif line.strip() and not line.startswith("#"):
            found.append((step, line.strip()))
    return found


class ModbusPlayer:
    """Answers as recorded. Requests are known by what follows the transaction number."""

    def __init__(self, path: Path) -> None:
        self.port = free_port()
        self.environment = {path.stem.replace("frames", "PORT").upper(): str(self.port)}
        self.mistakes: list[str] = []
        self._file = path.name
        self._recorded: dict[str, dict[bytes, list[tuple[int, bytes]]]] = defaultdict(dict)
        self._played: dict[bytes, int] = {}
        self._step = ALWAYS
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        request = b""
        for step, line in lines(path):
            sign, _, rest = line.partition(" ")
            frame = _WORDS[rest] if rest in _WORDS else bytes.fromhex(rest)
            if sign == ">":
                request = frame
                self._recorded[step].setdefault(request[2:], [])
            else:
                assert sign == "<" and request, f"{path.name}: '{line}' is neither a request nor a reply to one"
                late = int.from_bytes(frame[:2], "big") - int.from_bytes(request[:2], "big") if frame else 0
                self._recorded[step][request[2:]].append((late, frame))

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def enter(self, step: str) -> None:
        self._step = step
        self._played.clear()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await reader.readexactly(6)
                body = await reader.readexactly(int.from_bytes(head[4:], "big"))
                answer = self._answer(head + body)
                if answer == CLOSE:
                    break
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()
        self._writers.discard(writer)
        writer.close()

    def _answer(self, request: bytes) -> bytes | None:
        """The reply to send, CLOSE, or None for silence."""
        key, number = request[2:], int.from_bytes(request[:2], "big")
        for step in (self._step, ALWAYS):
            replies = self._recorded[step].get(key)
            if replies is not None:
                if not replies:
                    return None
                turn = self._played.get(key, 0)
                self._played[key] = turn + 1
                late, frame = _turn(replies, turn)
                return frame if frame == CLOSE else ((number + late) % 65536).to_bytes(2, "big") + frame[2:]
        body = self._composed(key)
        if body is None:
            step = self._step or "the beginning"
            self.mistakes.append(f"{self._file}, {step}: nothing recorded answers {request.hex(' ')}")
            return CLOSE
        return request[:2] + b"\0\0" + len(body).to_bytes(2, "big") + body

    def _composed(self, key: bytes) -> bytes | None:
        """The reply's unit, function and data out of what other requests got; None when they do not hold it."""
        unit, function = key[4], key[5]
        if function not in _READS:
            return None
        start, count = int.from_bytes(key[6:8], "big"), int.from_bytes(key[8:10], "big")
        held: dict[int, int] = {}
        refused: dict[int, int] = {}
        for step in (ALWAYS, self._step):
            for recorded, replies in self._recorded[step].items():
                if recorded[4] != unit or recorded[5] != function or not replies or replies[0][1] == CLOSE:
                    continue
                first, many = int.from_bytes(recorded[6:8], "big"), int.from_bytes(recorded[8:10], "big")
                reply = _turn(replies, 0)[1]
                if reply[7] & 0x80:
                    refused.update(dict.fromkeys(range(first, first + many), reply[8]))
                else:
                    held.update(zip(range(first, first + many), _numbers(reply[9:], _READS[function]), strict=False))
        wanted = range(start, start + count)
        for address in wanted:
            if address not in held and address in refused:
                return bytes([unit, function | 0x80, refused[address]])
        if any(address not in held for address in wanted):
            return None
        data = _packed([held[address] for address in wanted], _READS[function])
        return bytes([unit, function, len(data)]) + data


def _turn(replies: list[tuple[int, bytes]], turn: int) -> tuple[int, bytes]:
    """The reply to play the `turn`th time: one after the other, and then the last, or all of them again."""
    if replies[-1][1] == AGAIN:
        return replies[turn % (len(replies) - 1)]
    return replies[min(turn, len(replies) - 1)]


def _numbers(data: bytes, bits: int) -> list[int]:
    if bits == 16:
        return [int.from_bytes(data[n : n + 2], "big") for n in range(0, len(data), 2)]
    return [byte >> n & 1 for byte in data for n in range(8)]


def _packed(numbers: list[int], bits: int) -> bytes:
    if bits == 16:
        return b"".join(number.to_bytes(2, "big") for number in numbers)
    whole = sum(number << n for n, number in enumerate(numbers))
    return whole.to_bytes((len(numbers) + 7) // 8, "little")


class MqttPlayer:
    """Publishes a step's messages to a real broker, again and again as a transmitter does."""

    def __init__(self, path: Path, folder: Path) -> None:
        from tests.protocols.mqtt.broker import PASSWORD, USER, Broker

        self._broker = Broker(folder / "broker")
        self.environment = {"PORT": str(self._broker.port), "USER": USER, "PASSWORD": PASSWORD}
        self.mistakes: list[str] = []
        self._messages = lines(path)
        self._sending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        from tests.protocols.mqtt.broker import Publisher

        await asyncio.to_thread(self._broker.start)
        self._publisher = Publisher(self._broker.port)

    async def enter(self, step: str) -> None:
        await self._hush()
        self._sending = asyncio.create_task(self._send([line for when, line in self._messages if when == step]))

    async def _send(self, messages: list[str]) -> None:
        while True:
            for line in messages:
                topic, _, payload = line.partition(" ")
                raw = bytes.fromhex(payload[2:]) if re.fullmatch(r"0x[0-9a-fA-F ]*", payload) else payload.encode()
                await self._publisher.publish(topic, raw)
            await asyncio.sleep(0.3)

    async def _hush(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def stop(self) -> None:
        await self._hush()
        self._publisher.close()
        await asyncio.to_thread(self._broker.stop)


class FilesPlayer:
    """Lets a step's files appear in the watched folder, each whole at once."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._from, self._inbox = path, folder / "inbox"
        self.environment = {"FOLDER": str(self._inbox)}
        self.mistakes: list[str] = []

    async def start(self) -> None:
        self._inbox.mkdir()

    async def enter(self, step: str) -> None:
        for file in sorted((self._from / step).iterdir()):
            half = self._inbox / f".{file.name}.part"
            shutil.copyfile(file, half)
            half.rename(self._inbox / file.name)

    async def stop(self) -> None:
        return


def players(fault: Path, folder: Path) -> list[Player]:
    """One for each recording of the fault."""
    found: list[Player] = [ModbusPlayer(path) for path in sorted(fault.glob("frames*.txt"))]
    if (fault / "messages.txt").exists():
        found.append(MqttPlayer(fault / "messages.txt", folder))
    if (fault / "files").is_dir():
        found.append(FilesPlayer(fault / "files", folder))
    return found
