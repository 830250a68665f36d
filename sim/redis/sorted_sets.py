"""The model of commands that change sorted sets, or combine several of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

import attrs

from sim.redis.state import (
    SET,
    SORTED_SET,
    Act,
    CommandFailure,
    RedisModel,
    Words,
    choose_random,
    flatten,
    integer,
    items_in,
    number,
    score_text,
)

CONDITIONS: Final = frozenset({"NX", "XX", "GT", "LT", "CH", "INCR"})
AGGREGATES: Final[dict[str, Callable[[float, float], float]]] = {
    "SUM": lambda one, other: one + other,
    "MIN": min,
    "MAX": max,
}


def scores_of(db: RedisModel, key: str) -> dict[str, float]:
    """Return the scores of a sorted set. Raises CommandFailure if it is of another type."""
    return dict(db.read(key, SORTED_SET) or {})


def in_order(scores: dict[str, float]) -> list[tuple[str, float]]:
    """Return members and scores by score. Equal scores are ordered by member."""
    return sorted(scores.items(), key=lambda pair: (pair[1], pair[0]))


def pair_texts(pairs: Iterable[tuple[str, float]]) -> list[str]:
    """Return members and scores as one reply."""
    return flatten((member, score_text(score)) for member, score in pairs)


def add_scores(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute ZADD with all its options."""
    key, *rest = args
    options: set[str] = set()
    while rest and rest[0] in CONDITIONS:
        options.add(rest.pop(0))
    pairs = [(rest[i + 1], number(rest[i])) for i in range(0, len(rest), 2)]
    compared = options & {"GT", "LT"}
    if {"NX", "XX"} <= options or (compared and "NX" in options) or len(compared) > 1:
        raise CommandFailure
    if "INCR" in options and len(pairs) > 1:
        raise CommandFailure
    before = scores_of(db, key)
    after, count, given, is_sent = dict(before), 0, None, False
    for member, score in pairs:
        held = after.get(member)
        if ("NX" in options and held is not None) or ("XX" in options and held is None):
            continue
        new = score + (held or 0.0) if "INCR" in options else score
        if held is not None and (
            ("GT" in options and new <= held) or ("LT" in options and new >= held)
        ):
            continue
        after[member], given, is_sent = new, new, True
        count += held is None or ("CH" in options and new != held)
    if is_sent:
        db.update(key, SORTED_SET, after)
    if "INCR" in options:
        return None if given is None else score_text(given)
    return count


def increment_score(db: RedisModel, args: Words, found: Any) -> Any:
    return add_scores(db, (args[0], "INCR", args[1], args[2]), found)


def remove_members(db: RedisModel, key: str, members: Iterable[str]) -> int:
    """Remove members. Return how many there were."""
    before = scores_of(db, key)
    gone = set(members) & set(before)
    if gone:
        db.update(key, SORTED_SET, {m: score for m, score in before.items() if m not in gone})
    return len(gone)


def remove_named(db: RedisModel, args: Words, _found: Any) -> Any:
    return remove_members(db, args[0], args[1:])


def count_members(db: RedisModel, args: Words, _found: Any) -> Any:
    return len(scores_of(db, args[0]))


def get_score(db: RedisModel, args: Words, _found: Any) -> Any:
    return get_scores(db, args, _found)[0]


def get_scores(db: RedisModel, args: Words, _found: Any) -> Any:
    scores = scores_of(db, args[0])
    return [score_text(scores[name]) if name in scores else None for name in args[1:]]


def get_rank(step: int, db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute ZRANK, or ZREVRANK if `step` is -1."""
    pairs = in_order(scores_of(db, args[0]))[::step]
    names = [member for member, _ in pairs]
    if args[1] not in names:
        return None
    rank = names.index(args[1])
    return rank if len(args) == 2 else [rank, score_text(pairs[rank][1])]


def take_extremes(db: RedisModel, key: str, step: int, count: int) -> list[tuple[str, float]]:
    """Remove up to `count` members with the lowest scores, or with the highest if `step` is -1."""
    pairs = in_order(scores_of(db, key))[::step][:count]
    remove_members(db, key, [member for member, _ in pairs])
    return pairs


def pop_extremes(step: int, db: RedisModel, args: Words, _found: Any) -> Any:
    count = integer(args[1]) if len(args) > 1 else 1
    if count < 0:
        raise CommandFailure
    return pair_texts(take_extremes(db, args[0], step, count))


def pop_extreme_now(step: int, db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute BZPOPMIN or BZPOPMAX without blocking."""
    for key in args[:-1]:
        if scores_of(db, key):
            return [key, *pair_texts(take_extremes(db, key, step, 1))]
    return None


def pop_from_first(db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute ZMPOP."""
    count = integer(args[0])
    keys, side, options = args[1 : 1 + count], args[1 + count], args[2 + count :]
    wanted = integer(options[1]) if options else 1
    if wanted <= 0:
        raise CommandFailure
    for key in keys:
        if scores_of(db, key):
            pairs = take_extremes(db, key, 1 if side == "MIN" else -1, wanted)
            return [key, [[member, score_text(score)] for member, score in pairs]]
    return None


def pop_from_first_now(db: RedisModel, args: Words, found: Any) -> Any:
    return pop_from_first(db, args[1:], found)


def random_members(db: RedisModel, args: Words, found: Any) -> Any:
    scores = scores_of(db, args[0])
    if len(args) < 3:
        return choose_random(scores, args[1:], found)
    names = choose_random(scores, args[1:2], items_in(found)[::2])
    return pair_texts((name, scores[name]) for name in names)


# -- several sorted sets -----------------------------------------------------------------------


@attrs.frozen
class Operands:
    """The keys of ZUNION and similar commands, and their options."""

    inputs: list[dict[str, float]]
    aggregate: str
    has_scores: bool

    @staticmethod
    def parse(db: RedisModel, args: Words) -> Operands:
        """Read the operands. A set counts as a sorted set whose scores are 1."""
        count = integer(args[0])
        keys, options = args[1 : 1 + count], list(args[1 + count :])
        weights = [1.0] * count
        if "WEIGHTS" in options:
            at = options.index("WEIGHTS") + 1
            weights = [number(word) for word in options[at : at + count]]
        aggregate = options[options.index("AGGREGATE") + 1] if "AGGREGATE" in options else "SUM"
        inputs: list[dict[str, float]] = []
        for key, weight in zip(keys, weights, strict=True):
            item = db.items.get(key)
            is_set = item is not None and item.kind == SET
            held = dict.fromkeys(db.read(key, SET), 1.0) if is_set else scores_of(db, key)
            inputs.append({member: score * weight for member, score in held.items()})
        return Operands(inputs, aggregate, "WITHSCORES" in options)

    def union(self) -> dict[str, float]:
        """Return all members. The scores of a member in several inputs are combined."""
        found: dict[str, float] = {}
        combine = AGGREGATES[self.aggregate]
        for scores in self.inputs:
            for member, score in scores.items():
                found[member] = combine(found[member], score) if member in found else score
        return found

    def intersection(self) -> dict[str, float]:
        """Return the members that are in all inputs."""
        return {m: s for m, s in self.union().items() if all(m in each for each in self.inputs)}

    def difference(self) -> dict[str, float]:
        """Return the members of the first input that are in no other."""
        first, *others = self.inputs
        return {m: s for m, s in first.items() if not any(m in each for each in others)}


Combine = Callable[[Operands], dict[str, float]]


def combine_scores(combine: Combine, db: RedisModel, args: Words, _found: Any) -> Any:
    operands = Operands.parse(db, args)
    pairs = in_order(combine(operands))
    return pair_texts(pairs) if operands.has_scores else [member for member, _ in pairs]


def store_scores(combine: Combine, db: RedisModel, args: Words, _found: Any) -> Any:
    scores = combine(Operands.parse(db, args[1:]))
    db.replace(args[0], SORTED_SET, scores)
    return len(scores)


def count_intersection(db: RedisModel, args: Words, _found: Any) -> Any:
    options = args[1 + integer(args[0]) :]
    limit = integer(options[1]) if options else 0
    if limit < 0:
        raise CommandFailure
    size = len(Operands.parse(db, args).intersection())
    return min(size, limit) if limit else size


SORTED_SET_COMMANDS: Final[dict[str, Act]] = {
    "ZADD": add_scores,
    "ZINCRBY": increment_score,
    "ZREM": remove_named,
    "ZCARD": count_members,
    "ZSCORE": get_score,
    "ZMSCORE": get_scores,
    "ZRANK": partial(get_rank, 1),
    "ZREVRANK": partial(get_rank, -1),
    "ZPOPMIN": partial(pop_extremes, 1),
    "ZPOPMAX": partial(pop_extremes, -1),
    "BZPOPMIN": partial(pop_extreme_now, 1),
    "BZPOPMAX": partial(pop_extreme_now, -1),
    "ZMPOP": pop_from_first,
    "BZMPOP": pop_from_first_now,
    "ZRANDMEMBER": random_members,
    "ZUNION": partial(combine_scores, Operands.union),
    "ZINTER": partial(combine_scores, Operands.intersection),
    "ZDIFF": partial(combine_scores, Operands.difference),
    "ZUNIONSTORE": partial(store_scores, Operands.union),
    "ZINTERSTORE": partial(store_scores, Operands.intersection),
    "ZDIFFSTORE": partial(store_scores, Operands.difference),
    "ZINTERCARD": count_intersection,
}
