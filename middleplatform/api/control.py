"""`/api/v1/control`: signed orders on their way to a gateway, unchanged, and the tags that hang.

This process can forge none of them: it has no person's key, and the edge believes nothing but signatures. It says who
brought an order, in the audit log, and keeps out what is beyond the caller's scope.
"""

from __future__ import annotations

import json
from typing import Annotated

import anyio
import orjson
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from bus import subjects
from bus.errors import BusError
from middleplatform.api import times
from middleplatform.api.auth import Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.commanding import MachineNow, machine_now
from middleplatform.api.errors import ApiError, unavailable
from middleplatform.api.hanging import Asking, hanging
from middleplatform.api.latches import LinkageList, commanded_by, linkages_now
from middleplatform.api.responses import Json, answers
from middleplatform.audit.log import tell
from models.command import CommandError, parse
from models.control.order import Act, Order

router = APIRouter(prefix="/control", tags=["control"])

ANSWER_S = 13.0
"""A write that began just before its deadline takes so long to be read back at most."""


class Words(BaseModel):
    zh: str
    en: str


class CheckFacts(BaseModel):
    check: str
    passed: bool
    zh: str
    en: str


class OrderAnswer(BaseModel):
    """The gateway's answer as it gave it. `outcome`: selected, done, would (a dry run), refused, failed or unknown;
    `at`: µs UTC. A select's has `nonce` and `expires_s`, an execute's `value` and `unit`, a tag's `tag`."""

    id: str
    act: str
    outcome: str
    reason: Words
    at: int
    trace: list[CheckFacts]
    nonce: str | None = None
    expires_s: float | None = None
    point: str | None = None
    value: float | str | None = None
    unit: str | None = None
    tag: str | None = None
    left: int | None = None


class TagFacts(BaseModel):
    """`at`: since when it hangs, µs UTC."""

    id: str
    equipment: str
    who: str
    reason: str
    at: int
    gateway: str


class TagList(BaseModel):
    """`unanswered`: gateways whose tags are not known now."""

    tags: list[TagFacts]
    unanswered: list[str]


@router.post(
    "/{act}",
    dependencies=[needs("control.order")],
    response_class=Json,
    responses=answers(OrderAnswer, 400, 401, 403, 404, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object", "required": ["order", "signatures"]}}},
        }
    },
)
async def order(request: Request, catalogue: Seen, act: Act) -> Json:
    """签名命令：选择、执行、挂牌、摘牌、复电、控制权、处置 · A signed order, passed on to its gateway as it is."""
    data = await request.body()
    given = _order(data, act)
    _within(catalogue, given, await _let_go(request, catalogue, given))
    subject = subjects.command(catalogue.site.code, given.gateway)
    about, database = given.point or given.equipment or given.gateway, request.app.state.database
    asked = {"gateway": given.gateway, "order": given.as_json()}
    # Before it goes: what is not written down is not commanded.
    await anyio.to_thread.run_sync(lambda: tell(database, "command.ask", about, after=asked))
    left = max(0.0, (given.deadline - times.now_us()) / 1e6)
    try:
        found = orjson.loads(await _asking(request).request(subject, data, min(left, 20.0) + ANSWER_S))
    except (BusError, ValueError) as error:
        await anyio.to_thread.run_sync(lambda: tell(database, "command.end", about, after={"id": given.id}))
        raise unavailable(
            "gateway_silent",
            "网关没有应答，结果未知：请查看测点与事件",
            f"the gateway does not answer ({error}): the outcome is unknown, look at the point and its events",
        ) from None
    after = {"id": given.id, "act": str(act), "outcome": found.get("outcome"), "reason": found.get("reason")}
    # Why it was refused says whether that was its first coming: see unknown.
    after["check"] = next((each["check"] for each in found.get("trace", ()) if not each["passed"]), None)
    await anyio.to_thread.run_sync(lambda: tell(database, "command.end", about, after=after))
    return Json(found)


@router.get(
    "/tags",
    dependencies=[needs("control.read")],
    response_class=Json,
    responses=answers(TagList, 401, 403),
)
async def tags(request: Request, catalogue: Seen) -> Json:
    """挂牌一览 · The tags that hang on machines, asked of every gateway now."""
    found = await hanging(_asking(request), catalogue.site.code, catalogue.site.gateways())
    seen = {point.equipment for point in (catalogue.points[index] for index in catalogue.rows.tolist())}
    listed = [tag for of_one in found.values() for tag in of_one or () if tag["equipment"] in seen]
    return Json({"tags": listed, "unanswered": [name for name, told in found.items() if told is None]})


@router.get(
    "/linkages",
    dependencies=[needs("control.read")],
    response_class=Json,
    responses=answers(LinkageList, 400, 401, 403, 404),
)
async def linkages(
    request: Request,
    catalogue: Seen,
    equipment: Annotated[str, Query(max_length=60, description="设备，省略为全矿 · equipment, all when omitted")] = "",
) -> Json:
    """联动及其闭锁：动作与否、现在的条件、由谁复位、何以不能 · Linkages: which are latched, and what keeps them so."""
    name = catalogue.equipment_path(equipment).rpartition("/")[2] if equipment else ""
    whole = request.app.state.catalogue.site
    return Json(await linkages_now(_asking(request), catalogue, whole, name, times.now_us()))


@router.get(
    "/machines/{equipment}",
    dependencies=[needs("control.read")],
    response_class=Json,
    responses=answers(MachineNow, 400, 401, 403, 404),
)
async def machine(
    request: Request, catalogue: Seen, equipment: Annotated[str, Path(max_length=60, description="设备 · equipment")]
) -> Json:
    """设备可接受的命令及当前联锁、挂牌、控制权 · What a machine can be told, and what stands in the way now."""
    name = catalogue.equipment_path(equipment).rpartition("/")[2]
    whole = request.app.state.catalogue.site
    return Json(await machine_now(_asking(request), catalogue, whole, name, times.now_us()))


def _asking(request: Request) -> Asking:
    bus: Asking = request.app.state.bus
    return bus


def _order(data: bytes, act: Act) -> Order:
    """What is asked for, looked at but not changed. Raises ApiError 400."""
    try:
        found = parse(data)
        given = Order.of_json(found.get("order"))
    except (CommandError, ValueError) as error:
        raise ApiError(400, "no_order", f"不是签名命令：{error}", f"not a signed order: {error}", "order") from None
    if given.act is not act:
        raise ApiError(400, "another_act", f"地址是 {act}，命令是 {given.act}", f"the address says {act}, the order "
                       f"{given.act}", "act")  # fmt: skip
    return given


async def _let_go(request: Request, catalogue: Catalogue, given: Order) -> list[str]:
    """What a restore lets go of and commands, by paths; of a rule that the site has no more its gateway says it."""
    if given.act is not Act.RESTORE:
        return []
    linkage = next((each for each in catalogue.site.linkages if each.id == given.equipment), None)
    if linkage is not None:
        return list(linkage.written())
    if given.site != catalogue.site.code or given.gateway not in catalogue.site.gateways():
        return []
    return await commanded_by(_asking(request), given.site, given.gateway, given.equipment)


def _within(catalogue: Catalogue, given: Order, let_go: list[str]) -> None:
    """That the order is about what the caller may see, at a gateway that there is; a restore, all that it lets go of.
    Raises ApiError 404."""
    site = catalogue.site
    if given.act is Act.RESTORE:
        if not let_go:
            raise _no("联动", "linkage", given.equipment)
        catalogue.resolve(let_go, len(let_go))
    elif given.point:
        catalogue.one(given.point)
    elif given.act is not Act.SETTLE:
        catalogue.equipment_path(given.equipment)
    if given.site != site.code:
        raise _no("煤矿", "mine", given.site)
    if given.gateway not in site.gateways():
        raise _no("网关", "gateway", given.gateway)


def _no(zh: str, en: str, name: str) -> ApiError:
    shown = json.dumps(name[:80], ensure_ascii=False)
    return ApiError(404, "not_found", f"没有{zh} {shown}", f"there is no {en} {shown}", "order")
