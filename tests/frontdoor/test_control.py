"""`sevenones control`: from the authority to a signed command that a gateway process carries out, and a tag."""

from __future__ import annotations

import json

import pytest

from tests.gateway.folders import CODE, Command, Drive, ask, sevenones, until, write_site
from tests.servers import mine_bus

pytestmark = pytest.mark.timeout(120)
SETPOINT = f"{CODE}/belt/setpoint"


async def test_a_person_commands_tags_and_is_withdrawn(tmp_path):
    drive = Drive()
    await drive.device.start()
    home, people = ("--home", str(tmp_path)), tmp_path / "people"
    async with mine_bus(tmp_path, CODE) as server:
        folder = write_site(tmp_path / "mine", {"belt": drive.device.port})
        gateway = Command("gateway", "--site", str(folder), *home, "--bus", server.url, "--write-every", "0.1")
        await gateway.start()
        try:
            await until(lambda: ask(tmp_path, "/state")["connections"]["belt"]["groups"]["fast"]["answered"] > 2)
            assert ask(tmp_path, "/state")["control"]["signed_only"] is False
            where = (*home, "--bus", server.url)
            code, said = await sevenones("write", SETPOINT, "1", "--yes", "--gateway", "edge1", *where)
            assert code == 0 and "without a signature" in said
            assert (await sevenones("control", "authority", CODE, *home))[0] == 0
            for name, role in (("王工", "operator"), ("李工", "maintainer")):
                words = ("control", "issue", name, "--role", role, "--to", str(people / name), *home)
                code, said = await sevenones(*words)
                assert code == 0 and role in said, said
            code, said = await sevenones("write", SETPOINT, "2", "--yes", "--gateway", "edge1", *where)
            assert code == 1 and "signed commands alone" in said and drive.register(0) == 100
            wang, li = (("--person", str(people / name)) for name in ("王工", "李工"))
            code, said = await sevenones(
                "control", "run", SETPOINT, "3.25", "--gateway", "edge1", *where, *wang, stdin="y\n"
            )
            assert code == 0 and "已执行 · done 3.25 m/s" in said and drive.register(0) == 325, said
            code, said = await sevenones("control", "tag", "belt", "换托辊", *where, *li)
            assert code == 0 and "give --site" in said, said
            (tag,) = ask(tmp_path, "/state")["control"]["tags"]
            await gateway.end()
            await gateway.start()
            await until(lambda: ask(tmp_path, "/state")["control"]["tags"] == [tag])
            await until(lambda: ask(tmp_path, "/state")["connections"]["belt"]["groups"]["fast"]["answered"] > 2)
            code, said = await sevenones("control", "run", SETPOINT, "1", "--yes", "--gateway", "edge1", *where, *wang)
            assert code == 1 and "✗ tag" in said and "belt is tagged by 李工 (换托辊)" in said, said
            code, said = await sevenones("control", "tags", CODE, *where)
            assert code == 0 and tag["id"] in said, said
            far = write_site(tmp_path / "far", {"belt": drive.device.port})
            for file, old, new in (
                ("connections.yaml", "connections:", "connections:\n  far: {gateway: edge2, adapter: modbus, settings: "
                 "{host: 127.0.0.1, port: 1}, groups: {fast: {period: 1 s}}}"),
                ("equipment/drives.yaml", "speed: {", "speed: {connection: far, "),
            ):  # fmt: skip
                (far / file).write_text((far / file).read_text().replace(old, new))
            code, said = await sevenones("control", "tag", "belt", "换滚筒", *where, *li, "--site", str(far))
            assert code == 3 and "gateway edge2 does not answer: NOT tag there" in said, said
            other = next(each for each in ask(tmp_path, "/state")["control"]["tags"] if each["id"] != tag["id"])
            code, said = await sevenones("control", "untag", "belt", other["id"], *where, *li)
            assert code == 0, said
            code, said = await sevenones("control", "untag", "belt", tag["id"], *where, *li, "--site", str(folder))
            assert code == 0 and "give --site" not in said and ask(tmp_path, "/state")["control"]["tags"] == []
            code, said = await sevenones("control", "revoke", "王工", *home)
            assert code == 0, said
            code, said = await sevenones("control", "run", SETPOINT, "1", "--yes", "--gateway", "edge1", *where, *wang)
            assert code == 1 and "withdrawn" in said and drive.register(0) == 325
            secret = [(people / name / "person.key").read_text().splitlines()[1] for name in ("王工", "李工")]
            assert not any(each in json.dumps(ask(tmp_path, "/state")) for each in secret)
        finally:
            await gateway.end()
            await drive.device.close()
