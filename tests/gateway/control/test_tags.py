"""Tags: nobody's start gets past one, a stop always does, and it hangs until its owner or two persons remove it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bus import authority
from gateway.control.gate import Gate
from gateway.control.tags import Tag, Tags
from gateway.control.trace import Refused
from models.command import Command, Outcome
from models.control.order import Act
from models.control.policy import policy
from models.events import EventBatch
from tests.gateway.control.benches import AREAS, BELT, Bench, failed, made_site
from tests.gateway.sites import CODE


@pytest.fixture
async def bench(tmp_path):
    async with Bench(tmp_path) as bench:
        await bench.is_seen("belt_102/running", 1)
        yield bench


async def test_a_tag_refuses_every_start_is_shown_and_told_and_outlives_the_gateway(bench):
    li = bench.person("李工", "maintainer")
    hung = await bench.send(li, Act.TAG, equipment="belt_101", reason="换托辊")
    assert hung["outcome"] == "done" and hung["tag"]
    told = next(event for event in bench.events if event.kind == "tag")
    assert told.end is None and told.attributes["who"] == "李工" and told.equipment == f"{CODE}/belt_101"
    assert bench.control.state()["tags"][0]["reason"] == "换托辊"
    look = (await bench.ask(json.dumps({"look": f"{CODE}/{BELT}"}).encode()))["control"]
    assert [tag["who"] for tag in look["tags"]] == ["李工"] and look["mode"] == "remote" and look["signed_only"]
    assert [each["holds"] for each in look["interlocks"]] == [True]
    await bench.shut()
    await bench.open()
    assert json.loads(await bench.orders.answer("s", b'{"tags": true}'))["tags"][0]["equipment"] == "belt_101"
    start = await bench.send(bench.person("王工", "operator"), Act.SELECT, point=BELT, value=1)
    assert failed(start) == ["tag"] and "李工（换托辊）" in start["reason"]["zh"]
    deadline = bench.clock.now() + 5_000_000
    linkage = await bench.writer.carry_out(Command("k1", f"{CODE}/{BELT}", 1, "linkage spray", deadline))
    assert linkage.outcome is Outcome.REFUSED and bench.register(BELT) == 0
    assert (
        await bench.writer.carry_out(Command("k2", f"{CODE}/{BELT}", 2, "linkage", deadline))
    ).outcome is Outcome.DONE


async def test_what_many_tags_refuse_still_leaves_an_event(bench):
    for number in range(60):
        await bench.tags.hang(Tag(f"t{number}", "belt_101", f"工{number}", "检修" * 128, number))
    answer = await bench.send(bench.person("王工", "operator"), Act.SELECT, point=BELT, value=1)
    assert failed(answer) == ["tag"] and "and 55 more" in answer["reason"]["en"]
    event = bench.events[-1]
    assert event.kind == "control" and EventBatch.decode(EventBatch("edge1", 1, 1, [event]).encode()).events


async def test_nobody_hangs_a_tag_under_the_id_of_anothers(bench):
    li, wang = bench.person("李工", "maintainer"), bench.person("王工", "operator")
    tag = (await bench.send(li, Act.TAG, equipment="belt_101", reason="换托辊"))["tag"]
    await bench.shut()
    await bench.open()
    again = await bench.send(wang, Act.TAG, equipment="belt_102", reason="x", id=tag)
    assert failed(again) == ["tag"] and bench.control.tags()["tags"][0]["who"] == "李工"
    assert failed(await bench.send(wang, Act.SELECT, point=BELT, value=1)) == ["tag"]


async def test_a_namesake_takes_no_tag_off_and_who_has_a_new_credential_does(bench):
    old, now = bench.person("王伟", "maintainer"), bench.clock.now()
    authority.issue(bench.home, "王伟", ["maintainer"], bench.home / "new", now, renew=True)
    renewed = authority.signer(bench.home / "new")
    tags = [(await bench.send(old, Act.TAG, equipment="belt_101", reason="换托辊"))["tag"] for _ in range(2)]
    assert (await bench.send(renewed, Act.UNTAG, equipment="belt_101", nonce=tags[0]))["outcome"] == "done"
    authority.revoke(bench.home, "王伟")
    authority.issue(bench.home, "王伟", ["maintainer"], bench.home / "other", now)
    other = authority.signer(bench.home / "other")
    await bench.shut()
    await bench.open()
    answer = await bench.send(other, Act.UNTAG, equipment="belt_101", nonce=tags[1])
    assert "who alone removes it" in answer["reason"]["en"] and bench.tags.get(tags[1]) is not None


async def test_who_is_told_that_it_hangs_is_told_of_a_start_that_was_let_through_before(bench):
    program, li = bench.person("顺控", "sequence"), bench.person("李工", "maintainer")
    bench.device.delay_s = 0.7
    start = asyncio.create_task(bench.send(program, Act.EXECUTE, point=BELT, value=1))
    await bench.until(lambda: bench.writer._sending)
    tag = await bench.send(li, Act.TAG, equipment="belt_101", reason="换托辊")
    written = bench.register(BELT)
    assert tag["outcome"] == "done" and "just ended" in tag["reason"]["en"] and BELT in tag["reason"]["zh"], tag
    await asyncio.sleep(0.8)
    assert bench.register(BELT) == written, "nothing is sent after the answer"
    await start
    bench.device.delay_s = 0.0
    other = await bench.send(li, Act.TAG, equipment="belt_102", reason="换托辊")
    assert other["reason"]["en"] == "belt_102 is tagged"


async def test_a_tag_that_is_being_removed_hangs_until_the_disk_has_it(bench):
    program, li = bench.person("顺控", "sequence"), bench.person("李工", "maintainer")
    tag = (await bench.send(li, Act.TAG, equipment="belt_101", reason="换托辊"))["tag"]
    held = threading.Event()

    def full(without=""):
        held.wait(10)
        raise OSError(28, "No space left on device")

    bench.tags._write = full
    untag = asyncio.create_task(bench.send(li, Act.UNTAG, equipment="belt_101", nonce=tag))
    await bench.until(bench.tags._saving.locked)
    start = await bench.send(program, Act.EXECUTE, point=BELT, value=1)
    held.set()
    assert failed(start) == ["tag"] and bench.register(BELT) == 0
    assert (await untag)["outcome"] == "failed" and bench.tags.get(tag) is not None


async def test_who_removes_a_tag(bench):
    li, wang, zhao = (
        bench.person("李工", "maintainer"),
        bench.person("王工", "operator"),
        bench.person("赵工", "electrician"),
    )
    chief = bench.person("吴长", "dispatcher")
    tags = [(await bench.send(who, Act.TAG, equipment="belt_101", reason="检修"))["tag"] for who in (li, li, zhao)]
    theirs = await bench.send(wang, Act.UNTAG, equipment="belt_101", nonce=tags[0])
    assert failed(theirs) == ["role"] and "who alone removes it" in theirs["reason"]["en"]
    assert failed(await bench.send(chief, Act.UNTAG, equipment="belt_101", nonce=tags[0])) == ["second"]
    assert failed(await bench.send(chief, Act.UNTAG, equipment="belt_101", nonce=tags[0], second=chief)) == ["second"]
    assert failed(await bench.send(li, Act.UNTAG, equipment="belt_102", nonce=tags[0])) == ["tag"]
    assert (await bench.send(li, Act.UNTAG, equipment="belt_101", nonce=tags[0]))["left"] == 2
    assert failed(await bench.send(li, Act.UNTAG, equipment="belt_101", nonce=tags[0])) == ["tag"], "once"
    assert (await bench.send(chief, Act.UNTAG, equipment="belt_101", nonce=tags[1], second=wang))["left"] == 1
    assert failed(await bench.send(wang, Act.SELECT, point=BELT, value=1)) == ["tag"], "the electrician's still hangs"
    assert (await bench.send(zhao, Act.UNTAG, equipment="belt_101", nonce=tags[2]))["left"] == 0
    assert (await bench.send(wang, Act.SELECT, point=BELT, value=1))["outcome"] == "selected"
    ends = {event.attributes["tag"]: event for event in bench.events if event.kind == "tag" and event.end}
    assert ends[tags[1]].attributes["removed_by"] == ["吴长", "王工"] and len(ends) == 3


CHILD = """
import asyncio, sys
from pathlib import Path
from gateway.control.tags import Tag, Tags
async def main():
    tags = Tags(Path(sys.argv[1]))
    for n in range(100_000):
        await tags.hang(Tag(f"t{n}", "belt_101", "李工", "检修", n + 1))
        print(n, flush=True)
        if n % 3 == 2:
            await tags.remove(tags.get(f"t{n - 1}"))
asyncio.run(main())
"""


def test_what_was_answered_is_on_disk_when_the_process_is_killed(tmp_path):
    killed_after(20, tmp_path / "control" / "tags.json")


@pytest.mark.proof
def test_the_same_at_many_moments(tmp_path):
    for most in range(1, 101):
        killed_after(most, tmp_path / str(most) / "tags.json")


def killed_after(most, file):
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(file)], stdout=subprocess.PIPE, text=True)
    told = -1
    for line in child.stdout:
        told = int(line)
        if told >= most:
            os.kill(child.pid, signal.SIGKILL)
            break
    for line in child.stdout:
        told = int(line)
    child.wait()
    tags = Tags(file)
    assert tags.trouble is None and tags.get(f"t{told}") is not None, "the last that was told hangs"
    for n in range(told - 1):
        assert (tags.get(f"t{n}") is None) == (n % 3 == 1), n


BAD = ('[{"id": "t1", "equipment": "belt_101", "who": "李工", "reason": "换托辊", "at"', "{}", "null", "",
       '[{"id": "t1", "equipment": "belt_101", "who": 7, "reason": "x", "at": 1}]', "[1]")  # fmt: skip


@pytest.mark.parametrize("content", BAD)
async def test_a_record_that_cannot_be_read_is_kept_and_counts_as_a_tag_on_every_machine(tmp_path, content):
    file = tmp_path / "tags.json"
    file.write_text(content)
    tags = Tags(file)
    await tags.hang(Tag("t2", "belt_101", "赵工", "检修", 2))
    (kept,) = tmp_path.glob("tags.json.unreadable-*")
    assert kept.read_text() == content, "nothing was written over it"
    tags = Tags(file)
    assert [tag.id for tag in tags] == ["t2"], "what was hung since hangs after a new start too"
    gate = Gate(type("None", (), {"find": lambda *_: None})(), tags, policy())
    site = made_site(1)
    gate.use(site)
    point = next(point for point in site.points if point.path.endswith("belt_102/command"))
    with pytest.raises(Refused, match="record of tags"):
        gate.passes(point, 1.0)
    gate.passes(point, 2.0)


async def test_two_persons_settle_a_record_that_cannot_be_read(tmp_path):
    async with Bench(tmp_path) as bench:
        file = tmp_path / "gateway" / "control" / "tags.json"
        await bench.is_seen("belt_102/running", 1)
        await bench.shut()
        file.parent.mkdir(parents=True)
        file.write_text("{}")
        await bench.open()
        chief, wang, li = (
            bench.person("吴长", "dispatcher"),
            bench.person("王工", "operator"),
            bench.person("李工", "operator", equipment=["belt_101"]),
        )
        shown = {tag["equipment"]: tag["reason"] for tag in bench.control.tags()["tags"]}
        assert set(shown) == set(AREAS) and "无法读取" in shown["plain"] and bench.control.state()["tags_trouble"]
        assert failed(await bench.send(wang, Act.SELECT, point=BELT, value=1)) == ["tag"]
        assert (await bench.send(wang, Act.EXECUTE, point=BELT, value=2))["outcome"] == "done", "a stop always"
        assert (await bench.send(wang, Act.TAG, equipment="belt_102", reason="检修"))["outcome"] == "done"
        assert failed(await bench.send(wang, Act.SETTLE, reason="x", second=chief)) == ["role"]
        assert failed(await bench.send(chief, Act.SETTLE, reason="x")) == ["second"]
        assert failed(await bench.send(chief, Act.SETTLE, reason="x", second=li)) == ["scope"]
        settle = {"reason": "已逐台核实", "second": wang}
        assert (await bench.send(chief, Act.SETTLE, dry=True, **settle))["outcome"] == "would"
        await bench.shut()
        await bench.open()
        assert failed(await bench.send(wang, Act.SELECT, point=BELT, value=1)) == ["tag"], "a new start settles nothing"
        settled = await bench.send(chief, Act.SETTLE, **settle)
        assert (settled["outcome"], settled["left"]) == ("done", 1), settled
        assert [tag["equipment"] for tag in bench.control.tags()["tags"]] == ["belt_102"]
        assert failed(await bench.send(chief, Act.SETTLE, **settle)) == ["tag"], "there is nothing more to settle"
        await bench.shut()
        await bench.open()
        assert (await bench.send(wang, Act.SELECT, point=BELT, value=1))["outcome"] == "selected"
        start = await bench.send(wang, Act.SELECT, point="belt_102/command", value=1)
        assert failed(start) == ["tag"], "what was hung meanwhile still hangs"
        assert [kept.read_text() for kept in file.parent.glob("tags.json.settled-*")] == ["{}"]


async def test_a_bad_record_that_cannot_be_set_aside_is_never_written_over(tmp_path, monkeypatch):
    file = tmp_path / "tags.json"
    file.write_text("{}")

    def ill(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", ill)
        tags = Tags(file)
        with pytest.raises(OSError):
            await tags.hang(Tag("t2", "belt_101", "赵工", "检修", 2))
        assert file.read_text() == "{}" and tags.trouble is not None and len(tags.on("belt_101")) == 1
    await tags.hang(Tag("t3", "belt_101", "赵工", "检修", 3))
    assert tags.trouble is not None and [tag.id for tag in Tags(file)] == ["t2", "t3"]


class AnyOrderOfTags(RuleBasedStateMachine):
    """Against a set of what hangs: whatever is hung, removed and restarted, a start passes only where nothing does."""

    MACHINES = ("belt_101", "belt_102", "feeder_1")

    def __init__(self):
        super().__init__()
        import asyncio
        import tempfile
        from pathlib import Path

        self.run = asyncio.new_event_loop().run_until_complete
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "tags.json"
        self.site, self.hanging, self.count = made_site(1), {}, 0
        self.restart()

    def teardown(self):
        self.folder.cleanup()

    @rule()
    def restart(self):
        self.tags = Tags(self.file)

    @rule(machine=st.sampled_from(MACHINES), who=st.sampled_from(("甲", "乙")))
    def hang(self, machine, who):
        self.count += 1
        self.hanging[f"t{self.count}"] = machine
        self.run(self.tags.hang(Tag(f"t{self.count}", machine, who, "r", self.count)))

    @rule(at=st.integers(0, 20))
    def remove(self, at):
        if self.hanging:
            name = sorted(self.hanging)[at % len(self.hanging)]
            self.run(self.tags.remove(self.tags.get(name)))
            del self.hanging[name]

    @invariant()
    def only_what_nothing_hangs_on_starts(self):
        gate = Gate(type("None", (), {"find": lambda *_: None})(), self.tags, policy())
        for point in self.site.points:
            if point.key == "command" and point.equipment in self.MACHINES:
                gate.passes(point, 2.0)
                try:
                    gate.passes(point, 1.0)
                    passed = True
                except Refused:
                    passed = False
                assert passed == (point.equipment not in self.hanging.values())


TestAnyOrderOfTags = AnyOrderOfTags.TestCase
TestAnyOrderOfTags.settings = settings(max_examples=10, stateful_step_count=15, deadline=None)
