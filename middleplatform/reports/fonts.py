"""The font that pages are set in: one with Chinese, of the system's; the letters that are used go into the file."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

SETTING = "SEVENONES_REPORT_FONT"
"""The environment variable that names another font file: TrueType outlines, .ttf or .ttc."""
PLACES = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf",
)
FONT = "report"


class FontMissing(Exception):
    """No font with Chinese is there, so that no PDF can be made."""


def font() -> str:
    """The name by which the font is known to the pages. Raises FontMissing."""
    return _font(os.environ.get(SETTING, ""))


@cache
def _font(named: str) -> str:
    places = (named,) if named else PLACES
    for place in places:
        if Path(place).is_file():
            try:
                pdfmetrics.registerFont(TTFont(FONT, place, subfontIndex=0))
            except (TTFError, OSError) as wrong:
                raise FontMissing(
                    f"字体 {place} 不能用于 PDF（须为 TrueType 轮廓） · the font {place} cannot be used, it must have "
                    f"TrueType outlines: {wrong}"
                ) from wrong
            return FONT
    raise FontMissing(
        "没有中文字体，无法生成 PDF：apt-get install fonts-wqy-microhei，或用环境变量 "
        f"{SETTING} 指定 · no font with Chinese was found, so no PDF can be made: install fonts-wqy-microhei, or "
        f"name one by {SETTING}; looked at {', '.join(places)}"
    )
