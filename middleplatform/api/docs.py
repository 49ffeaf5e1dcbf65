"""`/api/docs`: Swagger UI from the package's own files, no outside address.

The page holds no data and is open; the description that it shows is fetched with the reader's token.
"""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from swagger_ui_bundle import swagger_ui_path

from middleplatform.api.auth import Asker
from middleplatform.api.responses import Json

_PAGE = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><title>七个一 · API</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/api/docs/assets/swagger-ui.css"></head>
<body><form id="sign" style="padding:1em;font-family:sans-serif">
<label>令牌 · token <input id="token" type="password" size="60" autocomplete="off"></label>
<button>打开 · open</button> <span id="said" role="alert"></span></form><div id="ui"></div>
<script src="/api/docs/assets/swagger-ui-bundle.js"></script><script src="/api/docs/start.js"></script>
</body></html>"""

_START = """'use strict';
const field = document.getElementById('token'), said = document.getElementById('said');
async function open(token) {
  const headers = {Authorization: 'Bearer ' + token};
  const answer = await fetch('/api/openapi.json', {headers});
  if (!answer.ok) { said.textContent = '令牌无效 · the token is refused'; return; }
  sessionStorage.setItem('token', token); said.textContent = '';
  SwaggerUIBundle({spec: await answer.json(), domNode: document.getElementById('ui'), deepLinking: true,
    requestInterceptor: r => { r.headers.Authorization = headers.Authorization; return r; }});
}
document.getElementById('sign').addEventListener('submit', e => { e.preventDefault(); open(field.value.trim()); });
const known = sessionStorage.getItem('token'); if (known) open(known);
"""

router = APIRouter(include_in_schema=False)


@router.get("/api/docs")
async def page() -> HTMLResponse:
    return HTMLResponse(_PAGE)


@router.get("/api/docs/start.js")
async def start() -> Response:
    return Response(_START, media_type="text/javascript")


def install(app: FastAPI) -> None:
    """Mount the page, its files, and the description behind a token."""

    @app.get("/api/openapi.json", include_in_schema=False)
    async def description(_: Asker) -> Json:
        return Json(app.openapi())

    app.include_router(router)
    app.mount("/api/docs/assets", StaticFiles(directory=swagger_ui_path), name="docs-assets")
