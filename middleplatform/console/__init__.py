"""The console that the platform serves at `/`: built from `web/` into `static/`, which is committed."""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"


class Console(StaticFiles):
    """Its files. What else a browser's user asks to see is a page of the console, which finds it by its address."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        asset = path.startswith("assets/")
        try:
            found = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or asset or path.startswith("api/") or not _for_reading(scope):
                raise
            found = await super().get_response("index.html", scope)
        if asset:
            # The name holds the content's hash.
            found.headers["cache-control"] = "public, max-age=31536000, immutable"
        else:
            found.headers["cache-control"] = "no-cache"
        return found


def _for_reading(scope: Scope) -> bool:
    """Whether a person's browser asks, rather than a program."""
    return "text/html" in Headers(scope=scope).get("accept", "")
