"""`/api/v1/mine`: what the mine is called, its clock, and where its equipment stands."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from middleplatform.api.auth import Seen, needs
from middleplatform.api.responses import Json, answers
from middleplatform.api.schemas import Words
from middleplatform.minemap.flow import feeds
from models.site.model import Site

router = APIRouter(prefix="/mine", tags=["data"])


class ShiftOf(BaseModel):
    """`start`, `end`: "HH:MM" by the mine's clock."""

    name: Words
    start: str
    end: str


class AreaOf(BaseModel):
    """`parent`: the area that it lies in."""

    id: str
    name: Words
    parent: str | None


class EquipmentAt(BaseModel):
    """`subsystem`: the category of its template, "" where it is not known. `feeds`: the belt that this one's coal falls
    onto, as the map has it, null where it is not known."""

    id: str
    name: Words
    template: str
    area: str
    subsystem: str
    feeds: str | None


class TemplateOf(BaseModel):
    """`subsystem`: its category."""

    id: str
    name: Words
    subsystem: str


class BasisOf(BaseModel):
    """What the site says of its figures, as far as the caller sees it. `incoming`: counters of what the mine takes from
    the grid, `output`: of the coal that it raises (paths); `rated`: equipment → role → what it is rated at, in the
    role's unit."""

    incoming: list[str]
    output: list[str]
    rated: dict[str, dict[str, float]]


class Mine(BaseModel):
    """Areas and equipment are those in the caller's scope, `templates` those that they are instances of. `run_style`:
    the colour of what runs."""

    code: str
    name: Words
    capacity_kt: int
    gas_class: str
    time_zone: str
    run_style: Literal["grey", "green"]
    shifts: list[ShiftOf]
    areas: list[AreaOf]
    templates: list[TemplateOf]
    equipment: list[EquipmentAt]
    basis: BasisOf


@router.get("", dependencies=[needs("live.read")], response_class=Json, responses=answers(Mine, 401, 403))
async def mine(catalogue: Seen) -> Json:
    """矿井、区域与设备 · The mine, its areas and equipment, in the caller's scope."""
    site = catalogue.site
    onto = feeds(site)
    return Json(
        {
            "code": site.code,
            "name": site.name.words(),
            "capacity_kt": site.capacity_kt,
            "gas_class": site.gas_class,
            "time_zone": site.time_zone,
            "run_style": str(site.run_style),
            "shifts": [{"name": each.name.words(), "start": each.start, "end": each.end} for each in site.shifts],
            "areas": [
                {"id": each.id, "name": each.name.words(), "parent": each.parent} for each in site.areas.values()
            ],
            "templates": [
                {"id": each.id, "name": each.name.words(), "subsystem": each.category}
                for each in site.templates.values()
            ],
            "equipment": [
                {
                    "id": each.id,
                    "name": each.name.words(),
                    "template": each.template,
                    "area": each.area,
                    "subsystem": each.subsystem,
                    "feeds": onto.get(each.id),
                }
                for each in site.equipment.values()
            ],
            "basis": _basis(site),
        }
    )


def _basis(site: Site) -> dict[str, Any]:
    seen = {point.path for point in site.points}
    rated: dict[str, dict[str, float]] = {}
    for (equipment, role), value in site.basis.rated.items():
        if equipment in site.equipment:
            rated.setdefault(equipment, {})[role] = value
    return {
        "incoming": [path for path in site.basis.incoming if path in seen],
        "output": [path for path in site.basis.output if path in seen],
        "rated": rated,
    }
