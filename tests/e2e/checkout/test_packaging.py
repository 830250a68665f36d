"""Build a pure wheel, and check the installed packages and the dependencies of `crdt`.

The compiled wheel is what `make install` makes and what the tests that start `crdb` run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = {"crdt", "replication", "geo", "crdb", "sim"}
LOCK = ROOT / "requirements" / "lock.txt"
NEEDED_BY_CRDT = {"attr", "attrs", "librt", "msgpack", "mypy_extensions"}

# Prints what an import adds to the interpreter, without the standard library and without what was
# never imported: a compiled module may put helpers of its own among the modules.
PROBE = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
importlib.import_module(sys.argv[2])
added = {name for name in set(sys.modules) - before if getattr(sys.modules[name], "__spec__", None)}
roots = {name.partition(".")[0] for name in added}
print(json.dumps(sorted(roots - sys.stdlib_module_names)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a pure wheel of the checkout."""
    target = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    environment = {**os.environ, "CRDB_PURE": "1"}
    subprocess.run([*build, target], cwd=ROOT, env=environment, check=True, capture_output=True)
    return next(target.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a directory outside the checkout with the content of the wheel only."""
    target = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def added_by_importing(site: Path, module: str) -> set[str]:
    command = [sys.executable, "-P", "-c", PROBE, site, module]
    done = subprocess.run(command, cwd=site, check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


def test_wheel_holds_exactly_five_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.partition("/")[0] for name in names}
    assert {root for root in roots if not root.endswith(".dist-info")} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)


def test_wheel_holds_every_source_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    assert names == sources


def test_importing_crdt_needs_few_distributions(site: Path) -> None:
    assert added_by_importing(site, "crdt") <= {"crdt", *NEEDED_BY_CRDT}


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_package_can_be_imported_from_wheel(site: Path, package: str) -> None:
    assert package in added_by_importing(site, package)


@pytest.mark.parametrize("package", ["replication", "geo", "sim"])
def test_models_need_no_event_loop(site: Path, package: str) -> None:
    assert not added_by_importing(site, package) & {"cattrs", "trio", "rich"}


def make_environment(
    folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the step of `make install` that makes `.venv`, in a folder without a checkout."""
    lock = folder / LOCK.relative_to(ROOT)
    lock.parent.mkdir()
    lock.touch()
    command = ["make", "--file", ROOT / "Makefile", f"PYTHON={sys.executable}", ".venv/locked"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_python_without_venv_is_named_before_anything_is_made(tmp_path: Path) -> None:
    """Debian has parts of `venv` in a package of its own, and its error leaves half of `.venv`."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "ensurepip.py").write_text("raise ImportError\n")
    done = make_environment(tmp_path, {**os.environ, "PYTHONPATH": str(modules)})
    assert done.returncode == 2
    assert "The module venv of Python is missing" in done.stderr
    assert "Debian: python3-venv" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_environment_that_is_link_is_not_emptied(tmp_path: Path) -> None:
    """`make` once emptied the directory that the link led to."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").touch()
    (tmp_path / ".venv").symlink_to(other)
    done = make_environment(tmp_path)
    assert done.returncode == 2
    assert ".venv is a link, so it is not replaced: remove it" in done.stderr
    assert [path.name for path in other.iterdir()] == ["kept"]


QUIET = """
import os, sys
from hatch_build import output_in_log
with output_in_log() as write:
    print("a warning")
    os.system("echo a warning of a child")
    write("progress")
    if "fail" in sys.argv:
        raise SystemExit("it failed")
"""


@pytest.mark.parametrize("fails", [False, True])
def test_warnings_of_build_are_shown_only_if_it_fails(tmp_path: Path, fails: bool) -> None:
    command = [sys.executable, "-c", QUIET, *(["fail"] if fails else [])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    log = (tmp_path / "build" / "compile.log").read_text(encoding="utf-8")
    assert sorted(log.splitlines()) == ["a warning", "a warning of a child"]
    assert run.stdout == ""
    assert run.returncode == fails
    assert run.stderr == (f"progress\n{log}it failed\n" if fails else "progress")
