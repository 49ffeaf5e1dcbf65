"""What an edge believes from its own files alone."""

from __future__ import annotations

import shutil

import pytest

from bus import authority
from gateway.control.trace import Check, Refused
from gateway.control.verifier import Verifier
from models.control.order import Act, Order

SITE, NOW = "140581000000", 1_790_000_000_000_000
HERE = {"site": SITE, "gateway": "edge1"}


class Home:
    def __init__(self, folder):
        self.folder, self.count = folder, 0
        authority.init(folder, SITE)
        self.verifier = Verifier.of(folder)

    def person(self, name, *roles, now=NOW, **more):
        authority.issue(self.folder, name, list(roles), self.folder / name, now, **more)
        return authority.signer(self.folder / name)

    def order(self, act=Act.RESTORE, **more):
        self.count += 1
        facts = {
            "id": f"o{self.count}",
            "deadline": NOW + 5_000_000,
            "equipment": "ch4_101",
            "reason": "已排放",
            **more,
        }
        return Order(act=act, serial="", **{**HERE, **facts})

    def refused(self, envelope, now=NOW, **more):
        with pytest.raises(Refused) as caught:
            self.verifier.check(envelope.as_json(), now, **{**HERE, **more})
        assert caught.value.reason.zh
        return caught.value.check, str(caught.value)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def test_an_order_is_believed_once_and_by_whom_is_known(home):
    envelope = home.person("王工", "safety").sign(home.order())
    signed = home.verifier.check(envelope.as_json(), NOW, **HERE, act=Act.RESTORE)
    assert (signed.who.name, signed.order.act) == ("王工", Act.RESTORE)
    assert home.refused(envelope) == (Check.ORDER, "this order has come before: sign another one")


def test_what_makes_an_order_void(home):
    wang = home.person("王工", "safety")
    check, words = home.refused(wang.sign(home.order()), now=NOW + 6_000_000)
    assert check is Check.ORDER and "deadline has passed" in words
    check, words = home.refused(wang.sign(home.order(deadline=NOW + 60_000_000)))
    assert check is Check.ORDER and "check the clocks" in words
    check, words = home.refused(wang.sign(home.order(gateway="edge2")))
    assert check is Check.ORDER and "not for here" in words
    check, words = home.refused(wang.sign(home.order()), act=Act.TAG)
    assert check is Check.ORDER and "not to tag" in words
    old = home.person("旧", "safety", now=NOW - 400 * 86_400_000_000)
    assert home.refused(old.sign(home.order())) == (Check.CREDENTIAL, "the credential of 旧 has expired")
    early = home.person("新", "safety", now=NOW + 86_400_000_000)
    assert home.refused(early.sign(home.order()))[0] is Check.CREDENTIAL
    order = home.order()
    twice = old.join(wang.sign(order))
    assert home.refused(twice)[0] is Check.CREDENTIAL, "the second signature's credential counts as well"


def test_a_withdrawn_credential_ends_at_once_and_without_the_list_nobody_is_believed(home):
    wang = home.person("王工", "safety")
    home.verifier.check(wang.sign(home.order()).as_json(), NOW, **HERE)
    authority.revoke(home.folder, "王工")
    assert home.refused(wang.sign(home.order())) == (Check.CREDENTIAL, "the credential of 王工 is withdrawn")
    li = home.person("李工", "safety")
    (home.folder / "control" / "withdrawn.json").unlink()
    check, words = home.refused(li.sign(home.order()))
    assert check is Check.SIGNATURE and "withdrawn.json" in words
    assert home.verifier.state()["trouble"]


def test_restoring_needs_the_role_and_the_place(home):
    where = {"equipment": "ch4_101", "areas": ("face_101", "seam_3")}

    def permitted(signer):
        return home.verifier.permitted(signer.sign(home.order()).as_json(), NOW, Act.RESTORE, **HERE, **where)

    assert permitted(home.person("王工", "safety", areas=["seam_3"])).who.name == "王工"
    for name, roles, more, check in (
        ("李工", ["operator"], {}, Check.ROLE),
        ("赵工", ["safety"], {"areas": ["shaft"]}, Check.SCOPE),
        ("钱工", ["safety"], {"equipment": ["ch4_102"]}, Check.SCOPE),
    ):
        with pytest.raises(Refused) as caught:
            permitted(home.person(name, *roles, **more))
        assert caught.value.check is check


def test_commands_must_be_signed_from_the_moment_an_authority_is_there(tmp_path):
    verifier = Verifier.of(tmp_path)
    assert not verifier.required
    authority.init(tmp_path, SITE)
    assert verifier.required
    (tmp_path / "control" / "authority.json").unlink()
    assert verifier.required, "whoever takes the file away does not open the door"


class Edge:
    """A gateway of another machine, to which the home's files are carried."""

    def __init__(self, home, folder):
        self.home, self.folder = home, folder
        self.install()
        self.start()

    def install(self):
        authority.install(self.home.folder, self.folder)

    def start(self):
        self.verifier = Verifier.of(self.folder, self.folder / "gateway")

    def check(self, envelope):
        return self.verifier.check(envelope.as_json(), NOW, **HERE)


@pytest.fixture
def edge(home, tmp_path):
    return Edge(home, tmp_path / "edge")


def test_an_older_list_of_withdrawn_ones_gives_nobody_back_what_was_withdrawn(home, edge):
    wang, li = home.person("王工", "safety"), home.person("李工", "safety")
    file = edge.folder / "control" / "withdrawn.json"
    before = file.read_text()
    edge.check(wang.sign(home.order()))
    authority.revoke(home.folder, "王工")
    edge.install()
    with pytest.raises(Refused, match="withdrawn"):
        edge.check(wang.sign(home.order()))
    for start in (lambda: None, edge.start):
        file.write_text(before)
        start()
        with pytest.raises(Refused, match="credential of 王工 is withdrawn"):
            edge.check(wang.sign(home.order()))
        assert "older than one that was here" in edge.verifier.state()["trouble"]
        assert edge.check(li.sign(home.order())).who.name == "李工", "others go on by the newer one"
    edge.install()
    assert edge.check(li.sign(home.order())) and edge.verifier.state()["trouble"] is None


def test_every_list_has_a_higher_number_also_from_a_home_that_was_restored(home, tmp_path):
    home.person("王工", "safety")
    home.person("李工", "safety")
    shutil.copytree(home.folder / "control", tmp_path / "backup" / "control")
    numbers = [authority.withdrawn_list(home.folder).number]
    authority.revoke(home.folder, "王工")
    numbers.append(authority.withdrawn_list(home.folder).number)
    authority.revoke(tmp_path / "backup", "李工")
    numbers.append(authority.withdrawn_list(tmp_path / "backup").number)
    assert numbers == sorted(set(numbers)), numbers


def test_a_gateway_that_had_an_authority_and_has_none_at_its_start_takes_no_command_and_says_so(home, edge):
    wang = home.person("王工", "safety")
    edge.check(wang.sign(home.order()))
    (edge.folder / "control" / "authority.json").unlink()
    edge.start()
    assert edge.verifier.required
    with pytest.raises(Refused, match="had a command authority and has none now"):
        edge.check(wang.sign(home.order()))
    assert "had a command authority" in edge.verifier.state()["trouble"]
    (edge.folder / "gateway" / "believed.json").write_text("{")
    edge.start()
    assert edge.verifier.required
    edge.start()
    assert edge.verifier.required, "what was believed cannot be read either: that it was there is enough"
    edge.install()
    assert edge.check(wang.sign(home.order())) and edge.verifier.state()["trouble"] is None
