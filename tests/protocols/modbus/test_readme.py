"""The adapter's page names every setting and quirk with its default, and its example is a right one."""

from pathlib import Path

import yaml
from pydantic_core import PydanticUndefined

from protocols import modbus
from protocols.modbus import ModbusSettings, Quirks

PAGE = (Path(modbus.__file__).parent / "README.md").read_text(encoding="utf-8")


def _shown(default: object) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_every_setting_is_on_the_page() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    for fields in (ModbusSettings.model_fields, Quirks.model_fields):
        for name, field in fields.items():
            row = next(row for row in rows if f"`{name}`" in row.split("|")[1])
            if field.default not in ("", PydanticUndefined):
                assert _shown(field.default) in row, f"{name}: the default on the page is not {field.default}"


def test_every_counter_on_the_page_has_its_name() -> None:
    listed = PAGE.rpartition("Counters:")[2]
    code = "".join(path.read_text(encoding="utf-8") for path in Path(modbus.__file__).parent.glob("*.py"))
    counted = {part.split('"')[0] for part in code.split('counts["')[1:]}
    assert counted and all(f"`{name}`" in listed for name in counted)


def test_the_example_is_a_right_one() -> None:
    example = yaml.safe_load(PAGE.split("```yaml")[1].split("```")[0])
    settings = ModbusSettings.model_validate(example["belt_meters"]["settings"])
    assert settings.transport == "serial" and settings.quirks.pause_s == 0.02
