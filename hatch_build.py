"""Compiles the hot modules while a wheel is built.

The list is `[tool.hatch.build.hooks.custom] modules` in pyproject.toml; mypyc translates it to one
C library, `crdt/hot__mypyc`, plus a shim per module that loads it. The sources go into the wheel as
well. Without a C compiler, or without Python's headers, or with `CRDB_PURE=1`, the wheel is pure
and one line says so; whatever fails once a compiler is there is an error.

The build takes a minute or two, so it shows its progress. What mypyc and the C compiler print goes
into `build/compile.log`, and to the screen only if the build fails.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The library's name. It lives in the lowest package, so that the wheel holds our packages only.
# (mypyc expects it beside them: the `__file__` of a compiled module may say `crdt/crdt`.)
GROUP = "crdt.hot"
# Chosen by `make bench`; CRDB_OPT=0 makes a build for a look at something else quick.
OPTIMISATION = "2"
LOG = Path("build", "compile.log")
# Where nothing can be drawn over, as in a log of CI, a line of progress is printed this often.
QUIET_PERCENT = 25


class Progress:
    """The progress of the C compiler: one line that is drawn over on a terminal, else a few lines.

    `write` takes text for the screen. `is_terminal`: whether a line can be drawn over.
    """

    def __init__(self, write: Callable[[str], object], *, is_terminal: bool) -> None:
        self.write = write
        self.is_terminal = is_terminal
        self.total = 0
        """The number of files to compile."""
        self.done = 0

    def count(self) -> None:
        """Count one file that is done."""
        before, self.done = self.done, self.done + 1
        line = f"crdb: compiling {self.done}/{self.total}"
        if self.is_terminal:
            self.write(f"\r{line}{chr(10) if self.done == self.total else ''}")
        elif before * 100 // self.total // QUIET_PERCENT != (
            self.done * 100 // self.total // QUIET_PERCENT
        ):
            self.write(f"{line}\n")


@contextmanager
def output_in_log() -> Generator[Callable[[str], object]]:
    """Send what this process and its children print into the log; gives a function that still
    writes to the screen. If the block fails, the log is printed."""
    LOG.parent.mkdir(exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}

    def write(text: str) -> None:
        os.write(kept[2], text.encode())

    try:
        with LOG.open("wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        try:
            yield write
        except BaseException:
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(kept[2], b"\n" + LOG.read_bytes())
            raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)


def why_pure() -> str:
    """The reason for building no native code; empty if there is none."""
    if os.environ.get("CRDB_PURE", "") not in {"", "0"}:
        return "CRDB_PURE is set"
    if sys.implementation.name != "cpython":
        return "not CPython"
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    if shutil.which(shlex.split(compiler)[0]) is None:
        return "no C compiler"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "no Python headers"
    return ""


def translate(modules: Sequence[str], scratch: Path, level: str) -> list[Any]:
    """Translates the modules to C; returns what setuptools has to compile."""
    # Imported late: a pure build needs no mypy.
    from mypyc.build import mypycify  # noqa: PLC0415

    extensions: list[Any] = mypycify(
        list(modules),
        opt_level=level,
        debug_level="0",
        multi_file=True,
        target_dir=str(scratch / "c"),
        group_name=GROUP,
    )
    for extension in extensions:
        extension.include_dirs.append(str(scratch / "c" / Path(*GROUP.split(".")).parent))
        # A warning of a compiler that we have not met is no reason to stop.
        extension.extra_compile_args = [a for a in extension.extra_compile_args if a != "-Werror"]
    return extensions


def compile_modules(
    modules: Sequence[str], scratch: Path, level: str, progress: Progress
) -> dict[str, str]:
    """Compiles the modules; returns the shared libraries and their places in the wheel."""
    # Imported late: a pure build needs no setuptools.
    from setuptools import Distribution  # noqa: PLC0415
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415
    from setuptools.errors import CompileError, LinkError  # noqa: PLC0415

    class BuildOnAllCores(build_ext):
        """Compiles the C files of one library side by side."""

        def build_extensions(self) -> None:
            compile_some = self.compiler.compile

            def compile_one(source: str, *args: Any, **options: Any) -> list[str]:
                made: list[str] = compile_some([source], *args, **options)
                progress.count()
                return made

            def compile_all(sources: list[str], *args: Any, **options: Any) -> list[str]:
                with ThreadPoolExecutor(os.cpu_count()) as pool:
                    one = [pool.submit(compile_one, each, *args, **options) for each in sources]
                    return [name for done in one for name in done.result()]

            self.compiler.compile = compile_all
            super().build_extensions()

    extensions = translate(modules, scratch, level)
    progress.total = sum(len(extension.sources) for extension in extensions)
    command = BuildOnAllCores(Distribution({"name": "crdb", "ext_modules": extensions}))
    command.build_lib, command.build_temp = str(scratch / "lib"), str(scratch / "objects")
    command.ensure_finalized()
    try:
        command.run()
    except (CompileError, LinkError) as error:
        raise SystemExit(
            f"crdb: the C compiler failed; CRDB_PURE=1 does without it\n{error}"
        ) from error
    return {path: str(Path(path).relative_to(command.build_lib)) for path in command.get_outputs()}


def expand(patterns: Sequence[str], root: Path) -> list[str]:
    """The modules that the patterns stand for; a pattern that finds none is an error."""
    found: list[str] = []
    for pattern in patterns:
        paths = [path for path in sorted(root.glob(pattern)) if path.stem != "__init__"]
        if not paths:
            raise SystemExit(f"pyproject.toml asks to compile what is not there: {pattern}")
        found += [str(path.relative_to(root)) for path in paths]
    return found


class CompileHook(BuildHookInterface[BuilderConfig]):
    """Adds the compiled modules to a wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        modules = expand(self.config["modules"], Path(self.root))
        if reason := "nothing to compile" if not modules else why_pure():
            self.app.display_info(f"crdb: a pure-Python wheel ({reason})")
            return
        self.app.display_info(
            f"crdb: translating {len(modules)} modules to C, once for each version of the sources "
            "(some 30 s)"
        )
        is_terminal = sys.stderr.isatty()
        with chdir(self.root), output_in_log() as write:
            level = os.environ.get("CRDB_OPT", OPTIMISATION)
            scratch = Path("build", f"mypyc-{sysconfig.get_config_var('SOABI')}-O{level}")
            progress = Progress(write, is_terminal=is_terminal)
            built = compile_modules(modules, scratch, level, progress)
        build_data["force_include"].update({str(Path(self.root, k)): v for k, v in built.items()})
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
