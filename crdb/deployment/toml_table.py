"""Read the tables of a TOML file by type, with errors that name the place.

A schema lists the keys of each table. An unknown key is an error that names the most similar key. A
key that belongs to another table is an error that names that table.
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


class Table:
    """A table of the file with its place (such as `region 2`) and methods that return its values.

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
                raise self.error(f"unknown key {shown(key)}{self._suggest_key(key, name)}")

    @classmethod
    def parse(cls, text: str, schema: Schema, *, source: str) -> Table:
        """Return the top table of a file with this text."""
        try:
            return cls(tomllib.loads(text), schema, source=source)
        except (ValueError, RecursionError) as error:  # absurd numbers and nesting too
            raise ConfigError(f"{source}: not TOML: {error}") from None

    def error(self, message: str) -> ConfigError:
        """Return an error with the place before the message."""
        return ConfigError(": ".join(part for part in (self.source, self.place, message) if part))

    def text(self, key: str, default: str) -> str:
        """Return a string."""
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
        """Return a boolean."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise self.error(f"{key} must be true or false, not {shown(value)}")
        return value

    def integer(self, key: str, default: int, *, low: int, high: int) -> int:
        """Return an integer from `low` to `high`. The default is not checked for its type."""
        value = self.data.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(f"{key} must be a whole number, not {shown(value)}")
        if not low <= value <= high:
            raise self.error(f"{key} {shown(value)} is not {low}..{high}")
        return value

    def items(self, key: str, what: str) -> list[object]:
        """Return a list; empty by default. `what` names its items in an error."""
        value = self.data.get(key, [])
        if not isinstance(value, list):
            raise self.error(f"{key} must be a list of {what}, not {shown(value)}")
        return cast("list[object]", value)

    def table(self, key: str) -> Table:
        """Return a table inside this one; empty by default."""
        return self.inner(self.data.get(key, {}), place=key)

    def inner(self, value: object, *, place: str) -> Table:
        """Return `value` as the table at `place`."""
        if not isinstance(value, dict):
            raise self.error(f"{place} must be a table, not {shown(value)}")
        data = cast("dict[str, object]", value)
        return Table(data, self.schema, source=self.source, place=place)

    def _suggest_key(self, key: str, name: str) -> str:
        """Return the table that an unknown key belongs to, or the most similar key."""
        for home, keys in self.schema.items():
            if key in keys:
                where = f"under {shown(home)}" if home else "at the top, before the first [table]"
                return f"; it belongs {where}"
        return hint(key, self.schema[name])
