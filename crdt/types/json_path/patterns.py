"""Regular expressions that take linear time.

A pattern is compiled into a small program, and all ways through the program are followed at the
same time, one character after the other (Thompson, "Regular Expression Search Algorithm", 1968). So
no pattern takes longer than the length of the text times the length of the program. Python's `re`
tries the ways one after the other, which can take exponential time.

The syntax is the common part of what RedisJSON takes: characters, `.`, classes, `\\d`, `\\w`,
`\\s`, groups, `|`, `*`, `+`, `?`, `{m,n}`, `^`, `$`, `\\b` and the flag `(?i)` at the beginning. A
pattern that cannot be parsed matches nothing, as in RedisJSON.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

PROGRAM_MAX: Final = 2000
"""The longest program. A longer pattern matches nothing."""
NESTED_MAX: Final = 50
CACHED: Final = 64

MATCH: Final = 0
CHARACTER: Final = 1  # the index of a set
SPLIT: Final = 2  #     two places
JUMP: Final = 3  #      a place
BEGIN: Final = 4
END: Final = 5
BOUNDARY: Final = 6
NO_BOUNDARY: Final = 7

Range = tuple[int, int]
LAST_CODE: Final = 0x10FFFF
DIGITS: Final[tuple[Range, ...]] = ((48, 57),)
WORDS: Final[tuple[Range, ...]] = ((48, 57), (65, 90), (95, 95), (97, 122), (170, LAST_CODE))
SPACES: Final[tuple[Range, ...]] = ((9, 13), (32, 32), (133, 133), (160, 160), (8192, 8202))
CLASSES: Final = {"d": DIGITS, "w": WORDS, "s": SPACES}
CONTROLS: Final = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7, "0": 0}


class PatternError(ValueError):
    """A pattern cannot be parsed, or is too long."""


class CharacterSet:
    """The characters that one step of a program takes."""

    __slots__ = ("ignores_case", "is_negated", "ranges")

    def __init__(self, ranges: tuple[Range, ...], is_negated: bool, ignores_case: bool) -> None:
        self.ranges: tuple[Range, ...] = ranges
        self.is_negated: bool = is_negated
        self.ignores_case: bool = ignores_case

    def takes(self, character: str) -> bool:
        """Return whether a character is in the set."""
        found = self.holds(ord(character))
        if self.ignores_case and not found:
            for other in (character.lower(), character.upper()):
                found = found or (len(other) == 1 and self.holds(ord(other)))
        return found != self.is_negated

    def holds(self, code: int) -> bool:
        """Return whether a code is in one of the ranges."""
        for low, high in self.ranges:
            if low <= code <= high:
                return True
        return False


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern matches a part of a text. O(length of both)."""
    program = compiled(pattern)
    if program is None:
        return False
    search = TextSearch(program, text)
    while not search.is_over:
        search.advance()
    return search.is_found


@lru_cache(CACHED)
def compiled(pattern: str) -> Program | None:
    """Return the program of a pattern, or None if it cannot be parsed."""
    try:
        return PatternParser(pattern).program()
    except PatternError:
        return None


class Program:
    """The steps of a pattern."""

    __slots__ = ("sets", "steps")

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int]] = []
        self.sets: list[CharacterSet] = []

    def follow(self, start: int, place: tuple[str, int], reached: set[int]) -> bool:
        """Add the steps that take a character, and are reached from a step without one. Return
        whether the match is complete."""
        stack = [start]
        seen: set[int] = set()
        while stack:
            step = stack.pop()
            if step in seen or step in reached:
                continue
            seen.add(step)
            kind, first, second = self.steps[step]
            if kind == MATCH:
                return True
            if kind == CHARACTER:
                reached.add(step)
            elif kind == JUMP:
                stack.append(first)
            elif kind == SPLIT:
                stack += (first, second)
            elif holds_at(kind, *place):
                stack.append(step + 1)
        return False


class TextSearch:
    """The search for a part of a text that matches a program, one character after the other."""

    __slots__ = ("at", "current", "is_found", "is_over", "program", "text")

    def __init__(self, program: Program, text: str) -> None:
        self.program = program
        self.text = text
        self.at = 0
        self.current: list[int] = []
        """The steps that may come next."""
        self.is_over = False
        self.is_found = False

    def advance(self) -> int:
        """Look at the next character. Return about the number of steps of the program that were
        followed."""
        program, text, at = self.program, self.text, self.at
        reached: set[int] = set()
        for step in [*self.current, 0]:
            if program.follow(step, (text, at), reached):
                self.is_found = self.is_over = True
                return 1
        if at == len(text):
            self.is_over = True
            return 1
        character = text[at]
        self.current = [
            step + 1
            for step in sorted(reached)
            if program.sets[program.steps[step][1]].takes(character)
        ]
        self.at += 1
        return 1 + len(self.current) + len(reached)


def holds_at(kind: int, text: str, at: int) -> bool:
    """Return whether a condition holds between two characters."""
    if kind == BEGIN:
        return at == 0
    if kind == END:
        return at == len(text)
    before = at > 0 and is_word(text[at - 1])
    behind = at < len(text) and is_word(text[at])
    return (before != behind) == (kind == BOUNDARY)


def is_word(character: str) -> bool:
    """Return whether a character belongs to words."""
    return character == "_" or character.isalnum()


class PatternParser:
    """A position in a pattern, and the program so far."""

    __slots__ = ("at", "depth", "ignores_case", "made", "text")

    def __init__(self, text: str) -> None:
        self.ignores_case: bool = text.startswith("(?i)")
        self.text: str = text
        self.at: int = 4 if self.ignores_case else 0
        self.depth: int = 0
        self.made: Program = Program()

    def program(self) -> Program:
        """Return the whole program. Raises PatternError."""
        self.alternatives()
        if self.at < len(self.text):
            raise PatternError("an unexpected parenthesis")
        self.add(MATCH)
        return self.made

    def add(self, kind: int, first: int = 0, second: int = 0) -> int:
        """Append a step. Return its place."""
        if len(self.made.steps) >= PROGRAM_MAX:
            raise PatternError("too long")
        self.made.steps.append((kind, first, second))
        return len(self.made.steps) - 1

    def peek(self) -> str:
        """Return the character here; empty at the end."""
        return self.text[self.at : self.at + 1]

    def next(self) -> str:
        """Return the character here, and go behind it. Raises PatternError at the end."""
        character = self.peek()
        if not character:
            raise PatternError("unexpected end")
        self.at += 1
        return character

    def alternatives(self) -> None:
        """Add the steps of parts with `|` between them."""
        self.depth += 1
        if self.depth > NESTED_MAX:
            raise PatternError("too deep")
        start = len(self.made.steps)
        self.sequence()
        ends: list[int] = []
        while self.peek() == "|":
            self.at += 1
            self.insert(start, (SPLIT, start + 1, 0))
            ends.append(self.add(JUMP))
            self.made.steps[start] = (SPLIT, start + 1, len(self.made.steps))
            start = len(self.made.steps)
            self.sequence()
        for end in ends:
            self.made.steps[end] = (JUMP, len(self.made.steps), 0)
        self.depth -= 1

    def insert(self, place: int, step: tuple[int, int, int]) -> None:
        """Insert a step before those from `place` on, which then lead one step further."""
        if len(self.made.steps) >= PROGRAM_MAX:
            raise PatternError("too long")
        tail = [moved(each, 1) for each in self.made.steps[place:]]
        self.made.steps[place:] = [step, *tail]

    def sequence(self) -> None:
        """Add the steps of parts that follow each other."""
        while self.peek() not in ("", "|", ")"):
            start = len(self.made.steps)
            self.atom()
            self.repeat(start)

    def atom(self) -> None:
        """Add the steps of one part."""
        character = self.next()
        if character == "(":
            self.group()
        elif character == "[":
            self.bracket()
        elif character == ".":
            self.take(((10, 10),), is_negated=True)
        elif character == "^":
            self.add(BEGIN)
        elif character == "$":
            self.add(END)
        elif character == "\\":
            self.escape()
        elif character in "*+?{":
            raise PatternError("nothing to repeat")
        else:
            self.take(((ord(character), ord(character)),))

    def group(self) -> None:
        """Add the steps of a group, behind its parenthesis."""
        if self.peek() == "?":
            for mark in ("?:", "?P<", "?<"):
                if self.text.startswith(mark, self.at):
                    self.at += len(mark)
                    while mark != "?:" and self.next() != ">":
                        pass
                    break
            else:
                raise PatternError("an unknown group")
        self.alternatives()
        if self.next() != ")":
            raise PatternError("a group without an end")

    def take(self, ranges: tuple[Range, ...], *, is_negated: bool = False) -> None:
        """Add a step that takes one character."""
        self.made.sets.append(CharacterSet(ranges, is_negated, self.ignores_case))
        self.add(CHARACTER, len(self.made.sets) - 1)

    def escape(self) -> None:
        """Add the step of what stands behind a backslash."""
        character = self.next()
        if character in ("b", "B"):
            self.add(BOUNDARY if character == "b" else NO_BOUNDARY)
        elif character in ("A", "z"):
            self.add(BEGIN if character == "A" else END)
        elif character.lower() in CLASSES:
            self.take(CLASSES[character.lower()], is_negated=character.isupper())
        else:
            code = self.escaped_code(character)
            self.take(((code, code),))

    def escaped_code(self, character: str) -> int:
        """Return the code of an escaped character."""
        if character in CONTROLS:
            return CONTROLS[character]
        if character in ("x", "u"):
            count = 2 if character == "x" else 4
            digits = self.text[self.at : self.at + count]
            self.at += count
            try:
                return int(digits, 16)
            except ValueError:
                raise PatternError("no hexadecimal digits") from None
        if character.isalnum():
            raise PatternError("an unknown escape")
        return ord(character)

    def bracket(self) -> None:
        """Add the step of a class of characters, behind its bracket."""
        is_negated = self.peek() == "^"
        if is_negated:
            self.at += 1
        ranges: list[Range] = []
        is_first = True
        while is_first or self.peek() != "]":
            is_first = False
            low = self.class_part(ranges)
            if low < 0:
                continue
            high = low
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self.class_part(ranges)
            if high < low:
                raise PatternError("a range without characters")
            ranges.append((low, high))
        self.at += 1
        self.take(tuple(ranges), is_negated=is_negated)

    def class_part(self, ranges: list[Range]) -> int:
        """Return the code of a character in a class, or -1 for several, which are added."""
        character = self.next()
        if character != "\\":
            return ord(character)
        escaped = self.next()
        if escaped in CLASSES:
            ranges += CLASSES[escaped]
            return -1
        if escaped.lower() in CLASSES:
            ranges += others(CLASSES[escaped.lower()])
            return -1
        return self.escaped_code(escaped)

    def repeat(self, start: int) -> None:
        """Repeat the steps from `start` on as the characters here say."""
        while self.peek() in ("*", "+", "?", "{") and self.peek():
            least, most = self.bounds()
            if self.peek() == "?":
                self.at += 1  # lazy: it changes what is matched, not whether
            part = self.made.steps[start:]
            del self.made.steps[start:]
            for _ in range(least):
                self.append(part, start)
            if most is None:
                split = self.add(SPLIT)
                self.append(part, start)
                self.add(JUMP, split)
                self.made.steps[split] = (SPLIT, split + 1, len(self.made.steps))
            else:
                splits: list[int] = []
                for _ in range(most - least):
                    splits.append(self.add(SPLIT))
                    self.append(part, start)
                for split in splits:
                    self.made.steps[split] = (SPLIT, split + 1, len(self.made.steps))

    def bounds(self) -> tuple[int, int | None]:
        """Return the least and the greatest number of a repetition. None is no limit."""
        character = self.next()
        if character != "{":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
        end = self.text.find("}", self.at)
        least, comma, most = self.text[self.at : max(end, self.at)].partition(",")
        self.at = end + 1
        if end < 0 or not least.isdigit() or (most and not most.isdigit()) or len(least) > 4:
            raise PatternError("no bounds")
        if not comma:
            return int(least), int(least)
        if most and (len(most) > 4 or int(most) < int(least)):
            raise PatternError("no bounds")
        return int(least), int(most) if most else None

    def append(self, part: list[tuple[int, int, int]], start: int) -> None:
        """Append a copy of steps that stood from `start` on."""
        if len(self.made.steps) + len(part) > PROGRAM_MAX:
            raise PatternError("too long")
        shift = len(self.made.steps) - start
        self.made.steps += [moved(each, shift) for each in part]


def moved(step: tuple[int, int, int], shift: int) -> tuple[int, int, int]:
    """Return a step that leads so many places further."""
    kind, first, second = step
    if kind == JUMP:
        return kind, first + shift, 0
    return (kind, first + shift, second + shift) if kind == SPLIT else step


def others(ranges: tuple[Range, ...]) -> list[Range]:
    """Return the ranges of all other codes."""
    found: list[Range] = []
    start = 0
    for low, high in ranges:
        if low > start:
            found.append((start, low - 1))
        start = high + 1
    return [*found, (start, LAST_CODE)] if start <= LAST_CODE else found
