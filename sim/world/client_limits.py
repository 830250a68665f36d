"""The invariant `client limits`: a client that uses too much memory is closed, and no other one.

In some runs, clients of a quiet region use much memory. Each of these limits is drawn, and a model
predicts which clients stay connected:

* `client-output-buffer-limit`: a client that does not read is closed as soon as its unread replies
  reach the hard limit. It is also closed when they have been above the soft limit for longer than
  its seconds. If it reads in between, the seconds are counted from zero.
* `client-query-buffer-limit`: a client is closed as soon as the part of a request that has come is
  larger, and not before. CLIENT LIST shows the size of this part.
* `maxmemory` and the limit of the system: while memory is full, the clients with the largest
  buffers are closed, as few as necessary. Clients with little data, or after CLIENT NO-EVICT, stay.
  A command that would make a value larger than one of the limits allows gets an OOM error.
"""

from __future__ import annotations

from typing import Final, cast

from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import GREEDY_BYTES_MIN
from crdb.engine.metrics.memory import COPIES, PLENTY, no_probe
from crdb.engine.metrics.statistics import SAMPLE_MS
from sim.engine.checker import Violation
from sim.engine.events import MS
from sim.engine.rng import SeededRandom
from sim.nodes.client import Refusal, SimClient, encode_request, parse_fields
from sim.nodes.region import SimRegion
from sim.schedule.step import Words
from sim.world.world import SimWorld

PROMISE: Final = "client limits"
RUNS: Final = 6  # in one of so many runs this is checked
KB: Final = 1 << 10
MB: Final = 1 << 20
HARD_BYTES: Final = 40 * KB
SOFT_BYTES: Final = 10 * KB
SOFT_MS: Final = 1000
STEP_MS: Final = 300
STEPS: Final = 12
LATE_MS: Final = SAMPLE_MS + 50
LINES: Final = (0, 0, 0, 1, 1, 2, 12, 30)
REQUEST_BYTES_MAX: Final = MB
STRINGS: Final = 16
STRING_BYTES: Final = 80 * KB
PIECE_BYTES_MAX: Final = 200 * KB
BIG_BYTES: Final = (MB // 2, 3 * MB // 2, 2 * MB, 3 * MB, 4 * MB)
USED_BYTES: Final = 100 * MB
LARGE_BYTES: Final = 2 * MB
SCARCE: Final = (
    (LARGE_BYTES // 2, PLENTY),
    (0, COPIES * LARGE_BYTES - 1),
    (2 * LARGE_BYTES, COPIES * LARGE_BYTES - 1),
)
"""Pairs of the bytes that are left of `maxmemory` (0: no limit) and of the system's memory. None
of them has room for LARGE_BYTES."""
KEY: Final = "limits"


def check_client_limits(world: SimWorld) -> None:
    """Let clients use much memory, in some runs. Raises Violation."""
    rng = SeededRandom(world.seed, "client limits")
    if rng.happens_in(1, RUNS):
        world.count_probe(PROMISE)
        probe = LimitsProbe(world, rng, rng.choose_one(tuple(world.sites)))
        probe.check_unread_replies()
        probe.check_partial_requests()
        probe.check_full_memory()
        probe.check_large_values()


class LimitsProbe:
    """Clients of one region that use much memory."""

    def __init__(self, world: SimWorld, rng: SeededRandom, region: str) -> None:
        self.world = world
        self.rng = rng
        self.site: SimRegion = world.sites[region]

    def violation(self, text: str) -> Violation:
        """Return a violation in the region."""
        return Violation(PROMISE, f"{self.site.name} {text}")

    def connect(self) -> SimClient:
        """Return a new client."""
        return SimClient(self.site.instance)

    def close(self, *clients: SimClient) -> None:
        """Close connections."""
        for each in clients:
            self.site.instance.forget(each.client)

    def set(self, name: str, value: str) -> None:
        """Set a parameter."""
        (reply,) = self.site.run_commands(("CONFIG", "SET", name, value))
        assert reply == "OK", reply

    def read_fields(self, sim_client: SimClient) -> dict[str, str]:
        """Return the fields of CLIENT LIST for a client."""
        words = ("CLIENT", "LIST", "ID", str(sim_client.client.id))
        (reply,) = self.site.run_commands(words)
        return parse_fields(cast("bytes", reply).decode())

    def check_connected(self, sim_client: SimClient, wanted: bool, text: str) -> None:
        """Check that a client is connected, or not. Raises Violation."""
        if sim_client.client.killed is wanted:
            verb = "closes" if wanted else "does not close"
            raise self.violation(f"{verb} a client {text}")

    # -- replies that are not read ---------------------------------------------------------

    def check_unread_replies(self) -> None:
        """Let a client in MONITOR read late or never. Raises Violation."""
        before = self.site.instance.config.values["client-output-buffer-limit"]
        self.set(
            "client-output-buffer-limit", f"normal {HARD_BYTES} {SOFT_BYTES} {SOFT_MS // 1000}"
        )
        slow, prompt, busy = self.connect(), self.connect(), self.connect()
        for each in (slow, prompt):
            each.send_commands(("MONITOR",))
        unread = since = 0
        for _ in range(STEPS):
            if self.rng.happens_in(1, 6):
                receive(slow.client, b"")
                unread = since = 0
            self.site.advance_clocks()
            lines = self.rng.choose_one(LINES)
            busy.send_commands(*(("ECHO", "x" * KB),) * lines)
            self.site.finish_turn()
            unread += len(receive(prompt.client, b""))
            if unread >= SOFT_BYTES:
                since = since or self.site.now_ms
            self.check_slow(slow, unread, since)
            if slow.client.killed:
                break
            self.world.sleep(STEP_MS * MS)
            self.check_slow(slow, unread, since)
            if slow.client.killed:
                break
        self.close(slow, prompt, busy)
        self.set("client-output-buffer-limit", before)

    def check_slow(self, slow: SimClient, unread: int, since: int) -> None:
        """Check whether a client is connected that has not read some replies. They have been more
        than the soft limit since a time (ms), if that is not 0. Raises Violation."""
        late = self.site.now_ms - since if since else 0
        text = f"with {unread} bytes to read, too many for {late} ms"
        if unread >= HARD_BYTES or late > SOFT_MS + LATE_MS:
            self.check_connected(slow, False, text)
        elif late <= SOFT_MS:
            self.check_connected(slow, True, text)

    # -- requests that are not complete ----------------------------------------------------

    def check_partial_requests(self) -> None:
        """Send a request in pieces, without its end. Raises Violation."""
        before = self.site.instance.config.values["client-query-buffer-limit"]
        self.set("client-query-buffer-limit", str(REQUEST_BYTES_MAX))
        client = self.connect()
        count = self.rng.integer_between(1, STRINGS)
        request = encode_request(["ECHO", *["x" * (STRINGS * STRING_BYTES // count)] * count])[:-1]
        sent = 0
        while sent < len(request) and not client.client.killed:
            piece = request[sent : sent + self.rng.integer_between(1, PIECE_BYTES_MAX)]
            sent += len(piece)
            self.site.advance_clocks()
            run(client.client, piece)
            self.site.finish_turn()
            fits = sent <= REQUEST_BYTES_MAX
            self.check_connected(client, fits, f"that has sent {sent} bytes of a request")
            shown = self.read_fields(client)["qbuf"] if fits else ""
            if fits and shown != str(sent):
                raise self.violation(f"shows qbuf={shown} for {sent} bytes of a request")
        self.close(client)
        self.set("client-query-buffer-limit", before)

    # -- memory ----------------------------------------------------------------------------

    def check_full_memory(self) -> None:
        """Let memory be full, so that some clients must be closed. Raises Violation."""
        rng, memory = self.rng, self.site.instance.memory
        sizes = sorted(BIG_BYTES, reverse=True)
        clients = [self.connect() for _ in sizes]
        for client, size in zip(clients, sizes, strict=True):
            run(client.client, b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % (2 * size) + bytes(size))
        exempt = rng.choose_one(clients)
        exempt.client.no_evict = rng.happens_in(1, 2)
        greedy = [
            (client, size)
            for client, size in zip(clients, sizes, strict=True)
            if size > GREEDY_BYTES_MIN and not client.client.no_evict
        ]
        count = rng.integer_between(1, len(greedy))
        missing = sum(size for _, size in greedy[:count]) - greedy[count - 1][1] // 2

        def measure() -> tuple[int, int]:
            used = sum(size for it, size in greedy if not it.client.killed)
            return USED_BYTES + used, PLENTY

        memory.probe = measure
        share = 100 - memory.reserve_percent  # clients may use this part of it (rule OOM-4)
        self.set("maxmemory", str((measure()[0] - missing) * 100 // share + 1))
        self.check_write(is_refused=True)
        self.world.sleep(3 * SAMPLE_MS * MS)
        doomed = [client for client, _ in greedy[:count]]
        for client, size in zip(clients, sizes, strict=True):
            text = f"with {size} bytes, where {missing} were missing"
            self.check_connected(client, client not in doomed, text)
        self.check_write(is_refused=False)
        self.close(*clients)
        self.restore_memory()

    def check_write(self, *, is_refused: bool) -> None:
        """Check that writes are refused for want of memory, or not. Raises Violation."""
        reply = self.world.run(self.site.name, "SET", KEY, "x")
        if isinstance(reply, Refusal) is not is_refused:
            raise self.violation(f"answers SET with {reply!r}")
        self.world.run(self.site.name, "DEL", KEY)

    def check_large_values(self) -> None:
        """Ask for values that are larger than a limit allows. Raises Violation."""
        limit, spare = self.rng.choose_one(SCARCE)
        self.site.instance.memory.probe = lambda: (USED_BYTES, spare)
        self.set("maxmemory", str(USED_BYTES + limit if limit else 0))
        large: tuple[Words, ...] = (
            ("SETRANGE", KEY, str(LARGE_BYTES), "x"),
            ("SETBIT", KEY, str(8 * LARGE_BYTES), "1"),
        )
        words = self.rng.choose_one(large)
        reply = self.world.run(self.site.name, *words)
        if not isinstance(reply, Refusal) or not reply.text.startswith("OOM "):
            raise self.violation(
                f"answers {' '.join(words)} with {reply!r}, where {limit} bytes are left of"
                f" maxmemory and {spare} of the system's"
            )
        self.restore_memory()

    def restore_memory(self) -> None:
        """Let memory be plentiful again."""
        self.site.instance.memory.probe = no_probe
        self.set("maxmemory", "0")
