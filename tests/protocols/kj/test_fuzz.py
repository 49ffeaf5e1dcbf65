"""Malformed files of every sort through the folder, the grammar and the decoder: nothing is raised, nothing stays."""

from __future__ import annotations

import gc
import random
import resource
import time

import pytest

from protocols.adapter import Tag
from protocols.findings import FindingBook
from protocols.kj import Kj
from protocols.kj.decode import Decoder, counts
from protocols.kj.definitions import Definitions
from protocols.kj.exceptions import Tellings, occurrences
from protocols.kj.folder import COUNTS, Folder
from tests.models.exchange.files import MINE, cdss, point
from tests.models.exchange.test_parse import spoil
from tests.protocols.kj.system import Writer, local, settings, tag

TAGS: list[Tag] = [
    *(tag(n, point(n)) for n in range(4)),
    *(tag(4 + n, f"CDSS:{point(n)}#state") for n in range(4)),
    tag(8, point(1), "text"),
    tag(9, point(2), "bool"),
    tag(10, f"TJSJ:{point(1)}#max"),
    tag(11, f"FZSS:{MINE}00001#power"),
    tag(12, "RYSS:*"),
    tag(13, f"RYSS:{MINE}0001"),
]


def made(writer: Writer) -> list[tuple[str, bytes]]:
    """One right file of each kind that has values."""
    at = local(writer.second)
    rows = {
        "CDSS": [cdss(n, value, "4", at) for n, value in enumerate(("1.5", "开", "", "NaN", "7", "8"))],
        "CDDY": [{"point": point(n), "on_text": "开", "off_text": "停", "time": at} for n in range(3)],
        "TJSJ": [{"point": point(n), "max": "1.5", "time": at} for n in range(3)],
        "YCBJ": [{"point": point(n), "exception": "001", "start": at, "time": at} for n in range(3)],
        "FZSS": [{"station": f"{MINE}{n:05d}", "run": "0", "power": "1", "time": at} for n in range(6)],
        "RYQY": [{"area": f"{MINE}{n:04d}", "area_name": "大巷"} for n in range(6)],
        "RYSS": [{"card": f"{MINE}{n:05d}", "inside": "1", "area": f"{MINE}0001"} for n in range(6)],
    }
    return [
        (kind, writer.content(kind, some, writer.second, encoding))
        for kind, some in rows.items()
        for encoding in ("utf-8", "gbk")
    ]


def run(inbox, count: int, seed: int) -> dict[str, int]:
    """So many spoilt files through all of the adapter but its event loop; gives its counters."""
    rng = random.Random(seed)
    writer = Writer(inbox)
    right = made(writer)
    weights = [10 if kind in ("CDSS", "FZSS", "RYQY") else 1 for kind, _ in right]
    clock = [time.time()]
    counters = {**dict.fromkeys(COUNTS, 0), **counts()}
    definitions, book, tellings = Definitions(), FindingBook(), Tellings()
    folder = Folder(Kj.Settings.model_validate(settings(inbox)), definitions, counters, book, lambda: clock[0])
    folder.open()
    decoder = Decoder(TAGS, definitions, counters, book)
    for number in range(count):
        kind, data = rng.choices(right, weights)[0]
        (
            inbox / f"{MINE}_{kind}_{20260101000000 + number // 1000 * 100 + number % 1000 // 20}_{number}.txt"
        ).write_bytes(spoil(rng, data))
        if number % 20 < 19 and number != count - 1:
            continue
        for turn in range(2):
            for taken in folder.collect():
                if taken.name.kind == "YCBJ":
                    tellings.newest(occurrences(taken.records, decoder.by_code, ""), taken.records.sent)
                reading = decoder.decode(taken.records)
                if reading is not None:
                    _form(reading)
                folder.done(taken)
            clock[0] += 601 * (1 - turn)  # what waits for its end has waited long enough
        for left in (*inbox.glob("archive/2*/*"), *inbox.glob("archive/def*/*"), *inbox.glob("error/*")):
            left.unlink()
    assert not list(inbox.glob("*.txt")), "every file went somewhere"
    assert len(book.all()) <= 100 and len(decoder.unknown) <= 10_000
    return counters


def _form(reading) -> None:
    assert set(reading.index.tolist()) <= {one.index for one in TAGS}
    bad = set(reading.index[reading.quality < 64].tolist())
    assert bad <= set(reading.reasons) and all(reading.reasons.values())


def accounted(counters: dict[str, int]) -> int:
    names = ("files_total", "refused_files_total", "duplicate_files_total", "unknown_type_files_total")
    return sum(counters[name] for name in names)


def test_p16_malformed_files_are_all_accounted_for(tmp_path):
    counters = run(tmp_path, 2_000, 1)  # ten thousand go through the grammar alone, in test_parse
    assert accounted(counters) == 2_000
    assert counters["files_total"] > 100 and counters["incomplete_files_total"] > 100


@pytest.mark.proof
@pytest.mark.timeout(7200)
def test_p16_a_million_malformed_files_and_memory_stays(tmp_path):
    run(tmp_path, 10_000, 2)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert accounted(run(tmp_path, 1_000_000, 3)) == 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10, "KiB"
