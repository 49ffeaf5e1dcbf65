"""The persons whom a simulated mine comes with: made once, for their owner alone, believed by its gateways."""

from __future__ import annotations

import stat
from io import StringIO

from rich.console import Console

from bus import authority
from gateway.control.verifier import Verifier
from models.control.order import Act, Order
from sevenones.demo import PERSONS, Demo
from sevenones.home import open_home
from tests.gateway.sites import CODE
from tests.middleplatform.api.build import now, site


def test_a_simulated_mine_has_an_authority_and_persons_who_can_command_at_once(tmp_path):
    home = open_home(tmp_path / "home")
    demo = Demo(home, 8700, 1, Console(file=StringIO()))
    demo._persons(site())
    known = authority.load(home)
    believed = Verifier.of(home)
    for name, roles in PERSONS.items():
        folder = home / "person" / name
        for file in ("credential.json", "person.key"):
            assert stat.S_IMODE((folder / file).stat().st_mode) == 0o600
        signer = authority.signer(folder, known)
        assert signer.statement.roles == roles and signer.statement.everywhere
        order = Order("o1", Act.TAKE, CODE, "edge1", "", now() + 5_000_000, equipment="belt1")
        signed = believed.check(signer.sign(order).as_json(), now(), site=CODE, gateway="edge1")
        assert signed.who.name == name
    # Sequences sign for themselves, or the first authority would end them all.
    assert authority.signer(authority.person(home, "sequence"), known).statement.roles == ("sequence",)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    demo._persons(site())
    assert before == {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
