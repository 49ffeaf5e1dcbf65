"""The command authority: what it makes, who may read it, what it withdraws."""

from __future__ import annotations

import json
import os
import stat

import pytest

from bus import authority
from bus.authority import AuthorityError
from bus.secret import set_aside, write_secret
from models.control.order import Act, Order

SITE, NOW = "140581000000", 1_790_000_000_000_000


def order(signer):
    return signer.sign(Order("c1", Act.TAG, SITE, "edge1", "", NOW, equipment="belt_101", reason="换托辊"))


def test_a_person_signs_and_a_gateway_that_has_only_the_public_half_believes_it(tmp_path):
    home, edge, person = tmp_path / "home", tmp_path / "edge", tmp_path / "wang"
    authority.init(home, SITE)
    made = authority.issue(home, "王工", ["operator"], person, NOW, areas=["face_101"])
    authority.install(home, edge)
    assert sorted(path.name for path in (edge / "control").iterdir()) == ["authority.json", "withdrawn.json"]
    (found,) = order(authority.signer(person)).persons(authority.load(edge))
    assert (
        found == made and found.covers("belt_101", ["face_101", "seam_3"]) and not found.covers("belt_101", ["shaft"])
    )
    with pytest.raises(AuthorityError, match="keeps it"):
        authority.issue(edge, "李工", ["operator"], tmp_path / "li", NOW)


def test_files_with_keys_are_for_their_owner_alone_and_hold_the_only_copy(tmp_path):
    authority.init(tmp_path, SITE)
    authority.issue(tmp_path, "王工", ["operator"], tmp_path / "wang", NOW)
    for path in (tmp_path / "control" / "authority.key", tmp_path / "wang" / "person.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = [(tmp_path / "wang" / "person.key").read_text().splitlines()[1]]
    secret.append((tmp_path / "control" / "authority.key").read_text().splitlines()[1])
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix != ".key":
            assert not any(each in path.read_text() for each in secret), path
    assert "Ed25519PrivateKey" not in repr(authority.signer(tmp_path / "wang"))


def test_what_is_written_is_on_disk_with_its_name(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def remember(handle):
        fsync(handle)
        synced.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else (tmp_path / "a").exists())

    monkeypatch.setattr("os.fsync", remember)
    write_secret(tmp_path / "a", "x")
    assert synced == [False, "folder"], "the content before it has its name, then the name"
    aside = set_aside(tmp_path / "a")
    assert synced[2:] == ["folder"] and aside.read_text() == "x" and not (tmp_path / "a").exists()


def test_a_withdrawn_credential_is_told_in_a_signed_list(tmp_path):
    authority.init(tmp_path, SITE)
    first = authority.issue(tmp_path, "王工", ["operator"], tmp_path / "a", NOW)
    second = authority.issue(tmp_path, "王工", ["operator"], tmp_path / "b", NOW, renew=True)
    other = authority.issue(tmp_path, "李工", ["safety"], tmp_path / "c", NOW)
    assert authority.withdrawn(tmp_path) == frozenset()
    assert authority.revoke(tmp_path, first.serial) == [first.serial]
    assert authority.revoke(tmp_path, "王工") == [second.serial]
    with pytest.raises(AuthorityError, match="no credential"):
        authority.revoke(tmp_path, "王工")
    assert authority.withdrawn(tmp_path) == {first.serial, second.serial}
    assert [each.withdrawn for each in authority.listed(tmp_path)] == [True, True, False]
    path = tmp_path / "control" / "withdrawn.json"
    kept = json.loads(path.read_text())
    kept["statement"]["serials"] = [other.serial]
    path.write_text(json.dumps(kept))
    with pytest.raises(AuthorityError, match="signature is wrong"):
        authority.withdrawn(tmp_path)
    path.unlink()
    with pytest.raises(AuthorityError, match="withdrawn"):
        authority.withdrawn(tmp_path)


def test_what_cannot_be_made_is_refused_in_words(tmp_path):
    with pytest.raises(AuthorityError, match="no command authority"):
        authority.issue(tmp_path, "王工", ["operator"], tmp_path / "a", NOW)
    authority.init(tmp_path, SITE)
    with pytest.raises(AuthorityError, match="already"):
        authority.init(tmp_path, SITE)
    with pytest.raises(AuthorityError, match="no role 'king', there are: operator"):
        authority.issue(tmp_path, "王工", ["king"], tmp_path / "a", NOW)
    with pytest.raises(AuthorityError, match="one role"):
        authority.issue(tmp_path, "王工", [], tmp_path / "a", NOW)
    with pytest.raises(AuthorityError, match="is not"):
        authority.issue(tmp_path, "../王工", ["operator"], tmp_path / "a", NOW)
    authority.issue(tmp_path, "王工", ["operator"], tmp_path / "a", NOW)
    with pytest.raises(AuthorityError, match="another folder"):
        authority.issue(tmp_path, "李工", ["operator"], tmp_path / "a", NOW)
    other = authority.issue(tmp_path, "李工", ["operator"], tmp_path / "b", NOW)
    (tmp_path / "b" / "person.key").write_bytes((tmp_path / "a" / "person.key").read_bytes())
    with pytest.raises(AuthorityError, match="not the credential's"):
        authority.signer(tmp_path / "b")
    assert other.serial in {each.serial for each in authority.listed(tmp_path)}


def test_a_name_is_one_persons_and_a_renewed_credential_is_still_that_persons(tmp_path):
    authority.init(tmp_path, SITE)
    first = authority.issue(tmp_path, "王伟", ["operator"], tmp_path / "a", NOW, days=10)
    with pytest.raises(AuthorityError, match="--renew"):
        authority.issue(tmp_path, "王伟", ["safety"], tmp_path / "b", NOW)
    with pytest.raises(AuthorityError, match="no credential of '李工' to renew"):
        authority.issue(tmp_path, "李工", ["safety"], tmp_path / "b", NOW, renew=True)
    second = authority.issue(tmp_path, "王伟", ["operator"], tmp_path / "b", NOW, renew=True)
    third = authority.issue(tmp_path, "王伟", ["operator"], tmp_path / "c", NOW, renew=True)
    assert first.person == second.person == third.person == first.serial
    assert authority.signer(tmp_path / "c").statement == third
    authority.revoke(tmp_path, "王伟")
    other = authority.issue(tmp_path, "王伟", ["safety"], tmp_path / "d", NOW)
    assert other.person == other.serial, "who comes after is another person"
