"""JSON with numpy columns; what is not a number (NaN, infinity) becomes null."""

from typing import Any

import orjson
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict


def encode(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


class Json(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return encode(content)


class ErrorFacts(BaseModel):
    """What is wrong, where, and what to do. Some codes carry further facts, such as `nearest`."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str
    message_zh: str
    where: str | None


class Refusal(BaseModel):
    error: ErrorFacts


def refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these codes."""
    return {code: {"model": Refusal, "description": WORDS[code]} for code in codes}


def answers(model: type[BaseModel], *codes: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with such a model's form, made without the model."""
    return {200: {"model": model}, **refusals(*codes)}


WORDS = {
    400: "参数有误 · a parameter is wrong: the body says which",
    401: "令牌缺失或无效 · no token, or one that is unknown, expired or revoked",
    403: "无权 · the role does not allow this, or the initial password has first to be changed",
    404: "不存在 · there is no such thing: the body names the nearest",
    406: "没有此格式 · there is no such form",
    409: "冲突 · this cannot be as things are: the body says why",
    413: "请求过大 · the request is too large",
    416: "没有此范围 · there is no such range of the file",
    429: "尝试过多 · too many attempts: Retry-After says how long to wait",
    503: "暂不可用 · the store does not answer now: Retry-After says when to try again",
}
