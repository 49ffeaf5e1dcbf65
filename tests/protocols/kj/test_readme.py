"""The sample configuration in the README is one that works, and names every setting and counter."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from protocols.kj import Kj

TEXT = (Path(__file__).parents[3] / "protocols" / "kj" / "README.md").read_text()


def test_the_sample_is_valid_and_nothing_is_left_unnamed() -> None:
    (sample,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (connection,) = yaml.safe_load(sample).values()
    settings = Kj.Settings.model_validate(connection["settings"])
    named = [*Kj.Settings.model_fields, *Kj(settings).counters()]
    assert not [name for name in named if name not in TEXT]
