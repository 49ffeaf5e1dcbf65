"""`${NAME}` and `${NAME:-default}` in the strings of connections.yaml; `$${` is a plain `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from models.site.problems import Problems
from models.site.yamlfile import Document, Path

_VARIABLE = re.compile(r"\$(\$?)\{([^}]*)\}")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


class Filler:
    """Fills strings from an environment. `unset` has the paths of strings that stay unfilled because
    their variable is not set: a mistake when `required`, else a note. `filled` has, by path, what was
    written and what it became: a message shows the first, for the second may be a password."""

    def __init__(self, environment: Mapping[str, str], document: Document, problems: Problems, *, required: bool):
        self.environment = environment
        self.document = document
        self.problems = problems
        self.required = required
        self.unset: set[Path] = set()
        self.filled: dict[Path, tuple[str, str]] = {}

    def fill(self, value: Any, path: Path) -> Any:
        """The value, its strings at any depth filled."""
        if isinstance(value, str) and "${" in value:
            text = _VARIABLE.sub(lambda match: self._one(match, path), value)
            self.filled[path] = (value, text)
            return text
        if isinstance(value, dict):
            return {key: self.fill(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner, (*path, index)) for index, inner in enumerate(value)]
        return value

    def as_written(self, message: str, path: Path) -> str:
        """The message about a path, with what was written there in place of what it became."""
        written, text = self.filled.get(path, ("", ""))
        return message.replace(text, written) if text else message

    def _one(self, match: re.Match[str], path: Path) -> str:
        if match[1]:
            return match[0][1:]
        parts = _NAME.fullmatch(match[2])
        line = self.document.line(path)
        if parts is None:
            message = (
                f"'{match[0]}' 须写作 ${{NAME}} 或 ${{NAME:-default}} · "
                f"'{match[0]}' is not ${{NAME}} or ${{NAME:-default}}"
            )
            self.problems.add(self.document.file, line, message)
            return match[0]
        found = self.environment.get(parts[1]) or parts[2]
        if found is None:
            self.unset.add(path)
            if self.required:
                message = f"环境变量 {parts[1]} 没有设置 · the environment variable {parts[1]} is not set"
                self.problems.add(self.document.file, line, message)
            else:
                message = f"环境变量 {parts[1]} 在此没有设置 · the environment variable {parts[1]} is not set here"
                self.problems.note(self.document.file, line, message)
            return match[0]
        return found
