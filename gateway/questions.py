"""The gateway's door for an engineer's questions about devices, on its question subject.

`{"ask": "connect" | "probe" | "browse" | "read" | "learn", "device": …}`. The device is a URL, the name of
one of the gateway's own connections, or `{"adapter": …, "settings": {…}}` as in connections.yaml. One
question at a time, each within a bounded time; nothing is written to any device. What a question
holds may be secret: it goes into no log. `diagnose` asks no device (`gateway.diagnose`) and waits for none.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import structlog

from gateway.connection import DeviceConnection
from gateway.diagnose import Diagnose
from gateway.onboard import QUESTIONS, Asked, AskError
from gateway.onboarding.target import Target, TargetError, is_url, of_connection, of_url
from models.command import CommandError, parse, text
from models.site.model import Name
from models.words import halves
from protocols.adapter import AdapterError, Supports

log = structlog.get_logger(__name__)

LONGEST_S = 25.0
"""The bus lets an answer through 30 s after its question."""
MOST_ANSWER = 1 << 20

BUSY = Name("另一个问题正在处理，请稍候", "another question is being answered: try again in a moment")


class Questions:
    """Answers what comes on the question subject. Never raises for what the bytes are."""

    def __init__(
        self,
        connections: Iterable[DeviceConnection],
        longest_s: float = LONGEST_S,
        diagnose: Diagnose | None = None,
    ) -> None:
        self._diagnose = diagnose
        self.counts: Counter[str] = Counter()
        self._connections = connections
        self._longest_s = longest_s
        self._busy = False

    async def answer(self, subject: str, data: bytes) -> bytes:
        """The answer to one question."""
        if (told := self._told(data)) is not None:
            return told
        if self._busy:
            self.counts["busy_total"] += 1
            return _refusal(BUSY)
        self._busy = True
        try:
            async with asyncio.timeout(self._longest_s):
                answer = orjson.dumps(await self._answered(data))
        except TimeoutError:
            words = f"no end within {self._longest_s:g} s: ask for less"
            answer = _refusal(Name(f"{self._longest_s:g} 秒内没有结果，请缩小范围", words))
        except (AskError, CommandError, TargetError, ValueError, AdapterError, NotImplementedError) as error:
            answer = _refusal(error.reason if isinstance(error, AskError) else halves(error))
        except Exception as error:  # an adapter's fault: its words may hold what was asked
            log.error("question_failed", kind=type(error).__name__)
            answer = _refusal(Name("适配器出错", f"the adapter failed: {type(error).__name__}"))
        finally:
            self._busy = False
        if len(answer) > MOST_ANSWER:
            return _refusal(Name("结果过大，请缩小范围", "the answer is too large: ask for less"))
        self.counts["answered_total"] += 1
        return answer

    def _told(self, data: bytes) -> bytes | None:
        """What this gateway knows by itself; None for a question about a device."""
        if self._diagnose is None:
            return None
        try:
            found = parse(data)
            if found.get("ask") != "diagnose":
                return None
            self.counts["diagnosed_total"] += 1
            return orjson.dumps(self._diagnose.answer(found))
        except CommandError as error:
            return _refusal(Name(str(error), str(error)))
        except Exception as error:
            log.error("question_failed", kind=type(error).__name__)
            return _refusal(Name("网关出错", f"the gateway failed: {type(error).__name__}"))

    async def _answered(self, data: bytes) -> dict[str, Any]:
        found = parse(data)
        name = text(found, "ask", 20)
        question = QUESTIONS.get(name)
        if question is None:
            raise CommandError(f"there is no question '{name}': {', '.join(QUESTIONS)}")
        log.info("question", ask=name)
        return await question(self._asked(found.get("device"), found), found)

    def _asked(self, device: Any, found: Mapping[str, Any]) -> Asked:
        if isinstance(device, str) and is_url(device):
            target = of_url(device, str(found.get("password", "")))
        elif isinstance(device, str):
            running = next((one for one in self._connections if one.spec.name == device), None)
            if running is None:
                raise CommandError(f"this gateway has no connection '{device[:40]}'")
            adapter = running.adapter
            # A device may take one connection only: what can be asked beside the polls is.
            shared = adapter is not None and Supports.READ in adapter.sheet.supports
            return Asked(of_connection(running.spec), adapter if shared else None, running)
        elif isinstance(device, dict) and isinstance(device.get("settings", {}), dict):
            target = Target("device", text(device, "adapter", 40), device.get("settings", {}))
        else:
            raise CommandError("'device' is a URL, a connection's name, or an adapter with its settings")
        self._check_line(target)
        return Asked(target)

    def _check_line(self, target: Target) -> None:
        """A serial line has one master: this gateway's own connection, where there is one."""
        line = target.settings.get("port")
        if not isinstance(line, str) or not line.startswith("/"):
            return
        taken = next((one for one in self._connections if one.spec.settings.get("port") == line), None)
        if taken is not None:
            raise AskError(
                f"串口 {line} 正由连接 {taken.spec.name} 使用，请用该连接名提问",
                f"the line {line} is in use by the connection '{taken.spec.name}': ask by that name",
            )


def _refusal(words: Name) -> bytes:
    return orjson.dumps({"error": {"zh": words.zh, "en": words.en}})
