"""`/api/v1/sequences`: what can be started and stopped in order, and the runs of it, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import anyio
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from middleplatform.api.auth import Asker, Seen, needs
from middleplatform.api.catalogue import Catalogue
from middleplatform.api.dictionaries import person
from middleplatform.api.errors import ApiError
from middleplatform.api.manual_schemas import Plain, Strict
from middleplatform.api.responses import Json, answers, refusals
from middleplatform.api.routes import Asked
from middleplatform.api.sequence_facts import (
    RotationFacts,
    RunFacts,
    RunWhole,
    SequenceFacts,
    SequenceList,
    line_facts,
    rotation_facts,
    run_facts,
    sees_of,
    sequence_facts,
    zone_of,
)
from middleplatform.control import book, turning
from middleplatform.control.book import LONGEST, Run, SequenceError, Wish
from models.sequence import Sequence
from models.site.problems import hints

router = APIRouter(prefix="/sequences", tags=["control"])

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="运行编号 · the run's number")]
Id = Annotated[str, Path(max_length=40, description="顺序控制编号 · the sequence's id")]


class RunList(BaseModel):
    """`next`: the `before` of the next page, null at the end."""

    runs: list[RunFacts]
    next: int | None


class Given(Strict):
    """Why, if there is something to say."""

    note: Annotated[str, Field(max_length=LONGEST), Plain] = ""


class Resumed(Strict):
    """`repeat`: give the command that got stuck again; without it the run goes on as if it had been carried out."""

    repeat: bool = False


class RotationList(BaseModel):
    rotations: list[RotationFacts]


class Switched(Strict):
    runs: bool


class RunsQuery(Asked):
    going: bool = Field(False, description="仅进行中 · only those that have not ended")
    limit: int = Field(100, ge=1, le=1_000)
    before: int | None = Field(None, ge=1, le=2**31 - 1)


class RunQuery(Asked):
    after: int = Field(0, ge=0, le=2**53, description="只要此行之后 · the journal from behind this line")


READ, RUN = [needs("sequence.read")], [needs("sequence.run")]


@router.get("", dependencies=READ, response_class=Json, responses=answers(SequenceList, 401, 403))
async def list_sequences(catalogue: Seen) -> Json:
    """顺序控制 · The sequences of the site: those all of whose points the caller may see."""
    return Json({"sequences": [sequence_facts(each) for each in catalogue.site.sequences.values()]})


@router.get("/runs", dependencies=READ, response_class=Json, responses=answers(RunList, 400, 401, 403))
async def list_runs(request: Request, catalogue: Seen, asked: Annotated[RunsQuery, Query()]) -> Json:
    """运行，最新在前 · Runs, the newest first."""
    mine, where, sees = catalogue.site.code, request.app.state.database, sees_of(request.app.state.catalogue, catalogue)

    def look() -> list[Run]:
        return book.listed(where, mine, going=asked.going, before=asked.before, limit=asked.limit)

    found = await anyio.to_thread.run_sync(look)
    more, zone = found[-1].id if len(found) == asked.limit else None, zone_of(catalogue)
    return Json({"runs": [run_facts(run, zone) for run in found if sees(run.sequence)], "next": more})


@router.get("/runs/{run}", dependencies=READ, response_class=Json, responses=answers(RunWhole, 400, 401, 403, 404))
async def one_run(request: Request, catalogue: Seen, run: Number, asked: Annotated[RunQuery, Query()]) -> Json:
    """一次运行及其日志 · One run, step by step: ask again with `after` for what is new."""
    found, zone = await _find(request, catalogue, run), zone_of(catalogue)
    written = await anyio.to_thread.run_sync(lambda: book.lines(request.app.state.database, run, after=asked.after))
    journal = [line_facts(each, zone) for each in written]
    return Json({**run_facts(found, zone), "definition": sequence_facts(found.sequence), "journal": journal})


@router.get("/rotations", dependencies=READ, response_class=Json, responses=answers(RotationList, 401, 403))
async def list_rotations(request: Request, catalogue: Seen) -> Json:
    """水泵轮换 · Pumps that take turns by level and tariff."""
    where, mine = request.app.state.database, catalogue.site.code
    let = await anyio.to_thread.run_sync(turning.running, where, mine)
    tell = rotation_facts(request)
    return Json({"rotations": [tell(each, let.get(name)) for name, each in catalogue.site.rotations.items()]})


@router.post(
    "/rotations/{rotation}",
    dependencies=RUN,
    response_class=Json,
    responses=answers(RotationFacts, 400, 401, 403, 404),
)
async def switch(request: Request, asker: Asker, catalogue: Seen, rotation: Id, given: Switched) -> Json:
    """投入或退出轮换 · Let a rotation run, or rest."""
    found, by = catalogue.site.rotations.get(rotation), person(asker)
    if found is None:
        raise ApiError(
            404, "unknown_rotation", f"没有轮换 {rotation}", f"there is no rotation '{rotation}'", "rotation"
        )
    where, mine = request.app.state.database, catalogue.site.code
    await anyio.to_thread.run_sync(turning.switch, where, mine, rotation, given.runs, by)
    return Json(rotation_facts(request)(found, by if given.runs else None))


@router.get("/{sequence}", dependencies=READ, response_class=Json, responses=answers(SequenceFacts, 401, 403, 404))
async def one_sequence(catalogue: Seen, sequence: Id) -> Json:
    """一个顺序控制 · One sequence: its steps, how each is confirmed, and the way back."""
    return Json(sequence_facts(_known(catalogue, sequence)))


@router.post(
    "/{sequence}/start",
    status_code=201,
    dependencies=RUN,
    response_class=Json,
    responses={201: {"model": RunFacts}, **refusals(400, 401, 403, 404, 409)},
)
async def start(request: Request, asker: Asker, catalogue: Seen, sequence: Id, given: Given) -> Json:
    """启动顺序控制 · Ask for a run; refused while another one has hold of one of its points."""
    found, where, by = _known(catalogue, sequence), request.app.state.database, person(asker)
    mine = catalogue.site.code

    def work() -> Run:
        return book.find(where, mine, book.ask(where, mine, found, by, given.note))

    return await _done(catalogue, work, 201)


@router.post(
    "/runs/{run}/abort", dependencies=RUN, response_class=Json, responses=answers(RunFacts, 401, 403, 404, 409)
)
async def abort(request: Request, asker: Asker, catalogue: Seen, run: Number) -> Json:
    """中止 · Take the way back, at any time."""
    return await _wish(request, catalogue, run, Wish.ABORT, person(asker))


@router.post(
    "/runs/{run}/pause", dependencies=RUN, response_class=Json, responses=answers(RunFacts, 401, 403, 404, 409)
)
async def pause(request: Request, asker: Asker, catalogue: Seen, run: Number) -> Json:
    """暂停 · Give no further command for now."""
    return await _wish(request, catalogue, run, Wish.PAUSE, person(asker))


@router.post(
    "/runs/{run}/resume", dependencies=RUN, response_class=Json, responses=answers(RunFacts, 400, 401, 403, 404, 409)
)
async def resume(request: Request, asker: Asker, catalogue: Seen, run: Number, given: Resumed) -> Json:
    """继续 · Go on after a hold or a pause."""
    return await _wish(request, catalogue, run, Wish.REPEAT if given.repeat else Wish.RESUME, person(asker))


async def _wish(request: Request, catalogue: Catalogue, number: int, what: Wish, who: str) -> Json:
    found, where = await _find(request, catalogue, number), request.app.state.database
    return await _done(catalogue, lambda: book.wish(where, found.mine, number, what, who))


async def _done(catalogue: Catalogue, work: Callable[[], Run], status: int = 200) -> Json:
    try:
        return Json(run_facts(await anyio.to_thread.run_sync(work), zone_of(catalogue)), status)
    except SequenceError as error:
        raise _refusal(error) from None


def _known(catalogue: Catalogue, name: str) -> Sequence:
    found = catalogue.site.sequences.get(name)
    if found is None:
        zh, en = hints(name, catalogue.site.sequences)
        raise ApiError(
            404, "unknown_sequence", f"没有顺序控制 {name}{zh}", f"there is no sequence '{name}'{en}", "sequence"
        )
    return found


async def _find(request: Request, catalogue: Catalogue, number: int) -> Run:
    """A run all of whose points the caller may see; any other does not exist. Raises ApiError 404."""
    mine, where = catalogue.site.code, request.app.state.database
    try:
        found = await anyio.to_thread.run_sync(book.find, where, mine, number)
        if not sees_of(request.app.state.catalogue, catalogue)(found.sequence):
            raise SequenceError("unknown_run", f"没有运行 {number}", f"there is no run {number}")
    except SequenceError as error:
        raise _refusal(error) from None
    return found


def _refusal(error: SequenceError) -> ApiError:
    status = {"unknown_run": 404, "invalid_note": 400}.get(error.code, 409)
    return ApiError(status, error.code, error.zh, error.en)
