"""Somebody at the console of a mine that runs: their page, their language, and what the platform says beside it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from playwright.sync_api import APIResponse, Locator, Page, expect

from sevenones.bench.chromium import RESET
from sevenones.bench.mine import Mine
from tests.middleplatform.api.stage import until

T = TypeVar("T")
SLOW_MS = 60_000
"""What the mine's processes take on a machine that does much else."""


@dataclass(frozen=True, slots=True)
class Desk:
    page: Page
    mine: Mine
    language: str
    password: str
    """Of the administrator who sits there."""
    day: str
    """The last one that is over, by the mine's clock, of which an hour is in the store."""
    devices: Mapping[str, str]
    """The ports of the simulated devices, by the variables that say them."""

    def open(self, address: str) -> None:
        """A page at its address, once it has come."""
        self.page.goto(self.mine.url + address)
        expect(self.page.locator("main")).to_be_visible(timeout=SLOW_MS)
        expect(self.page.locator("main[aria-busy=true]")).to_have_count(0, timeout=SLOW_MS)

    def say(self, zh: str, en: str) -> str:
        """Words as the console speaks here."""
        return zh if self.language == "zh" else en

    def named(self, words: dict[str, str]) -> str:
        """What the mine calls a thing, as the console does here."""
        return words[self.language] or words["zh"]

    def one(self, first: T, second: T) -> T:
        """Another thing in each language: what was done to one is not what is found of the other."""
        return first if self.language == "zh" else second

    def ask(self, path: str, **query: Any) -> Any:
        """What the API says to the same user."""
        params = {name: ",".join(value) if isinstance(value, list) else value for name, value in query.items()}
        answer = self.page.request.get(f"{self.mine.url}/api/v1/{path}", params=params, max_retries=RESET)
        return _done(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """What the same user does by the API."""
        headers = {"X-CSRF-Token": str(self.ask("me")["csrf"])}
        return _done(
            self.page.request.post(f"{self.mine.url}/api/v1/{path}", data=body, headers=headers, max_retries=RESET)
        )

    def tell(self, path: str, body: dict[str, Any]) -> Any:
        """What somebody else does by the API: two are needed where one asks and another decides."""
        headers = {"Authorization": f"Bearer {self.mine.token}"}
        with httpx.Client(base_url=self.mine.url, headers=headers, timeout=30) as client:
            answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def machine(self, name: str) -> dict[str, Any]:
        return next(each for each in self.ask("mine")["equipment"] if each["id"] == name)

    def point(self, path: str) -> dict[str, Any]:
        """A point by `equipment/key`."""
        equipment, _ = path.split("/")
        points = self.ask("points", equipment=equipment, limit=1000)["points"]
        return next(each for each in points if each["point"].endswith(f"/{path}"))

    def now(self, path: str) -> dict[str, Any]:
        """What a point is, by `equipment/key`."""
        equipment, _ = path.split("/")
        values = self.ask("live", equipment=equipment)["values"]
        return next(each for each in values if each["point"].endswith(f"/{path}"))

    def within(self, shown: Locator, said: Callable[[], float], near: float) -> None:
        """A number on the page is that of the platform, which goes on changing: as it was just before, or is after."""

        def same() -> bool:
            before = said()
            number = re.search(r"-?[\d.]+(?:e-?\d+)?", shown.inner_text())
            after = said()
            low, high = min(before, after) - near, max(before, after) + near
            return number is not None and low <= float(number[0]) <= high

        until(same)

    def button(self, zh: str, en: str, within: Locator | None = None) -> Locator:
        return (within or self.page.locator("main")).get_by_role("button", name=self.say(zh, en), exact=True)

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog")

    def confirm(self, zh: str, en: str) -> None:
        """The dialogue's button."""
        self.button(zh, en, self.dialog).click()

    def arm(self, person: str, place: int = 0) -> None:
        """Give the dialogue a person's credential, as from a stick."""
        folder = self.mine.home / "person" / person
        files: list[str | Path] = [folder / "credential.json", folder / "person.key"]
        self.dialog.locator("input.files").nth(place).set_input_files(files)
        expect(self.dialog).to_contain_text(person)

    def fault(self, *words: str) -> None:
        """Make a fault in the mine, as a trainer does."""
        bus = f"nats://127.0.0.1:{int(self.mine.url.rsplit(':', 1)[1]) + 1}"
        command = (sys.executable, "-m", "sevenones", "simulate", "fault", *words)
        made = subprocess.run(
            (*command, "--home", str(self.mine.home), "--bus", bus), capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stdout + made.stderr


def _done(answer: APIResponse) -> Any:
    assert answer.ok, f"{answer.status} of {answer.url}: {answer.text()[:500]}"
    return answer.json()


@dataclass(frozen=True, slots=True)
class Job:
    """What people come to a page for. `forgiven`: what the browser may say of refusals that the job seeks."""

    does: Callable[[Desk], None]
    forgiven: tuple[str, ...] = ()
