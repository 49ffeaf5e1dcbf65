"""The adapter's page names every setting with its default."""

from pathlib import Path

from protocols import modbus
from protocols.modbus import ModbusSettings


def test_every_setting_is_on_the_page() -> None:
    page = (Path(modbus.__file__).parent / "README.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    for name, field in ModbusSettings.model_fields.items():
        row = next(row for row in rows if f"`{name}`" in row)
        if not field.is_required():
            assert f"{field.default:g}" in row, f"{name}: the default on the page is not {field.default}"
