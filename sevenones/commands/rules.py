"""`sevenones rules`: a site's linkages, and what they would do in a scenario."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.linkage.trial import Tripped
    from models.site.model import Linkage, Site

app = typer.Typer(
    no_args_is_help=True, help="联动规则：列出、用情景试验 · linkage rules: list them, try them on a scenario"
)
Folder = Annotated[Path, typer.Argument(help="矿井配置目录 · the site folder")]


@app.command("list")
def list_(site: Folder) -> None:
    """列出联动规则 · the linkages of a site: who carries them out, when, what and within what time."""
    for one in _site(site).linkages:
        for line in described(one):
            typer.echo(line)


@app.command()
def test(
    site: Folder,
    scenario: Annotated[Path, typer.Argument(help="情景文件 · a scenario file, see simulators/scenarios")],
    settle: Annotated[
        float,
        typer.Option(min=1, max=86_400, help="情景开始前矿井先运行的秒数 · s that the mine runs before it begins"),
    ] = 1800.0,
) -> None:
    """在模拟时钟上用情景试验规则，不写任何设备 · play a scenario through the rules on a simulated clock: what would
    trip, when and why. Nothing is written; the mine goes on as if nothing had been commanded."""
    import datetime
    import os
    import zoneinfo

    from gateway.linkage.trial import Trial, looked_at, ours
    from models.site import SiteErrors
    from models.site.linkages import states
    from simulators.faults.channels import play_channels
    from simulators.faults.scenario_check import load_scenario

    loaded = _site(site)
    try:
        played = load_scenario(scenario, os.environ)[0].scenario
        zone = zoneinfo.ZoneInfo(loaded.time_zone)
        day = datetime.datetime.fromtimestamp(played.start_us / 1e6, zone).date().isoformat()
        rules = ours(loaded.linkages, day)
        said = states(loaded)
        paths = looked_at(rules, said)
        trial = Trial(rules, paths, played.start_us, said)

        def take(ts, values) -> None:  # type: ignore[no-untyped-def]
            for when, row in zip(ts.tolist(), values, strict=True):
                trial.take(when, row)

        missing = play_channels(played, loaded, site, [path.partition("/")[2] for path in paths], take, settle)
    except SiteErrors as error:
        sys.exit(str(error))
    typer.echo(f"{played.name.zh} · {played.name.en}：{len(rules)} 条规则 rules, {len(paths)} 个测点 points")
    for point in missing:
        typer.echo(f"  模拟矿井没有 · not simulated: {point}")
    for found in trial.tripped:
        for line in told(found, played.start_us):
            typer.echo(line)
    typer.echo(f"{len(trial.tripped)} 次动作 · trips")


def described(one: Linkage) -> list[str]:
    """A rule for a terminal."""
    kind = "矿方硬件 mine's own" if one.mine else f"网关 gateway {', '.join(one.gateways)}"
    marks = [
        *([] if one.enabled else ["停用 disabled"]),
        *(["影子 shadow"] if one.shadow else []),
        *(["闭锁 latched"] if one.latched else []),
        *([f"自 from {one.effective_from}"] if one.effective_from else []),
        *([] if one.confirmed else ["未确认 unconfirmed"]),
    ]
    joined = " 且 and " if one.when.every else " 或 or "
    lines = [
        f"{one.id}  {one.name.zh} · {one.name.en}",
        f"    {one.act}，{kind}，{one.within_s:g} s，优先级 priority {one.priority}，v{one.version}"
        + (f"，{'，'.join(marks)}" if marks else ""),
        f"    当 when  {joined.join(each.text for each in one.when.comparisons)}",
    ]
    if one.command:
        lines.append(
            f"    令 command  {', '.join(f'{_short(path)} = {value:g}' for path, value in one.command.items())}"
        )
    if one.then:
        lines.append(f"    应 then  {', '.join(each.text for each in one.then)}")
    if one.restore is not None:
        by = "自动 automatic" if one.restore.automatic else "授权人员 authorised person"
        lines.append(f"    复 restore  {', '.join(each.text for each in one.restore.when.comparisons)}（{by}）")
    if not one.mine:
        lines.append(f"    失联 on_lost  {one.on_lost}（{one.lost_after_s:g} s）")
    return lines


def told(found: Tripped, start: int) -> list[str]:
    """A trip for a terminal."""
    rule = found.rule
    writes = ", ".join(f"{_short(path)} = {value:g}" for path, value in rule.command.items()) or (
        rule.notice.zh if rule.notice else ""
    )
    after = "" if found.well_again is None else f"，{_time(found.well_again - start)} 后可复 · could be restored"
    return [
        f"{_time(found.at - start)}  {rule.id}{'（影子 shadow）' if rule.shadow else ''}  {rule.name.zh}",
        f"    因 why  {found.why.zh} · {found.why.en}",
        f"    令 would write  {writes}  {rule.within_s:g} s 内 within{after}"
        if found.needed
        else f"    已是应有状态，不写 · all that must follow is so already, nothing would be written{after}",
    ]


def _short(path: str) -> str:
    return path.partition("/")[2]


def _time(us: int) -> str:
    minutes, seconds = divmod(us / 1e6, 60)
    return f"{int(minutes) // 60:d}:{int(minutes) % 60:02d}:{seconds:04.1f}"


def _site(folder: Path) -> Site:
    from sevenones.site_check import examine

    report = examine(folder, require_environment=False)
    if report.site is None:
        for problem in report.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(1)
    return report.site
