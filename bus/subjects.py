"""Subjects and streams, named in one place.

`mine.<code>.<kind>.<source>`: samples, safety and events are kept in the stream of that kind, and so are
the site's versions; live and state are not kept; a command or question is a request that its gateway answers.
"""

from __future__ import annotations

import re

SAMPLES = "SAMPLES"
SAFETY = "SAFETY"
EVENTS = "EVENTS"
STREAMS = (SAMPLES, SAFETY, EVENTS)
"""What gateways send."""
SITES = "SITES"
"""The versions of the site, which gateways take: see bus.sites."""
ANCHORS = "ANCHORS"
"""What the audit log looked like at moments: see bus.anchors."""

_KIND_OF_STREAM = {SAMPLES: "samples", SAFETY: "safety", EVENTS: "events"}
KEPT = frozenset(_KIND_OF_STREAM.values())
"""The kinds of subject that streams of gateways keep."""
_TOKEN = re.compile(r"[a-z0-9_-]{1,60}")


def _subject(code: str, kind: str, source: str) -> str:
    if source not in {"*", ">"} and not _TOKEN.fullmatch(source):
        raise ValueError(f"'{source}' cannot be part of a subject: 1 to 60 of a-z, 0-9, _ and -")
    if not re.fullmatch(r"[0-9]{12}", code):
        raise ValueError(f"the mine code '{code}' is not 12 digits")
    return f"mine.{code}.{kind}.{source}"


def samples(code: str, gateway: str) -> str:
    """Batches of bulk samples of one gateway ('*' for every gateway)."""
    return _subject(code, "samples", gateway)


def safety(code: str, gateway: str) -> str:
    """Batches of statutory samples of one gateway."""
    return _subject(code, "safety", gateway)


def events(code: str, gateway: str) -> str:
    """Batches of events of one gateway."""
    return _subject(code, "events", gateway)


def live(code: str, gateway: str) -> str:
    """Current values of one gateway, not kept."""
    return _subject(code, "live", gateway)


def state(code: str, process: str) -> str:
    """Heartbeats of one process as JSON, not kept."""
    return _subject(code, "state", process)


def command(code: str, gateway: str) -> str:
    """Requests to one gateway, answered or lost, never kept."""
    return _subject(code, "command", gateway)


def question(code: str, gateway: str) -> str:
    """An engineer's questions to one gateway about devices that are not yet in its site."""
    return _subject(code, "question", gateway)


def fault(code: str) -> str:
    """Requests to the simulators to make a fault; where a mine is real nobody listens."""
    return _subject(code, "fault", "simulator")


def site(code: str) -> str:
    """The versions of the site."""
    return _subject(code, "site", "version")


def anchor(code: str) -> str:
    """What the audit log's newest entry is."""
    return _subject(code, "anchor", "audit")


def of(code: str, what: str) -> str:
    """The subject of the mine that the policy writes as `<kind>.<source>`."""
    kind, _, source = what.partition(".")
    return _subject(code, kind, source)


def of_stream(stream: str, code: str, gateway: str) -> str:
    """The subject that `stream` keeps for one gateway ('*' for every gateway)."""
    return _subject(code, _KIND_OF_STREAM[stream], gateway)


def source_of(subject: str) -> str:
    """The last part of a subject: the gateway or process that it is about."""
    return subject.rpartition(".")[2]


INBOX = "_INBOX_"
"""How the subjects begin on which answers are received."""


def inbox_of(process: str) -> str:
    """The prefix of the subjects on which a process, and no other, receives answers."""
    return f"{INBOX}{process}"


def domain_of(server: str, code: str) -> str:
    """The JetStream domain of a bus server: unique among all servers that a group may ever join."""
    return f"{server}-{code}"


def delivery_of(edge: str, code: str) -> str:
    """The prefix of the subjects on which an edge's streams come to the mine's."""
    return f"deliver.{domain_of(edge, code)}"
