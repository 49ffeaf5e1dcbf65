"""Line protocol and settings, without a server."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from middleplatform.mirror.lines import NONE, Lines, body
from middleplatform.mirror.process import chosen
from middleplatform.mirror.settings import TOKEN, MirrorError, Settings
from tests.middleplatform.store.build import id_of, samples_of, site_of
from tests.servers import CODE

SITE = site_of({"edge1": ["speed", "load", "text_1"]})
GOOD = "url: http://127.0.0.1:8086\norg: mine\nbucket: mine\npoints: ['belt1/*']\n"
LINE = re.compile(
    r"samples,mine=(?P<mine>\d+),equipment=belt1,point=(?P<point>\w+),unit=m/s "
    r"(?:value=(?P<value>[^,]+),)?quality=(?P<quality>\d+)i(?:,text=\"(?P<text>(?:[^\"\\\n]|\\.)*)\")? (?P<ts>-?\d+)\n"
)


def plain(text: str) -> str:
    """What a reader makes of a text field."""
    return re.sub(r"\\(.)", r"\1", text)


rows = st.lists(
    st.tuples(
        st.sampled_from([id_of("speed"), id_of("load"), id_of("unknown")]),
        st.integers(-(2**62), 2**62),
        st.floats(),
        st.integers(0, 255),
        st.none() | st.text(max_size=10),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(rows=rows)
def test_each_sample_of_a_chosen_point_is_one_line_that_reads_back_as_itself(rows):
    names = {id_of("speed"): "speed", id_of("load"): "load"}
    lines = Lines([point for point in SITE.points if point.key in names.values()], CODE, "samples").of(
        samples_of([row[:4] for row in rows], texts=[row[4] for row in rows])
    )
    expected = [row for row in rows if row[0] in names]
    assert len(lines) == len(expected)
    assert body(lines).decode() == "".join(lines.to_pylist())
    assert body(lines.slice(1)).decode() == "".join(lines.to_pylist()[1:])
    for line, (point, ts, value, quality, text) in zip(lines.to_pylist(), expected, strict=True):
        found = LINE.fullmatch(line)
        assert found is not None, line
        assert (found["mine"], found["point"], int(found["ts"])) == (CODE, names[point], ts)
        assert int(found["quality"]) == quality
        assert (float(found["value"]) == value) if math.isfinite(value) else (found["value"] is None)
        wanted = None if text is None else re.sub(r"[\x00-\x1f]", " ", text)
        assert (plain(found["text"]) if found["text"] is not None else None) == wanted


def test_nothing_is_lines_of_nothing():
    assert body(NONE) == b"" and len(chosen(SITE, made(points=("other/*",))).of(samples_of([]))) == 0


def test_a_tag_that_could_break_a_line_is_escaped():
    point = replace(SITE.points[0], unit="a b,c=d\n\\")
    (line,) = Lines([point], CODE, "samples").of(samples_of([(point.id, 1, 1.0, 192)])).to_pylist()
    assert ",unit=a\\ b\\,c\\=d_/ value=1" in line and line.count("\n") == 1


def made(**changes) -> Settings:
    return replace(Settings("http://127.0.0.1:1", "mine", "mine", ("belt1/*",)), **changes)


def test_patterns_choose_points():
    assert len(chosen(SITE, made()).points) == 3
    assert len(chosen(SITE, made(but=("*/text_*",))).points) == 2
    assert len(chosen(SITE, made(points=("*/speed", "*/load"))).points) == 2


def test_settings_are_read_and_the_token_comes_from_the_environment_and_is_not_shown(tmp_path):
    (tmp_path / "mirror.yaml").write_text(GOOD)
    found = Settings.load(tmp_path / "mirror.yaml", {TOKEN: "hidden"})
    assert (found.token, found.measurement) == ("hidden", "samples") and "hidden" not in repr(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must hold url"),
        ("[1]", "must hold url"),
        ("a: [", "cannot be read"),
        (GOOD + "token: x\n", "'token' is not one of"),
        (GOOD.replace("['belt1/*']", "belt1"), "'points' must be a list"),
        (GOOD.replace("org: mine", "org: ''"), "'org' must be text"),
        (GOOD.replace("http:", "ftp:"), "url must be http"),
        (GOOD.replace("http://", "http://me:secret@"), "without a password"),
        (GOOD.replace("127.0.0.1", "influx.example"), "a token travels over https only"),
        (GOOD + "measurement: 'a b'\n", "measurement must be letters"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, text, words):
    (tmp_path / "mirror.yaml").write_text(text)
    with pytest.raises(MirrorError, match=words) as refused:
        Settings.load(tmp_path / "mirror.yaml", {TOKEN: "hidden"})
    assert "hidden" not in str(refused.value) and "secret" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MirrorError, match="cannot be read"):
        Settings.load(tmp_path / "none.yaml", {})
