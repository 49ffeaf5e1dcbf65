"""`middleplatform.workshop.tools.Tools` of this machine: its installed protocols, the folder that the API runs from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

from middleplatform.workshop.tools import Draft, Facts, WorkshopRefused
from models.site.files import Folder
from models.site.library import Library
from models.site.model import Site
from models.site.problems import Problem, Problems
from models.thing import Template
from models.words import halves
from sevenones import site_change
from sevenones.site_check import examine
from sevenones.workshop import bench
from sevenones.workshop.review import as_facts, digest, reviewed

_WORKSHOP = "workshop: "
_OF_EQUIPMENT = re.compile(re.escape(_WORKSHOP) + r"(\S+) \(")

MOST_PROBLEMS = 50
_BY = re.compile(r"workshop: (\S+) \((.*)\)")
"""What `commit` gives as the reason of a change: the equipment, and who."""


class Workshop:
    """Of one site's folder. Called by one thread at a time."""

    def __init__(self, site: Path, home: Path) -> None:
        self._folder = site.resolve()
        self._home = home.resolve()
        self._known: tuple[object, Site | None, Sequence[Problem]] = (None, None, ())

    def protocols(self) -> list[Facts]:
        return _forms()

    def folder(self) -> Facts:
        site, problems = self._site()
        return {
            "path": str(self._folder),
            "writable": self._writable(),
            "publish": f"sevenones site publish {self._folder} --home {self._home}",
            "problems": [str(one) for one in problems[:MOST_PROBLEMS]],
            "undo": _latest(self._folder),
            "digest": None if site is None else site.version,
            "areas": [_named(one.id, one.name) for one in site.areas.values()] if site is not None else [],
            "equipment": [
                {**_named(one.id, one.name), "template": one.template, "area": one.area}
                for one in (site.equipment.values() if site is not None else ())
            ],
            "connections": [
                {
                    "name": one.name,
                    "gateway": one.gateway,
                    "adapter": one.adapter,
                    "groups": {group.name: group.period_s for group in one.groups.values()},
                }
                for one in (site.connections.values() if site is not None else ())
            ],
            "templates": self._templates(),
        }

    def review(self, draft: Draft) -> Facts:
        return as_facts(self._folder, reviewed(self._folder, draft, _secrets))

    def commit(self, draft: Draft, seen: str, who: str) -> Facts:
        if not self._writable():
            raise WorkshopRefused(
                "not_writable",
                f"平台进程不能写 {self._folder}：请在有权限的机器上运行 sevenones import",
                f"the platform's process may not write {self._folder}: run sevenones import where it may be",
            )
        found = reviewed(self._folder, draft, _secrets)
        if found.problems or not found.files:
            raise WorkshopRefused(
                "has_mistakes", "有错误或没有改动，未写入", "it has mistakes or changes nothing: not written"
            )
        if digest(self._folder, found) != seen:
            raise WorkshopRefused(
                "changed_since",
                "预览之后目录或草稿有变化，未写入：请重新预览",
                "the folder or the draft changed since the review: nothing was written, review it again",
            )
        why = f"{_WORKSHOP}{draft.equipment} ({who})"
        try:
            kept = site_change.apply(self._folder, found.files, datetime.now().astimezone(), why)
        except site_change.ChangeError as error:
            raise _refused(error) from None
        return {
            "written": list(found.files),
            "kept": str(kept),
            "variables": found.variables,
            "publish": f"sevenones site publish {self._folder} --home {self._home}",
        }

    def undo(self) -> Facts:
        try:
            why, files = site_change.undo(self._folder)
        except site_change.ChangeError as error:
            raise _refused(error) from None
        of = _OF_EQUIPMENT.match(why)
        return {"undone": why, "files": files, "equipment": of[1] if of else None}

    def rules(self) -> list[Facts]:
        return bench.rules(self._whole())

    def trial(self, rules: list[str], rows: list[Facts], until_s: float) -> Facts:
        return bench.trial(self._whole(), rules, rows, until_s)

    def _whole(self) -> Site:
        site, problems = self._site()
        if site is None:
            zh, en = _each_language(problems[0]) if problems else ("", "")
            raise WorkshopRefused(
                "folder_has_mistakes", f"配置目录有错误：{zh}", f"the site's folder has mistakes: {en}"
            )
        return site

    def _site(self) -> tuple[Site | None, Sequence[Problem]]:
        """The folder as it is now; read anew when a file of it changed."""
        key = tuple(
            (path.name, facts.st_mtime_ns, facts.st_size)
            for path in sorted(self._folder.rglob("*"))
            if path.is_file() and "/." not in path.as_posix().removeprefix(self._folder.as_posix())
            for facts in (path.stat(),)
        )
        if self._known[0] != key:
            report = examine(self._folder)
            self._known = (key, report.site, report.problems)
        return self._known[1], self._known[2]

    def _writable(self) -> bool:
        return all(os.access(self._folder / name, os.W_OK) for name in (".", "connections.yaml"))

    def _templates(self) -> list[Facts]:
        problems = Problems()
        library = Library(Folder(self._folder, problems), problems)
        return [_template(found) for name in library.ids() if (found := library.get(name)) is not None]


def _template(found: Template) -> Facts:
    return {
        "id": found.id,
        "name": {"zh": found.name.zh, "en": found.name.en},
        "points": [
            {
                "key": key,
                "name": {"zh": point.name.zh, "en": point.name.en},
                "role": point.role,
                "kind": str(point.kind),
                "unit": point.unit,
            }
            for key, point in found.points.items()
        ],
    }


def _named(name: str, words: object) -> Facts:
    return {"id": name, "name": {"zh": words.zh, "en": words.en}}  # type: ignore[attr-defined]


def _latest(folder: Path) -> Facts | None:
    """The change that `undo` would take back."""
    for path in sorted((folder / site_change.CHANGES).glob(f"*/{site_change.RECORD}"), reverse=True):
        try:
            record = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if not record.get("undone"):
            why = str(record.get("why"))
            by = _BY.fullmatch(why)
            return {
                "why": why,
                "equipment": by[1] if by else "",
                "who": by[2] if by else "",
                "at": record.get("at"),
                "files": list(record.get("files", {})),
            }
    return None


def _each_language(problem: Problem) -> list[str]:
    """The problem in Chinese and in English, each with its place."""
    return [str(replace(problem, message=words)) for words in halves(problem.message).words().values()]


def _refused(error: site_change.ChangeError) -> WorkshopRefused:
    said = halves(error)
    return WorkshopRefused("not_written", said.zh, said.en)


@cache
def _forms() -> list[Facts]:
    from protocols.forms import forms

    return forms()


def _secrets(adapter: str) -> frozenset[str]:
    """The settings of a protocol that are secret. Of one that is not installed nothing is known, and it is refused."""
    return frozenset(
        field["name"] for form in _forms() if form["name"] == adapter for field in form["fields"]
        if field["kind"] == "secret"
    )  # fmt: skip
