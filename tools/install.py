"""Makes .venv and installs the project into it. Needs Python 3.11 and nothing else.

    python3 tools/install.py [--dev] [--system]

--dev adds what the tests need from the package indexes of Python and Node; --system adds what they
need from Debian, when this is Debian and the user is root.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements" / "lock.txt"
STACKS = ROOT / "tests" / "stacks"
WEB = ROOT / "middleplatform" / "console" / "web"
DEBIAN = {  # program: package
    "chromium": "chromium",
    "clickhouse-server": "clickhouse-server",
    "mosquitto": "mosquitto",
    "node": "nodejs",
    "npm": "npm",
    "postgres": "postgresql",
    "victoria-metrics": "victoria-metrics",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc": "fonts-wqy-microhei",
    "/usr/share/java/zookeeper.jar": "zookeeper",
}


def fail(message: str) -> None:
    sys.exit(f"\n{message}")


def locked() -> int:
    """How many packages the lock names."""
    return sum(1 for line in LOCK.read_text().splitlines() if re.match(r"[A-Za-z0-9]", line))


def make_venv() -> None:
    if (VENV / "bin" / "python").exists():
        return
    print("创建虚拟环境 · making .venv", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        fail(
            f"python -m venv failed:\n{made.stdout}{made.stderr}\n"
            "缺少 venv 模块：Debian 上请先执行 apt-get install python3-venv。\n"
            "If it says that ensurepip is missing: apt-get install python3-venv, then try again."
        )


def show(done: int, total: int, what: str) -> None:
    if not sys.stdout.isatty():
        return
    width = 30
    filled = min(width, width * done // max(total, 1))
    columns = shutil.get_terminal_size().columns
    line = f"安装 · installing [{'█' * filled}{'░' * (width - filled)}] {min(done, total)}/{total} {what}"
    print("\r\033[K" + line[: columns - 4], end="", flush=True)


def install(extras: str) -> None:
    """pip install with the lock as constraints, with one line of progress."""
    command = [
        str(VENV / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--progress-bar=off",
    ]
    command += ["--no-input", "-c", str(LOCK), "-e", f"{ROOT}[{extras}]"]
    total, seen, log = locked(), set(), []
    started = time.monotonic()
    print(
        f"安装约 {total} 个软件包，首次需要几分钟 · installing about {total} packages, minutes the first time",
        flush=True,
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            log.append(line)
            if found := re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)", line):
                seen.add(found[1].lower())
                show(len(seen), total, found[1])
            elif line.startswith("Installing collected"):
                show(total, total, "…")
    if sys.stdout.isatty():
        print()
    if pip.returncode:
        fail(
            "".join(log[-25:])
            + "\n安装失败，见上文；请检查软件源是否可达 · pip failed, see above; is the package index in reach?"
        )
    print(
        f"安装完成，用时 {time.monotonic() - started:.0f} 秒 · installed in {time.monotonic() - started:.0f} s",
        flush=True,
    )


def install_node(folder: Path) -> None:
    """What a folder's package-lock.json names. Without npm, the tests that need it say so."""
    mark = folder / "node_modules" / ".installed"
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == digest:
        return
    what = folder.relative_to(ROOT)
    if not shutil.which("npm"):
        print(f"未安装 {what}（需要 npm）· {what} needs npm", flush=True)
        return
    print(f"npm ci · {what}", flush=True)
    if subprocess.run(["npm", "ci", "--loglevel=error"], cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode:
        fail("npm ci 失败，见上文；请检查软件源是否可达 · npm ci failed, see above; is the package index in reach?")
    mark.write_text(digest)


def install_system() -> None:
    """Debian's packages for the tests. A missing one makes the tests that need it say so."""
    # Debian keeps PostgreSQL's server in a folder of its version, off every path.
    elsewhere = map(str, Path("/usr/lib/postgresql").glob("*/bin"))
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *elsewhere])
    wanted = [
        package
        for program, package in DEBIAN.items()
        if not shutil.which(program, path=path) and not (program.startswith("/") and Path(program).exists())
    ]
    if not wanted:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        print(f"未安装（需要 root 与 apt-get）· not installed, needs root and apt-get: {' '.join(wanted)}", flush=True)
        return
    print(f"apt-get install {' '.join(wanted)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Services must not start by themselves: the tests start their own.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        subprocess.run(["apt-get", "-q", "update"], env=environment, check=False, stdout=subprocess.DEVNULL)
        command = ["apt-get", "-q", "install", "-y", "--no-install-recommends", *wanted]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    finally:
        if ours:
            policy.unlink()


def main(arguments: list[str]) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - an older one can get here and deserves plain words
        fail(
            f"需要 Python 3.11 以上 · Python 3.11 or newer is needed, this is {sys.version.split()[0]}: "
            "make PYTHON=python3.11 …"
        )
    extras = "all,dev" if "--dev" in arguments else "all"
    digest = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    mark = VENV / "sevenones-installed"
    make_venv()
    have = mark.read_text().split() if mark.exists() else ["", ""]
    if have[0] != digest or (extras != "all" and have[1] != extras):
        install(extras)
        mark.write_text(f"{digest} {extras}")
    if "--system" in arguments:
        install_system()
    if "--dev" in arguments:
        install_node(STACKS)
        install_node(WEB)


if __name__ == "__main__":
    main(sys.argv[1:])
