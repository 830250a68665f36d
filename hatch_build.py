"""Compile the hot modules while a wheel is built.

The modules are listed in pyproject.toml as `[tool.hatch.build.hooks.custom] modules`. mypyc
translates them to one C library, `crdt/hot__mypyc`, and a shim for each module that loads the
library. The wheel also contains the sources.

The wheel is pure Python, and one line gives the reason, if there is no C compiler, if Python's
headers are missing, if Python is not CPython, or with `CRDB_PURE=1`. If a compiler is present and
fails, the build fails.

The build takes a minute or two, so it shows its progress. The output of mypyc and of the C compiler
goes to `build/compile.log`. It is printed only if the build fails.
"""

from __future__ import annotations

import os
import re
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

# The library's name. The library is inside the lowest package, so that the wheel contains only our
# packages. mypyc expects it next to them, so `__file__` of a compiled module may contain
# `crdt/crdt`.
GROUP = "crdt.hot"
# The fastest level in `make bench`. CRDB_OPT=0 makes the build itself faster.
OPTIMISATION = "2"
LOG = Path("build", "compile.log")
# The percentage between two lines of progress where the output is not a terminal, as in CI.
QUIET_PERCENT = 25
# So many translated files are compiled as one. Half of the time that a small one takes goes into
# reading the headers.
FILES_TOGETHER = 6
# The use of CPython's trashcan in a deallocator that does not untrack its object.
MISUSED_TRASHCAN = re.compile(
    r"(?<=\{\n)    CPy_TRASHCAN_BEGIN\(self, \w+\)\n(.*?)    CPy_TRASHCAN_END\(self\)\n", re.DOTALL
)


class Progress:
    """The progress of the C compiler.

    On a terminal it is one line, which is overwritten. Elsewhere it is a few lines. `write` prints
    text to the screen. `is_terminal` is true if a line can be overwritten.
    """

    def __init__(self, write: Callable[[str], object], *, is_terminal: bool) -> None:
        self.write = write
        self.is_terminal = is_terminal
        self.total = 0
        """The number of files to compile."""
        self.done = 0

    def count(self) -> None:
        """Count one compiled file, and print the progress."""
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
    """Redirect the output of this process and its children to the log while the block runs.

    Yields a function that writes to the screen. If the block fails, the log is printed.
    """
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
    """Return the reason for a pure wheel, or an empty text if the modules can be compiled."""
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
    """Translate the modules to C. Return the extensions that setuptools compiles."""
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
        sources = [without_trashcan(Path(each)) for each in extension.sources]
        extension.sources = combine(sources, scratch / "c")
        # Another compiler may print warnings that we have not seen. They must not fail the build.
        extension.extra_compile_args = [a for a in extension.extra_compile_args if a != "-Werror"]
    return extensions


def combine(sources: Sequence[str], folder: Path) -> list[str]:
    """Return the sources, but instead of translated modules files in `folder` that include several
    of them each.

    mypyc gives each function of a library a name of its own, also the static ones. Other sources
    are not combined.
    """
    modules = [each for each in sources if Path(each).name.startswith("__native_")]
    parts = [each for each in sources if each not in modules]
    for index in range(0, len(modules), FILES_TOGETHER):
        path = folder / f"modules{index // FILES_TOGETHER}.c"
        some = [Path(each).relative_to(folder) for each in modules[index : index + FILES_TOGETHER]]
        path.write_text("".join(f'#include "{each.as_posix()}"\n' for each in some))
        parts.append(str(path))
    return parts


def without_trashcan(source: Path) -> str:
    """Return the path of a translated file in which classes that are declared acyclic do not use
    the trashcan.

    CPython keeps an object whose deallocation is nested 50 deep in the trashcan, in a list that is
    linked by the headers of the garbage collector. An object of an acyclic class has no such
    header, but mypyc 2.4 lets it use the trashcan too. The object in front of it in memory would be
    overwritten. Such objects need no trashcan, as they are in no long chain.
    """
    text = source.read_text()
    correct = MISUSED_TRASHCAN.sub(r"\1", text)
    if correct == text:
        return str(source)
    copy = source.with_suffix(".correct.c")  # mypyc would translate a changed file again
    if not copy.is_file() or copy.read_text() != correct:
        copy.write_text(correct)
    return str(copy)


def compile_modules(
    modules: Sequence[str], scratch: Path, level: str, progress: Progress
) -> dict[str, str]:
    """Compile the modules. Return the path in the wheel of each shared library."""
    # Imported late: a pure build needs no setuptools.
    from setuptools import Distribution  # noqa: PLC0415
    from setuptools.command.build_ext import build_ext  # noqa: PLC0415
    from setuptools.errors import CompileError, LinkError  # noqa: PLC0415

    class BuildOnAllCores(build_ext):
        """A build that also compiles the C files of one library in parallel."""

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
    command.parallel = os.cpu_count()  # several libraries: one more for each module, its shim
    command.ensure_finalized()
    try:
        command.run()
    except (CompileError, LinkError) as error:
        raise SystemExit(
            f"crdb: the C compiler failed; CRDB_PURE=1 builds without it\n{error}"
        ) from error
    return {path: str(Path(path).relative_to(command.build_lib)) for path in command.get_outputs()}


def expand(patterns: Sequence[str], root: Path) -> list[str]:
    """Return the modules that the patterns match. A pattern without a match ends the build."""
    found: list[str] = []
    for pattern in patterns:
        paths = [path for path in sorted(root.glob(pattern)) if path.stem != "__init__"]
        if not paths:
            raise SystemExit(f"pyproject.toml: no file to compile matches {pattern}")
        found += [str(path.relative_to(root)) for path in paths]
    return found


class CompileHook(BuildHookInterface[BuilderConfig]):
    """A build hook that adds the compiled modules to a wheel."""

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
