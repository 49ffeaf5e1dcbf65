"""The log of a process that must go on when nothing takes its log any more, as on a full disk."""

from __future__ import annotations

import contextlib
from typing import Any

import structlog


class _Spoken(structlog.PrintLogger):
    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


def never_in_the_way() -> None:
    """From now on a line that cannot be written is left out, rather than ending what wanted to tell it."""

    def spoken(*_: Any) -> _Spoken:
        return _Spoken()

    structlog.configure(logger_factory=spoken)
