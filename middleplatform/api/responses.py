"""JSON with numpy columns; what is not a number (NaN, infinity) becomes null."""

from typing import Any

import orjson
from fastapi.responses import Response


class Json(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
