"""After a run with every act that has to do with secrets, none is in logs, in answers, or in files but its own."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bus import certificates, credentials
from middleplatform.access import tokens, users
from middleplatform.api.process import run
from tests.middleplatform.api.build import CODE, site
from tests.ports import free_port
from tests.servers import mine_bus

PASSWORD, NEW, WRONG, TRIED = "right-horse-7341", "other-horse-9122", "wrong-horse-5518", "tried-horse-6637"
ALIEN = "so_" + "Zq9" * 14 + "x"


def own_files(home: Path) -> dict[str, set[str]]:
    """Each secret of the home with the files that may hold it."""
    found: dict[str, set[str]] = {}
    for path in credentials.folder(home).glob("*.json"):
        facts, name = json.loads(path.read_text()), str(path.relative_to(home))
        for secret in (facts.get("seed"), facts.get("password"), facts.get("tls", {}).get("key")):
            if secret:
                found[secret.strip()] = {name}
    for path in certificates.folder(home).glob("*.key"):
        found[path.read_text().strip()] = {str(path.relative_to(home))}
    return found


def variants(secret: str) -> set[bytes]:
    """As it is, and as it is inside JSON."""
    return {secret.encode(), json.dumps(secret)[1:-1].encode()}


async def use(client: httpx.AsyncClient, told: set[str], said: list[str]) -> None:
    """Every act that has to do with secrets. `told` gets what may be told once, `said` all other answers."""

    async def ask(method: str, path: str, *secret: str, **options) -> httpx.Response:
        answer = await client.request(method, f"/api/v1/{path}", **options)
        text = answer.text
        for name in secret:
            told.add(answer.json()[name])
            text = text.replace(answer.json()[name], "")
        said.append(text + str(dict(answer.headers)))
        return answer

    await ask("POST", "sign-in", json={"user": "olga", "password": WRONG})
    await ask("POST", "sign-in", json={"user": TRIED, "password": WRONG})
    await ask("POST", "sign-in", json={"user": "olga", "password": [WRONG]})
    await ask("POST", "sign-in", json={"user": "olga", "password": WRONG, "more": WRONG * 50})
    await ask("POST", "sign-in", content=b'{"user": "olga", "password": "' + WRONG.encode())
    await ask("GET", "me", headers={"Authorization": f"Bearer {ALIEN}"})
    await ask("GET", "points", headers={"Cookie": f"sevenones_session={ALIEN}"})
    signed = await ask("POST", "sign-in", "token", json={"user": "olga", "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {signed.json()['token']}"
    await ask("POST", "me/password", json={"old": WRONG, "new": NEW})
    changed = await ask("POST", "me/password", "token", json={"old": PASSWORD, "new": NEW})
    client.headers["Authorization"] = f"Bearer {changed.json()['token']}"
    assert (await ask("POST", "users", "password", json={"name": "petr", "role": "operator"})).status_code == 201
    await ask("POST", "users/petr/password", "password")
    assert (await ask("POST", "tokens", "token", json={"name": "script", "role": "operator"})).status_code == 201
    for path in ("me", "users", "tokens", "audit", "health", "site/versions", "live", "nothing"):
        await ask("GET", path)
    said.append((await client.get("/api/openapi.json")).text)
    said.append((await client.get("/metrics")).text)


async def test_no_secret_is_in_logs_answers_or_files_but_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    credentials.make_all(home, CODE, ("edge1",))
    certificates.init(home)
    users.create_user(home, "olga", PASSWORD, "administrator")
    told, said = {tokens.create_token(home, "by hand", "administrator")}, []
    trusted = ssl.create_default_context(cafile=certificates.folder(home) / "ca.pem")
    async with mine_bus(home, CODE, mqtt=True) as running:
        port, stop = free_port(), asyncio.Event()
        proof = credentials.load(home, "api")
        api = asyncio.create_task(run(site(), home, running.url, proof, "127.0.0.1", port, stop))
        try:
            async with httpx.AsyncClient(base_url=f"https://127.0.0.1:{port}", verify=trusted, timeout=30) as client:
                for _ in range(300):
                    with suppress(httpx.TransportError):
                        if (await client.get("/api/v1/health")).json()["bus"]:
                            break
                    await asyncio.sleep(0.1)
                await use(client, told, said)
            # While it runs: the announcement of its metrics holds a token, for its owner only.
            metrics = json.loads((home / "metrics" / "api.json").read_text())["token"]
            assert (home / "metrics" / "api.json").stat().st_mode & 0o077 == 0
        finally:
            stop.set()
            await asyncio.wait_for(api, 30)
        said += running.process.log
    logs = "".join(capfd.readouterr())
    assert "已登录" in logs, "there are logs to look at"
    assert len(told) == 6
    own = own_files(home)
    assert len(own) > 30
    mine = {PASSWORD, NEW, WRONG, ALIEN, metrics}
    for secret in own.keys() | told | mine | {TRIED}:
        for form in variants(secret):
            assert form.decode() not in logs, f"in the logs: {secret[:8]}…"
            assert not [each for each in said if form.decode() in each], f"in an answer: {secret[:8]}…"
    for path in (each for each in home.rglob("*") if each.is_file()):
        content, name = path.read_bytes(), str(path.relative_to(home))
        for secret in own.keys() | told | mine:
            if any(form in content for form in variants(secret)):
                assert name in own.get(secret, set()), f"{secret[:8]}… is in {name}"
                assert path.stat().st_mode & 0o077 == 0, name
