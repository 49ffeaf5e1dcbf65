"""A report as pages to be printed: A4, with the code on each, and its content attached for programs."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Grid

from middleplatform.reports import wording
from middleplatform.reports.attached import attach
from middleplatform.reports.bars import chart
from middleplatform.reports.fonts import font
from middleplatform.reports.language import Language, shown
from models.report.content import Content, Form, KeyFigure, Table

INK, PALE, LINE, GREY = HexColor("#1F3864"), HexColor("#EEF2F8"), HexColor("#BFC7D5"), HexColor("#5A6270")
SIDE, TOP, FOOT = 14 * mm, 16 * mm, 15 * mm
WIDTH = landscape(A4)[0] - 2 * SIDE
SMALL, PADDING = 7.5, 3.0
SHORT = 14
"""Rows of a table that is kept on one page."""
CARDS = 4
"""Key figures beside each other."""


def draw(content: Content, language: Language, made_at: int) -> bytes:
    """The file's bytes, the same for the same content. `made_at`: µs UTC. Raises FontMissing."""
    return _Pages(content, language, made_at).bytes()


class _Pages:
    def __init__(self, content: Content, language: Language, made_at: int) -> None:
        self._content, self._language, self._font = content, language, font()
        # Chinese breaks between any two letters, English between words.
        self._wrap = None if language is Language.EN else "CJK"
        self._at = datetime.fromtimestamp(made_at // 1_000_000, UTC)
        small = self._style(SMALL, SMALL + 2.5)
        self._cell = small
        self._number = ParagraphStyle("number", small, alignment=TA_RIGHT)
        self._head = ParagraphStyle("head", small, alignment=TA_CENTER, textColor=white)
        self._title = self._style(18, 24, textColor=INK)
        self._section = self._style(11.5, 15, textColor=INK, spaceBefore=4 * mm, spaceAfter=1.5 * mm)
        self._note = self._style(8, 11, textColor=GREY, spaceAfter=1 * mm)
        self._text = self._style(8.5, 12.5, spaceAfter=1 * mm)

    def bytes(self) -> bytes:
        out = io.BytesIO()
        page = SimpleDocTemplate(
            out, pagesize=landscape(A4), leftMargin=SIDE, rightMargin=SIDE, topMargin=TOP, bottomMargin=FOOT
        )
        page.build(self._story(), canvasmaker=self._canvas())
        return out.getvalue()

    def _style(self, size: float, leading: float, **more: Any) -> ParagraphStyle:
        return ParagraphStyle(
            f"s{size}", fontName=self._font, fontSize=size, leading=leading, wordWrap=self._wrap, **more
        )

    def _story(self) -> list[Flowable]:
        content, say = self._content, self._language.say
        story: list[Flowable] = [Paragraph(escape(say(content.title)), self._title), Spacer(0, 1.5 * mm)]
        story += [self._facts(), Spacer(0, 4 * mm), *self._keys()]
        for table in content.tables:
            story += self._table(table)
        story += self._paragraphs()
        return story

    def _facts(self) -> Flowable:
        say, content = self._language.say, self._content
        facts = (
            (wording.MINES, say(wording.mines_of(content))),
            (wording.PERIOD, wording.period_of(content)),
            (wording.MADE, f"{self._at:%Y-%m-%d %H:%M} UTC"),
            (wording.CODE, content.code),
        )
        rows = [
            [Paragraph(escape(say(name)), self._note), Paragraph(escape(words), self._text)] for name, words in facts
        ]
        wide = 42 * mm
        return Grid(rows, [wide, WIDTH - wide], style=[("LINEBELOW", (0, 0), (-1, -1), 0.3, LINE), *_TIGHT])

    def _keys(self) -> list[Flowable]:
        keys = self._content.keys
        wide = WIDTH / min(max(len(keys), 1), CARDS)
        rows = [keys[at : at + CARDS] for at in range(0, len(keys), CARDS)]
        cards = [[self._card(key) for key in row] + [""] * (min(len(keys), CARDS) - len(row)) for row in rows]
        style = [("BACKGROUND", (0, 0), (-1, -1), PALE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
        style += [("INNERGRID", (0, 0), (-1, -1), 3, white)]
        return [Grid(cards, [wide] * len(cards[0]), style=style)] if cards else []

    def _card(self, key: KeyFigure) -> list[Flowable]:
        say = self._language.say
        value = Paragraph(escape(shown(key.value, key.form, self._language)), self._style(20, 26, textColor=INK))
        card: list[Flowable] = [Paragraph(escape(say(key.title)), self._note), value]
        if key.bounds is not None:
            least, most = (shown(each, key.form, self._language) for each in key.bounds)
            words = f"{say(wording.BOUNDS)} {least} – {most}"
            if key.coverage is not None:
                words += f" · {say(wording.COVERAGE)} {shown(key.coverage, Form.SHARE, self._language)}"
            card.append(Paragraph(escape(words), self._note))
        if key.words is not None:
            card.append(Paragraph(escape(say(key.words)), self._note))
        return card

    def _table(self, table: Table) -> list[Flowable]:
        title: list[Flowable] = [Paragraph(escape(self._language.say(table.title)), self._section)]
        if not table.rows:
            return [KeepTogether([*title, Paragraph(escape(self._language.say(wording.NOTHING)), self._text)])]
        note = [] if table.note is None else [Paragraph(escape(self._language.say(table.note)), self._note)]
        drawn = []
        if table.chart is not None:
            named = Paragraph(escape(self._language.say(table.chart.title)), self._note)
            drawn = [Spacer(0, 2 * mm), named, chart(table, table.chart, self._language, self._font, WIDTH)]
        if len(table.rows) <= SHORT:
            return [KeepTogether([*title, *note, self._grid(table)]), KeepTogether(drawn)]
        return [CondPageBreak(60 * mm), *title, *note, *drawn[1:], *drawn[:1], self._grid(table)]

    def _grid(self, table: Table) -> Flowable:
        rows = [*table.rows] + ([] if table.total is None else [table.total])
        texts = [
            ["" if value is None and at else shown(value, column.form, self._language) for column, value in pairs]
            for at, pairs in ((table.total is row, zip(table.columns, row, strict=True)) for row in rows)
        ]
        heads = [self._language.say(column.title, "\n") for column in table.columns]
        left = [column.form is Form.TEXT for column in table.columns]
        cells: list[list[Any]] = [[self._heading(each) for each in heads]]
        for row in texts:
            cells.append(
                [
                    Paragraph(escape(each), self._cell if is_left else self._number)
                    for each, is_left in zip(row, left, strict=True)
                ]
            )
        style: list[Any] = [
            ("BACKGROUND", (0, 0), (-1, 0), INK),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, LINE),
            *_TIGHT,
        ]
        # Text beside a number that ends at its right must not stick to it.
        style += [("LEFTPADDING", (at, 0), (at, -1), 8) for at, is_text in enumerate(left) if is_text and at]
        if table.total is not None:
            style.append(("BACKGROUND", (0, -1), (-1, -1), PALE))
        return Grid(cells, self._widths(heads, texts, left), repeatRows=1, style=style)

    def _heading(self, words: str) -> list[Flowable]:
        """In both languages each in lines of its own, broken as it breaks."""
        plain = ParagraphStyle("plain", self._head, wordWrap=None)
        return [Paragraph(escape(each), plain if each.isascii() else self._head) for each in words.split("\n")]

    def _widths(self, heads: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[bool]) -> list[float]:
        """Numbers whole on one line; what room is left goes to the texts, by how long they are."""

        def wide(text: str) -> float:
            return max(stringWidth(line, self._font, SMALL) for line in text.split("\n")) + 2 * PADDING + 1

        def word(head: str) -> float:
            """Room for a heading's longest word, of Chinese for four letters."""
            lines = [line if line.isascii() else line[:4] for line in head.split("\n")]
            return max(wide(each) for line in lines for each in line.split(" "))

        natural = [max([wide(row[at]) for row in rows] + [0]) for at in range(len(heads))]
        least = [
            max(word(head), min(own, 60) + 5 if is_text else own)
            for head, own, is_text in zip(heads, natural, left, strict=True)
        ]
        room = WIDTH - sum(least)
        wish = [max(own + 5 - low, 0.0) for own, low in zip(natural, least, strict=True)]
        given = [
            low + (each * min(1.0, room / sum(wish)) if sum(wish) and room > 0 else 0.0)
            for low, each in zip(least, wish, strict=True)
        ]
        scale = WIDTH / sum(given)
        return [each * scale for each in given]

    def _paragraphs(self) -> list[Flowable]:
        content, say = self._content, self._language.say
        parts = [(wording.DEFINITIONS, [say(each) for each in content.definitions])]
        if content.left_out:
            parts.append((wording.LEFT_OUT, [say(each) for each in content.left_out]))
        versions = [f"{say(wording.version_words(key))}：{words}" for key, words in sorted(content.versions.items())]
        sources = f"{say(wording.SOURCES)}：{say(wording.sources_of(content))}"
        parts.append((wording.VERSIONS, [*versions, sources, say(wording.CHECK)]))
        return [
            KeepTogether(
                [Paragraph(escape(say(title)), self._section), *(Paragraph(escape(each), self._text) for each in texts)]
            )
            for title, texts in parts
        ]

    def _canvas(self) -> Callable[..., Canvas]:
        content, language, name = self._content, self._language, self._font

        class Numbered(Canvas):
            """Pages are finished once it is known how many there are."""

            def __init__(self, *args: Any, **more: Any) -> None:
                super().__init__(*args, **{**more, "invariant": 1, "pageCompression": 1})
                self._pages: list[dict[str, Any]] = []
                self.setTitle(language.say(content.title))
                self.setAuthor("sevenones")
                self.setSubject(content.code)
                attach(self, content.document())

            def showPage(self) -> None:  # noqa: N802
                self._pages.append(dict(self.__dict__))
                self._startPage()

            def save(self) -> None:
                for number, page in enumerate(self._pages, start=1):
                    self.__dict__.update(page)
                    self._foot(number, len(self._pages))
                    super().showPage()
                super().save()

            def _foot(self, number: int, of: int) -> None:
                self.setFont(name, 8)
                self.setFillColor(GREY)
                self.setStrokeColor(LINE)
                self.line(SIDE, FOOT - 3 * mm, SIDE + WIDTH, FOOT - 3 * mm)
                self.drawString(SIDE, FOOT - 7 * mm, f"{language.say(wording.CODE)} {content.code}")
                self.drawRightString(SIDE + WIDTH, FOOT - 7 * mm, wording.page_of(number, of, language))

        return Numbered


_TIGHT = [
    ("LEFTPADDING", (0, 0), (-1, -1), PADDING),
    ("RIGHTPADDING", (0, 0), (-1, -1), PADDING),
    ("TOPPADDING", (0, 0), (-1, -1), 1.8),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
]
