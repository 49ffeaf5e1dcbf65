"""All of a mine that is simulated: the file simulation.yaml of a site's folder, each section as its own module says.

`flows` ties the sections together: onto which belt a face or a heading loads, and which belt lies in a road:

    flows:
      coal: {face_1: belt_104, heading_1: belt_105, heading_2: belt_106}
      roads: {belt_road_101: belt_101}

Without `coal`, faces and headings load in their order onto the belts that no other belt feeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, model_validator

from models.site.files import Folder
from models.site.problems import Problems, SiteErrors
from models.site.schema import validate
from models.site.yamlfile import parse
from simulators.design.air import VentilationDesign
from simulators.design.chambers import ChambersDesign
from simulators.design.compressors import CompressorsDesign
from simulators.design.crew import CrewDesign, Utilisation
from simulators.design.drainage import DrainageDesign
from simulators.design.headings import HeadingsDesign
from simulators.design.longwall import LongwallDesign
from simulators.design.network import NetworkDesign
from simulators.design.people import PeopleDesign
from simulators.design.power import PowerDesign
from simulators.design.sensing import GasLockDesign, SensorsDesign
from simulators.design.strict import Id, Strict
from simulators.design.thresholds import Threshold
from simulators.design.transport import BeltsDesign

FILE = "simulation.yaml"


class FlowsDesign(Strict):
    """`coal`: face or heading → belt. `roads`: road of the ventilation → the belt in it."""

    coal: dict[Id, Id] = Field(default_factory=dict, max_length=40)
    roads: dict[Id, Id] = Field(default_factory=dict, max_length=40)


class MineDesign(Strict):
    """A section that is not there is not simulated; the crew is, always."""

    utilisation: Utilisation = Utilisation()
    crew: CrewDesign = CrewDesign()
    belts: BeltsDesign | None = None
    longwalls: tuple[LongwallDesign, ...] = Field(default=(), max_length=4)
    headings: HeadingsDesign | None = None
    flows: FlowsDesign = FlowsDesign()
    drainage: DrainageDesign | None = None
    compressors: CompressorsDesign | None = None
    chambers: ChambersDesign | None = None
    people: PeopleDesign | None = None
    network: NetworkDesign | None = None
    power: PowerDesign | None = None
    ventilation: VentilationDesign | None = None
    sensors: SensorsDesign | None = None
    gas_lock: GasLockDesign | None = None
    thresholds: tuple[Threshold, ...] = Field(default=(), max_length=2000)

    @model_validator(mode="before")
    @classmethod
    def _plain_sections(cls, data: object) -> object:
        """`headings:` and `chambers:` are written without a second word of the same name."""
        if isinstance(data, dict):
            data = {
                key: {key: value} if key in ("headings", "chambers") and not _wrapped(key, value) else value
                for key, value in data.items()
            }
        return data

    @model_validator(mode="after")
    def _joined(self) -> MineDesign:
        belts = self.belts.belts if self.belts else {}
        for source, belt in self.flows.coal.items():
            if source not in self.sources():
                raise ValueError(f"flows.coal: 没有工作面 '{source}' · there is no face or heading '{source}'")
            if belt not in belts:
                raise ValueError(f"flows.coal.{source}: 没有皮带 '{belt}' · there is no belt '{belt}'")
        roads = self.ventilation.roads if self.ventilation else {}
        for road, belt in self.flows.roads.items():
            if road not in roads:
                raise ValueError(f"flows.roads: 没有巷道 '{road}' · the ventilation has no road '{road}'")
            if belt not in belts:
                raise ValueError(f"flows.roads.{road}: 没有皮带 '{belt}' · there is no belt '{belt}'")
        if self.sensors and not self.ventilation:
            raise ValueError("sensors: 需要 ventilation · sensors need the section ventilation")
        if self.gas_lock and not self.sensors:
            raise ValueError("gas_lock: 需要 sensors · the gas lock needs the section sensors")
        return self

    def sources(self) -> tuple[str, ...]:
        """Where coal is won: faces, then headings."""
        return (*(face.id for face in self.longwalls), *(self.headings.headings if self.headings else ()))

    def loads_onto(self) -> dict[str, str]:
        """Face or heading → belt."""
        if self.flows.coal or self.belts is None:
            return dict(self.flows.coal)
        fed = {belt.onto for belt in self.belts.belts.values()}
        free = [name for name in self.belts.belts if name not in fed]
        return dict(zip(self.sources(), free, strict=False))

    def places(self, category: str) -> Iterator[str]:
        """The crew's places of a category."""
        return (name for name, place in self.crew.places.items() if place.category == category)


def _wrapped(key: str, value: object) -> bool:
    return not isinstance(value, dict) or set(value) == {key}


def load_design(folder: Path) -> MineDesign | None:
    """What simulation.yaml in a site's folder says; None when there is none. Raises SiteErrors with all mistakes."""
    path = folder / FILE
    if not path.exists():
        return None
    problems = Problems()
    files = Folder(folder, problems)
    text = files.read_text(path)
    document = None if text is None else parse(text, FILE, problems)
    design = None if document is None else validate(MineDesign, document.data, document, (), problems)
    if design is None:
        raise SiteErrors(problems.ordered())
    return design
