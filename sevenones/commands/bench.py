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
) -> None:
    """one sample of every point, held against its alarms: a batch's time, quiet and in a storm."""
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
def e2e(
    points: Annotated[int, typer.Option(min=1, max=2_000_000, help="测点数 · how many points")] = 100_000,
    seconds: Annotated[int, typer.Option(min=5, max=3600, help="时长 · how long")] = 60,
) -> None:
    """simulated devices → over the wire → queryable by the API, every value changing each second."""
    from sevenones.bench import e2e as bench

    _print(bench.run(points=points, seconds=seconds))


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
