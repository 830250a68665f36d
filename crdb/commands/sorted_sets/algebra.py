"""Unions, intersections and differences of sorted sets. Members of plain sets have the score 1.

Scores are multiplied by a weight. They are combined in the order in which Redis visits its inputs,
so sums of floats have the same digits. This is the smallest input first, except for a difference.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.sorted_sets.ranges import store_members
from crdb.commands.sorted_sets.sorted_sets import append_pairs
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, WRONG_TYPE, CommandError
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.structures.pieces import in_pieces
from crdt.structures.table import Table
from crdt.types.set import Set
from crdt.types.sorted_set import SortedSet

COMMANDS: Final[CommandFamily] = CommandFamily("sorted-set")
UNION_COST: Final = "O(N + M log M) where N is the size of all inputs together, M the result's."
INTERSECTION_COST: Final = (
    "O(N*K + M log M) where N is the size of the smallest of K inputs, M the result's."
)


WEIGHT_NOT_A_FLOAT: Final = b"ERR weight value is not a float"
LIMIT_NEGATIVE: Final = b"ERR LIMIT can't be negative"

Source = SortedSet | Set | None
Combine = Callable[[float, float], float]


def add_scores(left: float, right: float) -> float:
    """Return the sum, or 0 if it is not a number."""
    total = left + right
    return 0.0 if total != total else total


def lower_score(left: float, right: float) -> float:
    """Return the smaller of two scores."""
    return right if right < left else left


def higher_score(left: float, right: float) -> float:
    """Return the greater of two scores."""
    return right if right > left else left


AGGREGATES: Final[dict[bytes, Combine]] = {
    b"SUM": add_scores,
    b"MIN": lower_score,
    b"MAX": higher_score,
}


class Inputs:
    """The sorted sets that a command names, with weights and the function that combines scores.

    `args[first]` is the number of keys. A key of another type is refused before the options are
    parsed, as in Redis.
    """

    __slots__ = ("combine", "limit", "sources", "weights", "with_scores")

    def __init__(self, db: Keyspace, args: list[bytes], first: int) -> None:
        count = count_keys(args, first)
        keys = args[first + 1 : first + 1 + count]
        self.sources = [read_source(db, key) for key in keys]
        self.weights = [1.0] * count
        self.combine: Combine = add_scores
        self.with_scores = False
        self.limit = 0

    def read_options(self, args: list[bytes], index: int, allowed: frozenset[bytes]) -> None:
        """Parse the options from `index` on. Raises CommandError for any that is not `allowed`."""
        while index < len(args):
            word, rest = args[index].upper(), len(args) - index - 1
            if word not in allowed:
                raise CommandError(SYNTAX)
            if word == b"WITHSCORES":
                self.with_scores = True
            elif word == b"WEIGHTS" and rest >= len(self.weights):
                texts = args[index + 1 : index + 1 + len(self.weights)]
                self.weights = [arguments.number(text, WEIGHT_NOT_A_FLOAT) for text in texts]
                index += len(texts)
            elif word == b"AGGREGATE" and rest and args[index + 1].upper() in AGGREGATES:
                self.combine = AGGREGATES[args[index + 1].upper()]
                index += 1
            elif word == b"LIMIT" and rest:
                self.limit = arguments.positive(args[index + 1], LIMIT_NEGATIVE)
                index += 1
            else:
                raise CommandError(SYNTAX)
            index += 1

    def size(self) -> int:
        """Return the number of members of all inputs together."""
        return sum([len(members_of(source)) for source in self.sources])

    def smallest_first(self) -> list[tuple[Source, float]]:
        """Return the inputs with their weights, by size."""
        pairs = list(zip(self.sources, self.weights, strict=True))
        return sorted(pairs, key=lambda pair: len(members_of(pair[0])))


def count_keys(args: list[bytes], first: int) -> int:
    """Parse the number of keys in `args[first]`. Raises CommandError if keys are missing."""
    count = arguments.integer(args[first])
    if count < 1:
        name = args[0].lower()
        raise CommandError(b"ERR at least 1 input key is needed for '%b' command" % name)
    if count > len(args) - first - 1:
        raise CommandError(SYNTAX)
    return count


def read_source(db: Keyspace, key: bytes) -> Source:
    """Return the sorted set or the set under `key`, or None.

    Raises CommandError for other types.
    """
    value = db.read(key)
    if value is None or isinstance(value, (SortedSet, Set)):
        return value
    raise CommandError(WRONG_TYPE)


def members_of(source: Source) -> Collection[bytes]:
    """Return the members of an input."""
    if source is None:
        return ()
    return source.names()


def score_of(source: Source, member: bytes) -> float | None:
    """Return the score of a member, or None if it does not exist."""
    if isinstance(source, SortedSet):
        return source.score(member)
    return 1.0 if member in members_of(source) else None


def held_score(source: Source, member: bytes) -> float:
    """Return the score of an existing member."""
    return source.held_score(member) if isinstance(source, SortedSet) else 1.0


def weigh(score: float, weight: float) -> float:
    """Return a score times its weight, or 0 if that is not a number."""
    product = score * weight
    return 0.0 if product != product else product


Operation = Callable[[Client, Inputs, Table], Iterator[None]]
"""Adds the members of a result with their scores, in slices."""


def unite(client: Client, inputs: Inputs, found: Table) -> Iterator[None]:
    """Find the members of all inputs."""
    for source, weight in inputs.smallest_first():
        for members in in_pieces(members_of(source), client.slice_items):
            for member in members:
                score = weigh(held_score(source, member), weight)
                before: float | None = found.get(member)
                found.put(member, score if before is None else inputs.combine(before, score))
            yield


def intersect(client: Client, inputs: Inputs, found: Table) -> Iterator[None]:
    """Find the members that all inputs hold, at most as many as LIMIT allows."""
    (smallest, first_weight), *others = inputs.smallest_first()
    for members in in_pieces(members_of(smallest), client.slice_items):
        for member in members:
            total = weigh(held_score(smallest, member), first_weight)
            for source, weight in others:
                score = score_of(source, member)
                if score is None:
                    break
                total = inputs.combine(total, score * weight)
            else:
                found.put(member, total)
                if len(found) == inputs.limit:
                    return
        yield


def subtract(client: Client, inputs: Inputs, found: Table) -> Iterator[None]:
    """Find the members that only the first input holds."""
    first, *others = inputs.sources
    held = [members_of(source) for source in others]
    for members in in_pieces(members_of(first), client.slice_items):
        for member in members:
            if not is_in_any(member, held):
                found.put(member, held_score(first, member))
        yield


def is_in_any(member: bytes, collections: list[Collection[bytes]]) -> bool:
    """Return whether one of several collections holds a member."""
    for members in collections:
        if member in members:
            return True
    return False


COMBINED: Final = frozenset((b"WEIGHTS", b"AGGREGATE"))
SCORED: Final = frozenset((b"WITHSCORES",))
COUNTED: Final = frozenset((b"LIMIT",))
NOTHING: Final[frozenset[bytes]] = frozenset()


def reply_result(
    client: Client, args: list[bytes], operation: Operation, allowed: frozenset[bytes]
) -> None:
    """Reply with the members of the result."""
    inputs = Inputs(client.db, args, 1)
    inputs.read_options(args, 2 + len(inputs.sources), allowed)
    slicing.run(client, args, inputs.size(), reply_steps(client, inputs, operation))


def reply_steps(client: Client, inputs: Inputs, operation: Operation) -> Iterator[None]:
    """Compute a result, and reply with it in the order of a sorted set."""
    found = Table()
    yield from operation(client, inputs, found)
    count, items = len(found), client.slice_items
    is_flat = client.protocol == 2 and inputs.with_scores
    runs: list[list[tuple[float, bytes]]] = []
    run: list[tuple[float, bytes]] = []
    for member, score in found.items():
        run.append((score, member))
        if len(run) >= items:
            run.sort()
            runs.append(run)
            run = []
            yield
    run.sort()
    runs.append(run)
    reply.array(client.out, 2 * count if is_flat else count)
    if len(runs) == 1:
        append_pairs(client, run, inputs.with_scores)
        return
    pairs: list[tuple[float, bytes]] = []
    for pair in heapq.merge(*runs):
        pairs.append(pair)
        if len(pairs) >= items:
            append_pairs(client, pairs, inputs.with_scores)
            pairs = []
            yield
    append_pairs(client, pairs, inputs.with_scores)
    yield from slicing.empty_table(client, found)
    yield from slicing.empty_runs(runs)


def store_result(
    client: Client, args: list[bytes], operation: Operation, allowed: frozenset[bytes]
) -> None:
    """Store the result under the first key."""
    inputs = Inputs(client.db, args, 2)
    inputs.read_options(args, 3 + len(inputs.sources), allowed)
    slicing.run(client, args, inputs.size(), store_steps(client, args[1], inputs, operation))


def store_steps(
    client: Client, destination: bytes, inputs: Inputs, operation: Operation
) -> Iterator[None]:
    """Compute a result, and store it."""
    found = Table()
    yield from operation(client, inputs, found)
    yield from store_members(client, destination, found)


@COMMANDS.declare(
    "zunion",
    "numkeys key... [WEIGHTS weight...] [AGGREGATE <aggregate: SUM | MIN | MAX>] [WITHSCORES]",
    "readonly sliced",
    since="6.2.0",
    summary="Returns the members that any of several sorted sets holds.",
    complexity=UNION_COST,
)
def zunion(client: Client, args: list[bytes]) -> None:
    reply_result(client, args, unite, COMBINED | SCORED)


@COMMANDS.declare(
    "zinter",
    "numkeys key... [WEIGHTS weight...] [AGGREGATE <aggregate: SUM | MIN | MAX>] [WITHSCORES]",
    "readonly sliced",
    since="6.2.0",
    summary="Returns the members that all of several sorted sets hold.",
    complexity=INTERSECTION_COST,
)
def zinter(client: Client, args: list[bytes]) -> None:
    reply_result(client, args, intersect, COMBINED | SCORED)


@COMMANDS.declare(
    "zdiff",
    "numkeys key... [WITHSCORES]",
    "readonly sliced",
    since="6.2.0",
    summary="Returns the members that only the first of several sorted sets holds.",
    complexity=UNION_COST,
)
def zdiff(client: Client, args: list[bytes]) -> None:
    reply_result(client, args, subtract, SCORED)


@COMMANDS.declare(
    "zunionstore",
    "destination numkeys key... [WEIGHTS weight...] [AGGREGATE <aggregate: SUM | MIN | MAX>]",
    "write denyoom sliced",
    keys="OW update; RO access",
    since="2.0.0",
    summary="Stores the members that any of several sorted sets holds.",
    complexity=UNION_COST,
)
def zunionstore(client: Client, args: list[bytes]) -> None:
    store_result(client, args, unite, COMBINED)


@COMMANDS.declare(
    "zinterstore",
    "destination numkeys key... [WEIGHTS weight...] [AGGREGATE <aggregate: SUM | MIN | MAX>]",
    "write denyoom sliced",
    keys="OW update; RO access",
    since="2.0.0",
    summary="Stores the members that all of several sorted sets hold.",
    complexity=INTERSECTION_COST,
)
def zinterstore(client: Client, args: list[bytes]) -> None:
    store_result(client, args, intersect, COMBINED)


@COMMANDS.declare(
    "zdiffstore",
    "destination numkeys key...",
    "write denyoom sliced",
    keys="OW update; RO access",
    since="6.2.0",
    summary="Stores the members that only the first of several sorted sets holds.",
    complexity=UNION_COST,
)
def zdiffstore(client: Client, args: list[bytes]) -> None:
    store_result(client, args, subtract, NOTHING)


@COMMANDS.declare(
    "zintercard",
    "numkeys key... [LIMIT limit]",
    "readonly sliced",
    since="7.0.0",
    summary="Counts the members that all of several sorted sets hold.",
    complexity=INTERSECTION_COST,
)
def zintercard(client: Client, args: list[bytes]) -> None:
    """Count the common members, at most up to LIMIT if it is not 0."""
    inputs = Inputs(client.db, args, 1)
    inputs.read_options(args, 2 + len(inputs.sources), COUNTED)
    slicing.run(client, args, inputs.size(), count_steps(client, inputs))


def count_steps(client: Client, inputs: Inputs) -> Iterator[None]:
    """Reply with the number of common members."""
    found = Table()
    yield from intersect(client, inputs, found)
    reply.integer(client.out, len(found))
    yield from slicing.empty_table(client, found)
