"""A platform's API as it speaks, JSON, with the standard library only."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class ClientError(Exception):
    """The platform refused or did not answer; the message says which and why."""


class NoAnswer(ClientError):
    """The platform is not there, or its answer broke off: the same again may succeed."""


class Client:
    """One platform's API. Every method raises ClientError."""

    def __init__(self, url: str, token: str, timeout_s: float = 30.0, ca: Path | None = None) -> None:
        """`ca`: the file of the authority that is believed, where it is not one that this machine knows."""
        if not url.startswith(("http://", "https://")):
            raise ClientError(f"'{url}' is not an http:// or https:// address")
        self.url, self.timeout_s = url.rstrip("/"), timeout_s
        self.token = token
        self._tls = None if ca is None else ssl.create_default_context(cafile=ca)

    @staticmethod
    def of_home(home: Path, url: str | None = None, token: str | None = None) -> Client:
        """The client for the demo of a home, where address or token are not given."""
        if url and token:
            return Client(url, token)
        path, ca = home / "demo.json", home / "pki" / "ca.pem"
        try:
            known = json.loads(path.read_text())
        except (OSError, ValueError):
            raise ClientError(
                f"未找到 {path}：请先运行 make demo，或用 --url 与 --token 指明平台\n"
                f"there is no {path}: start the demo first, or name a platform with --url and --token"
            ) from None
        return Client(url or known["url"], token or known["token"], ca=ca if ca.exists() else None)

    def get(self, path: str, **query: Any) -> Any:
        """GET /api/v1/<path> as JSON; query values of None are left out, lists repeat."""
        return self.ask("GET", path, query)

    def ask(self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """Any method, with a JSON body or none; the answer's JSON."""
        with self.answer(method, path, query, body) as answer:
            return json.load(answer)

    @contextlib.contextmanager
    def answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer itself, to be read; what goes wrong meanwhile is a ClientError too."""
        pairs = {name: value for name, value in (query or {}).items() if value is not None}
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(pairs, doseq=True)}"
        heads = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if body is not None:
            heads["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(address, data, heads, method=method)  # noqa: S310
            with urllib.request.urlopen(request, timeout=self.timeout_s, context=self._tls) as answer:  # noqa: S310
                yield answer
        except urllib.error.HTTPError as error:
            try:
                said = json.load(error)["error"]
                words = f"{said['message_zh']} · {said['message']}"
            except (ValueError, KeyError, TypeError):
                words = f"HTTP {error.code}"
            raise ClientError(words) from None
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise NoAnswer(f"平台 {self.url} 没有应答 · the platform at {self.url} does not answer: {reason}") from None
        except http.client.IncompleteRead:
            raise NoAnswer(f"平台 {self.url} 的应答中断 · the answer of {self.url} broke off") from None
        except (ValueError, http.client.HTTPException) as error:  # UnicodeError is a ValueError
            kind = type(error).__name__  # its words could hold the token
            raise ClientError(
                f"地址、令牌或应答有误 · the address, the token or the answer cannot be right ({kind})"
            ) from None

    def sql(self, text: str) -> dict[str, Any]:
        """The answer to one SELECT statement: `columns`, each with name, type and values."""
        answer: dict[str, Any] = self.ask("POST", "sql", body={"sql": text, "format": "json"})
        return answer

    def points(self, q: str = "", equipment: str | None = None) -> list[dict[str, Any]]:
        """The catalogue's points that fit."""
        found: list[dict[str, Any]] = self.get("points", q=q, equipment=equipment, limit=10_000)["points"]
        return found

    def live(self, equipment: str | None = None) -> list[dict[str, Any]]:
        """What each point is now."""
        values: list[dict[str, Any]] = self.get("live", equipment=equipment)["values"]
        return values

    def history(
        self, points: list[str], start: str = "-1h", end: str = "now", buckets: int | None = None
    ) -> list[dict[str, Any]]:
        """One object a point, with `samples` or `buckets` as columns."""
        series: list[dict[str, Any]] = self.get("history", point=points, start=start, end=end, buckets=buckets)[
            "series"
        ]
        return series
