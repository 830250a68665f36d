"""The guard that refuses commands while memory is full (rules OOM-4, OOM-5)."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.errors import OUT_OF_MEMORY, SYSTEM_OUT_OF_MEMORY
from crdb.engine.execution.executor import receive
from crdb.engine.metrics.memory import (
    DENY_OOM,
    GROWTH_MIN,
    PLENTY,
    RELEASE_SAMPLES,
    RESERVE_BYTES,
    SAMPLE_BYTES_MAX,
    SAMPLE_BYTES_MIN,
    Memory,
)
from crdt.embed.replica import Replica
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import request

REFUSED = b"-" + OUT_OF_MEMORY + b"\r\n"


class Process:
    """A process whose memory usage is set by the tests."""

    def __init__(self, used: int = 0, spare: int = PLENTY) -> None:
        self.used = used
        self.spare = spare
        self.garbage = 0
        self.releases = 0
        self.has_reserve = True
        self.is_tight = False

    def probe(self) -> tuple[int, int]:
        return self.used, self.spare

    def hold_reserve(self) -> bool:
        self.has_reserve = self.has_reserve or not self.is_tight
        return self.has_reserve

    def free_reserve(self) -> None:
        self.has_reserve = False

    def release(self) -> None:
        self.releases += 1
        self.used -= self.garbage
        self.garbage = 0


def memory_of(process: Process) -> Memory:
    memory = Memory()
    memory.probe = process.probe
    memory.release = process.release
    memory.hold_reserve = process.hold_reserve
    memory.free_reserve = process.free_reserve
    return memory


def test_without_probe_memory_is_never_full() -> None:
    memory = Memory()
    memory.set_limit(1, 0)
    assert not memory.is_full()
    assert memory.denied_bits == 0


def test_limit_is_last_size_that_is_allowed() -> None:
    process = Process(used=1000)
    memory = memory_of(process)
    for limit, bits in ((0, 0), (1000, 0), (999, DENY_OOM), (0, 0)):
        memory.set_limit(limit, 0)
        assert memory.denied_bits == bits
    process.spare = -1
    memory.sample(0)
    assert memory.denied_bits == DENY_OOM


def test_figures_follow_process() -> None:
    process = Process(used=7)
    memory = memory_of(process)
    memory.sample(0)
    process.used = 5
    memory.sample(0)
    assert (memory.used_bytes, memory.peak_bytes) == (5, 7)


def test_less_free_memory_means_earlier_sample() -> None:
    process = Process()
    memory = memory_of(process)
    memory.set_limit(8 << 20, received_bytes=100)
    assert memory.sample_at_bytes == 100 + (2 << 20)
    process.used = 8 << 20
    memory.sample(200)
    assert memory.sample_at_bytes == 200 + SAMPLE_BYTES_MIN
    memory.set_limit(0, received_bytes=300)
    assert memory.sample_at_bytes == 300 + SAMPLE_BYTES_MAX


def test_failed_allocation_refuses_writes_until_reserve_is_back() -> None:
    process = Process()
    memory = memory_of(process)
    memory.sample(0)
    process.is_tight = True
    memory.exhausted()
    assert (memory.denied_bits, process.has_reserve, memory.sample_at_bytes) == (DENY_OOM, False, 0)
    memory.sample(0)
    assert (memory.denied_bits, memory.missing_bytes()) == (DENY_OOM, RESERVE_BYTES)
    process.is_tight = False
    memory.sample(0)
    assert (memory.denied_bits, process.has_reserve) == (0, True)


def test_full_memory_is_given_back_before_anything_is_refused() -> None:
    process = Process(used=2000)
    process.garbage = 1500
    memory = memory_of(process)
    memory.set_limit(1000, 0)
    assert (memory.denied_bits, process.releases) == (0, 1)
    process.used = 2000
    for _ in range(2 * RELEASE_SAMPLES):
        memory.sample(0)
    assert (memory.denied_bits, process.releases) == (DENY_OOM, 3)


def test_large_values_must_fit() -> None:
    memory = memory_of(Process(used=10))
    memory.set_limit(20 + GROWTH_MIN, 0)
    assert memory.can_allocate(GROWTH_MIN + 10)
    assert not memory.can_allocate(GROWTH_MIN + 11)
    memory.set_limit(1, 0)
    assert memory.can_allocate(GROWTH_MIN - 1)


def test_system_must_have_memory_for_sent_copies() -> None:
    memory = memory_of(Process(used=10, spare=3 * GROWTH_MIN))
    assert memory.can_allocate(GROWTH_MIN)
    assert not memory.can_allocate(GROWTH_MIN + 1)
    assert memory.refusal(GROWTH_MIN + 1) == SYSTEM_OUT_OF_MEMORY


def test_transaction_is_refused_if_memory_fills_up() -> None:
    database = instance()
    database.memory.probe = Process(used=2).probe
    clients = [Client(database), Client(database)]
    lines(clients[0], "MULTI", "GET k", "SET k v")
    lines(clients[1], "MULTI", "GET k")
    database.memory.set_limit(1, 0)
    assert lines(clients[0], "EXEC") == [
        b"-EXECABORT Transaction discarded because of: " + OUT_OF_MEMORY + b"\r\n"
    ]
    assert lines(clients[1], "EXEC") == [b"*1\r\n$-1\r\n"]


@pytest.mark.parametrize(
    ("maxmemory", "used", "spare", "text"),
    [
        ("0", 50, -1, SYSTEM_OUT_OF_MEMORY),
        ("100", 50, -1, SYSTEM_OUT_OF_MEMORY),
        ("100", 101, PLENTY, OUT_OF_MEMORY),
        ("100", 101, -1, OUT_OF_MEMORY),
    ],
)
def test_error_names_limit_that_was_hit(maxmemory: str, used: int, spare: int, text: bytes) -> None:
    database = instance(maxmemory=maxmemory)
    database.memory.probe = Process(used, spare).probe
    database.memory.sample(0)
    client = Client(database)
    assert lines(client, "SET k v") == [b"-" + text + b"\r\n"]
    assert text.startswith(b"OOM command not allowed when ")


def test_error_names_limit_that_large_value_would_hit() -> None:
    database = instance(maxmemory="100mb")
    process = Process(used=50 << 20, spare=10 << 20)
    database.memory.probe = process.probe
    database.memory.sample(0)
    client = Client(database)
    large = ("SETRANGE k 20000000 x", "SETBIT k 160000000 1", "BITFIELD k SET u8 160000000 1")
    assert lines(client, *large) == [b"-" + SYSTEM_OUT_OF_MEMORY + b"\r\n"] * 3
    process.spare = PLENTY
    process.used = 90 << 20
    assert lines(client, *large) == [REFUSED] * 3


def test_look_is_taken_while_clients_send_much() -> None:
    """Between two samples of rates, clients can send hundreds of megabytes."""
    database = instance(maxmemory="100mb")
    process = Process(used=99 << 20)
    database.memory.probe = process.probe
    database.memory.sample(0)
    client = Client(database)
    process.used = 101 << 20
    write = request([b"SET", b"k", b"x" * (200 << 10)])
    assert [receive(client, write) for _ in range(3)] == [b"+OK\r\n", REFUSED, REFUSED]
    process.used = 99 << 20
    database.advance(database.now + 1000)
    database.tick()
    assert receive(client, write) == b"+OK\r\n"


def test_string_that_exceeds_memory_is_not_made() -> None:
    database = instance(maxmemory="100mb")
    database.memory.probe = Process(used=90 << 20).probe
    database.memory.sample(0)
    client = Client(database)
    assert lines(client, "SETRANGE k 20000000 x", "SETBIT k 160000000 1", "EXISTS k") == [
        REFUSED,
        REFUSED,
        b":0\r\n",
    ]
    assert lines(client, "SETRANGE k 2000000 x") == [b":2000001\r\n"]


def test_effects_of_other_regions_are_taken_in() -> None:
    """Rule OOM-4: only writes of clients are refused."""
    database = instance(maxmemory="1")
    database.memory.probe = Process(used=2).probe
    database.memory.sample(0)
    other = Replica(2)
    other.set("s").add("a")
    for op in other.since(database.replica.vector):
        database.replica.accept(op)
    assert lines(Client(database), "SMEMBERS s", "SADD s b") == [b"*1\r\n$1\r\na\r\n", REFUSED]


def test_huge_request_is_closed_when_reserve_cannot_be_held() -> None:
    database = instance()
    process = Process()
    database.memory.hold_reserve = process.hold_reserve
    database.memory.free_reserve = process.free_reserve
    greedy, modest = Client(database), Client(database)
    receive(greedy, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000000\r\n" + b"x" * 3_000_000)
    process.is_tight = True
    process.free_reserve()
    receive(greedy, b"x" * SAMPLE_BYTES_MAX)
    assert greedy.closing
    assert lines(modest, "GET k", "SET k v") == [b"$-1\r\n", b"-" + SYSTEM_OUT_OF_MEMORY + b"\r\n"]
    assert database.statistics.dropped_memory == 1
