"""Positions of keys in a request, and their use by a command.

Redis 7 describes the keys of a command by key specifications. One specification is a range of
arguments, a number of arguments that is given in front of them, the argument behind a keyword, or
unknown: then its keys follow a token that can also be something else. Its flags begin with the
effect on the value:

    RO  is read           OW  is overwritten, independent of its value
    RW  is modified       RM  is removed, independent of its value

`access` means that the reply or another key may reveal something of the value. `update`, `insert`
and `delete` describe the change of the value. Positions follow from the syntax of the command. The
key of an option is unknown, unless its flags in the declaration contain the word `keyword`.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from crdb.engine.declare.syntax import KEY_PATTERN, Argument
from crdb.resp.numbers import parse_integer

_KEYWORD = "keyword"


@attrs.frozen
class KeySpec:
    """The keys from argument `begin` to `last`, which counts from `begin` or, if negative, from the
    end of the request. `begin` is 0 if the position is unknown. If `is_numbered`, argument `begin`
    holds the number of keys that follow it, which may be 0 if `is_optional`. With a `keyword`, the
    key is behind the first argument from `begin` on that equals it. With `parts`, the keys are the
    first of so many equal parts of all arguments behind the keyword."""

    flags: str = ""
    begin: int = 0
    last: int = 0
    step: int = 1
    is_numbered: bool = False
    is_optional: bool = False
    note: str = ""
    keyword: str = ""
    parts: int = 0

    @property
    def is_range(self) -> bool:
        """True if the keys are at positions that depend only on the number of arguments."""
        return self.begin > 0 and not self.is_numbered and not self.keyword

    def positions(self, request: list[bytes], *, may_be_none: bool = False) -> range:
        """Return the positions of these keys in `request`. Raises ValueError if its number of
        keys is not one, or more than there are arguments. Optional keys of which there are none
        are an error too, as in Redis, unless `may_be_none`."""
        if self.begin == 0:
            return range(0)
        end = len(request)
        if self.keyword:
            keyword = self.keyword.encode()
            for place in range(self.begin, end - 1):
                if request[place].upper() == keyword:
                    count = (end - place - 1) // self.parts if self.parts else 1
                    return range(place + 1, place + 1 + count)
            if self.parts:
                raise ValueError("the keyword in front of the keys is missing")
            return range(0)
        if self.is_numbered:
            number = parse_integer(request[self.begin]) if self.begin < end else None
            last = end if number is None else self.begin + number
        else:
            last = self.begin + self.last if self.last >= 0 else end + self.last
        least = self.begin if self.is_optional else self.begin + 1
        if last >= end or (self.is_numbered and last < least):
            if self.is_optional:
                return range(0)
            raise ValueError("keys exceed the request")
        if last < self.begin and not may_be_none:
            raise ValueError("there are no such keys")
        return range(self.begin + self.is_numbered, last + 1, self.step)


def derive_key_specs(
    arguments: tuple[Argument, ...], offset: int, flags: list[str]
) -> tuple[KeySpec, ...]:
    """Return the specifications of a command whose arguments begin at position `offset`.

    `flags` are those of each specification, with an optional note behind a colon. A single item
    holds for all keys, and joins adjacent ones into one specification.
    """
    places = list(_find_keys(arguments, offset))
    if len(flags) == 1:
        places = _join_adjacent(places)
        flags = flags * len(places)
    if len(flags) != len(places):
        raise ValueError(f"{len(places)} key specifications, but flags for {len(flags)}")
    found: list[KeySpec] = []
    for place, text in zip(places, flags, strict=True):
        head, _, note = text.partition(":")
        words = head.split()
        if _KEYWORD in words:
            words.remove(_KEYWORD)
        elif place.keyword and not place.parts:
            place = KeySpec()  # noqa: PLW2901
        found.append(attrs.evolve(place, flags=" ".join(words), note=note.strip()))
    return tuple(found)


def _find_keys(arguments: tuple[Argument, ...], offset: int) -> Iterator[KeySpec]:
    """Yield the place of each key argument. Keys of optional arguments follow their tokens.

    Raises ValueError if nothing tells how many keys there are.
    """
    position = offset
    is_numbered = False
    has_pattern = False
    for index, argument in enumerate(arguments):
        parts = argument.parts or (argument,)
        kinds = [part.kind for part in parts]
        if KEY_PATTERN in kinds and not has_pattern:
            has_pattern = True
            yield KeySpec()
        is_alone = len(parts) == 1 and argument.is_multiple and not argument.token
        if argument.token and parts[0].kind == "key" and parts[0].is_multiple:
            yield KeySpec(begin=position, last=-1, keyword=argument.token, parts=len(parts))
        elif "key" in kinds and is_numbered:
            optional = argument.is_optional
            yield KeySpec(begin=position - 1, is_numbered=True, is_optional=optional)
        elif "key" in kinds and argument.is_optional and not is_alone:
            for part in parts:
                if part.kind == "key":
                    yield KeySpec(begin=position, keyword=part.token)
        elif "key" in kinds:
            begin = position + kinds.index("key")
            later = arguments[index + 1 :]
            if argument.is_multiple and not all(each.is_fixed() for each in later):
                raise ValueError(
                    f"{argument.name}... is followed by arguments of any number, so the last key "
                    "is unknown: put `numkeys` in front of the keys"
                )
            behind = sum(each.min_words() for each in later)
            last = -1 - behind if argument.is_multiple else 0
            yield KeySpec(begin=begin, last=last, step=len(parts))
        is_numbered = argument.name == "numkeys"
        position += argument.min_words()


def _join_adjacent(places: list[KeySpec]) -> list[KeySpec]:
    """Join single keys that follow each other."""
    joined: list[KeySpec] = []
    for place in places:
        before = joined[-1] if joined else place
        is_next = joined and before.is_range and place.begin == before.begin + before.last + 1
        if is_next and place.last == 0:
            joined[-1] = attrs.evolve(before, last=before.last + 1)
        else:
            joined.append(place)
    return joined


def key_range(specs: tuple[KeySpec, ...]) -> tuple[int, int, int]:
    """Return first key, last key and step, as clients of older versions ask for them.

    Only ranges count. A last key may be negative and then counts from the end of the request.
    """
    ranges = [spec for spec in specs if spec.is_range]
    if not ranges:
        return 0, 0, 0
    final = ranges[-1]
    last = final.begin + final.last if final.last >= 0 else final.last
    return ranges[0].begin, last, final.step
