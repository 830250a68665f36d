"""Which changes invalidate what clients have cached."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from crdb.engine.session import WORKING
from crdb.engine.tracking.tracking import FORGOTTEN, LOOK_MS, SLICE_KEYS
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.regions import Regions

PUSH = b">2\r\n$10\r\ninvalidate\r\n"
ALL = PUSH + b"_\r\n"


def push(*keys: str) -> bytes:
    """Return the invalidation of these keys."""
    return (
        PUSH
        + b"*%d\r\n" % len(keys)
        + b"".join(b"$%d\r\n%b\r\n" % (len(k), k.encode()) for k in keys)
    )


def tracking(database: Instance, options: str = "", *requests: str) -> Client:
    """Return a client of RESP3 that tracks keys, and has made these requests."""
    client = Client(database)
    lines(client, "HELLO 3", f"CLIENT TRACKING ON {options}".rstrip(), *requests)
    return client


def told(client: Client) -> bytes:
    """Return what the client has received since."""
    return receive(client, b"")


CHANGES = [
    "SET k 2",
    "DEL k",
    "APPEND k x",
    "EXPIRE k 100",
    "PERSIST k",
    "GETDEL k",
    "RENAME k l",
    "RENAME l k",
    "COPY l k REPLACE",
    "SETRANGE k 0 z",
    "SETBIT k 1 1",
    "INCR k",
    "SORT none STORE k",
]


@pytest.mark.parametrize("change", CHANGES)
def test_change_by_another_client_invalidates_once(change: str) -> None:
    database = instance()
    other = Client(database)
    lines(other, "SET k 1 EX 10000", "SET l 1")
    client = tracking(database, "", "GET k")
    lines(other, change)
    assert told(client) == push("k")
    lines(other, "SET k 3")
    assert told(client) == b""


@pytest.mark.parametrize("request_", ["GET k", "EXISTS x k", "MGET x k", "TTL k", "STRLEN k"])
def test_keys_of_reads_are_tracked(request_: str) -> None:
    database = instance()
    client = tracking(database, "", request_)
    lines(Client(database), "SET k 1")
    assert told(client) == push("k")


@pytest.mark.parametrize("request_", ["SET k 1", "SCAN 0", "DBSIZE", "GETEX k", "PING"])
def test_other_commands_are_not(request_: str) -> None:
    database = instance()
    client = tracking(database, "", request_)
    lines(Client(database), "SET k 2")
    assert told(client) == b""
    assert len(database.tracking.tracked) == 0


@pytest.mark.parametrize("command", ["EVAL", "EVAL_RO"])
def test_keys_that_a_script_reads_are_tracked(command: str) -> None:
    """The keys of the script do not count, but those of its commands."""
    database = instance()
    client = tracking(database)
    receive(client, b"%b \"return redis.call('get', 'k')\" 1 named\r\n" % command.encode())
    lines(Client(database), "SET named 1", "SET k 1")
    assert told(client) == push("k")


def test_own_change_is_told_behind_its_reply() -> None:
    client = tracking(instance(), "", "GET k")
    assert lines(client, "SET k 1") == [b"+OK\r\n" + push("k")]
    lines(client, "MGET k l", "MULTI", "SET l 1", "SET k 1", "GET k")
    assert lines(client, "EXEC") == [b"*3\r\n+OK\r\n+OK\r\n$1\r\n1\r\n" + push("l") + push("k")]
    assert lines(client, "SET k 1") == [b"+OK\r\n" + push("k")], "it was read behind the change"


def test_noloop_spares_own_changes_only() -> None:
    database = instance()
    client = tracking(database, "NOLOOP", "GET k")
    assert lines(client, "SET k 1", "GET k") == [b"+OK\r\n", b"$1\r\n1\r\n"]
    lines(Client(database), "SET k 2")
    assert told(client) == push("k")


def test_opt_in_tracks_what_follows_caching() -> None:
    database = instance()
    client = tracking(database, "OPTIN", "GET a", "CLIENT CACHING YES", "CLIENT ID", "GET b")
    lines(client, "GET c", "CLIENT CACHING YES", "MULTI", "GET d", "GET e", "EXEC", "GET f")
    lines(Client(database), "MSET a 1 b 1 c 1 d 1 e 1 f 1")
    assert told(client) == push("b") + push("d") + push("e")


def test_opt_out_skips_what_follows_caching() -> None:
    database = instance()
    client = tracking(database, "OPTOUT", "GET a", "CLIENT CACHING NO", "GET b", "GET c")
    lines(Client(database), "MSET a 1 b 1 c 1")
    assert told(client) == push("a") + push("c")


def test_broadcast_tells_of_keys_with_prefix() -> None:
    database = instance()
    some = tracking(database, "BCAST PREFIX a PREFIX b")
    every = tracking(database, "BCAST")
    lines(Client(database), "MSET bx 1 c 1 ay 1 az 1", "DEL nothing")
    assert told(some) == push("ay", "az") + push("bx")
    assert told(every) == push("ay", "az", "bx", "c")


def test_broadcast_with_noloop_spares_own_changes() -> None:
    database = instance()
    quiet, loud = tracking(database, "BCAST NOLOOP"), tracking(database, "BCAST")
    assert lines(quiet, "SET k 1") == [b"+OK\r\n"]
    assert told(loud) == push("k")
    lines(loud, "SET k 1")
    assert told(quiet) == push("k")


def test_invalidations_are_redirected() -> None:
    database = instance()
    receiver = Client(database)
    lines(receiver, "HELLO 3")
    client = Client(database)
    lines(client, f"CLIENT TRACKING ON REDIRECT {receiver.id}", "GET k")
    lines(Client(database), "SET k 1")
    assert (told(receiver), told(client)) == (push("k"), b"")


def test_subscriber_of_resp2_gets_messages_for_others() -> None:
    database = instance()
    receiver = Client(database)
    client = Client(database)
    lines(client, f"CLIENT TRACKING ON REDIRECT {receiver.id}", "GET k")
    lines(Client(database), "SET k 1")
    assert told(receiver) == b"", "it does not subscribe"
    lines(receiver, "SUBSCRIBE __redis__:invalidate")
    lines(client, "GET k")
    lines(Client(database), "SET k 2")
    channel = b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"
    assert told(receiver) == channel + b"*1\r\n$1\r\nk\r\n"
    lines(Client(database), "FLUSHALL")
    assert told(receiver) == channel + b"$-1\r\n"
    assert told(client) == b""


def test_client_learns_that_receiver_is_gone() -> None:
    database = instance()
    receiver = Client(database)
    client = tracking(database, f"REDIRECT {receiver.id}", "GET k")
    receiver.leave()
    lines(Client(database), "SET k 1")
    assert told(client) == b">2\r\n$21\r\ntracking-redir-broken\r\n:%d\r\n" % receiver.id
    assert b"broken_redirect" in lines(client, "CLIENT TRACKINGINFO")[0]
    assert b" flags=tR " in lines(client, "CLIENT INFO")[0]


def test_resp2_client_gets_nothing() -> None:
    database = instance()
    client = Client(database)
    lines(client, "CLIENT TRACKING ON", "GET k")
    lines(Client(database), "SET k 1")
    assert told(client) == b""
    assert len(database.tracking.tracked) == 0


def test_flushall_invalidates_everything() -> None:
    database = instance()
    client, broadcast = tracking(database, "", "GET k"), tracking(database, "BCAST")
    assert lines(client, "FLUSHALL") == [b"+OK\r\n" + ALL]
    assert told(broadcast) == ALL
    lines(client, "SET k 1")
    assert told(broadcast) == push("k")


def test_keys_that_flushall_removes_later_are_not_told() -> None:
    """The keys are removed in slices, after all clients were told to drop everything."""
    database = instance()
    database.replica.work_in_slices(2, 2)
    broadcast = tracking(database, "BCAST")
    lines(Client(database), *[f"SET k{number} 1" for number in range(9)])
    told(broadcast)
    lines(Client(database), "FLUSHALL")
    while database.replica.work():
        database.tick()
    assert told(broadcast) == ALL


def test_change_of_another_region_invalidates() -> None:
    regions = Regions(2)
    regions.run(1, "MSET", "k", "1", "l", "1")
    regions.sync()
    client = tracking(regions.instances[2], "", "MGET k l m")
    regions.run(1, "SET", "k", "2")
    regions.run(1, "SET", "other", "2")
    assert told(client) == b""
    regions.sync()
    assert told(client) == push("k")
    regions.run(1, "SET", "m", "2")
    regions.merge(1, 2)
    assert told(client) == push("m")
    regions.run(1, "FLUSHALL")
    regions.sync()
    assert told(client) == ALL


def test_key_that_runs_out_of_time_is_invalidated() -> None:
    database = instance()
    client = tracking(database)
    broadcast = tracking(database, "BCAST PREFIX b")
    lines(Client(database), "SET k 1 PX 50", "SET b 1 PX 90", "SET later 1 PX 5000")
    assert told(broadcast) == push("b")
    lines(client, "MGET k later")
    database.advance(NOW + 100)
    database.tick()
    assert (told(client), told(broadcast)) == (push("k"), push("b"))
    assert len(database.tracking.tracked) == 1
    for step in range(2, 9):
        database.advance(NOW + 100 * step)
        database.tick()
    assert (told(client), told(broadcast)) == (b"", b""), "it is told once"


def test_resting_instance_looks_for_keys_that_run_out_of_time() -> None:
    database = instance()
    client = tracking(database)
    lines(Client(database), "SET k 1 PX 50")
    assert database.tracking.deadline(database.now) is None
    lines(client, "GET k")
    assert database.tracking.deadline(database.now) == database.now
    database.tick()
    assert database.tracking.deadline(database.now) == database.now + LOOK_MS
    assert database.deadline <= database.now + LOOK_MS


def test_clock_that_is_set_back_invalidates_everything() -> None:
    database = instance()
    client = tracking(database, "", "GET k")
    database.advance(NOW + 10, NOW + 10)
    database.advance(NOW + 20, NOW - 60_000)
    assert told(client) == ALL


def test_number_of_keys_is_limited() -> None:
    database = instance(tracking_table_max_keys="10")
    client = tracking(database)
    received = b"".join(lines(client, *[f"GET k{n}" for n in range(30)]))
    assert received.count(PUSH) == 20
    assert len(database.tracking.tracked) == 10
    lines(client, "CONFIG SET tracking-table-max-keys 0", "MGET " + "x " * 5)
    lines(client, "MGET " + " ".join(f"y{n}" for n in range(FORGOTTEN + 50)))
    lines(client, "CONFIG SET tracking-table-max-keys 1", "GET one")
    assert len(database.tracking.tracked) == 10 + 1 + 50 + 1


def test_many_changes_are_told_in_slices() -> None:
    database = instance()
    names = [f"k{n:04}" for n in range(SLICE_KEYS + 10)]
    lines(Client(database), "MSET " + " ".join(f"{n} 1" for n in names))
    client = tracking(database, "", "MGET " + " ".join(names))
    lines(Client(database), "DEL " + " ".join(names))
    assert told(client).count(PUSH) == SLICE_KEYS
    assert not database.slices.is_idle()
    database.slices.run_slice()
    assert database.slices.is_idle()
    assert told(client).count(PUSH) == 10


def test_many_keys_are_remembered_in_slices() -> None:
    database = instance()
    database.slices.items = 100
    names = [f"k{n:04}" for n in range(3 * SLICE_KEYS)]
    client = tracking(database)
    run(client, f"MGET {' '.join(names)}\r\n".encode())
    assert client.flags & WORKING
    assert len(database.tracking.tracked) == 0
    other = Client(database)
    run(other, b"SET k0001 1\r\n")
    while client.flags & WORKING:
        database.slices.run_slice()
    assert len(database.tracking.tracked) == len(names)
    receive(other, b"")
    assert b"".join(client.out).endswith(push("k0001"))


def test_keys_of_transaction_in_slices_are_remembered() -> None:
    database = instance()
    database.slices.items = 100
    names = [f"k{n:04}" for n in range(2 * SLICE_KEYS)]
    client = tracking(database)
    replies = lines(client, "MULTI", "GET one", "MGET " + " ".join(names), "GET two", "EXEC")
    assert replies[-1].startswith(b"*3\r\n_\r\n*1000\r\n")
    assert len(database.tracking.tracked) == len(names) + 2


def test_reply_in_slices_is_not_interrupted() -> None:
    database = instance()
    other = Client(database)
    lines(other, "SADD s " + " ".join(map(str, range(900))))
    client = tracking(database, "", "GET k", "HELLO 3")
    database.slices.items = 100
    run(client, b"SMEMBERS s\r\n")
    assert client.flags & WORKING
    run(other, b"SET k 1\r\n")
    while client.flags & WORKING:
        database.slices.run_slice()
    shown = b"".join(client.out)
    assert shown.startswith(b"~900\r\n")
    assert shown.endswith(push("k"))


def test_client_that_is_killed_gets_nothing() -> None:
    database = instance()
    client = tracking(database, "", "GET k")
    client.close_after_reply()
    lines(Client(database), "SET k 1")
    assert client.out == []


@pytest.mark.parametrize("end", ["RESET", "CLIENT TRACKING OFF"])
def test_end_of_tracking_leaves_nothing(end: str) -> None:
    database = instance()
    client = tracking(database, "", "GET k PX")
    other = tracking(database, "BCAST PREFIX a")
    assert database.keyspace.reader_count() == 1
    lines(other, end)
    assert database.tracking.prefixes == {}
    lines(client, "GET k", end)
    assert database.keyspace.reader_count() == 0
    assert len(database.tracking.tracked) == 0
    assert client.flags == 0


def test_last_client_that_leaves_ends_tracking() -> None:
    database = instance()
    first, second = tracking(database, "", "GET k"), tracking(database, "", "GET k")
    first.leave()
    lines(Client(database), "SET k 1")
    assert told(second) == push("k")
    lines(second, "GET k")
    second.leave()
    assert database.keyspace.reader_count() == 0
    assert lines(Client(database), "SET k 1") == [b"+OK\r\n"]


def test_info_has_true_figures() -> None:
    database = instance()
    client, _ = tracking(database, "", "MGET a b"), tracking(database, "BCAST PREFIX x PREFIX y")
    tracking(database, "", "GET a")
    shown = lines(client, "INFO")[0]
    for line in (
        b"tracking_clients:3",
        b"tracking_total_keys:2",
        b"tracking_total_items:3",
        b"tracking_total_prefixes:2",
    ):
        assert line in shown
