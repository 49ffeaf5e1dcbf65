"""What is wrong with a site's files: collected, never raised one by one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_PROBLEMS = 1000
"""Problems kept; one wrong column of a long table would otherwise print for minutes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: `file` relative to the site, `where` a line ("12"), a cell ("C7") or ""."""

    file: str
    where: str
    message: str

    def __str__(self) -> str:
        return ":".join(part for part in (self.file, self.where) if part) + f": {self.message}"


class SiteErrors(ValueError):
    """A site that was refused. `problems` has all of its mistakes, in the order of files and lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        head = f"矿井配置有 {count} 处错误 · {count} problem{'' if count == 1 else 's'} in this site:\n"
        super().__init__(head + "\n".join(map(str, self.problems)))


class Problems:
    """Collects mistakes, and `notes`: what is worth knowing and no mistake. `count` goes on where
    the list stops."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self.notes: list[Problem] = []
        self.count = 0

    def add(self, file: str, where: str | int, message: str) -> None:
        self.count += 1
        if self.count <= MAX_PROBLEMS:
            self.found.append(Problem(file, str(where), message))
        elif self.count == MAX_PROBLEMS + 1:
            message = (
                f"错误超过 {MAX_PROBLEMS} 处：不再列出 · there are more than {MAX_PROBLEMS} problems: stopped listing"
            )
            self.found.append(Problem(file, str(where), message))

    def ordered(self) -> list[Problem]:
        """By file, in the order in which files were read, and by line; cells stay in their table's order."""
        files = {name: index for index, name in enumerate(dict.fromkeys(problem.file for problem in self.found))}
        return sorted(self.found, key=lambda p: (files[p.file], int(p.where) if p.where.isdigit() else 0))

    def note(self, file: str, where: str | int, message: str) -> None:
        if len(self.notes) < MAX_PROBLEMS:
            self.notes.append(Problem(file, str(where), message))


def nearest(word: str, known: Iterable[str]) -> str:
    """ "; did you mean 'x'?" or, where nothing is near and little is known, what there is; else ""."""
    return hints(word, known)[1]


def hinted(zh: str, en: str, word: str, known: Iterable[str]) -> str:
    """A message in both languages, each part with what is nearest to the word, as `nearest` has it."""
    hint_zh, hint_en = hints(word, known)
    return f"{zh}{hint_zh} · {en}{hint_en}"


def hints(word: str, known: Iterable[str]) -> tuple[str, str]:
    """As `nearest`, in Chinese and in English."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6) if len(names) <= 5000 else []
    if near:
        return f"；是否指 '{near[0]}'？", f"; did you mean '{near[0]}'?"
    if not names:
        return "；一个也没有", "; there is none"
    return (f"；现有 {'、'.join(names)}", f"; there is {', '.join(names)}") if len(names) <= 8 else ("", "")
