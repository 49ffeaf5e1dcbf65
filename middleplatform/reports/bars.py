"""Charts on pages: bars or lines of shares, 0 to 100 %, with the target across."""

from __future__ import annotations

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.linecharts import HorizontalLineChart
from reportlab.graphics.shapes import Drawing, Line, String
from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth

from middleplatform.reports import wording
from middleplatform.reports.language import Language, shown
from models.report.content import Chart, Form, Table, Value

HEIGHT = 150.0
BELOW, ABOVE, LEFT, RIGHT = 26.0, 14.0, 34.0, 70.0
INKS = tuple(map(HexColor, ("#2F5C9E", "#9FB6D6", "#D9A441", "#6B8E5A")))
GREY, RED = HexColor("#5A6270"), HexColor("#B03A2E")
MOST_LABELS = 16
"""Labels that have room beside each other."""
UPRIGHT = 60.0
"""More room below, for labels that stand upright."""


def chart(table: Table, drawn: Chart, language: Language, font: str, width: float) -> Drawing:
    """Of a table's own rows."""
    keys = [column.key for column in table.columns]
    at = keys.index(drawn.label)
    # Where there are many, one language is enough to know them by.
    tongue = Language.ZH if language is Language.BOTH and len(table.rows) > MOST_LABELS else language
    labels = [shown(row[at], table.columns[at].form, tongue) for row in table.rows]
    series = [[_number(row[keys.index(key)]) for row in table.rows] for key in drawn.series]
    dates = all(label[:4].isdigit() for label in labels)
    upright = len(labels) > MOST_LABELS and not dates
    below = BELOW + (UPRIGHT if upright else 0.0)
    inner, high = width - LEFT - RIGHT, HEIGHT - BELOW - ABOVE
    own = HorizontalLineChart() if drawn.line else VerticalBarChart()
    own.x, own.y, own.width, own.height = LEFT, below, inner, high
    own.data = series if drawn.line else [[each or 0.0 for each in one] for one in series]
    for number, ink in zip(range(len(series)), INKS, strict=False):
        if drawn.line:
            own.lines[number].strokeColor, own.lines[number].strokeWidth = ink, 1.5
        else:
            own.bars[number].fillColor, own.bars[number].strokeColor = ink, None
    own.valueAxis.valueMin, own.valueAxis.valueMax, own.valueAxis.valueStep = 0, 1, 0.25
    own.valueAxis.labelTextFormat = lambda value: f"{100 * value:.0f}%"
    own.valueAxis.labels.fontName = own.categoryAxis.labels.fontName = font
    own.valueAxis.labels.fontSize = own.categoryAxis.labels.fontSize = 7
    own.valueAxis.visibleGrid, own.valueAxis.gridStrokeColor = True, HexColor("#E3E7EE")
    own.categoryAxis.categoryNames = (
        [_upright(label, font) for label in labels]
        if upright
        else [label[-2:] for label in labels]  # Dates of a month stand close: their day says enough.
        if len(labels) > MOST_LABELS
        else labels
    )
    if upright:
        words = own.categoryAxis.labels
        words.angle, words.boxAnchor, words.dx, words.dy = 90, "e", 0, -3
        words.fontSize = min(7.0, inner / len(labels))
    if not drawn.line:
        own.barWidth, own.groupSpacing = 10, max(5, 100 / max(len(labels), 1))
    made = Drawing(width, HEIGHT + below - BELOW)
    made.add(own)
    if not drawn.line and len(labels) <= MOST_LABELS:
        _values(made, series, inner, high, font, drawn.target)
    if drawn.target is not None:
        height = below + high * drawn.target
        made.add(Line(LEFT, height, LEFT + inner, height, strokeColor=RED, strokeDashArray=(3, 2), strokeWidth=0.8))
        words = f"{language.say(wording.TARGET)} {100 * drawn.target:g}%"
        _write(made, LEFT + inner + 4, height - 3, words, font, RED)
    if len(series) > 1:
        titles = {column.key: language.say(column.title) for column in table.columns}
        for number, key in enumerate(drawn.series):
            _write(made, LEFT + inner + 4, below + high - 12 * number - 8, titles[key], font, INKS[number % len(INKS)])
    return made


def _values(
    made: Drawing, series: list[list[float | None]], inner: float, high: float, font: str, target: float | None
) -> None:
    """Above each bar of a single series what it says."""
    if len(series) > 1:
        return
    step = inner / len(series[0])
    for at, value in enumerate(series[0]):
        words = shown(value, Form.SHARE, Language.ZH)
        # Not upon the line of the target.
        above = 9 if target is not None and 0 <= target - (value or 0.0) < 0.08 else 3
        made.add(
            String(
                LEFT + step * (at + 0.5),
                BELOW + high * (value or 0.0) + above,
                words,
                fontName=font,
                fontSize=7,
                fillColor=GREY,
                textAnchor="middle",
            )
        )


def _write(made: Drawing, x: float, y: float, words: str, font: str, ink: Color) -> None:
    made.add(String(x, y, words, fontName=font, fontSize=7, fillColor=ink))


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _upright(label: str, font: str) -> str:
    """A name as long as there is room for; its middle is cut, as mines are often told apart by a number at its end."""
    kept = len(label)
    cut = label
    while stringWidth(cut, font, 7) > BELOW + UPRIGHT - 6:
        kept -= 1
        cut = f"{label[: kept - kept // 2]}…{label[-(kept // 2) :]}"
    return cut
