"""`sevenones report …`: make reports of kept figures, list them, verify one by its code or file."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sevenones.relational import Database, place_of

if TYPE_CHECKING:
    from middleplatform.reports.verify import Verdict
    from models.site.model import Name

app = typer.Typer(no_args_is_help=True, add_completion=False)

Home = Annotated[Path, typer.Option(help="数据目录 · where all data is")]
HERE = Path(".sevenones")
CODE_LENGTH = 40


@app.callback()
def report() -> None:
    """报表：编制、列出、核验 · reports: make, list, verify."""


@app.command()
def make(
    kind: Annotated[str, typer.Argument(help="shift、daily、monthly 或 bureau · which report")],
    period: Annotated[str, typer.Argument(help="月、日或起止日 · 2026-03, 2026-03-02, or 2026-03-01..2026-03-10")],
    mine: Annotated[list[str] | None, typer.Option(help="煤矿编码，缺省为全部 · mine codes, by default all")] = None,
    shift: Annotated[str, typer.Option(help="班次：1、2、3… · the shift's number in the site's order")] = "",
    language: Annotated[str, typer.Option(help="zh、en 或 both")] = "zh",
    form: Annotated[list[str] | None, typer.Option("--file", help="xlsx、pdf，缺省两者 · by default both")] = None,
    to: Annotated[Path, typer.Option(help="写入的目录 · the folder")] = Path(),
    home: Home = HERE,
    database: Database = None,
) -> None:
    """编制一份报表 · make a report: its files and its verification code."""
    from middleplatform.kpi import book
    from middleplatform.reports import making
    from middleplatform.reports.fonts import FontMissing
    from middleplatform.reports.language import Language
    from models.report.build import Order, ReportRefused
    from models.report.content import Kind

    where = place_of(home, database)
    try:
        of, said = Kind(kind), Language(language)
        forms = [making.File(each) for each in form or list(making.File)]
    except ValueError as wrong:
        sys.exit(f"没有这一种 · there is no such kind, language or file: {wrong}")
    first, last = _span(period)
    codes = tuple(mine or [each.mine for each in book.mines(where)])
    try:
        made = making.make(where, Order(of, codes, first, last, shift), _who(), _shifts(home))
        to.mkdir(parents=True, exist_ok=True)
        for each in forms:
            path = to / making.file_name(made.content, each, said)
            path.write_bytes(making.draw(made.content, each, said, made.report.made_at))
            typer.echo(path)
    except (ReportRefused, FontMissing) as wrong:
        sys.exit(str(wrong))
    typer.echo(f"验证码 · verification code {made.report.code}")


@app.command()
def due(
    site: Annotated[Path | None, typer.Option(help="矿井配置目录 · the site's folder, by default in the home")] = None,
    home: Home = HERE,
    database: Database = None,
) -> None:
    """按 reports.yaml 编制到期报表 · make what is due by the schedule, once, as at a bureau without a site."""
    from middleplatform.reports import schedule
    from models.site.problems import SiteErrors

    try:
        found = schedule.run(place_of(home, database), home, time.time_ns() // 1000, _shifts(home), site)
    except SiteErrors as wrong:
        sys.exit(f"报表计划有误 · the schedule of reports has mistakes:\n{wrong}")
    for each in found:
        told = ", ".join(map(str, each.files)) or each.why
        typer.echo(f"{'✓' if each.code else '…'} {each.due.entry.name} {each.due.period} {each.code} {told}")


@app.command("list")
def list_all(
    kind: Annotated[str, typer.Option(help="只列一种 · of one kind")] = "",
    rows: Annotated[int, typer.Option(min=1, max=1000)] = 40,
    home: Home = HERE,
    database: Database = None,
) -> None:
    """列出编制过的报表，最新在前 · the reports that were made, the newest first."""
    from middleplatform.reports import record
    from models.report.content import Kind

    try:
        of = Kind(kind) if kind else None
    except ValueError:
        sys.exit(f"没有“{kind}”报表 · there is no such report: {', '.join(Kind)}")
    for each in record.listed(place_of(home, database), of, limit=rows):
        made = datetime.fromtimestamp(each.made_at / 1e6, UTC)
        span = f"{each.first}" if each.first == each.last else f"{each.first}..{each.last}"
        typer.echo(f"{each.code}  {each.kind:8}{span:24}{','.join(each.mines)}  {made:%Y-%m-%d %H:%M} UTC  {each.who}")


@app.command()
def verify(
    what: Annotated[str, typer.Argument(help="验证码，或 XLSX、PDF 文件 · a code, or the file")],
    home: Home = HERE,
    database: Database = None,
) -> None:
    """核验：验证码、文件内的数字、依据的日数据 · whether a report is what was recorded, and its days still say so."""
    from middleplatform.reports import verify as checking

    where, path = place_of(home, database), Path(what)
    try:
        if len(what) > CODE_LENGTH or path.suffix.lower() in {".xlsx", ".pdf"} or path.is_file():
            if not path.is_file():
                sys.exit(f"没有文件 {what} · there is no such file")
            if path.stat().st_size > checking.MOST_BYTES:
                sys.exit(f"{what} 过大 · is too large for a report")
            verdict = checking.verify_file(where, path.read_bytes())
        else:
            verdict = checking.verify_code(where, what)
    except checking.NoReport as wrong:
        sys.exit(f"{what}：{wrong.zh} · {wrong.en}")
    _tell(verdict)
    if not verdict.good:
        raise typer.Exit(1)


def _tell(verdict: Verdict) -> None:
    if verdict.report is None:
        typer.echo(
            f"✗ {verdict.code} 没有记录：本平台未编制过这样内容的报表 · nobody made a report of this content here"
        )
        return
    own = verdict.report
    typer.echo(f"✓ {own.code} {own.kind} {own.first}..{own.last} {','.join(own.mines)} {own.who}")
    for each in verdict.differences:
        typer.echo(
            f"✗ {each.where}：文件为 {each.says}，记录为 {each.should} · says {each.says}, recorded {each.should}"
        )
    if verdict.differing > (listed := len(verdict.differences)):
        typer.echo(f"✗ 共 {verdict.differing} 处不同，仅列出 {listed} 处 · {listed} of {verdict.differing} differences")
    made_by, program = verdict.programs
    if made_by != program:
        typer.echo(f"! 由程序 {made_by} 编制，本程序为 {program} · made by program {made_by}, this is {program}")
    if verdict.reworded:
        typer.echo("✓ 由留存的日数据重算，数值完全一致，用语不同 · the same figures to the last digit, in other words")
    elif verdict.same:
        typer.echo("✓ 由留存的日数据重算，完全一致 · the kept days give the same to the last digit")
    elif verdict.why is not None:
        typer.echo(f"✗ {verdict.why.zh} · {verdict.why.en}")
    for mine, number in verdict.received.items():
        typer.echo(f"! {mine}：{number} 天系接收，本平台无证据 · {number} days were received, with no evidence here")
    for mine, section, day in verdict.newer[:20]:
        typer.echo(f"! 其后有更新：{mine} {section} {day} · a newer revision is kept since")


def _span(text: str) -> tuple[date, date]:
    from models.kpi.period import month_days

    try:
        if ".." in text:
            first, _, last = text.partition("..")
            return date.fromisoformat(first), date.fromisoformat(last)
        if len(text) == len("2026-03"):
            days = month_days(int(text[:4]), int(text[5:]))
            return days[0], days[-1]
        return date.fromisoformat(text), date.fromisoformat(text)
    except ValueError:
        sys.exit(f"“{text}”不是月、日或起止日 · is no 2026-03, 2026-03-02 or 2026-03-01..2026-03-10")


def _shifts(home: Path) -> dict[str, dict[str, Name]]:
    """Names of the shifts of the site in the home, where there is one that can be read."""
    from models.site import examine

    if not (home / "site").is_dir():
        return {}
    site = examine(home / "site", environment=os.environ, require_environment=False).site
    if site is None:
        return {}
    return {site.code: {str(number): shift.name for number, shift in enumerate(site.shifts, start=1)}}


def _who() -> str:
    import getpass

    try:
        return getpass.getuser()[:90]
    except (KeyError, OSError):
        return "console"
