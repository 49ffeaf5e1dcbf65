"""A linkage's events, of rules as large as a site may have them."""

from __future__ import annotations

import math
from dataclasses import replace

from gateway.linkage.judge import Seen
from gateway.linkage.telling import Saying, why
from models.events import EventBatch
from models.quality import GOOD
from models.site.model import Comparison, Conditions, Name
from tests.gateway.linkage.ranges import CUT
from tests.gateway.sites import CODE


def test_the_event_of_the_largest_rule_is_told_with_what_matters(tmp_path):
    long = "x" * 60
    names = [f"{long}_{n}/{long}" for n in range(32)]
    seen = [
        Seen(Comparison(f"{CODE}/{name}", 1.5, math.inf, 0.0, f"{name} ≥ 1.5"), 1.0, GOOD, 1, n >= 30, n == 0)
        for n, name in enumerate(names)
    ]
    rule = replace(CUT, when=Conditions(tuple(one.comparison for one in seen), every=False),
                   notice=Name("撤" * 200, "w" * 200))  # fmt: skip
    written = {f"{CODE}/{long}_{n}/{long}": {"to": 2, "outcome": "failed" if n == 31 else "done", "reason": "r" * 150}
               for n in range(32)}  # fmt: skip
    told = []

    def emit(events):
        EventBatch("edge1", 1, 1, events).encode()  # as the outbox does: too large is a ValueError
        told.extend(events)

    saying = Saying(CODE, "edge1", emit, lambda _: False)
    saying.say("trip", rule, 1, why(seen), inputs=seen, more={"written": written})
    all_of_them = replace(seen[0].comparison, text=seen[0].comparison.text * 8)
    saying.say("trip", rule, 2, why([replace(one, comparison=all_of_them, met=True, lost=True) for one in seen] * 4))
    first, second = (event.attributes for event in told)
    shown = {one["point"] for one in first["inputs"]}
    assert {seen[n].comparison.point for n in (0, 30, 31)} <= shown
    assert len(shown) + first["inputs_left_out"] == 32 and len(first["written"]) + first["written_left_out"] == 32
    assert f"{CODE}/{long}_31/{long}" in first["written"] and second["reason"].endswith("…")
