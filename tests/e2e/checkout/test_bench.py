"""Run the benchmarks in `bench/` with small sizes, to see that they work. No figure is checked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHOWN: dict[str, tuple[list[str], str]] = {
    "growth": (["--case", "append", "del-set", "in-turn"], "del-set"),
    "memory": (["--case", "zset"], "zset"),
    "peers": (["--case", "lone-write"], "lone write"),
    "server": (["--case", "ZPOPMIN", "--pipelines", "16"], "ZPOPMIN"),
    "simulator": (["--regions", "2"], "2 regions"),
    "stalls": (["--case", "heal", "del-keys"], "del-keys"),
    "table": ([], "6 bytes a key"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_benchmark_runs_with_small_sizes(name: str) -> None:
    options, shown = SHOWN[name]
    program = f"{sys.executable} -m crdb"
    command = [sys.executable, "-W", "error", str(ROOT / "bench" / f"{name}.py")]
    command += ["--quick", "--program", program, *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, check=False, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout
