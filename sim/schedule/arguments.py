"""Commands drawn from the command table: with all options, and a value for each argument.

The table declares the arguments of each command (`crdb.engine.declare.syntax`). Each token, each
alternative and each optional argument is drawn now and then, in any combination, so some commands
are refused. The value of an argument follows from its name. Commands that are not drawn are in
`LEFT_OUT`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from crdb.commands.table import build_table
from crdb.engine.declare.declaration import Declaration
from crdb.engine.declare.syntax import Argument
from sim.engine.rng import SeededRandom
from sim.schedule.step import Words

# The values by placeholder. Values that occur more often are repeated.
ARGUMENTS: Final[dict[str, Words]] = {
    "v": ("a", "b", "ab", "0", "1", "10", "3.5", "-1", "", "576460752303423487"),
    "e": ("a", "a", "a", "b", "b", "c", "ab", "0", "10", "-1", "3.5", ""),
    "n": ("0", "1", "-1", "2", "5", "-10"),
    "d": ("0.5", "1", "-1.5", "0"),
    "i": ("0", "1", "-1", "2", "-2", "3", "100", "-100"),
    "f": ("a", "b", "c", "d", "ab"),
    "p": ("0", "1", "1", "2", "-1", "0.5"),
    "b": ("0", "(0", "1", "(1", "2", "-1", "0.5", "(0.5", "-inf", "+inf"),
    "l": ("-", "+", "[a", "(a", "[b", "(b", "[c", "[ab"),
    "c": ("1", "2", "3", "10"),
    "t": ("1", "2", "40", "300", "900", "5000", "0", "-1"),
    "u": ("1", "2", "10", "0", "-1"),
    "w": ("$now", "$now+1", "$now-1", "$now+700", "$end", "$end+1", "$end-1"),
    "y": ("$seconds", "$seconds+1", "$seconds+3"),
    "o": ("0", "1", "2", "5"),
}
"""`w` and `y` are times in ms and s: the present one, or the deadline of a key (see `session`)."""

OF_NAME: Final[dict[str, str]] = {
    **dict.fromkeys(("value", "message"), "v"),
    **dict.fromkeys(("element", "pivot"), "e"),
    **dict.fromkeys(("field", "member"), "f"),
    **dict.fromkeys(("start", "stop", "end", "index"), "i"),
    **dict.fromkeys(("increment", "decrement", "count"), "n"),
    **dict.fromkeys(("offset", "limit", "len", "num-matches", "min-match-len"), "o"),
    "seconds": "u",
    "milliseconds": "t",
    "unix-time-seconds": "y",
    "unix-time-milliseconds": "w",
    "score": "p",
    "min": "l",
    "max": "l",
}
"""The placeholder whose values an argument takes, by its name."""
OF_DOUBLE: Final = {"increment": "d", "min": "b", "max": "b"}
"""The same for arguments that are fractions."""
VALUES: Final[dict[str, Words]] = {
    "bit": ("0", "1"),
    "rank": ("1", "2", "-1", "-2", "0"),
    "encoding": ("u1", "u4", "u8", "i8", "i5", "u16", "i16", "u63", "i64"),
    "weight": ("1", "2", "3", "0.5", "-1", "0"),
    "cursor": ("0",),
    "pattern": ("*", "a*", "?", "[ab]", "[^a]", "*b", "a?", "", "\\a", "[0-9]*", "b"),
    "destination-db": ("0",),
    "numreplicas": ("1", "9"),
    "timeout": ("0",),
}
"""The values of other arguments, by name."""
BIT_OFFSETS: Final = ("0", "1", "3", "7", "8", "9", "15", "17")
FIELD_OFFSETS: Final = ("0", "1", "5", "8", "#0", "#1")
FIELD_VALUES: Final = ("0", "1", "-1", "7", "15", "100", "255", "-129")
KEYS_MAX: Final = 3
"""The largest number of keys, or of other arguments that may be repeated."""
KIND_OF_GROUP: Final = {
    "string": "t",
    "bitmap": "t",
    "hash": "h",
    "set": "s",
    "sorted-set": "z",
    "list": "l",
    "generic": "",
}
"""The type of the keys of commands by their group; empty if it may be any."""
LEFT_OUT: Final[dict[str, str]] = {
    **dict.fromkeys(("SCAN", "KEYS", "RANDOMKEY"), "all keys: see the sessions that scan"),
    "OBJECT": "the replies describe the memory of the server, not the data",
    **dict.fromkeys(("DUMP", "RESTORE"), "payloads are compared with those of redis-server"),
    "MOVE": "refused, as there is one database",
    "MIGRATE": "refused, as a region does not write to other servers",
    **dict.fromkeys(
        (
            *("HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HPERSIST", "HTTL", "HPTTL"),
            *("HEXPIRETIME", "HPEXPIRETIME", "HGETDEL", "HGETEX", "HSETEX"),
        ),
        "the model of a single Redis has no deadlines of fields; writers set some",
    ),
    "WAITAOF": "refused, as there is no append-only file",
}
"""The commands on data that are not drawn, with the reason."""
GROUPS_LEFT_OUT: Final = {
    "connection": "they change the connection: see the sessions that use its state",
    "transactions": "edge sessions write them out around what is drawn",
    "server": "they concern the server: operators' sessions and unit tests use them",
    "geo": "writers add positions; random sequences are compared with redis-server in tests",
    "hyperloglog": "writers add elements; random sequences are compared with redis-server in tests",
    "cluster": "the replies are fixed",
    "stream": "ids depend on the region: sessions that work off streams have their own checker",
    "json": "the model of a single Redis has no documents; writers edit some",
    "pubsub": "messages are no data: sessions that subscribe have their own checker",
    "scripting": "their replies follow from what is in them: writers run scripts on pairs of keys",
}
"""The groups whose commands are not drawn, with the reason."""


def declared_commands(kind: str) -> tuple[Declaration, ...]:
    """Return the commands on keys of a type, including those for all types."""
    return tuple(
        command.declaration
        for command in build_table().top_level()
        if KIND_OF_GROUP.get(command.declaration.group) in {kind, ""}
        and command.declaration.name.upper() not in LEFT_OUT
    )


class CommandDrawer:
    """Draws one command. `draw_key` returns a key of the type of the command.

    An optional argument is given in `option[0]` of `option[1]` cases.
    """

    def __init__(
        self,
        rng: SeededRandom,
        declaration: Declaration,
        draw_key: Callable[[], str],
        option: tuple[int, int] = (2, 5),
    ) -> None:
        self.rng = rng
        self.option = option
        self.declaration = declaration
        self.draw_key = draw_key
        self.number = 0
        """The number of keys that has been drawn, if the command has such an argument."""
        self.form = ""
        """The placeholder of the ends of a range, if options decide about it."""
        self.is_lower = rng.happens_in(1, 8)

    def draw_words(self) -> Words:
        """Return the command."""
        arguments = self.declaration.arguments
        is_open = any(argument.name == "sortby" for argument in arguments)
        self.form = self.rng.choose_one("ibl") if is_open else ""
        return (self.declaration.name.upper(), *self.draw_all(arguments))

    def draw_all(self, arguments: Sequence[Argument]) -> Iterator[str]:
        """Yield the words of arguments that follow each other."""
        for argument in arguments:
            if argument.name == "sortby" and self.rng.happens_in(7, 8):
                yield from {"i": (), "b": ("BYSCORE",), "l": ("BYLEX",)}[self.form]
            elif not argument.is_optional or self.rng.happens_in(*self.option):
                yield from self.draw_argument(argument)

    def draw_argument(self, argument: Argument) -> Iterator[str]:
        """Yield the words of an argument that is given."""
        count = 1
        if argument.is_multiple:
            is_counted = self.number and argument.name in {"key", "weight"}
            count = self.number if is_counted else self.rng.integer_between(1, KEYS_MAX)
        token = (argument.token.lower() if self.is_lower else argument.token,)
        for index in range(count):
            if argument.token and (argument.repeats_token or not index):
                yield from token
            yield from self.draw_value(argument)

    def draw_value(self, argument: Argument) -> Iterator[str]:
        """Yield the words of an argument without its token."""
        rng = self.rng
        if argument.kind == "pure-token":
            return
        if argument.kind == "oneof":
            yield from self.draw_argument(rng.choose_one(argument.parts))
        elif argument.parts:
            yield from self.draw_all(argument.parts)
        elif argument.kind == "key":
            yield self.draw_key()
        elif argument.name == "numkeys":
            self.number = rng.integer_between(1, KEYS_MAX)
            yield str(self.number)
        else:
            yield rng.choose_one(self.values_of(argument))

    def values_of(self, argument: Argument) -> Sequence[str]:
        """Return the values of which an argument takes one."""
        name = argument.name
        if self.declaration.group == "bitmap" and name in {"offset", "value", "increment"}:
            if not self.declaration.name.startswith("bitfield"):
                return BIT_OFFSETS if name == "offset" else VALUES["bit"]
            return FIELD_OFFSETS if name == "offset" else FIELD_VALUES
        if self.form and name in {"start", "stop", "min", "max"}:
            return ARGUMENTS[self.form]
        if argument.kind == "key-pattern":
            return self.patterns_of_keys()
        if name == "increment" and self.declaration.group == "sorted-set":
            return ARGUMENTS["p"]
        if argument.kind == "double" and name in OF_DOUBLE:
            return ARGUMENTS[OF_DOUBLE[name]]
        return ARGUMENTS[OF_NAME[name]] if name in OF_NAME else VALUES[name]

    def patterns_of_keys(self) -> Words:
        """Return patterns that make keys of elements. The keys of a region end with an index."""
        key = self.draw_key()
        head = key[:-2]
        return ("nosort", "#", f"{head}t*", f"{head}t*", f"{head}h*->a", f"{key[:-1]}*")
