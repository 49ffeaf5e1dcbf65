"""A folder of a fault: its site, its steps and what they are expected to give."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from models.quality import Quality
from models.site.model import Site
from models.site.problems import SiteErrors
from sevenones.site_check import examine

HERE = Path(__file__).resolve().parent
CODE = "140581000000"
_SITE = f"""\
code: "{CODE}"
name: {{zh: 现场故障, en: Faults of the field}}
capacity_kt: 900
gas_class: high
time_zone: Asia/Shanghai
"""
_AREAS = "areas:\n  mine: {name: {zh: 全矿井, en: Whole mine}}\n"


@dataclass(frozen=True)
class Expected:
    """What one point is. `value` None: none; "any": whatever it is."""

    value: float | str | None
    text: str | None
    quality: int
    reason: str

    def fits(self, value: float, text: str | None, quality: int) -> bool:
        if quality != self.quality or text != self.text:
            return False
        if self.value == "any":
            return True
        wanted = math.nan if self.value is None else float(self.value)
        return math.isclose(value, wanted, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(value) and math.isnan(wanted))


def names() -> list[str]:
    """All folders of faults."""
    return sorted(path.parent.name for path in HERE.glob("*/expected.yaml"))


@dataclass(frozen=True)
class Step:
    """`points`: by path what each is from this step on; `lasts_s`: for how long all of it has to stay so."""

    name: str
    points: dict[str, Expected]
    lasts_s: float


def steps(fault: Path) -> list[Step]:
    """The steps in their order."""
    found: list[Step] = []
    known: dict[str, Expected] = {}
    for step in yaml.safe_load((fault / "expected.yaml").read_text(encoding="utf-8"))["steps"]:
        assert set(step) <= {"step", "lasts_s", "expect"}, step
        known = {**known, **{f"{CODE}/{key}": _expected(words) for key, words in step["expect"].items()}}
        found.append(Step(step["step"], known, step.get("lasts_s", 0.0)))
    return found


def _expected(words: Mapping[str, Any]) -> Expected:
    assert set(words) <= {"value", "text", "quality", "reason"}, words
    quality = Quality[words.get("quality", "good").upper()]
    return Expected(words.get("value"), words.get("text"), int(quality), words.get("reason", ""))


def site(fault: Path, root: Path, environment: Mapping[str, str]) -> Site:
    """The folder's site, written at `root` and loaded as `sevenones check` loads one."""
    (root / "equipment").mkdir(parents=True)
    (root / "site.yaml").write_text(_SITE, encoding="utf-8")
    (root / "areas.yaml").write_text(_AREAS, encoding="utf-8")
    shutil.copy(fault / "connections.yaml", root)
    shutil.copy(fault / "equipment.yaml", root / "equipment" / "all.yaml")
    if (fault / "templates").is_dir():
        shutil.copytree(fault / "templates", root / "templates")
    report = examine(root, environment=environment, require_environment=True)
    if report.site is None:
        raise SiteErrors(report.problems)
    return report.site
