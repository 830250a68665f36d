"""One unit of Redis' suite: how it is run against a server, and what its output says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import attrs

from tools.redis_suite.source import program

DENIED_TAGS: Final = (
    "-needs:debug",  # DEBUG is out of scope
    "-needs:repl",  # replication to redis-server is out of scope
    "-needs:save",  # persistence is out of scope
    "-large-memory",
)
UNIT_SECONDS_MAX: Final = 600
"""A unit that takes longer is ended."""
LEFT_OUT: Final = re.compile(
    r"unit/(cluster|moduleapi|aofrw|oom-score-adj|shutdown|tls|printver)|integration/"
)
"""Units about clusters, modules, persistence, replication and the process."""

COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")
RESULT: Final = re.compile(r"^\[(ok|err|exception)\]: (.*)$", re.MULTILINE)
DURATION: Final = re.compile(r" \(\d+ ms\)$")
FILE: Final = re.compile(r" in tests/\S+\.tcl$")
DONE: Final = re.compile(r"^\[\d+/\d+ done\]: ", re.MULTILINE)


@attrs.frozen(kw_only=True)
class UnitResult:
    """The names of the tests that passed and that failed, and whether the unit came to its end."""

    passed: frozenset[str]
    failed: frozenset[str]
    is_complete: bool


def all_units(sources: Path) -> list[str]:
    """Return the names of the units that are in scope, in the order of the suite."""
    text = (sources / "tests" / "test_helper.tcl").read_text()
    listed = text.partition("set ::all_tests {")[2].partition("}")[0].split()
    return [unit for unit in listed if not LEFT_OUT.match(unit)]


def parse(output: str) -> UnitResult:
    """Return what the output of one unit says.

    >>> parse("[ok]: SET (1 ms)\\n[err]: GET in tests/unit/type/string.tcl\\n").failed
    frozenset({'GET'})
    """
    passed: set[str] = set()
    failed: set[str] = set()
    plain = COLOUR.sub("", output)
    for kind, text in RESULT.findall(plain):
        if kind == "ok":
            passed.add(DURATION.sub("", text))
        else:
            failed.add(FILE.sub("", text))
    return UnitResult(
        passed=frozenset(passed - failed),
        failed=frozenset(failed),
        is_complete=DONE.search(plain) is not None,
    )


def run(sources: Path, unit: str, port: int, log: Path) -> UnitResult:
    """Run a unit against the server at a loopback port. Its output goes to `log` too."""
    command = [program("tclsh"), "tests/test_helper.tcl"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--single", unit]
    command += ["--singledb", "--durable", "--ignore-encoding", "--ignore-digest"]
    command += ["--clients", "1", "--tags", " ".join(DENIED_TAGS)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=sources, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
        try:
            process.wait(UNIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return parse(log.read_text(encoding="utf-8", errors="replace"))
