"""`sevenones audit`: lists, tells the bus, and finds out, with an exit code for scripts."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import text
from typer.testing import CliRunner, Result

from middleplatform.audit.log import tell
from middleplatform.database import connect
from sevenones.commands.audit import app
from tests.servers import mine_bus


async def audit(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, app, list(words))


async def test_it_lists_anchors_and_verifies_by_exit_code(tmp_path: Path) -> None:
    at = ("--home", str(tmp_path))
    async with mine_bus(tmp_path) as running:
        bus = (*at, "--bus", running.url)
        tell(tmp_path, "test.act", "[red]hidden[/red]", who="olga")
        shown = await audit("list", *at)
        assert "[red]hidden[/red]" in shown.output
        assert (await audit("anchor", *bus)).exit_code == 0
        whole = await audit("verify", *bus)
        assert whole.exit_code == 0, whole.output
        assert "1 个锚 · anchors" in whole.output
        with connect(tmp_path).begin() as connection:
            connection.execute(text("DROP TRIGGER audit_no_delete"))
            connection.execute(text("DELETE FROM audit"))
            connection.execute(text("UPDATE audit_head SET number = 0, digest = :none"), {"none": "0" * 64})
        broken = await audit("verify", *bus)
        assert broken.exit_code == 1
        assert "the end was cut off" in broken.output
        assert (await audit("verify", "--without-bus", *at)).exit_code == 0
    (tmp_path / "bus" / "credentials" / "auditor.json").unlink()
    assert (await audit("verify", *bus)).exit_code == 3
