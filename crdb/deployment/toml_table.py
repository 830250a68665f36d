"""A table of a TOML file that people write: values are taken out by type, mistakes named by place.

A schema says which keys each table may have; a key that is nowhere in it is an error that names the
nearest one, and a key that belongs to another table an error that names that table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from geo import nearest

# The keys of each table, by the table's name; "" is the top of the file.
Schema = Mapping[str, Sequence[str]]

_SHOWN_MAX: Final = 60


class ConfigError(Exception):
    """The configuration cannot be used. The message is one line: the place and what to do."""


def hint(name: str, known: Iterable[str]) -> str:
    """The known name that is spelled most like `name`, as the end of a sentence; or nothing."""
    near = nearest(name, known)
    return f"; did you mean {shown(near[0])}?" if near else ""


def shown(value: object) -> str:
    """A value much as the file has it, on one line and no longer than needed to find it."""
    try:
        text = f'"{value}"' if isinstance(value, str) else repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return "a huge number"
    text = text.lower() if isinstance(value, bool) else text
    text = text.encode("unicode_escape").decode()
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 3]}..."


class Table:
    """One table, where it stands (`region 2`), and how its values are taken out.

    Every method raises `ConfigError`, and gives the default where the key is missing.
    """

    def __init__(
        self, data: Mapping[str, object], schema: Schema, *, source: str, place: str = ""
    ) -> None:
        self.data = data
        self.schema = schema
        self.source = source
        self.place = place
        name = place.partition(" ")[0]
        for key in data:
            if key not in schema[name]:
                raise self.error(f"unknown key {shown(key)}{self._remedy(key, name)}")

    @classmethod
    def parse(cls, text: str, schema: Schema, *, source: str) -> Table:
        """The top of the file with this text."""
        try:
            return cls(tomllib.loads(text), schema, source=source)
        except (ValueError, RecursionError) as error:  # absurd numbers and nesting too
            raise ConfigError(f"{source}: not TOML: {error}") from None

    def error(self, message: str) -> ConfigError:
        """What is wrong, with the place before it."""
        return ConfigError(": ".join(part for part in (self.source, self.place, message) if part))

    def text(self, key: str, default: str) -> str:
        """A string."""
        value = self.data.get(key, default)
        if not isinstance(value, str):
            raise self.error(f"{key} must be a string, not {shown(value)}")
        return value

    def secret(self, key: str) -> str:
        """Return a string that no error shows; empty by default."""
        value = self.data.get(key, "")
        if not isinstance(value, str):
            raise self.error(f'{key} must be a string: put it between quotes (")')
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Yes or no."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise self.error(f"{key} must be true or false, not {shown(value)}")
        return value

    def integer(self, key: str, default: int, *, low: int, high: int) -> int:
        """A whole number from `low` to `high`; the default is not checked for its type."""
        value = self.data.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(f"{key} must be a whole number, not {shown(value)}")
        if not low <= value <= high:
            raise self.error(f"{key} {shown(value)} is not {low}..{high}")
        return value

    def items(self, key: str, what: str) -> list[object]:
        """A list of `what`; empty by default."""
        value = self.data.get(key, [])
        if not isinstance(value, list):
            raise self.error(f"{key} must be a list of {what}, not {shown(value)}")
        return cast("list[object]", value)

    def table(self, key: str) -> Table:
        """A table inside this one; empty by default."""
        return self.inner(self.data.get(key, {}), place=key)

    def inner(self, value: object, *, place: str) -> Table:
        """`value` as a table that stands at `place`."""
        if not isinstance(value, dict):
            raise self.error(f"{place} must be a table, not {shown(value)}")
        data = cast("dict[str, object]", value)
        return Table(data, self.schema, source=self.source, place=place)

    def _remedy(self, key: str, name: str) -> str:
        """Where a key that is not known here would be, or what it may have been meant to be."""
        for home, keys in self.schema.items():
            if key in keys:
                where = f"under {shown(home)}" if home else "at the top, before the first [table]"
                return f"; it belongs {where}"
        return hint(key, self.schema[name])
