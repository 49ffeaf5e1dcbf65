"""The receiver's rules: what is taken, what waits, what is refused and where it goes."""

from __future__ import annotations

import asyncio
import os

import numpy as np
import pytest

from models.quality import Quality
from protocols.adapter import LinkLost
from protocols.kj.folder import Folder
from tests.models.exchange.files import MINE, cdss, point
from tests.protocols.kj.system import Receiver, Writer, local, tag

ONE = [tag(0, point(1))]
TWO = [tag(0, point(1)), tag(1, point(2))]


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def writer(inbox):
    return Writer(inbox)


def refused(inbox):
    """What lies in the error folder: name → reason."""
    return {path.stem: path.read_text() for path in (inbox / "error").glob("*.reason")}


def archived(inbox):
    return sorted(path.name for path in (inbox / "archive").rglob("*") if path.is_file() or path.is_symlink())


def waiting(inbox):
    return sorted(path.name for path in inbox.iterdir() if path.suffix == ".txt")


class SimulatedClock:
    def __init__(self, writer):
        self.seconds = float(writer.second)

    def __call__(self):
        return self.seconds


async def test_mess_20_a_file_without_its_end_waits_and_is_refused_after_ten_minutes(inbox, writer):
    clock = SimulatedClock(writer)
    whole = writer.content("CDSS", [cdss(1, "1")], writer.second)
    name = writer.name("CDSS", writer.second)
    async with Receiver(inbox, ONE, clock=clock) as receiver:
        writer.put(name, whole[:-30])
        await asyncio.sleep(0.5)
        clock.seconds += 599
        await asyncio.sleep(0.5)
        assert waiting(inbox) == [name] and not receiver.rows() and not refused(inbox)
        with (inbox / name).open("ab") as file:  # it grows: the ten minutes begin again
            file.write(whole[-30:-1])
        await asyncio.sleep(0.5)
        clock.seconds += 599
        await asyncio.sleep(0.5)
        assert waiting(inbox) == [name]
        clock.seconds += 2
        await receiver.count("incomplete_files_total")
        assert "||" in refused(inbox)[name] and not waiting(inbox) and not receiver.rows()


async def test_mess_20_a_file_that_is_written_in_pieces_is_taken_once_it_is_whole(inbox, writer):
    whole = writer.content("CDSS", [cdss(n, "1", time=local(writer.second)) for n in range(50)], writer.second)
    async with Receiver(inbox, ONE) as receiver:
        with (inbox / writer.name("CDSS", writer.second)).open("wb", buffering=0) as file:
            for start in range(0, len(whole), 97):
                assert not receiver.rows()
                file.write(whole[start : start + 97])
                await asyncio.sleep(0.002)
        await receiver.count("files_total")
        await receiver.until(lambda: len(receiver.rows()) == 1, "its row")


async def test_a_record_with_a_wrong_count_of_fields_is_left_out_and_the_file_is_partial(inbox, writer):
    lines = writer.content("CDSS", [cdss(n, str(n)) for n in range(1, 9)], writer.second).split(b"~")
    lines[1] += b";1"
    async with Receiver(inbox, TWO) as receiver:
        name = writer.put(writer.name("CDSS", writer.second), b"~".join(lines)).name
        await receiver.count("partial_files_total")
        await receiver.until(lambda: archived(inbox) == [name], "in the archive")
        assert [(index, value) for index, value, quality, *_ in receiver.rows() if quality == 192] == [(1, 2.0)]
        assert receiver.adapter.counters()["bad_records_total"] == 1


async def test_more_than_a_fifth_of_bad_records_refuses_the_whole_file(inbox, writer):
    async with Receiver(inbox, ONE) as receiver:
        name = writer.write("CDSS", [cdss(n, time="" if n > 7 else local(writer.second)) for n in range(1, 11)]).name
        await receiver.count("refused_files_total")
        await receiver.until(lambda: name in refused(inbox), "the reason")
        assert "3 of 10" in refused(inbox)[name] and not receiver.rows()


async def test_mess_22_an_older_file_is_stale_and_kept_with_its_own_time_and_defines_nothing(inbox, writer):
    now = writer.second
    definition = {"point": point(1), "place": "新", "time": local(now)}
    async with Receiver(inbox, ONE) as receiver:
        writer.values({1: "2"}, second=now)
        writer.write("CDDY", [definition], now)
        await receiver.count("files_total", 2)
        writer.values({1: "1"}, second=now - 600)
        writer.write("CDDY", [{**definition, "place": "旧"}], now - 600)
        await receiver.count("stale_files_total", 2)
        await receiver.until(lambda: len(receiver.rows()) == 2, "both rows")
        assert [(value, ts) for _, value, _, ts, _ in receiver.rows()] == [
            (2.0, now * 1_000_000),
            (1.0, (now - 600) * 1_000_000),
        ]
        assert [node.name for node in await receiver.adapter.browse()] == ["新"]


async def test_the_same_file_twice_is_a_duplicate_also_after_a_restart(inbox, writer):
    async with Receiver(inbox, ONE) as receiver:
        path = writer.values({1: "1"})
        await receiver.until(lambda: archived(inbox) == [path.name], "archived")
        data = next((inbox / "archive").rglob(path.name)).read_bytes()
        writer.put(path.name, data)
        await receiver.count("duplicate_files_total")
        assert len(receiver.rows()) == 1
    async with Receiver(inbox, ONE) as receiver:
        writer.put(path.name, data)
        await receiver.count("duplicate_files_total")
        await receiver.until(lambda: not waiting(inbox), "it is gone")
        assert not receiver.rows() and archived(inbox) == [path.name]


async def test_mess_20_the_same_name_with_another_content_is_a_file_of_its_own(inbox, writer):
    """Systems overwrite what they wrote in the same second."""
    async with Receiver(inbox, ONE) as receiver:
        for value in ("1", "2"):
            path = writer.values({1: value}, second=writer.second)
            await receiver.until(lambda: not waiting(inbox), "taken")
        assert [row[1] for row in receiver.rows()] == [1.0, 2.0]
        assert archived(inbox) == [path.name, f"{path.stem}_1.txt"]


async def test_files_of_one_second_with_suffixes_are_all_taken(inbox, writer):
    second = writer.second
    for number, suffix in ((1, ""), (2, "_1"), (3, "_000002"), (4, "3")):
        name = writer.name("CDSS", second).replace(".txt", f"{suffix}.txt")
        writer.put(name, writer.content("CDSS", [cdss(number, str(number), time=local(second))], second))
    async with Receiver(inbox, [tag(n, point(n + 1)) for n in range(4)]) as receiver:
        await receiver.count("files_total", 4)
        await receiver.until(lambda: not waiting(inbox), "all taken")
        assert {(row[0], row[1]) for row in receiver.rows() if row[2] == 192} == {(n, n + 1.0) for n in range(4)}


async def test_files_that_wait_are_taken_in_the_order_of_their_times(inbox, writer):
    for back in (3, 1, 2, 0):
        writer.values({1: str(back)}, second=writer.second - back)
    async with Receiver(inbox, ONE) as receiver:
        await receiver.count("files_total", 4)
        await receiver.until(lambda: len(receiver.rows()) == 4, "all")
        assert [row[1] for row in receiver.rows()] == [3, 2, 1, 0]
        assert receiver.adapter.counters()["stale_files_total"] == 0


async def test_what_must_not_be_taken_goes_to_the_error_folder_with_the_reason(inbox, writer, tmp_path):
    second = writer.second
    right = writer.content("CDSS", [cdss(1, "1")], second)
    future = int(local(second + 90_000, "%Y%m%d%H%M%S"))
    other = "610802019299"
    cases = {
        writer.name("CDSS", second, other): (right.replace(MINE.encode(), other.encode()), "mine 610802019299"),
        f"{MINE}_CDSS_20260101000001.txt": (right.replace(MINE.encode(), other.encode(), 1), "header is of the mine"),
        f"{MINE}_CDSS_{future}.txt": (writer.content("CDSS", [cdss(1)], second + 90_000), "ahead of our clock"),
        f"{MINE}_CDSS_20260101000002.txt": (right.replace(b";", "；".encode()), "full width"),
        f"{MINE}_CDSS_20260101000003.txt": (b"\xff\xfe\xff||", "编码错误"),
        f"{MINE}_CDSS_20260101000004.txt": (right * 2, "in the middle"),
        f"{MINE}_CDSS_20260101000005.txt": (right.ljust(5000), "over 4,000"),
    }
    secret = tmp_path / "secret"
    secret.write_bytes(right)
    link = f"{MINE}_CDSS_20260101000006.txt"
    (inbox / link).symlink_to(secret)
    for name, (data, _) in cases.items():
        writer.put(name, data)
    os.mkfifo(inbox / f"{MINE}_CDSS_20260101000007.txt")
    async with Receiver(inbox, ONE, max_bytes=4000) as receiver:
        await receiver.count("refused_files_total", len(cases) + 2)
        await receiver.until(lambda: len(refused(inbox)) == len(cases) + 2, "all reasons")
        for name, (_, words) in cases.items():
            assert words in refused(inbox)[name], name
        assert "symbolic link" in refused(inbox)[link] and (inbox / "error" / link).is_symlink()
        assert {one.where for one in receiver.adapter.findings()} == set(refused(inbox))
        assert secret.read_bytes() == right and not receiver.rows() and not waiting(inbox)


async def test_a_type_that_is_not_known_is_archived_alone(inbox, writer):
    async with Receiver(inbox, ONE) as receiver:
        name = writer.put(f"{MINE}_QQQQ_20260101000000.txt", b"whatever").name
        await receiver.count("unknown_type_files_total")
        await receiver.until(lambda: archived(inbox) == [name], "archived")
        assert not receiver.rows() and not refused(inbox)


async def test_other_names_are_their_writers_business_and_txt_only_for_a_while(inbox, writer):
    clock = SimulatedClock(writer)
    (inbox / "upload.tmp").write_bytes(b"half")
    (inbox / "readme.txt").write_bytes(b"hello")
    async with Receiver(inbox, ONE, clock=clock) as receiver:
        await asyncio.sleep(0.5)
        assert waiting(inbox) == ["readme.txt"]
        clock.seconds += 601
        await receiver.until(lambda: "readme.txt" in refused(inbox), "refused")
        assert (inbox / "upload.tmp").exists()


async def test_mess_20_a_byte_order_mark_gbk_and_line_breaks_are_read(inbox, writer):
    second = writer.second
    for number, change in enumerate(
        (
            lambda d: b"\xef\xbb\xbf" + d,
            lambda d: d.decode().encode("gbk"),
            lambda d: d.replace(b"~", b"~\r\n"),
            lambda d: d + b"\n",
        )
    ):
        data = writer.content(
            "CDSS", [{**cdss(1, str(number), time=local(second + number)), "unit": ""}], second + number
        )
        writer.put(writer.name("CDSS", second + number), change(data))
    async with Receiver(inbox, ONE) as receiver:
        await receiver.until(lambda: len(receiver.rows()) == 4, "all four")
        assert [row[1:3] for row in receiver.rows()] == [(float(n), 192) for n in range(4)]


async def test_nothing_is_put_away_before_it_is_acknowledged(inbox, writer):
    paths = [writer.values({1: str(n)}).name for n in range(3)]
    async with Receiver(inbox, ONE, hold=True) as receiver:
        await receiver.until(lambda: len(receiver.deliveries) == 3, "delivered")
        await asyncio.sleep(0.5)
        assert waiting(inbox) == paths and len(receiver.deliveries) == 3
        receiver.deliveries[0].acknowledge()
        await receiver.until(lambda: archived(inbox) == paths[:1], "the first is put away")
        assert waiting(inbox) == paths[1:]
    async with Receiver(inbox, ONE) as receiver:
        await receiver.until(lambda: archived(inbox) == paths, "those that were left came again")
        assert [row[1] for row in receiver.rows()] == [1.0, 2.0]


async def test_a_folder_that_is_silent_or_gone_is_a_lost_link(inbox, writer, tmp_path):
    async with Receiver(inbox, ONE, quiet_s=1) as receiver:
        writer.values({1: "1"})
        await receiver.count("files_total")
        with pytest.raises(LinkLost, match="no file has come"):
            await asyncio.wait_for(receiver.task, 30)
    async with Receiver(inbox, ONE) as receiver:
        inbox.rename(tmp_path / "elsewhere")
        with pytest.raises(LinkLost, match="cannot be read any more"):
            await asyncio.wait_for(receiver.task, 30)
    with pytest.raises(LinkLost, match="is the share mounted"):
        await Receiver(inbox, ONE).adapter.connect()


@pytest.mark.parametrize(
    ("state", "quality", "word"),
    [
        ("0", Quality.GOOD, ""),
        ("1", Quality.GOOD, ""),
        ("3", Quality.GOOD, ""),
        ("4", Quality.UNCERTAIN_SENSOR, "calibration"),
        ("5", Quality.UNCERTAIN_SENSOR, "calibration"),
        ("16", Quality.BAD_COMMUNICATION, "substation fault"),
        ("128", Quality.BAD_SENSOR_FAILURE, "sensor fault"),
        ("999999", Quality.BAD_OUT_OF_SERVICE, "unknown state"),
    ],
)
async def test_mess_21_the_value_has_the_quality_of_its_state_and_the_state_is_verbatim(
    inbox, writer, state, quality, word
):
    tags = [tag(0, point(1)), tag(1, f"CDSS:{point(1)}#state")]
    async with Receiver(inbox, tags) as receiver:
        writer.values({1: "1.25"}, state)
        await receiver.until(lambda: len(receiver.rows()) == 2, "both rows")
        value, verbatim = receiver.rows()
        if state == "999999":
            assert value[2] < 192
        else:
            assert value[2] == quality
        assert value[1] == 1.25 and word in value[4]
        assert verbatim[1:3] == (float(state), 192)


async def test_mess_19_a_switch_is_told_by_number_by_the_dictionarys_words_or_by_its_definition(inbox, writer):
    fan, door, plain = (point(n, kind, "KG") for n, kind in ((1, "1001"), (2, "1002"), (3, "1005")))
    writer.write("CDDY", [{"point": plain, "on_text": "合闸", "off_text": "分闸", "time": local(writer.second)}])
    tags = [tag(0, fan, "bool"), tag(1, door), tag(2, plain), tag(3, fan, "text")]
    async with Receiver(inbox, tags) as receiver:
        for one, two, three in (("1", "0", "合闸"), ("停", "开", "分闸"), ("坏", "", "1")):
            rows = [{**cdss(0, value, time=local(writer.second + 1)), "point": code} for code, value in
                    ((fan, one), (door, two), (plain, three))]  # fmt: skip
            writer.write("CDSS", rows)
        await receiver.until(lambda: len(receiver.rows()) == 12, "all")
        by_tag = {n: [row[1] for row in receiver.rows() if row[0] == n] for n in range(4)}
        assert by_tag[0][:2] == [1, 0] and by_tag[1][:2] == [0, 1] and by_tag[2] == [1, 0, 1]
        assert np.isnan([by_tag[0][2], by_tag[1][2]]).all()
        last = {row[0]: row for row in receiver.rows()}
        assert "'坏' is no number" in last[0][4] and "no value" in last[1][4]
        texts = [one for d in receiver.deliveries if len(d.reading) for one in d.reading.text.to_pylist() if one]
        assert texts == ["1", "停", "坏"]


async def test_points_that_no_tag_has_are_counted_and_listed_and_browse_shows_what_is_defined(inbox, writer):
    writer.write(
        "CDDY",
        [
            {"point": point(n), "sensor_type": "0043", "place": f"{n}号点", "unit": "%", "time": local(writer.second)}
            for n in (1, 2)
        ],
    )
    async with Receiver(inbox, ONE) as receiver:
        for _ in range(2):
            writer.values({1: "1", 2: "1", 3: "1"})
        await receiver.until(lambda: len(archived(inbox)) == 3, "all archived")
        assert receiver.adapter.counters()["unknown_points_total"] == 2
        assert receiver.adapter.unknown_points() == [point(2), point(3)]
        found = [one for one in receiver.adapter.findings() if one.kind == "unknown point"]
        assert [one.where for one in found] == [point(2), point(3)] and "2号点" in found[0].reason
    async with Receiver(inbox, ONE) as again:  # the definitions are remembered
        nodes = await again.adapter.browse()
        assert [(node.address, node.name, node.type) for node in nodes] == [
            (f"CDSS:{point(n)}", f"{n}号点 激光甲烷", "%") for n in (1, 2)
        ]


async def test_statistics_and_stations_have_their_values(inbox, writer):
    station = f"{MINE}00001"
    tags = [tag(0, f"TJSJ:{point(1)}#max"), tag(1, f"TJSJ:{point(1)}"), tag(2, f"FZSS:{station}"),
            tag(3, f"FZSS:{station}#power"), tag(4, f"TJSJ:{point(1)}#min")]  # fmt: skip
    async with Receiver(inbox, tags) as receiver:
        writer.write("TJSJ", [{"point": point(1), "max": "1.5", "average": "0.75", "time": local(writer.second)}])
        writer.write("FZSS", [{"station": station, "run": "1", "power": "7", "time": local(writer.second)}])
        await receiver.until(lambda: len(receiver.rows()) == 5, "all")
        by_tag = {row[0]: row for row in receiver.rows()}
        assert [by_tag[n][1:3] for n in range(4)] == [(1.5, 192), (0.75, 192), (1, 192), (7, 64)]
        assert by_tag[4][2] == Quality.BAD_SENSOR_FAILURE and "no value" in by_tag[4][4]
        assert "no power state" in by_tag[3][4]


async def test_an_exception_is_one_event_until_it_is_over_and_an_old_file_does_not_open_it_again(inbox, writer):
    begun = local(writer.second - 300)
    row = {"point": point(1), "exception": "001", "start": begun, "max": "1.62", "time": begun, "cause": "爆破"}
    async with Receiver(inbox, ONE, equipment="safety") as receiver:
        writer.write("YCBJ", [row])
        writer.write("YCBJ", [row, {**row, "point": point(7)}])
        closed = writer.second + 1
        writer.write("YCBJ", [{**row, "end": local(closed)}])
        await receiver.count("files_total", 3)
        writer.write("YCBJ", [row], closed - 10)
        await receiver.count("stale_files_total")
        told = [event for delivery in receiver.deliveries for event in delivery.events]
        assert [(event.key, event.end) for event in told if event.tag == 0] == [
            (told[0].key, None),
            (told[0].key, None),
            (told[0].key, closed * 1_000_000),
        ]
        assert told[0].start == (writer.second - 303) * 1_000_000
        assert told[0].attributes["zh"] == "超限报警" and told[0].attributes["max"] == 1.62
        assert [event.equipment for event in told if event.tag < 0] == ["safety"]


async def test_people_are_counted_by_area_and_station_and_nobody_is_told_apart_from_no_such_place(inbox, writer):
    area, other, typo = f"{MINE}0001", f"{MINE}0002", f"{MINE}0009"
    station = f"{area}000001"
    tags = [tag(0, "RYSS:*"), tag(1, f"RYSS:{area}"), tag(2, f"RYSS:{other}"), tag(3, f"RYSS:{typo}"),
            tag(4, f"RYSS:{station}"), tag(5, "RYSS:*#leaders")]  # fmt: skip

    def person(number, inside="1", leader="0"):
        return {"card": f"{MINE}{number:05d}", "inside": inside, "area": area, "station": station, "leader": leader}

    async with Receiver(inbox, tags) as receiver:
        writer.write("RYQY", [{"area": code, "area_name": code[-4:]} for code in (area, other)])
        writer.write("RYSS", [person(1), person(2, leader="1"), person(3, "2", "1")])
        await receiver.until(lambda: len(receiver.rows()) == 6, "all")
        rows = {row[0]: row for row in receiver.rows()}
        assert [rows[n][1:3] for n in (0, 1, 2, 4, 5)] == [(2, 192), (2, 192), (0, 192), (2, 192), (1, 192)]
        assert rows[3][2] == Quality.BAD_CONFIGURATION and "no area" in rows[3][4]


async def test_of_years_of_definitions_only_the_newest_are_read_at_the_start(inbox, writer, monkeypatch):
    row = {"point": point(1), "sensor_type": "0043", "unit": "%", "time": local(writer.second)}
    kept = inbox / "archive" / "definitions"
    kept.mkdir(parents=True)
    for number in range(50):
        made = writer.write("CDDY", [{**row, "place": f"{number}"}])
        made.rename(kept / made.name)
    (kept / writer.name("CDDY", writer.second + 1)).write_bytes(b"half of one")
    read = []
    parse = Folder._parse
    monkeypatch.setattr(Folder, "_parse", lambda self, path, kind: read.append(path) or parse(self, path, kind))
    async with Receiver(inbox, ONE) as receiver:
        assert [node.name.split()[0] for node in await receiver.adapter.browse()] == ["49"]
        assert len(read) == 2, "the newest, and the one that could not be read"


@pytest.mark.parametrize("trap", ["link", "pipe"])
async def test_the_reason_of_a_refusal_is_written_into_no_link_and_waits_for_no_pipe(inbox, writer, tmp_path, trap):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    name = writer.name("CDSS", writer.second, mine="999999999")
    (inbox / "error").mkdir()
    reason = inbox / "error" / f"{name}.reason"
    if trap == "link":
        reason.symlink_to(precious)
    else:
        os.mkfifo(reason)
    async with Receiver(inbox, ONE) as receiver:
        writer.put(name, b"x")
        await receiver.count("refused_files_total")
        await receiver.until(lambda: reason.is_file() and not reason.is_symlink(), "the reason")
    assert precious.read_text() == "mine" and "999999999" in reason.read_text()


async def test_a_name_that_is_no_utf_8_is_refused_and_told_of_like_any_other(inbox, writer):
    """Windows systems write names in GBK over FTP."""
    bytes_of = os.fsencode(inbox) + "/测点_CDSS.txt".encode("gbk")
    async with Receiver(inbox, ONE, incomplete_s=1) as receiver:
        with open(bytes_of, "wb") as file:  # noqa: PTH123 - a Path has no bytes
            file.write(b"x")
        await receiver.count("refused_files_total")
        writer.values({1: "2"})
        await receiver.until(lambda: bool(receiver.rows()), "others go on")
        (finding,) = receiver.adapter.findings()
        for words in (finding.where, finding.reason):
            assert words.encode() and "测点_CDSS.txt" in finding.where


async def test_a_name_as_long_as_a_name_may_be_stops_nothing_when_it_comes_a_second_time(inbox, writer):
    name = "x" * 251 + ".txt"
    async with Receiver(inbox, ONE, incomplete_s=1) as receiver:
        for number in (1, 2):
            (inbox / name).write_bytes(b"x" * number)
            await receiver.until(lambda: not waiting(inbox), "it is put away")
        writer.values({1: "2"})
        await receiver.until(lambda: bool(receiver.rows()), "others go on")
    assert len(list((inbox / "error").glob("*.txt"))) == 2
