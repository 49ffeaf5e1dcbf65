"""The catalogue against the templates of the library: it promises nothing that no point can show."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.site.files import Folder
from models.site.library import Library
from models.site.loader import examine
from models.site.problems import Problems
from simulators.devices.device import FAULTS, LINK_FAULTS, Device
from simulators.devices.kj import KjFolder
from simulators.devices.modbus_points import ModbusPoints
from simulators.devices.mqtt import MqttPoints
from simulators.devices.opcua import OpcUaPoints
from simulators.devices.sparkplug import SparkplugNodes
from simulators.devices.sql import SqlView
from simulators.faults.catalogue import Fault, FaultError, catalogue, fault_of
from simulators.faults.scenario import mines
from simulators.faults.scenario_check import disturbances

ISSUE = {
    "sensor": {"broken_wire", "drift", "freeze", "over_range", "calibration"},
    "device": {"device_reset", "device_hang", "device_slow", "device_garbage", "word_order", "clock_jump"},
    "link": {"link_cut", "link_loss", "link_delay"},
    "machine": {"belt_slip", "belt_tear", "belt_deviation", "belt_smoke", "aux_fan_stop", "pump_failure"},
    "air": {"gas_rise"},
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(Folder(tmp_path_factory.mktemp("none"), Problems()), Problems())


def test_it_has_every_fault_that_was_asked_for():
    found = catalogue()
    for target, wanted in ISSUE.items():
        assert wanted <= {id_ for id_, fault in found.items() if fault.target == target}
    assert "feed_abnormal" in found


@pytest.mark.parametrize("id_", catalogue())
def test_its_signs_are_points_and_states_that_templates_have(id_: str, library: Library):
    fault = catalogue()[id_]
    for template in fault.on if fault.target in ("machine", "sensor") else ():
        assert library.get(template) is not None
    for sign in fault.signs:
        owners = (sign.of,) if sign.of else fault.on if fault.target == "machine" else ()
        for owner in owners:
            template = library.get(owner)
            assert template is not None
            point = template.points[sign.point]
            if sign.value is not None and point.states:
                assert sign.value in point.states
            if sign.alarm in ("hi", "hihi", "lo", "lolo"):
                kinds = {limit.kind for limit in point.limits}
                assert sign.alarm in kinds, (owner, sign.point)


@pytest.mark.parametrize(
    ("adapter", "device"),
    [
        ("modbus", ModbusPoints),
        ("opcua", OpcUaPoints),
        ("mqtt", MqttPoints),
        ("sparkplug", SparkplugNodes),
        ("kj", KjFolder),
        ("sql", SqlView),
    ],
)
def test_each_protocol_can_have_what_the_catalogue_lets_it(adapter: str, device: type[Device]):
    named = {
        fault.kind
        for fault in catalogue().values()
        if fault.target in ("device", "link") and (not fault.on or adapter in fault.on)
    }
    assert named == device.kinds


def test_amounts_are_bounded_and_the_usual_one_is_taken():
    slip, cut = fault_of("belt_slip"), fault_of("link_cut")
    assert slip.checked("belt_slip", None) == 1.0
    assert cut.checked("link_cut", None) == cut.checked("link_cut", 1.0) == 1.0
    with pytest.raises(FaultError, match=r"must be 0\.05 … 1 1, not 3"):
        slip.checked("belt_slip", 3.0)
    with pytest.raises(FaultError, match="it has no amount"):
        cut.checked("link_cut", 0.5)
    with pytest.raises(FaultError):
        slip.checked("belt_slip", float("nan"))


def test_an_unknown_fault_is_refused_with_the_nearest():
    with pytest.raises(FaultError, match="did you mean 'gas_rise'"):
        fault_of("gas_rice")


def test_every_fault_says_in_two_languages_what_is_noticed():
    for id_, fault in catalogue().items():
        assert isinstance(fault, Fault)
        assert fault.expected.zh != fault.expected.en, id_
        assert any("\u4e00" <= letter <= "\u9fff" for letter in fault.expected.zh + fault.name.zh), id_


@pytest.mark.parametrize("mine", ["low", "middle", "high"])
def test_it_has_what_the_simulated_mines_can_and_nothing_else(mine: str):
    """What a part of the plant can suffer without a name here could not be asked for."""
    folder = mines()[mine]
    site = examine(folder, environment={}, require_environment=False).site
    assert site is not None
    can = {kind for kinds in disturbances(site, folder).values() for kind in kinds}
    assert {fault.kind for fault in catalogue().values() if fault.target in ("machine", "air", "sensor")} == can


def test_devices_can_have_what_it_says_and_nothing_else():
    assert {fault.kind for fault in catalogue().values() if fault.target in ("device", "link")} == set(FAULTS)
    assert {fault.kind for fault in catalogue().values() if fault.target == "link"} == set(LINK_FAULTS)


def test_the_file_is_where_it_says(request: pytest.FixtureRequest):
    from simulators.faults.catalogue import FILE

    assert FILE.is_relative_to(Path(str(request.config.rootpath)))
