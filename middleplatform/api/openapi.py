"""The API's description as OpenAPI 3.0: the packaged Swagger UI does not read 3.1."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from middleplatform.api.responses import WORDS

VERSION = "3.0.3"


def describe(app: FastAPI) -> dict[str, Any]:
    """The description, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for path in made["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)  # wrong parameters are answered with 400
                if "security" in operation:
                    operation["responses"] |= {code: _refusal(code) for code in ("401", "403")}
        for unused in ("HTTPValidationError", "ValidationError"):
            made.get("components", {}).get("schemas", {}).pop(unused, None)
        app.openapi_schema = {**_older(made), "openapi": VERSION}
    return app.openapi_schema


def _refusal(code: str) -> dict[str, Any]:
    """What every closed route may answer."""
    schema = {"$ref": "#/components/schemas/Refusal"}
    return {"description": WORDS[int(code)], "content": {"application/json": {"schema": schema}}}


def _older(node: Any) -> Any:
    """3.1's way of saying null, constants and exclusive bounds, said in 3.0's way."""
    if isinstance(node, list):
        return [_older(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {key: _older(value) for key, value in node.items()}
    choices = node.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        left = [each for each in choices if each != {"type": "null"}]
        del node["anyOf"]
        if len(left) == 1 and "$ref" not in left[0]:
            node = {**left[0], **node, "nullable": True}
        else:
            node.update({"anyOf": left, "nullable": True})
        if node.get("default", 0) is None:
            del node["default"]
    if "const" in node:
        node["enum"] = [node.pop("const")]
    for bound, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(bound), int | float) and not isinstance(node[bound], bool):
            node[plain], node[bound] = node[bound], True
    return node
