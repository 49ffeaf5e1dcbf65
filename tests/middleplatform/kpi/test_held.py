"""By which site figures are made: the published one; what stands in the site's folder beside it moves no figure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from middleplatform.governance.versions import record
from middleplatform.kpi import sites
from middleplatform.kpi.held import Held
from middleplatform.store.catalogue import SiteFolder
from tests.middleplatform.kpi.stored import small_site


@pytest.fixture(scope="module")
def site():
    return small_site()


class Folder:
    """A site's folder, and who reads it."""

    def __init__(self, path, site):
        self.path, self._now, self._n = path, site, 0
        self.write(site)

    def write(self, site):
        self._now, self._n = site, self._n + 1
        (self.path / "site.yaml").write_text("x" * self._n)

    def held(self, where):
        folder = SiteFolder(self.path, self._load)
        return Held(where, folder, folder.read().site)

    def _load(self, _path):
        if self._now is None:
            raise ValueError("line 7: no such template")
        return self._now


@pytest.fixture
def folder(tmp_path, site):
    (tmp_path / "site").mkdir()
    return Folder(tmp_path / "site", site)


def edited(site, name="edited"):
    """With a machine more, as somebody writes it."""
    machine = replace(next(iter(site.equipment.values())), id=f"belt_{name}")
    return replace(site, version=name, equipment={**site.equipment, machine.id: machine})


def version(held):
    held.look()
    return held.site.version


def test_what_was_loaded_at_the_start_holds_while_nothing_is_published(place, site, folder):
    record(place, site, "files")
    held = folder.held(place)
    assert version(held) == site.version
    folder.write(edited(site))
    assert version(held) == site.version, "the folder alone moves no figure"
    assert held.outdated == "", "nor is anything wrong: what runs is what was loaded"
    folder.write(None)
    assert version(held) == site.version and held.outdated == ""


def test_the_folder_is_taken_over_once_it_is_published(place, site, folder):
    record(place, site, "wang", number=1)
    held = folder.held(place)
    folder.write(edited(site))
    assert version(held) == site.version
    record(place, edited(site), "wang", number=2)
    assert version(held) == "edited" and "belt_edited" in held.site.equipment
    folder.write(edited(site, "more"))
    assert version(held) == "edited"


def test_a_process_that_starts_beside_an_unpublished_folder_goes_on_by_the_published_version(place, site, folder):
    record(place, site, "wang", number=1)
    sites.adopt(place, site)
    folder.write(edited(site))
    held = folder.held(place)
    assert version(held) == site.version and held.outdated == ""
    assert "belt_edited" not in held.site.equipment


def test_what_is_published_anew_comes_back_without_the_folder(place, site, folder):
    record(place, site, "wang", number=1)
    sites.adopt(place, site, 100)
    held = folder.held(place)
    folder.write(edited(site))
    record(place, edited(site), "wang", number=2)
    assert version(held) == "edited"
    sites.adopt(place, held.site, 200)
    record(place, site, "wang", number=3, back_to=1)
    assert version(held) == site.version and held.outdated == ""


def test_a_published_version_that_is_nowhere_here_is_told_and_the_last_good_one_stays(place, site, folder):
    sites.adopt(place, site)
    record(place, edited(site, "elsewhere"), "li", number=4)
    folder.write(edited(site))
    held = folder.held(place)
    assert version(held) == site.version
    assert "version 4" in held.outdated and "sevenones site follow" in held.outdated
    folder.write(edited(site, "elsewhere"))
    assert version(held) == "elsewhere" and held.outdated == ""
