"""Where a home has an authority, the API speaks HTTPS alone."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from bus import certificates, credentials
from middleplatform.access import users
from middleplatform.api.process import run
from tests.middleplatform.api.build import CODE, site
from tests.ports import free_port
from tests.servers import mine_bus

PASSWORD = "right horse"


async def test_the_api_is_reached_by_https_with_the_sites_authority_and_no_other_way(tmp_path: Path) -> None:
    credentials.make_all(tmp_path, CODE, ("edge1",))
    certificates.init(tmp_path)
    users.create_user(tmp_path, "olga", PASSWORD, "administrator")
    trusted = ssl.create_default_context(cafile=certificates.folder(tmp_path) / "ca.pem")
    async with mine_bus(tmp_path, CODE) as running:
        port, stop = free_port(), asyncio.Event()
        proof = credentials.load(tmp_path, "api")
        api = asyncio.create_task(run(site(), tmp_path, running.url, proof, "127.0.0.1", port, stop))
        try:
            async with httpx.AsyncClient(base_url=f"https://127.0.0.1:{port}", verify=trusted, timeout=15) as client:
                for _ in range(300):
                    with suppress(httpx.TransportError):
                        if (await client.get("/api/v1/health")).json()["bus"]:
                            break
                    await asyncio.sleep(0.1)
                given = {"user": "olga", "password": PASSWORD, "cookie": True}
                answer = await client.post("/api/v1/sign-in", json=given)
                assert answer.status_code == 200
                assert "Secure" in answer.headers["set-cookie"], "the session does not go over the wire in clear"
                assert (await client.get("/api/v1/me")).json()["user"] == "olga"
            async with connect(f"wss://127.0.0.1:{port}/api/v1/stream", ssl=trusted) as socket:
                await socket.send('{"token": "none"}')
                assert "error" in await socket.recv()
            async with httpx.AsyncClient(timeout=15) as stranger:
                with pytest.raises(httpx.TransportError):
                    await stranger.get(f"https://127.0.0.1:{port}/api/v1/health")
                with pytest.raises(httpx.TransportError):
                    await stranger.get(f"http://127.0.0.1:{port}/api/v1/health")
        finally:
            stop.set()
            await asyncio.wait_for(api, 30)
