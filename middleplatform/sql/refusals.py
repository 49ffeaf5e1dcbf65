"""A statement that is not run."""

from __future__ import annotations


class SqlRefused(Exception):
    """The statement is not run. `code` for programs, what is wrong and what to do in Chinese and English; `hint` is
    the piece of the statement that is meant, or ""."""

    def __init__(self, code: str, zh: str, en: str, hint: str = "") -> None:
        super().__init__(en)
        self.code, self.zh, self.en, self.hint = code, zh, en, hint
