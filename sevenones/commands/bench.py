"""`sevenones bench …`: each prints one JSON object last, whose keys carry their units."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False)


def _print(result: dict[str, Any]) -> None:
    print(json.dumps(result, ensure_ascii=False))


@app.command()
def pipeline(
    seconds: Annotated[float, typer.Option(min=0.5, max=600, help="时长 · how long")] = 5.0,
) -> None:
    """raw registers → decoded, scaled, quality, exception report, encoded; batches of 10,000 on one core."""
    from sevenones.bench import pipeline as bench

    _print(bench.run(seconds=seconds))


@app.command()
def linkage(
    trips: Annotated[int, typer.Option(min=25, max=100_000, help="动作次数 · how many trips")] = 1000,
) -> None:
    """a methane value over the cut-off → the power-off command in its device, many ranges side by side, no platform."""
    from sevenones.bench import linkage as bench

    _print(bench.run(trips=trips))


@app.command()
def ingest(
    samples: Annotated[int, typer.Option(min=100_000, max=200_000_000, help="样本数 · how many samples")] = 10_000_000,
) -> None:
    """encoded batches → on disk and queryable in chDB."""
    from sevenones.bench import ingest as bench

    _print(bench.run(samples=samples))


@app.command()
def alarms(
    points: Annotated[int, typer.Option(min=100, max=1_000_000, help="测点数 · how many points")] = 100_000,
    rounds: Annotated[int, typer.Option(min=10, max=10_000, help="批数 · how many batches")] = 200,
    beside: Annotated[
        bool,
        typer.Option(
            "--beside", help="全程时延：单独，以及在整月导出和全表查询旁 · whole way, alone and beside readers"
        ),
    ] = False,
    samples: Annotated[
        int, typer.Option(min=1_000_000, max=500_000_000, help="--beside：一个月的样本数 · samples of the month")
    ] = 20_000_000,
    seconds: Annotated[int, typer.Option(min=10, max=3600, help="--beside：每段时长 · how long each")] = 150,
) -> None:
    """one sample of every point, held against its alarms: a batch's time, quiet and in a storm; or, with --beside, from
    the bus to the journal, alone and while a month is exported and the whole table asked."""
    if beside:
        from sevenones.bench import alarm_latency

        _print(alarm_latency.run(samples=samples, seconds=seconds))
        return
    from sevenones.bench import alarms as bench

    _print(bench.run(points=points, rounds=rounds))


@app.command()
def query(
    samples: Annotated[
        int, typer.Option(min=100_000, max=1_000_000_000, help="样本数 · how many samples")
    ] = 100_000_000,
    peers: Annotated[
        bool, typer.Option("--peers", help="与 DuckDB、victoria-metrics、InfluxDB 并列 · other stores beside ours")
    ] = False,
    results: Annotated[
        Path | None,
        typer.Option(
            help="保存各库结果的目录，中断后接着测 · keeps each store's result; a run cut short goes on behind it"
        ),
    ] = None,
) -> None:
    """a month of samples in chDB: a raw day, buckets of a week and a month out of roll-ups, states, the latest."""
    from sevenones.bench import query as bench

    _print(bench.run(samples=samples, peers=peers, results=results))


@app.command()
def kpi(
    days: Annotated[int, typer.Option(min=1, max=30, help="月的天数 · days of the month")] = 30,
    mines: Annotated[int, typer.Option(min=1, max=1000, help="年度的矿数 · mines of the year")] = 100,
    data: Annotated[Path | None, typer.Option(help="保存样本的目录 · a folder that keeps the samples")] = None,
) -> None:
    """a month's figures of a mine from its samples, a day again after a late hour, a year of many mines."""
    from sevenones.bench import kpi as bench

    _print(bench.run(days=days, mines=mines, data=data))


@app.command()
def e2e(
    points: Annotated[int, typer.Option(min=1, max=2_000_000, help="测点数 · how many points")] = 100_000,
    seconds: Annotated[int, typer.Option(min=5, max=3600, help="时长 · how long")] = 60,
) -> None:
    """simulated devices → over the wire → queryable by the API, every value changing each second."""
    from sevenones.bench import e2e as bench

    _print(bench.run(points=points, seconds=seconds))


@app.command()
def follow(
    mine: Annotated[str, typer.Option(help="仿真矿井 · the simulated mine: low, middle, high, demo")] = "middle",
    hours: Annotated[float, typer.Option(min=0.5, max=168, help="时长（小时） · for so many hours")] = 8.0,
    begin: Annotated[str, typer.Option(help="开始（当地时间） · from this local time on")] = "2026-11-02T16:00",
    seed: Annotated[int, typer.Option(min=0, help="随机种子 · the seed")] = 1,
) -> None:
    """belts whose speed follows their coal against belts at rated speed, on the simulator: kWh/t, and what is saved."""
    from sevenones.bench import follow as bench

    _print(bench.run(mine=mine, hours=hours, begin=begin, seed=seed))


@app.command()
def sequence(
    steps: Annotated[int, typer.Option(min=1, max=64, help="每次运行的步数 · steps of a run")] = 50,
    runs: Annotated[int, typer.Option(min=1, max=100, help="同时运行数 · runs beside each other")] = 10,
) -> None:
    """steps of sequences: journal on disk, tick, command and answer, with a plant that obeys at once."""
    from sevenones.bench import sequence as bench

    _print(bench.run(steps=steps, runs=runs))


@app.command()
def modbus(
    short: Annotated[bool, typer.Option("--short", help="一种负载，40 秒内 · one load, within 40 s")] = False,
    peers: Annotated[bool, typer.Option("--peers", help="与其他网关对比 · other gateways too, in turn")] = False,
    seconds: Annotated[int, typer.Option(min=5, max=600, help="每种负载时长 · how long each load")] = 20,
) -> None:
    """simulated Modbus devices → poll, decode, scale, quality, exception report, encode → durable on the bus."""
    from sevenones.bench import modbus as bench

    if peers:
        _beside_others(seconds)
        return
    _print(bench.run(short=short, seconds=seconds))


def _beside_others(seconds: int) -> None:
    script = Path(__file__).resolve().parents[2] / "benchmarks" / "peers.py"
    if not script.exists():
        sys.exit("--peers 需要源代码目录 · --peers needs the source tree: benchmarks/peers.py is not installed with us")
    sys.exit(subprocess.run([sys.executable, str(script), "--seconds", str(seconds)], check=False).returncode)


@app.command()
def mqtt(
    scale: Annotated[float, typer.Option(min=0.01, max=100, help="消息数倍数 · times the messages")] = 1.0,
) -> None:
    """small JSON, JSON of 200 values, Sparkplug of 200 metrics on a mosquitto → durable on the bus: the ceiling."""
    from sevenones.bench import mqtt as bench

    try:
        _print(bench.run(scale))
    except bench.NoBroker as error:
        sys.exit(str(error))


@app.command()
def connections(
    devices: Annotated[int, typer.Option(min=2, max=2000, help="设备数 · how many devices")] = 500,
    dead: Annotated[int, typer.Option(min=0, max=1999, help="其中失效的 · how many of them are dead")] = 150,
    seconds: Annotated[int, typer.Option(min=5, max=600, help="时长 · how long")] = 30,
) -> None:
    """many devices, some of them dead: do the live ones keep their period?"""
    from sevenones.bench import connections as bench

    _print(bench.run(devices=devices, dead=dead, seconds=seconds))


@app.command()
def opcua(
    seconds: Annotated[float, typer.Option(min=1, max=60, help="每种速率时长 · how long each rate")] = 4.0,
    values: Annotated[int, typer.Option(min=10, max=20_000, help="测点数 · how many values")] = 2_000,
) -> None:
    """an OPC UA server's subscriptions → columns, scale, quality, exception report: the ceiling, with none lost."""
    from sevenones.bench import opcua as bench

    _print(bench.run(seconds=seconds, values=values))


@app.command()
def simulate(
    short: Annotated[bool, typer.Option("--short", help="一小时、2,000 点 · one hour, 2,000 points")] = False,
    mine: Annotated[str, typer.Option(help="矿井 · the mine: low, middle, high")] = "middle",
) -> None:
    """a full mine on one core: simulated seconds a second, by part; what --mine big serves and takes."""
    from sevenones.bench import simulate as bench

    _print(bench.run(short=short, mine=mine))


@app.command()
def console(
    hours: Annotated[float, typer.Option(min=0.02, max=48, help="实时数据的时长（小时） · hours of live values")] = 8.0,
    home: Annotated[Path | None, typer.Option(help="演示矿井的数据目录 · a home for the mine that is shown")] = None,
) -> None:
    """the console in headless Chromium on the demo of the low mine: pages, first load, map, hours of live values."""
    try:
        from sevenones.bench import console as bench
        from sevenones.bench.chromium import NoBrowser
    except ModuleNotFoundError:
        sys.exit("需要 playwright · playwright is not installed: python3 tools/install.py --dev --system")
    try:
        _print(bench.run(hours=hours, home=home))
    except NoBrowser as error:
        sys.exit(str(error))
