"""Sessions: their vectors, and their moves between regions."""

from __future__ import annotations

from sim.engine.events import SECOND
from sim.nodes.session import CONNECTIONS, SimSession
from sim.world.world import SimWorld
from tests.sim.planted import fresh

VECTOR = ("CRDB.VECTOR",)


def session_of(world: SimWorld, number: int) -> SimSession:
    return world.sessions.by_number[number]


def test_scan_goes_on_where_it_was() -> None:
    world = fresh()
    world.run("eu", "SADD", "s", *(f"m{i}" for i in range(300)))
    first = world.run_session("eu", 1, ("SSCAN", "s", "$cursor", "COUNT", "10"))
    assert first is not None
    cursor = first[0][0]
    assert cursor != b"0"
    second = world.run_session("eu", 1, ("SSCAN", "s", "$cursor", "COUNT", "1000"))
    assert second is not None
    assert second[0][0] == b"0"
    assert len(first[0][1]) + len(second[0][1]) >= 300
    assert world.run_session("eu", 1, ("SCAN", "$cursor")) == [[b"0", [b"s"]]]


def test_session_names_entries_that_it_knows() -> None:
    world = fresh()
    send = world.run_session
    assert send("eu", 1, ("XDEL", "s", "$entry-0")) == [0]
    send("eu", 1, ("XADD", "s", "5", "a", "b"), ("XADD", "s", "6", "a", "b"))
    assert send("eu", 1, ("XDEL", "s", "$entry-1"), ("XRANGE", "s", "-", "+")) == [
        1,
        [[b"6-1", [b"a", b"b"]]],
    ]
    send("eu", 2, ("XGROUP", "CREATE", "s", "g", "0"))
    send("eu", 2, ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"))
    assert send("eu", 2, ("XACK", "s", "g", "$entry-0")) == [1]


def test_session_waits_elsewhere_for_what_it_has_seen() -> None:
    world = fresh()
    assert world.run_session("eu", 1, ("SADD", "k", "a"), VECTOR) == [1, b"1=1"]
    assert world.run_session("us", 1, ("SMEMBERS", "k")) == []
    assert session_of(world, 1).has_moved
    assert world.run_session("us", 1, ("SMEMBERS", "k")) is None  # the session waits
    world.sleep(SECOND)
    assert world.run_session("us", 1, ("SMEMBERS", "k")) == [[b"a"]]


def test_session_that_waits_in_vain_asks_again() -> None:
    world = fresh()
    world.run_session("eu", 1, ("SADD", "k", "a"), VECTOR)
    world.cut("eu", "us")
    world.cut("eu", "ap")
    world.run_session("us", 1, ("SMEMBERS", "k"))
    world.sleep(3 * SECOND)
    assert session_of(world, 1).waiting is None
    assert session_of(world, 1).has_moved


def test_session_that_leaves_is_not_served_where_it_was() -> None:
    world = fresh()
    world.run_session("eu", 1, ("GET", "k"))
    assert len(world.sites["eu"].session_connections) == 1
    world.run_session("us", 1, ("GET", "k"))
    assert not world.sites["eu"].session_connections
    assert not session_of(world, 1).has_moved


def test_blocked_session_is_served_or_released() -> None:
    world = fresh()
    assert world.run_session("eu", 1, ("BLPOP", "q", "0")) == []
    assert world.run_session("us", 2, ("BLPOP", "q", "0.2")) == []
    assert session_of(world, 1).waiting == ("BLPOP", "q", "0")
    world.run("eu", "RPUSH", "q", "a")
    assert session_of(world, 1).waiting is None
    world.sleep(SECOND)
    assert session_of(world, 2).waiting is None
    world.run_session("us", 2, ("BLPOP", "q", "0"))
    world.crash_process("us")
    assert world.run_session("eu", 2, ("GET", "k")) == [None]


def test_session_whose_region_has_died_is_dropped_too() -> None:
    world = fresh()
    world.run_session("eu", 1, ("GET", "k"))
    world.crash_process("eu")
    world.sessions.close_session(1)
    world.sessions.close_session(2)  # the request never existed
    assert world.sessions.by_number == {}


def test_words_stand_for_times_that_session_has_read() -> None:
    world = fresh()
    assert world.run_session("eu", 1, ("ECHO", "$now"), ("ECHO", "$end-1")) == [b"1", b"0"]
    world.run_session("eu", 1, ("SET", "k", "v", "PXAT", "1800000000000"), ("PTTL", "k"))
    world.run_session("eu", 1, ("TIME",), ("PEXPIRETIME", "k"), ("PEXPIRETIME", "nothing"))
    now = world.sites["eu"].replica.keyspace.now
    asked = tuple(("ECHO", word) for word in ("$now", "$now+5", "$seconds-1", "$end", "$other"))
    wanted = [now, now + 5, now // 1000 - 1, 1_800_000_000_000]
    assert world.run_session("eu", 1, *asked) == [*(b"%d" % each for each in wanted), b"$other"]


def test_session_connects_again_after_server_has_closed_its_connection() -> None:
    world = fresh()
    world.run_session("eu", 1, ("WATCH", "k"))
    first = session_of(world, 1).identity
    eu = world.sites["eu"]
    eu.instance.kill(eu.instance.clients[first])
    eu.instance.kill(eu.instance.clients[first])
    eu.finish_turn()
    assert session_of(world, 1).identity == 0
    assert world.run_session("eu", 1, ("PING",)) == ["PONG"]
    assert session_of(world, 1).identity > first


def test_word_stands_for_connection_of_other_session() -> None:
    world = fresh()
    first, other = CONNECTIONS[20], CONNECTIONS[21]
    assert world.run_session("eu", first, ("ECHO", "$id1")) == [b"0"]
    world.run_session("eu", other, ("PING",))
    identity = session_of(world, other).identity
    assert world.run_session("eu", first, ("ECHO", "$id1"), ("ECHO", "$id")) == [
        str(identity).encode(),
        b"$id",
    ]


def test_writers_do_not_wait_for_end_of_client_pause() -> None:
    world = fresh()
    assert world.run("eu", "CLIENT", "PAUSE", "500") == "OK"
    assert world.sites["eu"].holds_sessions
    assert world.run("eu", "SET", "k", "v") == "OK"
    world.sleep(SECOND)
    assert not world.sites["eu"].holds_sessions
