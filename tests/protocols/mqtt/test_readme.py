"""The sample configuration in the READMEs of mqtt, opcua and sparkplug is one that works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from protocols import registry
from protocols.adapter import Tag

READMES = [Path(__file__).parents[3] / "protocols" / name / "README.md" for name in ("mqtt", "opcua", "sparkplug")]


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_the_sample_configuration_is_valid_and_names_every_setting(path: Path) -> None:
    text = path.read_text()
    samples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert samples, f"{path} has no sample"
    for sample in samples:
        for connection in yaml.safe_load(sample).values():
            if "adapter" not in connection:
                registry.adapter(path.parent.name).check(Tag(0, "", **connection))
                continue
            kind = registry.adapter(connection["adapter"])
            kind.Settings.model_validate(connection["settings"])
            assert kind.sheet.name == path.parent.name
            unnamed = [name for name in kind.Settings.model_fields if name not in text]
            assert not unnamed, f"{path} does not name {unnamed}"
