"""Commands on members of sorted sets, and conflicts between regions."""

from __future__ import annotations

import pytest

from crdb.resp.decoder import ErrorReply
from tests.crdb.regions import Regions


@pytest.mark.parametrize(
    ("score", "text"),
    [
        ("3.0", b"3"),
        ("0.1", b"0.1"),
        ("-0", b"0"),
        ("1e17", b"100000000000000000"),
        ("1e20", b"1e+20"),
        ("3e-7", b"3e-7"),
        ("1.7976931348623157e308", b"1.7976931348623157e+308"),
        ("-inf", b"-inf"),
        ("0x1p-1", b"0.5"),
    ],
)
def test_scores_are_written_as_redis_7_2_writes_them(score: str, text: bytes) -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", score, "m")
    assert regions.run(1, "ZSCORE", "z", "m") == text
    assert regions.run(1, "ZRANGE", "z", "0", "-1", "WITHSCORES") == [b"m", text]


def test_ranks_come_with_scores() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "a", "2", "b")
    assert regions.run(1, "ZRANK", "z", "b", "WITHSCORE") == [1, b"2"]
    assert regions.run(1, "ZREVRANK", "z", "b", "withscore") == [0, b"2"]
    assert regions.run(1, "ZRANK", "z", "c", "WITHSCORE") is None
    assert regions.run(1, "ZRANK", "z", "a", "SCORE") == ErrorReply(b"ERR syntax error")
    too_many = ErrorReply(b"ERR wrong number of arguments for 'zrank' command")
    assert regions.run(1, "ZRANK", "z", "a", "WITHSCORE", "x") == too_many


def test_zscan_of_large_one_sees_every_member() -> None:
    regions = Regions()
    for n in range(1000):
        regions.run(1, "ZADD", "z", n, f"m{n}")
    seen: dict[bytes, bytes] = {}
    cursor, calls = b"0", 0
    while calls == 0 or cursor != b"0":
        cursor, page = regions.run(1, "ZSCAN", "z", cursor, "COUNT", 100)
        seen |= dict(zip(page[::2], page[1::2], strict=True))
        calls += 1
    assert seen == {b"m%d" % n: b"%d" % n for n in range(1000)}
    assert calls == 10


def test_zrandmember_draws_members_with_their_scores() -> None:
    regions = Regions()
    for n in range(200):
        regions.run(1, "ZADD", "z", n, f"m{n}")
    for count in (3, 150, 500):
        drawn = regions.run(1, "ZRANDMEMBER", "z", count, "WITHSCORES")
        assert len(drawn) == 2 * min(count, 200)
        assert len(set(drawn[::2])) == min(count, 200)
        assert [b"m" + score for score in drawn[1::2]] == drawn[::2]
    assert len(regions.run(1, "ZRANDMEMBER", "z", -300)) == 300
    assert regions.run(1, "ZCARD", "z") == 200


def scores(regions: Regions, key: str = "z") -> dict[bytes, bytes]:
    """Return members and scores, which all regions must show alike."""
    shown = [regions.run(n, "ZRANGE", key, "0", "-1", "WITHSCORES") for n in regions.clients]
    assert all(each == shown[0] for each in shown)
    return dict(zip(shown[0][::2], shown[0][1::2], strict=True))


@pytest.mark.rule("ZST-1")
def test_adds_of_different_members_unite() -> None:
    regions = Regions(3)
    for n in (1, 2, 3):
        regions.run(n, "ZADD", "z", n, f"m{n}")
    regions.sync()
    assert scores(regions) == {b"m1": b"1", b"m2": b"2", b"m3": b"3"}


@pytest.mark.rule("ZST-1")
def test_concurrent_removes_remove() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "x")
    regions.sync()
    assert regions.run(1, "ZREM", "z", "x") == 1
    assert regions.run(2, "ZREM", "z", "x") == 1
    regions.sync()
    assert regions.everywhere("EXISTS", "z") == 0


@pytest.mark.rule("ZST-2")
def test_later_of_two_scores_holds() -> None:
    regions = Regions()
    regions.run(2, "ZADD", "z", "2.1", "x")
    regions.now += 1
    regions.run(1, "ZADD", "z", "1.1", "x")
    regions.sync()
    assert scores(regions) == {b"x": b"1.1"}


@pytest.mark.rule("ZST-3")
def test_at_same_time_lower_region_wins() -> None:
    regions = Regions()
    regions.run(2, "ZADD", "z", "2.1", "x")
    regions.run(1, "ZADD", "z", "1.1", "x")
    regions.sync()
    assert scores(regions) == {b"x": b"1.1"}


@pytest.mark.rule("ZST-4")
def test_increments_add_up() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1.1", "x")
    regions.sync()
    regions.run(1, "ZINCRBY", "z", "1.0", "x")
    regions.run(2, "ZINCRBY", "z", "1.0", "x")
    regions.sync()
    assert scores(regions) == {b"x": b"3.1"}


@pytest.mark.rule("ZST-5")
def test_increment_survives_removal_that_did_not_see_it() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "4.1", "x")
    regions.sync()
    regions.run(1, "ZREM", "z", "x")
    assert regions.run(2, "ZINCRBY", "z", "2.0", "x") == b"6.1"
    regions.sync()
    assert scores(regions) == {b"x": b"2"}


@pytest.mark.rule("ZST-5")
def test_two_removals_take_increment_away_once() -> None:
    regions = Regions(3)
    regions.run(1, "ZINCRBY", "z", "4", "x")
    regions.sync()
    regions.run(1, "ZREM", "z", "x")
    regions.run(2, "DEL", "z")
    regions.run(3, "ZINCRBY", "z", "2", "x")
    regions.sync()
    assert scores(regions) == {b"x": b"2"}


@pytest.mark.rule("ZST-5")
def test_infinite_scores_do_no_harm() -> None:
    regions = Regions()
    regions.run(1, "ZINCRBY", "z", "inf", "x")
    regions.sync()
    regions.run(1, "ZINCRBY", "z", "1", "x")
    regions.run(2, "ZREM", "z", "x")
    regions.sync()
    assert scores(regions) == {b"x": b"0"}  # what infinity and 1 were before is not known
    regions.run(1, "ZINCRBY", "z", "inf", "y")
    regions.run(2, "ZINCRBY", "z", "-inf", "y")
    regions.sync()
    assert scores(regions)[b"y"] == b"0"


@pytest.mark.rule("ZST-6")
def test_assignment_survives_removal_whole() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "4", "x", "4", "y")
    regions.sync()
    regions.run(1, "ZREM", "z", "x", "y")
    regions.run(2, "ZADD", "z", "6", "x")
    regions.sync()
    assert scores(regions) == {b"x": b"6"}


@pytest.mark.rule("ZST-6")
def test_so_does_one_that_changes_nothing() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "4", "x", "4", "y")
    regions.sync()
    regions.run(1, "DEL", "z")
    assert regions.run(2, "ZADD", "z", "XX", "CH", "4", "x") == 0
    regions.sync()
    assert scores(regions) == {b"x": b"4"}


@pytest.mark.rule("ZST-7")
def test_unseen_increment_adds_to_assignment() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "x")
    regions.sync()
    regions.run(1, "ZADD", "z", "10", "x")
    regions.run(2, "ZINCRBY", "z", "5", "x")
    regions.sync()
    assert scores(regions) == {b"x": b"15"}


@pytest.mark.parametrize(
    ("command", "score"),
    [
        ("ZADD z NX 9 x", b"1"),
        ("ZADD z GT 0 x", b"1"),
        ("ZADD z LT 9 x", b"1"),
        ("ZADD z XX 9 y", b"1"),
        ("ZADD z NX INCR 9 x", b"1"),
        ("ZADD z GT INCR -1 x", b"1"),
    ],
)
@pytest.mark.rule("ZST-8")
def test_refusal_by_option_sends_nothing(command: str, score: bytes) -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "x")
    regions.sync()
    regions.run(1, *command.split())
    assert regions.replicas[1].since(regions.replicas[2].vector) == []
    assert regions.run(1, "ZSCORE", "z", "x") == score


@pytest.mark.rule("ZST-8")
def test_incr_is_increment() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "x")
    regions.sync()
    assert regions.run(1, "ZADD", "z", "XX", "GT", "INCR", "2", "x") == b"3"
    assert regions.run(2, "ZADD", "z", "INCR", "4", "x") == b"5"
    regions.sync()
    assert scores(regions) == {b"x": b"7"}


@pytest.mark.rule("ZST-12")
def test_increments_that_create_member_add_up() -> None:
    regions = Regions(3)
    for n in (1, 2, 3):
        regions.run(n, "ZINCRBY", "z", n, "x")
    regions.sync()
    assert scores(regions) == {b"x": b"6"}


@pytest.mark.rule("ZST-13")
def test_equal_scores_sort_by_member() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "b", "1", "B")
    regions.run(2, "ZADD", "z", "1", "a", "1", "")
    regions.sync()
    assert list(scores(regions)) == [b"", b"B", b"a", b"b"]


@pytest.mark.rule("KEY-1")
def test_delete_leaves_what_is_added_meanwhile() -> None:
    regions = Regions()
    regions.run(1, "ZADD", "z", "1", "x")
    regions.sync()
    regions.run(1, "DEL", "z")
    regions.run(2, "ZADD", "z", "2", "y")
    regions.sync()
    assert scores(regions) == {b"y": b"2"}


def test_increment_in_smallest_slices_replies_new_score() -> None:
    regions = Regions()
    regions.instances[1].slices.items = 1
    assert regions.run(1, "ZADD", "z", "INCR", "0.5", "m") == b"0.5"
    assert regions.run(1, "ZADD", "z", "INCR", "2", "m") == b"2.5"
    assert regions.run(1, "ZADD", "z", "NX", "INCR", "2", "m") is None


@pytest.mark.parametrize("items", [1, 2, 3])
@pytest.mark.parametrize("options", [[], ["CH"], ["NX"], ["GT", "CH"]])
def test_many_scores_in_slices_are_set_as_at_once(items: int, options: list[str]) -> None:
    pairs = ["1", "a", "5", "b", "3", "a", "-2", "c", "4", "b", "7", "d", "7", "d"]
    replies: list[object] = []
    held: list[dict[bytes, bytes]] = []
    for size in (1000, items):
        regions = Regions()
        regions.run(1, "ZADD", "z", "2", "a", "9", "e")
        regions.instances[1].slices.items = size
        replies.append(regions.run(1, "ZADD", "z", *options, *pairs))
        regions.sync()
        held.append(scores(regions))
    assert replies[0] == replies[1]
    assert held[0] == held[1]


def test_no_score_is_set_in_slices_if_the_last_one_is_wrong() -> None:
    regions = Regions()
    regions.instances[1].slices.items = 1
    wrong = regions.run(1, "ZADD", "z", "1", "a", "2", "b", "x", "c")
    assert wrong == ErrorReply(b"ERR value is not a valid float")
    assert regions.run(1, "EXISTS", "z") == 0
