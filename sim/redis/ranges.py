"""The model of commands on ranges of sorted sets: by rank, by score, or by member."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from sim.redis.sorted_sets import in_order, pair_texts, remove_members, scores_of
from sim.redis.state import (
    SORTED_SET,
    Act,
    CommandFailure,
    RedisModel,
    UndefinedReply,
    Words,
    bounds,
    integer,
    number,
)

Pair: TypeAlias = tuple[str, float]
Test: TypeAlias = Callable[[Pair], bool]
BY_RANK: Final = ""
BY_SCORE: Final = "BYSCORE"
BY_MEMBER: Final = "BYLEX"


def is_between_scores(low: str, high: str) -> Test:
    """Return a test for scores from `low` to `high`. A bound after "(" is excluded."""
    least, most = number(low.removeprefix("(")), number(high.removeprefix("("))

    def is_in(pair: Pair) -> bool:
        score = pair[1]
        above = score > least if low.startswith("(") else score >= least
        return above and (score < most if high.startswith("(") else score <= most)

    return is_in


def is_between_members(low: str, high: str) -> Test:
    """Return a test for members from `low` to `high`: "-", "+", or a name after "[" or "("."""
    if any(word not in {"-", "+"} and word[0] not in "[(" for word in (low, high)):
        raise CommandFailure

    def is_in(pair: Pair) -> bool:
        member = pair[0]
        above = low == "-" or member > low[1:] or (low == f"[{member}")
        below = high == "+" or member < high[1:] or (high == f"[{member}")
        return above and below and low != "+" and high != "-"

    return is_in


def pairs_between(scores: dict[str, float], form: str, low: str, high: str) -> list[Pair]:
    """Return the pairs in a range, in ascending order."""
    pairs = in_order(scores)
    if form == BY_RANK:
        start, stop = bounds(len(pairs), integer(low), integer(high))
        return pairs[start:stop]
    test = (is_between_scores if form == BY_SCORE else is_between_members)(low, high)
    check_equal_scores(scores, form)
    return [pair for pair in pairs if test(pair)]


def check_equal_scores(scores: dict[str, float], form: str) -> None:
    """Raise UndefinedReply for a range by member if the scores are not all equal."""
    if form == BY_MEMBER and len(set(scores.values())) > 1:
        raise UndefinedReply


def select_range(db: RedisModel, key: str, options: Words, low: str, high: str) -> list[Pair]:
    """Return the pairs that ZRANGE with `options` returns. Raises CommandFailure."""
    form = next((each for each in (BY_SCORE, BY_MEMBER) if each in options), BY_RANK)
    is_reversed = "REV" in options
    offset, count = 0, -1
    if "LIMIT" in options:
        at = options.index("LIMIT")
        offset, count = integer(options[at + 1]), integer(options[at + 2])
    if (count != -1 and not form) or ("WITHSCORES" in options and form == BY_MEMBER):
        raise CommandFailure
    scores = scores_of(db, key)
    if form:
        first, last = (high, low) if is_reversed else (low, high)
        pairs = pairs_between(scores, form, first, last)[:: -1 if is_reversed else 1]
    else:
        begin, end = bounds(len(scores), integer(low), integer(high))
        pairs = in_order(scores)[:: -1 if is_reversed else 1][begin:end]
    if "LIMIT" in options and form:
        rest = pairs[offset:] if offset >= 0 else []
        pairs = rest if count < 0 else rest[:count]
    return pairs


def read_range(prefix: Words, db: RedisModel, args: Words, _found: Any) -> Any:
    """Execute ZRANGE, or an older command that stands for ZRANGE with the options `prefix`."""
    options = [*prefix, *args[3:]]
    pairs = select_range(db, args[0], options, args[1], args[2])
    return pair_texts(pairs) if "WITHSCORES" in options else [member for member, _ in pairs]


def store_range(db: RedisModel, args: Words, _found: Any) -> Any:
    pairs = select_range(db, args[1], args[4:], args[2], args[3])
    db.replace(args[0], SORTED_SET, dict(pairs))
    return len(pairs)


def count_range(form: str, db: RedisModel, args: Words, _found: Any) -> Any:
    return len(pairs_between(scores_of(db, args[0]), form, args[1], args[2]))


def remove_range(form: str, db: RedisModel, args: Words, _found: Any) -> Any:
    pairs = pairs_between(scores_of(db, args[0]), form, args[1], args[2])
    return remove_members(db, args[0], [member for member, _ in pairs])


RANGE_COMMANDS: Final[dict[str, Act]] = {
    "ZRANGE": partial(read_range, ()),
    "ZREVRANGE": partial(read_range, ("REV",)),
    "ZRANGEBYSCORE": partial(read_range, (BY_SCORE,)),
    "ZREVRANGEBYSCORE": partial(read_range, (BY_SCORE, "REV")),
    "ZRANGEBYLEX": partial(read_range, (BY_MEMBER,)),
    "ZREVRANGEBYLEX": partial(read_range, (BY_MEMBER, "REV")),
    "ZRANGESTORE": store_range,
    "ZCOUNT": partial(count_range, BY_SCORE),
    "ZLEXCOUNT": partial(count_range, BY_MEMBER),
    "ZREMRANGEBYRANK": partial(remove_range, BY_RANK),
    "ZREMRANGEBYSCORE": partial(remove_range, BY_SCORE),
    "ZREMRANGEBYLEX": partial(remove_range, BY_MEMBER),
}
