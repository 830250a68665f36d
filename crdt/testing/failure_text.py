"""The text of a failure: the violated law, and a call of `replay` that repeats the failure.

The call is Python code. Classes and functions appear by their names in the caller's module. Plain
data appears as literals. If a step changes a visible value, a comment behind it shows the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from crdt.testing.readings import VALUE, shorten_text
from crdt.testing.running import AnySubject, Failure, attempt_traced, is_literal, line
from crdt.testing.user_types.foreign import Foreign
from crdt.testing.user_types.options import CheckOptions

NOT_REPLAYED: Final = ("schedules", "seed", "on_progress")
SHOWN_WIDTH: Final = 60  # characters of a value in a comment
LITERAL_WIDTH: Final = 400  # a longer list of commands is replaced by the name `commands`


def explained(
    failure: Failure, subject: AnySubject, arguments: tuple[Any, Any, Any], options: CheckOptions
) -> str:
    """Return the description of a failure and the call that repeats it. `arguments` are the type,
    the commands and the specification that were passed to `check_type`."""
    make, commands, spec = arguments
    kept: dict[str, Any] = {
        name: value
        for name, value in options.items()
        if name not in NOT_REPLAYED and value is not None
    }
    if failure.subject.commands != subject.commands:
        kept["delete"] = False
    passed = {"make": make, "commands": commands, "spec": spec, **kept}
    texts = {name: spelled(value) for name, value in passed.items()}
    if len(texts["commands"]) > LITERAL_WIDTH:
        texts["commands"] = ""
    unnamed = [f"`{name}`" for name, text in texts.items() if not text]
    note = f", with {' and '.join(unnamed)} as passed to `check_type`" if unnamed else ""
    calls = {name: text or name for name, text in texts.items()}
    given = ", ".join(calls.pop(name) for name in ("make", "commands", "spec"))
    extra = "".join(f", {name}={text}" for name, text in calls.items())
    return (
        f"{subject.name}: {failure.found}\n\n{failure.reason}\n\n"
        f"Replay it (`from crdt.testing import replay`){note}:\n\n"
        f"replay({given}, {quoted(annotated(failure))}{extra})"
    )


def annotated(failure: Failure) -> str:
    """Return the steps of a failure, each with a comment that shows the values it changed."""
    world = attempt_traced(failure.subject, failure.steps, {})[1]
    shown: dict[int, dict[str, str]] = {}
    before: dict[str, str] = {}
    for step, where, reading in world.trace:
        text = reading_text(reading)
        if text != before.get(where) or step > len(failure.steps):
            shown.setdefault(step, {})[where] = text
        before[where] = text
    lines = [
        line(failure.subject, step) + comment("  # ", shown.get(number, {}))
        for number, step in enumerate(failure.steps, 1)
    ]
    if ending := comment("# when all has arrived: ", shown.get(len(failure.steps) + 1, {})):
        lines.append(ending)
    return "\n".join(lines)


def comment(opening: str, shown: Mapping[str, str]) -> str:
    """Return a comment that shows the values of replicas; empty if `shown` is empty."""
    if not shown:
        return ""
    text = ", ".join(f"{where} shows {answer}" for where, answer in sorted(shown.items()))
    return opening + " ".join(text.split()).replace("  #", " #")


def reading_text(reading: Any) -> str:
    """Return one reading as text: the value, and the answers to other queries by name."""
    if not isinstance(reading, Mapping) or VALUE not in reading:
        return shorten_text(reading, SHOWN_WIDTH)
    answers = {
        name: shorten_text(answer, SHOWN_WIDTH)
        for name, answer in cast("Mapping[str, Any]", reading).items()
    }
    return ", ".join(
        text if name == VALUE else f"{name} = {text}" for name, text in answers.items()
    )


def quoted(script: str) -> str:
    """Return a script as a Python literal, over several lines if it contains no `'''`."""
    if "'''" in script:
        return repr(script)
    raw = "r" * ("\\" in script)
    return f"{raw}'''\n{script}\n'''"


def spelled(value: Any) -> str:
    """Return a Python expression for a value; empty if it has neither literal nor name.

    Classes and functions appear by their names, also inside of lists, tuples and dicts.
    """
    if isinstance(value, list | tuple):
        items = [spelled(each) for each in cast("list[Any] | tuple[Any, ...]", value)]
        inner = ", ".join(items) + "," * (isinstance(value, tuple) and len(items) == 1)
        opening, closing = "[]" if isinstance(value, list) else "()"
        return f"{opening}{inner}{closing}" if all(items) else ""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        spelled_pairs = [(repr(name), spelled(each)) for name, each in pairs]
        if not all(each for _, each in spelled_pairs):
            return ""
        return f"{{{', '.join(f'{name}: {each}' for name, each in spelled_pairs)}}}"
    name = value.name if isinstance(value, Foreign) else getattr(value, "__name__", "")
    if name:
        return name if name.isidentifier() else ""
    return repr(value) if is_literal(value) else ""
