"""`sevenones site …` and a real gateway that follows what it publishes."""

from __future__ import annotations

import signal

import pytest

from bus import sites
from models.site import load
from tests.gateway.folders import CODE, Command, Drive, ask, sevenones, until, write_site
from tests.servers import mine_bus

pytestmark = pytest.mark.timeout(120)


async def test_versions_are_published_followed_refused_and_rolled_back(tmp_path):
    one, two = Drive(), Drive()
    await one.device.start()
    await two.device.start()
    gateway = None
    try:
        async with mine_bus(tmp_path, CODE) as server:
            where = ("--home", str(tmp_path), "--bus", server.url)
            gateway = Command("gateway", "--from-bus", CODE, "--name", "edge1", *where)
            await gateway.start()
            state = await until(lambda: ask(tmp_path, "/state"))
            assert state["site"] == {"number": None, "digest": None, "refused": None}

            code, said = await sevenones("site", "versions", *where)
            assert code == 0 and "no version has been published yet" in said
            folder = write_site(tmp_path / "site", {"one": one.device.port})
            code, said = await sevenones("site", "publish", str(folder), "--who", "王工", "--yes", *where)
            assert code == 0 and "连接新增 · connections added: 1" in said and "version 1 is published" in said, said
            await until(lambda: ask(tmp_path, "/state")["connections"]["one"]["groups"]["fast"]["answered"] > 2)

            write_site(folder, {"one": one.device.port, "two": two.device.port}, remark="two more")
            code, said = await sevenones("site", "publish", str(folder), *where, stdin="n\n")
            assert code == 1 and "nothing was published" in said
            code, said = await sevenones("site", "publish", str(folder), "--note", "第二台", *where, stdin="y\n")
            assert code == 0 and "+ two" in said and "points added: 3" in said and "~" not in said, said
            await until(lambda: ask(tmp_path, "/state")["connections"]["two"]["groups"]["fast"]["answered"] > 2)
            assert one.connects == 1, "the untouched device kept its connection"
            code, said = await sevenones("site", "publish", str(folder), "--yes", *where)
            assert code == 0 and "nothing to publish" in said

            # What the engineer's own check finds is not published; what only the gateway can find it refuses.
            broken = write_site(tmp_path / "broken", {"one": one.device.port})
            (broken / "areas.yaml").write_text("areas: {}\n")
            code, said = await sevenones("site", "publish", str(broken), "--yes", *where)
            assert code == 1 and "drives.yaml" in said and "has mistakes" in said
            async with await server.connect("engineer") as engineer:
                await sites.publish(engineer, CODE, sites.pack(broken), "x")
            state = await until(lambda: (found := ask(tmp_path, "/state"))["site"]["refused"] and found)
            assert state["site"]["number"] == 2 and state["site"]["refused"]["number"] == 3
            assert set(state["connections"]) == {"one", "two"}
            code, said = await sevenones("site", "versions", *where)
            assert code == 0 and "第二台" in said and "refused version 3" in said, said

            code, said = await sevenones("site", "rollback", "1", "--yes", *where)
            assert code == 0 and "version 4 is published" in said, said
            await until(lambda: set(ask(tmp_path, "/state")["connections"]) == {"one"})
            assert one.connects == 1 and not two.device.links
            code, said = await sevenones("site", "diff", "1", "2", *where)
            assert code == 0 and "+ two" in said and "equipment added: 1" in said, said
            code, said = await sevenones("site", "show", "4", "--to", str(tmp_path / "back"), *where)
            assert code == 0 and sites.pack(tmp_path / "back") == (
                sites.pack(write_site(tmp_path / "again", {"one": one.device.port}))
            )
            code, said = await sevenones("site", "follow", str(tmp_path / "store"), "--once", *where)
            assert code == 0 and load(tmp_path / "store" / "live").connections.keys() == {"one"}, said
            code, said = await sevenones("site", "show", "4", "--to", str(tmp_path / "back"), *where)
            assert code == 1 and "is there already: name a new folder" in said, said

            other = write_site(tmp_path / "other", {"one": one.device.port})
            (other / "site.yaml").write_text((other / "site.yaml").read_text().replace(CODE, "140581000001"))
            code, said = await sevenones("site", "publish", str(other), "--yes", *where)
            assert code == 1 and f"the mine 140581000001, and this bus has {CODE}" in said, said
            proof = str(next(tmp_path.rglob("operator.json")))
            code, said = await sevenones("site", "publish", str(folder), "--yes", *where, "--credential", proof)
            assert code == 1 and "needs the credential 'engineer'" in said, said
            await gateway.end(signal.SIGKILL)
        # The bus is gone: the gateway starts from what it accepted last.
        (tmp_path / "metrics" / "gateway-edge1.json").unlink()
        await gateway.start()
        state = await until(lambda: (found := ask(tmp_path, "/state"))["connections"] and found)
        assert state["site"]["number"] == 4 and set(state["connections"]) == {"one"}
        await until(lambda: ask(tmp_path, "/state")["connections"]["one"]["groups"]["fast"]["answered"] > 2)
        assert one.connects == 2
    finally:
        if gateway is not None:
            await gateway.end()
        await one.device.close()
        await two.device.close()


async def test_what_a_gateway_needs_to_be_told_is_said():
    code, said = await sevenones("gateway", "--from-bus", CODE)
    assert code == 1 and "--name" in said
    code, said = await sevenones("gateway")
    assert code == 1 and "--from-bus" in said
