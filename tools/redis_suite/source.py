"""The sources of Redis, which hold its test suite: Debian's source package, kept in a directory.

`apt-get` fetches it with lists of its own, so nothing on the machine changes.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

SUITES: Final = (
    "deb-src http://deb.debian.org/debian bookworm main",
    "deb-src http://deb.debian.org/debian-security bookworm-security main",
)
PROGRAMS: Final = ("redis-server", "redis-cli", "redis-benchmark")


class SuiteError(Exception):
    """The suite cannot run; the text says what is missing."""


def program(name: str) -> str:
    """Return the path of an installed program. Raises SuiteError if it is not installed."""
    found = shutil.which(name)
    if found is None:
        package = "tcl" if name == "tclsh" else "redis-server redis-tools"
        raise SuiteError(f"{name} is not installed (Debian: apt-get install {package})")
    return found


def apt_get(directory: Path, *arguments: str) -> None:
    """Run `apt-get` in a directory, with its lists and its cache below it."""
    settings = {
        "Dir::Etc::SourceList": directory / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": directory / "lists",
        "Dir::Cache": directory / "cache",
        "APT::Sandbox::User": "root",
    }
    options = [f"--option={name}={value}" for name, value in settings.items()]
    done = subprocess.run(
        [program("apt-get"), "--quiet=2", *options, *arguments],
        cwd=directory,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SuiteError(f"apt-get {' '.join(arguments)} failed:\n{done.stderr}")


def fetch(directory: Path) -> Path:
    """Return the directory of the unpacked sources. Fetches them unless they are there.

    Raises SuiteError if a program is missing or the package cannot be fetched.
    """
    unpacked = find(directory)
    if unpacked is None:
        (directory / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (directory / "cache").mkdir(exist_ok=True)
        (directory / "sources.list").write_text("\n".join(SUITES) + "\n")
        apt_get(directory, "update")
        apt_get(directory, "source", "--download-only", "redis")
        for archive in directory.glob("redis_*.orig.tar.*"):
            subprocess.run([program("tar"), "-xf", archive], cwd=directory, check=True)
        unpacked = find(directory)
    if unpacked is None:
        raise SuiteError(f"the source package of redis holds no test suite: see {directory}")
    for name in PROGRAMS:
        link = unpacked / "src" / name
        link.unlink(missing_ok=True)
        link.symlink_to(program(name))
    return unpacked


def find(directory: Path) -> Path | None:
    """Return the directory of the unpacked sources, or None."""
    found = sorted(path.parent for path in directory.glob("redis-*/runtest"))
    return found[-1] if found else None
