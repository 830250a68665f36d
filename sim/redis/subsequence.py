"""The model of LCS, the longest common subsequence of two strings.

Of several longest ones Redis finds that which it meets first on the way back from the ends.
"""

from __future__ import annotations

from typing import Any, Final

from sim.redis.state import STRING, Act, CommandFailure, RedisModel, UndefinedReply, Words, integer

CELLS_MAX: Final = 4096
"""The largest product of two lengths that the model compares."""


def lengths_of(one: str, other: str) -> list[list[int]]:
    """Return the length of the longest common subsequence of each pair of prefixes."""
    rows = [[0] * (len(other) + 1)]
    for character in one:
        row = [0]
        for j, second in enumerate(other):
            grown = rows[-1][j] + 1 if character == second else max(rows[-1][j + 1], row[-1])
            row.append(grown)
        rows.append(row)
    return rows


def places_of(one: str, other: str) -> list[tuple[int, int]]:
    """Return the pairs of equal characters that make up the subsequence, the last one first."""
    rows = lengths_of(one, other)
    i, j = len(one), len(other)
    places: list[tuple[int, int]] = []
    while i and j:
        if one[i - 1] == other[j - 1]:
            i, j = i - 1, j - 1
            places.append((i, j))
        elif rows[i - 1][j] > rows[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return places


def runs_of(places: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Return the places as runs of neighbours, the last run first."""
    runs: list[list[tuple[int, int]]] = []
    for i, j in places:
        if runs and runs[-1][-1] == (i + 1, j + 1):
            runs[-1].append((i, j))
        else:
            runs.append([(i, j)])
    return runs


def find_subsequence(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute LCS with all its options."""
    first, second, *options = args
    texts: list[str] = []
    for key in (first, second):
        item = db.items.get(key)
        if item is not None and item.kind != STRING:
            raise CommandFailure
        texts.append("" if item is None else item.content)
    if "LEN" in options and "IDX" in options:
        raise CommandFailure
    one, other = texts
    if len(one) * len(other) > CELLS_MAX:
        raise UndefinedReply
    places = places_of(one, other)
    if "LEN" in options:
        return len(places)
    if "IDX" not in options:
        return "".join(one[i] for i, _ in reversed(places))
    shortest = integer(options[options.index("MINMATCHLEN") + 1]) if "MINMATCHLEN" in options else 0
    matches: list[Any] = []
    for run in runs_of(places):
        (last, other_last), (begin, other_begin) = run[0], run[-1]
        size = [len(run)] if "WITHMATCHLEN" in options else []
        if len(run) >= shortest:
            matches.append([[begin, last], [other_begin, other_last], *size])
    return ["matches", matches, "len", len(places)]


SUBSEQUENCE_COMMANDS: Final[dict[str, Act]] = {"LCS": find_subsequence}
