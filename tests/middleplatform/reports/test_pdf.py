"""Pages: the code on each, Chinese in them, the content attached; and plain words where there is no font."""

from __future__ import annotations

import re

import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth

from middleplatform.reports import bars, fonts, making, pdf
from middleplatform.reports.attached import attached
from middleplatform.reports.language import Language
from models.report.content import Chart, Column, Content, Form, Table
from models.site.model import Name
from tests.middleplatform.reports.orders import ALL, AT, DAY


@pytest.mark.parametrize("kind", ALL)
def test_the_file_carries_the_content_to_the_last_digit(city, kind):
    content = making.make(city, ALL[kind], "zhang", at=AT).content
    raw = pdf.draw(content, Language.BOTH, AT)
    assert attached(raw) == content.document()
    assert Content.read(attached(raw) or "").code == content.code


def test_the_same_content_is_the_same_file_and_has_numbered_pages(city):
    content = making.make(city, DAY, "zhang", at=AT).content
    raw = pdf.draw(content, Language.ZH, AT)
    assert raw == pdf.draw(content, Language.ZH, AT)
    pages = len(re.findall(rb"/Type /Page\b[^s]", raw))
    assert pages >= 2
    assert raw.count(b"/MediaBox [ 0 0 841.8898 595.2756 ]") == pages, "A4, lying"


def test_a_broken_attachment_is_told(city):
    raw = pdf.draw(making.make(city, DAY, "zhang", at=AT).content, Language.ZH, AT)
    at = raw.index(b"/Type /EmbeddedFile")
    start = raw.index(b"stream", at)
    with pytest.raises(ValueError, match="cannot be read"):
        attached(raw[: start + 40] + b"\x00" * 20 + raw[start + 60 :])
    assert attached(b"%PDF-1.4 nothing") is None


def test_without_a_font_it_says_which_to_install(city, monkeypatch, tmp_path):
    content = making.make(city, DAY, "zhang", at=AT).content
    monkeypatch.setenv(fonts.SETTING, str(tmp_path / "none.ttf"))
    with pytest.raises(fonts.FontMissing, match="install fonts-wqy-microhei"):
        pdf.draw(content, Language.ZH, AT)
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    monkeypatch.setenv(fonts.SETTING, str(tmp_path / "bad.ttf"))
    with pytest.raises(fonts.FontMissing, match="TrueType"):
        pdf.draw(content, Language.ZH, AT)


@pytest.mark.parametrize(("number", "language"), [(10, "zh"), (17, "both"), (60, "en")])
def test_the_names_of_many_mines_do_not_lie_on_each_other(number, language):
    names = [Name(f"襄垣县第{at}号煤矿", f"Xiangyuan County Colliery {at}") for at in range(number)]
    columns = (Column("mine", Name("煤矿", "mine")), Column("rate", Name("使用率", "utilisation"), Form.SHARE))
    own = Chart(Name("各矿", "mines"), "mine", ("rate",), target=0.5)
    table = Table("ranking", own.title, columns, tuple((name, 0.5) for name in names), None, own)
    axis = bars.chart(table, own, Language(language), fonts.font(), pdf.WIDTH).contents[0].categoryAxis
    room = (pdf.WIDTH - bars.LEFT - bars.RIGHT) / number
    shown = list(axis.categoryNames)
    assert len(set(shown)) == number, "each is told from the others"
    across = (
        axis.labels.fontSize if axis.labels.angle == 90 else max(stringWidth(each, fonts.font(), 7) for each in shown)
    )
    assert across <= room
