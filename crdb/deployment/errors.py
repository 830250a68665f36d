"""Errors of a configuration, and the form in which they show values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from geo import nearest

_SHOWN_MAX: Final = 60


class ConfigError(Exception):
    """The configuration cannot be used. The message is one line: the place and what to do."""


class InvalidSetting(ValueError):
    """A value that is not valid. The text names its key, but not its table."""


def hint(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most similar to `name`, as the end of a sentence, or ""."""
    near = nearest(name, known)
    return f"; did you mean {shown(near[0])}?" if near else ""


def shown(value: object) -> str:
    """Return a value as in the file, on one line of at most 60 characters."""
    try:
        text = f'"{value}"' if isinstance(value, str) else repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return "a huge number"
    text = text.lower() if isinstance(value, bool) else text
    text = text.encode("unicode_escape").decode()
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."
