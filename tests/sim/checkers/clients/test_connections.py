"""The checker of connections finds replies that are late, lost, too early or wrong."""

from __future__ import annotations

from typing import Any

import pytest

from sim.checkers.clients.connections import ConnectionChecker, RegionRecord
from sim.engine.checker import Violation
from sim.engine.events import MS
from sim.nodes.client import Refusal
from sim.nodes.session import CONNECTIONS
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh

OPERATOR, FIRST, SECOND, THIRD = CONNECTIONS[10:14]
PAUSE, UNPAUSE = ("CLIENT", "PAUSE", "200", "WRITE"), ("CLIENT", "UNPAUSE")
READ, WRITE = ("ECHO", "r"), ("SADD", "k", "w")
INFO = ("INFO", "stats")


@pytest.fixture
def world() -> SimWorld:
    return fresh(ConnectionChecker)


def sent(world: SimWorld, session: int, *commands: tuple[str, ...]) -> list[Any]:
    replies = world.run_session("eu", session, *commands)
    assert replies is not None
    return replies


def told(world: SimWorld, session: int, *replies: Any) -> None:
    world.sites["eu"].advance_clocks()
    checker_of(world).on_connection_replies(world.sites["eu"], session, replies)


def asked(world: SimWorld, session: int, *commands: tuple[str, ...], identity: int = 0) -> None:
    """Let the checker believe that commands were sent."""
    number = identity or 1000 + session
    world.sites["eu"].advance_clocks()
    checker_of(world).on_connection_request(world.sites["eu"], session, number, commands)


def record_of(world: SimWorld) -> RegionRecord:
    """Return what the checker knows of the connections of eu."""
    checker = checker_of(world)
    assert isinstance(checker, ConnectionChecker)
    return checker.regions["eu"]


def ended(world: SimWorld) -> None:
    world.sites["eu"].advance_clocks()
    checker_of(world).on_run_end([world.sites["eu"]])


# -- the server keeps the promises ---------------------------------------------------------


def test_pause_holds_writes_until_it_ends(world: SimWorld) -> None:
    assert sent(world, OPERATOR, PAUSE) == ["OK"]
    assert sent(world, FIRST, READ, WRITE, READ) == [b"r"]
    assert sent(world, FIRST, READ) == []
    world.sleep(300 * MS)
    assert world.sessions.by_number[FIRST].sim_client is not None
    assert checker_of(world).looked == 5
    assert sent(world, FIRST, READ) == [b"r"]


def test_unpause_releases_what_was_held(world: SimWorld) -> None:
    sent(world, OPERATOR, ("CLIENT", "PAUSE", "9999"))
    assert sent(world, FIRST, READ) == []
    assert sent(world, OPERATOR, UNPAUSE) == ["OK"]
    assert checker_of(world).looked == 3


@pytest.mark.parametrize(("how", "looked"), [((), 4), (("ERROR",), 4), (("TIMEOUT",), 4)])
def test_blocked_client_is_unblocked(world: SimWorld, how: tuple[str, ...], looked: int) -> None:
    assert sent(world, SECOND, ("BLPOP", "b", "0"), READ) == []
    assert sent(world, OPERATOR, ("CLIENT", "UNBLOCK", "$id2", *how)) == [1]
    assert sent(world, OPERATOR, ("CLIENT", "UNBLOCK", "$id2", *how)) == [0]
    assert checker_of(world).looked == looked


def test_push_serves_first_client_that_waits_for_list(world: SimWorld) -> None:
    sent(world, FIRST, ("BZPOPMIN", "b", "0"))
    sent(world, SECOND, ("BLPOP", "b", "0"))
    sent(world, THIRD, ("BLPOP", "b", "0.1"))
    assert sent(world, OPERATOR, ("RPUSH", "b", "x")) == [1]
    assert checker_of(world).looked == 2
    world.sleep(200 * MS)
    assert checker_of(world).looked == 3


def test_push_serves_client_that_has_waited_longest(world: SimWorld) -> None:
    sent(world, SECOND, READ)
    sent(world, THIRD, ("BLPOP", "b", "0"))
    sent(world, SECOND, ("BLPOP", "b", "0"))
    sent(world, OPERATOR, ("RPUSH", "b", "x"))
    checker = checker_of(world)
    assert isinstance(checker, ConnectionChecker)
    connections = checker.regions["eu"].connections
    assert connections[THIRD].blocked is None
    assert connections[SECOND].blocked is not None


def test_list_keeps_what_nobody_waits_for(world: SimWorld) -> None:
    push = ("RPUSH", "b", "x")
    sent(world, THIRD, ("BLPOP", "other", "0"))
    assert sent(world, THIRD, ("BLPOP", "b", "0"), ("BZPOPMIN", "b", "0")) == []
    assert sent(world, OPERATOR, push) == [1]
    assert sent(world, OPERATOR, push) == [2]
    assert sent(world, OPERATOR, ("CLIENT", "UNBLOCK", "$id3")) == [1]
    assert checker_of(world).looked == 6  # the third client got an element and a refusal
    assert sent(world, SECOND, ("BLPOP", "b", "0"), ("BZPOPMIN", "b", "0")) == [[b"b", b"x"]]


def test_killed_client_is_closed(world: SimWorld) -> None:
    sent(world, SECOND, READ)
    assert sent(world, OPERATOR, ("CLIENT", "KILL", "ID", "$id2")) == [1]
    assert not world.sessions.by_number[SECOND].is_connected
    assert sent(world, OPERATOR, ("CLIENT", "KILL", "ID", "$id2"))
    assert sent(world, SECOND, ("CLIENT", "GETNAME"), ("QUIT",), READ) == [None, "OK"]
    assert not world.sessions.by_number[SECOND].is_connected


def test_client_that_connected_to_a_refusing_region_is_closed(world: SimWorld) -> None:
    """Seed 67 found that the checker did not expect such a connection."""
    world.sites["eu"].instance.refused_bits = 1
    assert sent(world, FIRST, READ) == []
    world.sites["eu"].instance.refused_bits = 0
    client = world.sessions.by_number[FIRST].sim_client
    assert client is not None
    assert sent(world, OPERATOR, ("CLIENT", "KILL", "ID", str(client.client.id))) == [1]


def test_idle_client_is_closed_and_blocked_one_is_not(world: SimWorld) -> None:
    world.run_session("eu", 7, ("WATCH", "k"))
    sent(world, FIRST, READ)
    sent(world, SECOND, ("BLPOP", "b", "0"))
    sent(world, OPERATOR, ("CONFIG", "SET", "timeout", "1"))
    world.sleep(900 * MS)
    sent(world, THIRD, READ)
    world.sleep(300 * MS)
    sessions = world.sessions.by_number
    assert [sessions[it].is_connected for it in (7, FIRST, SECOND, THIRD)] == [
        False,
        False,
        True,
        True,
    ]
    assert world.run("eu", "PING") == "PONG"
    assert world.run_session("eu", 7, ("PING",)) == ["PONG"]


def test_rate_is_that_of_last_samples(world: SimWorld) -> None:
    looked = 0
    for number in (0, 200):
        sent(world, OPERATOR, ("CONFIG", "SET", "timeout", "9"))
        sent(world, OPERATOR, INFO)
        world.sleep(500 * MS)
        sent(world, FIRST, *[READ] * number, READ)
        world.sleep(1300 * MS)
        looked = checker_of(world).looked
        sent(world, OPERATOR, INFO)
        assert checker_of(world).looked == looked + 2
    assert looked > 200


def test_watched_key_may_have_changed_with_flush(world: SimWorld) -> None:
    sent(world, FIRST, ("WATCH", "k"))
    world.run("eu", "FLUSHALL")
    assert sent(world, FIRST, ("MULTI",), ("EXEC",))[0] == "OK"


def test_watched_key_may_have_changed_with_flush_elsewhere(world: SimWorld) -> None:
    sent(world, FIRST, ("WATCH", "k"))
    world.run("us", "FLUSHALL")
    assert world.converge(1000 * MS)
    assert record_of(world).connections[FIRST].model.is_unsure
    assert sent(world, FIRST, ("MULTI",), ("EXEC",))[0] == "OK"


def test_muted_connection_has_no_replies(world: SimWorld) -> None:
    assert sent(world, FIRST, ("CLIENT", "REPLY", "OFF"), READ) == []
    assert sent(world, FIRST, ("CLIENT", "REPLY", "ON"), READ) == ["OK", b"r"]
    assert checker_of(world).looked == 2


def test_connection_has_identity_of_its_own(world: SimWorld) -> None:
    (identity,) = sent(world, FIRST, ("CLIENT", "ID"))
    assert identity == record_of(world).connections[FIRST].identity
    assert checker_of(world).looked == 1


def test_other_parameters_close_no_idle_connection(world: SimWorld) -> None:
    sent(world, OPERATOR, ("CONFIG", "SET", "maxclients", "100"))
    assert record_of(world).idle_ms == 0
    sent(world, OPERATOR, ("CONFIG", "SET", "timeout", "9"))
    assert record_of(world).idle_ms == 9000


# -- the checker finds what breaks them ----------------------------------------------------


def test_wrong_missing_and_superfluous_replies_are_caught(world: SimWorld) -> None:
    asked(world, FIRST, READ)
    with pytest.raises(Violation, match="answers ECHO r of session 10011 with 'x', not 'r'"):
        told(world, FIRST, b"x")
    asked(world, FIRST, READ, READ)
    with pytest.raises(Violation, match="does not answer ECHO r of session 10011"):
        told(world, FIRST, b"r")
    told(world, FIRST, b"r")
    with pytest.raises(Violation, match="sends 'r' to session 10011, for no command"):
        told(world, FIRST, b"r")


def test_pushed_element_that_is_lost_is_caught(world: SimWorld) -> None:
    asked(world, OPERATOR, ("RPUSH", "b", "x"), ("RPUSH", "b", "x"))
    with pytest.raises(Violation, match="answers RPUSH b x of session 10010 with 1, not 2"):
        told(world, OPERATOR, 1, 1)


def test_reply_in_pause_is_caught(world: SimWorld) -> None:
    asked(world, OPERATOR, ("CLIENT", "PAUSE", "200"), ("CLIENT", "PAUSE", "1", "WRITE"))
    told(world, OPERATOR, "OK", "OK")
    asked(world, FIRST, READ)
    with pytest.raises(Violation, match="sends 'r' to session 10011, while ECHO r has to wait"):
        told(world, FIRST, b"r")


def test_reply_that_stays_away_after_pause_is_caught(world: SimWorld) -> None:
    asked(world, OPERATOR, PAUSE)
    told(world, OPERATOR, "OK")
    asked(world, FIRST, WRITE)
    world.sleep(240 * MS)
    asked(world, OPERATOR, READ)
    told(world, OPERATOR, b"r")
    world.sleep(20 * MS)
    with pytest.raises(Violation, match="not answered SADD k w of session 10011 for 60 ms"):
        asked(world, OPERATOR, READ)


def test_blocked_client_that_gives_up_late_is_caught(world: SimWorld) -> None:
    asked(world, SECOND, ("BLPOP", "b", "0.1"))
    world.sleep(140 * MS)
    ended(world)
    world.sleep(20 * MS)
    with pytest.raises(Violation, match=r"not answered BLPOP b 0.1 of session 10012 for 60 ms"):
        ended(world)


def test_connections_that_stay_open_are_caught(world: SimWorld) -> None:
    asked(world, FIRST, READ)
    told(world, FIRST, b"r")
    asked(world, OPERATOR, ("CLIENT", "KILL", "ID", str(1000 + FIRST)))
    told(world, OPERATOR, 1)
    world.sleep(60 * MS)
    with pytest.raises(Violation, match="has not closed the connection of session 10011"):
        asked(world, OPERATOR, READ)
    checker_of(world).on_client_left(world.sites["eu"], FIRST)
    asked(world, OPERATOR, ("CONFIG", "SET", "timeout", "1"))
    told(world, OPERATOR, "OK")
    world.sleep(1200 * MS)
    with pytest.raises(Violation, match="session 10010, which has been idle for 1200 ms"):
        ended(world)


@pytest.mark.parametrize("waits", [True, False])
def test_connection_that_is_closed_without_reason_is_caught(world: SimWorld, waits: bool) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    asked(world, OPERATOR, ("CONFIG", "SET", "timeout", "1"))
    asked(world, FIRST, ("BLPOP", "b", "0") if waits else READ)
    world.sleep((1500 if waits else 900) * MS)
    eu.advance_clocks()
    text = "is blocked" if waits else "has been idle for 900 ms"
    with pytest.raises(Violation, match=f"session 10011, which {text}; the timeout is 1000 ms"):
        checker.on_client_left(eu, FIRST)


def test_connections_beside_one_of_unknown_state_are_not_judged(world: SimWorld) -> None:
    eu, checker = world.sites["eu"], checker_of(world)
    asked(world, OPERATOR, READ)
    checker.on_region_started(eu)
    asked(world, FIRST, READ)
    asked(world, OPERATOR, ("CONFIG", "SET", "timeout", "1"))
    before = checker.looked
    world.sleep(1200 * MS)
    checker.on_client_left(eu, FIRST)
    assert checker.looked == before


@pytest.mark.parametrize("rate", [1, 900])
def test_wrong_rate_is_caught(world: SimWorld, rate: int) -> None:
    asked(world, OPERATOR, ("CONFIG", "SET", "timeout", "9"), INFO)
    told(world, OPERATOR, "OK", b"total_commands_processed:50\r\ninstantaneous_ops_per_sec:1")
    world.sleep(500 * MS)
    asked(world, FIRST, *[READ] * 100)
    told(world, FIRST, *[b"r"] * 100)
    world.sleep(1300 * MS)
    asked(world, OPERATOR, INFO)
    info = f"total_commands_processed:160\r\ninstantaneous_ops_per_sec:{rate}".encode()
    with pytest.raises(Violation, match=f"runs {rate} commands per second, and ran 110 in 1800 ms"):
        told(world, OPERATOR, info)


def test_connections_of_refusing_region_are_not_judged(world: SimWorld) -> None:
    asked(world, FIRST, READ)
    eu = world.sites["eu"]
    eu.instance.refuse_writes = b"STALE"
    told(world, FIRST, Refusal("STALE"))
    assert sent(world, THIRD, READ) == []
    eu.instance.refuse_writes = None
    asked(world, FIRST, READ)
    told(world, FIRST, b"x")
    assert checker_of(world).looked == 0
    asked(world, FIRST, READ, identity=5)
    checker_of(world).on_region_started(eu)
    told(world, FIRST, b"x")


def test_reply_to_client_whose_wait_is_not_over_is_caught(world: SimWorld) -> None:
    asked(world, SECOND, ("BLPOP", "b", "1"))
    world.sleep(900 * MS)
    with pytest.raises(Violation, match="to session 10012, while BLPOP b 1 has to wait"):
        told(world, SECOND, None)


def test_rate_of_region_that_was_paused_is_not_judged(world: SimWorld) -> None:
    asked(world, OPERATOR, ("CONFIG", "SET", "timeout", "9"), INFO)
    told(world, OPERATOR, "OK", b"total_commands_processed:50\r\ninstantaneous_ops_per_sec:1")
    world.sleep(100 * MS)
    world.sites["eu"].pause_until(world.now + 100 * MS)
    world.sleep(1700 * MS)
    asked(world, OPERATOR, INFO)
    told(world, OPERATOR, b"total_commands_processed:160\r\ninstantaneous_ops_per_sec:900")
    assert checker_of(world).looked == 3
