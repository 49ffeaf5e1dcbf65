"""The command `sevenones`: one line a command, each in sevenones/commands/."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import typer

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("sevenones.commands.demo", "demo"),
    "run": ("sevenones.commands.run", "run"),
    "check": ("sevenones.commands.check", "check"),
    "probe": ("sevenones.commands.probe", "probe"),
    "read": ("sevenones.commands.read", "read"),
    "learn-order": ("sevenones.commands.learn_order", "learn_order"),
    "browse": ("sevenones.commands.browse", "browse"),
    "import": ("sevenones.commands.import_points", "import_points"),
    "export": ("sevenones.commands.export_points", "export_points"),
    "map": ("sevenones.commands.map", "app"),
    "plan": ("sevenones.commands.plan", "plan"),
    "gateway": ("sevenones.commands.gateway", "gateway"),
    "store": ("sevenones.commands.store", "app"),
    "mirror": ("sevenones.commands.mirror", "mirror"),
    "alarm-engine": ("sevenones.commands.alarm_engine", "alarm_engine"),
    "figures": ("sevenones.commands.figures", "figures"),
    "api": ("sevenones.commands.api", "api"),
    "bus": ("sevenones.commands.bus", "bus"),
    "simulate": ("sevenones.commands.simulate", "app"),
    "watch": ("sevenones.commands.watch", "watch"),
    "alarms": ("sevenones.commands.alarms", "app"),
    "history": ("sevenones.commands.history", "history"),
    "quality": ("sevenones.commands.quality", "quality"),
    "sql": ("sevenones.commands.sql", "sql"),
    "write": ("sevenones.commands.write", "write"),
    "sequence": ("sevenones.commands.sequence", "app"),
    "chambers": ("sevenones.commands.chambers", "chambers"),
    "shift": ("sevenones.commands.shift", "app"),
    "control": ("sevenones.commands.control", "app"),
    "kpi": ("sevenones.commands.kpi", "app"),
    "rules": ("sevenones.commands.rules", "app"),
    "site": ("sevenones.commands.site", "app"),
    "user": ("sevenones.commands.user", "app"),
    "policy": ("sevenones.commands.policy", "app"),
    "token": ("sevenones.commands.token", "app"),
    "audit": ("sevenones.commands.audit", "app"),
    "pki": ("sevenones.commands.pki", "app"),
    "dictionary": ("sevenones.commands.dictionary", "app"),
    "standard": ("sevenones.commands.standard", "app"),
    "lineage": ("sevenones.commands.lineage", "lineage"),
    "manual": ("sevenones.commands.manual", "app"),
    "opcua": ("sevenones.commands.opcua", "app"),
    "report": ("sevenones.commands.report", "app"),
    "backup": ("sevenones.commands.backup", "backup"),
    "restore": ("sevenones.commands.backup", "bring_back"),
    "bench": ("sevenones.commands.bench", "app"),
}
SETTINGS: dict[str, dict[str, Any]] = {"write": {"ignore_unknown_options": True}}
"""How a command reads its words, where not as usual: a value to be written may be below zero, and -0.5 is no option."""
OURS = frozenset({"bus", "gateway", "middleplatform", "models", "protocols", "sevenones", "simulators"})
HELP = {
    "demo": "启动完整的模拟矿井 · run a whole simulated mine on this machine",
    "run": "在本机运行自己的矿井 · run a site of your own, all its processes, on this machine",
    "check": "检查矿井配置目录 · name every mistake in a site folder",
    "probe": "探测一个地址：什么在应答、多快 · what answers at an address, how fast, which units",
    "read": "读设备的一处，列出字节的所有解释 · read one place of a device, and all that its bytes can mean",
    "learn-order": "由已知数值学出类型、字节序、倍率 · learn type, order and scale from a known value",
    "browse": "浏览设备的节点，写测点表草稿 · list what a device has, draft a point table",
    "import": "导入外来点表：先看差异，可撤销 · import a point table with any headings: preview, undo",
    "export": "导出点表 · write a site's point table to a file",
    "map": "导入矿图（DXF、GeoJSON）：先预览，可撤销 · import drawings into the map: preview, undo",
    "plan": "估算轮询负载，指出哪里做不到 · how much a site asks of its devices, and what is too much",
    "gateway": "运行物联网关 · run a gateway",
    "store": "运行存储进程；检查、压缩、保存期限 · run the store process; check, compact, retention",
    "mirror": "镜像选定测点到 InfluxDB v2 接口 · copy chosen points to an InfluxDB v2 server",
    "alarm-engine": "运行报警进程 · run the watch process, which judges and keeps the alarms",
    "figures": "运行指标进程：使用率、能耗、产量 · run the figures process: utilisation, energy, production",
    "api": "运行开放接口进程 · run the API process",
    "bus": "运行消息总线 · run the bus server",
    "simulate": "运行模拟设备 · run the simulated devices",
    "watch": "终端实时数据表 · live table in the terminal",
    "alarms": "报警：列出、确认、搁置、日志、处置 · alarms: list, acknowledge, shelve, journal, handle",
    "history": "一个测点的历史 · the history of one point",
    "quality": "数据质量：评分与不良区间 · how good the data is, what was not good and why",
    "sql": "运行一条只读 SQL · run one read-only SQL statement",
    "opcua": "OPC UA 服务器证书 · certificates of OPC UA servers",
    "write": "写一个测点 · write one point of a device",
    "chambers": "无人值守硐室与巡检 · unattended chambers and their patrols",
    "shift": "值班日志与交接班 · the shift log and the hand-over",
    "sequence": "顺序控制：启动、中止、逐步查看 · sequences: start, abort, watch step by step",
    "control": "操作授权与签名命令、挂牌 · who may command, signed commands, tags",
    "kpi": "指标：使用率及其依据、重算、核验、剔除时段 · figures: utilisation, its evidence, verify, time left out",
    "rules": "联动规则：列出、用情景试验 · linkage rules: list them, try them on a scenario",
    "site": "矿井配置的版本 · versions of the site on the bus",
    "user": "用户、角色与数据范围 · users, their roles and what they may see",
    "policy": "各角色的权限 · what each role may do, and changes to it",
    "token": "访问令牌 · tokens for the API",
    "pki": "站点证书与 TLS · the site's certificates, and TLS on every listener",
    "audit": "审计日志：列出、核验、锚定 · the audit log: list it, verify it, anchor it",
    "dictionary": "字典：编码、分类、责任人 · dictionaries: codes, classes, owners",
    "standard": "标准化报告 · how far points follow the standard",
    "lineage": "数据血缘 · where a value comes from",
    "manual": "人工录入、更正与审批 · values that people enter or correct, and their approval",
    "report": "报表：编制、列出、核验 · reports: make, list, verify",
    "backup": "备份：时序库、关系库与配置，运行中也可 · back up both stores and the configuration, running or not",
    "restore": "把备份恢复到空目录 · bring a backup back into an empty folder",
    "bench": "性能测试 · benchmarks",
}


def _load(name: str) -> Any:
    module, attribute = COMMANDS[name]
    return getattr(importlib.import_module(module), attribute)


def build(only: str | None = None) -> typer.Typer:
    """The application. With `only`, the one command that is asked for is loaded and the others are
    named in the help, so that the front door opens fast and an edge box needs no platform package."""
    app = typer.Typer(
        name="sevenones",
        help="七个一：智能矿山数据中台与物联网关 · smart-mine data middle platform and IoT gateway",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )
    for name in COMMANDS:
        if name == only:
            loaded = _load(name)
            if isinstance(loaded, typer.Typer):
                app.add_typer(loaded, name=name, help=HELP[name])
            else:
                app.command(name, help=loaded.__doc__ or HELP[name], context_settings=SETTINGS.get(name))(loaded)
        else:
            app.command(name, help=HELP[name])(_not_asked_for(name))

    @app.callback(invoke_without_command=True)
    def front(version: bool = typer.Option(False, "--version", help="版本 · print the version and end")) -> None:
        if version:
            from importlib.metadata import version as installed

            print(f"sevenones {installed('sevenones')}")
            raise typer.Exit

    return app


def _not_asked_for(name: str) -> Callable[[], None]:
    def command() -> None:
        raise AssertionError(f"the command '{name}' was not loaded")

    return command


def main() -> None:
    """Run the command that the arguments name. A package that is not installed is named in plain words."""
    # Our matrices are small: threads for them only take cores from the other processes of a box.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    only = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    try:
        build(only if only in COMMANDS else None)()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in OURS:
            raise
        sys.exit(
            f"命令 {only} 需要未安装的软件包 {error.name}：pip install 'sevenones[gateway]' 或 'sevenones[platform]'\n"
            f"'{only}' needs the package {error.name}, which is not installed: "
            "pip install 'sevenones[gateway]' on an edge box, 'sevenones[platform]' on a server"
        )
