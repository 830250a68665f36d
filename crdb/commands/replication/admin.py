"""Administration on the port for clients: links, vectors, digests, conflicts, the test clock.

    CRDB.LINKS                                 each link, with its state and lag
    CRDB.LINK CUT | HEAL <from> <to>           one direction; regions by name or number 1..n
    CRDB.LINK CUT | HEAL ALL
    CRDB.SETTLE <ms>                           wait until all writes have arrived: 1, or 0
    CRDB.VECTOR                                the effects applied here, as 1=42,2=7
    CRDB.AWAIT <vector> <ms>                   wait until this region has applied it: 1, or 0
    CRDB.DIGEST                                a hash of the visible keyspace
    CRDB.CLOCK SET <ms> | REAL                 the wall clock of this region, for tests
    CRDB.CONFLICTS <key>                       the concurrent values of a key

A wait of 0 ms checks once. Inside a transaction nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.replication.conflicts import Candidate, candidates
from crdb.commands.replication.vectors import format_vector, parse_vector
from crdb.commands.shared import slicing
from crdb.commands.shared.timeouts import parse_timeout_ms
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.clients.blocking import Waiter
from crdb.engine.environment.link_control import ConvergenceWait, LinkControl, LinkError, LinkInfo
from crdb.engine.errors import CommandError, one_line, printable, wrong_arity
from crdb.resp import reply
from crdb.resp.numbers import parse_integer
from crdt.causality.dots import dominates, name_origin, origin_of, seq_of
from crdt.store.digest import add_keys, digest_of
from crdt.structures.pieces import in_pieces

COMMANDS: Final[CommandFamily] = CommandFamily("server", since="0.1.0")
CLOCK: Final = COMMANDS.container(
    "crdb.clock",
    summary="Sets the wall clock of this region, for tests.",
    categories="admin dangerous",
)
LINK: Final = COMMANDS.container(
    "crdb.link",
    summary="Cuts and heals links between regions.",
    categories="admin dangerous",
)
CLOCK.declare_help(categories="admin")
LINK.declare_help(categories="admin")


NO_LINKS: Final = b"ERR this instance has no links"
NO_TEST_CLOCK: Final = b"ERR the test clock is not enabled: start with --test-clock"
NOT_A_CLOCK: Final = b"ERR the clock is in milliseconds since 1970, 0 to 2^48"
CLOCK_MAX: Final = 1 << 48


# -- links -----------------------------------------------------------------------------------


@COMMANDS.declare(
    "crdb.links",
    "",
    "admin loading stale",
    summary="Returns the links between regions with their state and lag.",
    complexity="O(N) where N is the number of links.",
)
def links(client: Client, args: list[bytes]) -> None:
    """Reply with one map for each link."""
    control = client.instance.links
    listed: Sequence[LinkInfo] = () if control is None else control.links()
    out, protocol = client.out, client.protocol
    reply.array(out, len(listed))
    for link in listed:
        reply.map_header(out, protocol, 6)
        for name, text in (("from", link.source), ("to", link.sink), ("state", link.state)):
            reply.bulk(out, name.encode())
            reply.bulk(out, text.encode())
        reply.bulk(out, b"lag-ops")
        reply.integer(out, link.lag_ops)
        for name, value in (("lag-ms", link.lag_ms), ("delay-ms", link.delay_ms)):
            reply.bulk(out, name.encode())
            reply.double(out, protocol, value)


@LINK.declare(
    "cut",
    "<ALL | source:string sink>",
    "admin loading stale",
    summary="Cuts a link between regions, or all links.",
    complexity="O(N) where N is the number of links.",
)
def cut_link(client: Client, args: list[bytes]) -> None:
    control = require_links(client)
    change_links(args, b"cut", control, control.cut, control.cut_all)
    reply.ok(client.out)


@LINK.declare(
    "heal",
    "<ALL | source:string sink>",
    "admin loading stale",
    summary="Restores a link between regions, or all links.",
    complexity="O(N) where N is the number of links.",
)
def heal_link(client: Client, args: list[bytes]) -> None:
    control = require_links(client)
    change_links(args, b"heal", control, control.heal, control.heal_all)
    reply.ok(client.out)


def require_links(client: Client) -> LinkControl:
    """Return the control of the links. Raises CommandError if the instance has no links."""
    if client.instance.links is None:
        raise CommandError(NO_LINKS)
    return client.instance.links


def change_links(
    args: list[bytes],
    name: bytes,
    control: LinkControl,
    one: Callable[[str, str], None],
    every: Callable[[], None],
) -> None:
    """Carry out the subcommand `name`: call `one` for the named link, or `every`."""
    if len(args) == 3 and arguments.is_word(args[2], b"ALL"):
        every()
        return
    if len(args) != 4:
        raise CommandError(wrong_arity(b"crdb.link|" + name))
    regions = control.regions()
    source, sink = find_region(regions, args[2]), find_region(regions, args[3])
    try:
        one(source, sink)
    except LinkError as fault:
        raise CommandError(one_line(b"ERR " + str(fault).encode())) from None


def find_region(regions: Sequence[str], argument: bytes) -> str:
    """Return the region with this name, or with this number from 1. Raises CommandError."""
    for region in regions:
        if region.encode() == argument:
            return region
    number = parse_integer(argument)
    if number is not None and 1 <= number <= len(regions):
        return regions[number - 1]
    known = ", ".join(f"{n} {region}" for n, region in enumerate(regions, 1)).encode()
    text = b"ERR unknown region '%b'; there are: %b" % (printable(argument), known)
    raise CommandError(one_line(text))


# -- waiting ---------------------------------------------------------------------------------


@COMMANDS.declare(
    "crdb.settle",
    "milliseconds",
    "admin blocking loading stale",
    summary="Waits until all regions reachable over live links have converged.",
    complexity="O(N) where N is the number of links, for each attempt.",
)
def settle(client: Client, args: list[bytes]) -> None:
    """Wait until everything written so far has reached all regions over live links."""
    ms = parse_timeout_ms(args[1])
    control = client.instance.links
    if control is None:
        reply.integer(client.out, 1)
    else:
        wait_until(client, ms, ConvergenceWait(control).is_over, asks=True)


@COMMANDS.declare(
    "crdb.await",
    "vector milliseconds",
    "admin blocking loading stale",
    summary="Waits until this region has applied everything that a vector covers.",
    complexity="O(N) where N is the number of regions, for each attempt.",
)
def await_vector(client: Client, args: list[bytes]) -> None:
    """Wait for everything that another region had applied, to read your writes after a failover."""
    wanted = parse_vector(args[1])
    ms = parse_timeout_ms(args[2])
    vector = client.db.vector
    wait_until(client, ms, lambda: dominates(vector, wanted))


def wait_until(client: Client, ms: int, is_over: Callable[[], bool], *, asks: bool = False) -> None:
    """Reply 1 as soon as `is_over` returns True, or 0 after `ms`."""
    out = client.out

    def reply_if_over() -> bool:
        is_done = is_over()
        if is_done:
            reply.integer(out, 1)
        return is_done

    if reply_if_over():
        return
    if ms == 0 or client.in_exec:
        reply.integer(out, 0)
        return
    now = client.instance.now
    waiter = Waiter(client, now + ms, reply_if_over, lambda: reply.integer(out, 0))
    waiter.asks_peers = asks
    client.instance.polling.add(waiter, now)


# -- reading ---------------------------------------------------------------------------------


@COMMANDS.declare(
    "crdb.vector",
    "",
    "admin loading stale fast",
    summary="Returns the vector of what this region has applied.",
    complexity="O(N) where N is the number of regions.",
)
def vector(client: Client, args: list[bytes]) -> None:
    reply.bulk(client.out, format_vector(client.db.vector))


@COMMANDS.declare(
    "crdb.digest",
    "",
    "admin sliced whole",
    summary="Returns a hash of the visible keyspace, which is equal in regions that "
    "have converged.",
    complexity="O(N) where N is the size of the data.",
)
def digest(client: Client, args: list[bytes]) -> None:
    if slicing.must_settle(client, args):
        return
    slicing.run(client, args, client.db.size(), digest_steps(client))


def digest_steps(client: Client) -> Iterator[None]:
    """Reply with the digest, computed in slices."""
    total = 0
    cursor, part = client.db.keys_from(0)
    while True:
        for names in in_pieces(part, client.slice_items):
            total += add_keys(client.db, names)
            yield
        if not cursor:
            break
        cursor, part = client.db.keys_from(cursor)
    reply.bulk(client.out, digest_of(total).hex().encode())


@COMMANDS.declare(
    "crdb.conflicts",
    "key",
    "admin",
    summary="Returns the concurrent values of a key, and which one is shown.",
    complexity="O(N) where N is the size of the value.",
)
def conflicts(client: Client, args: list[bytes]) -> None:
    """Reply with one map for each candidate."""
    found = candidates(client.db, args[1])
    reply.array(client.out, len(found))
    for candidate in found:
        reply_candidate(client, candidate)


def reply_candidate(client: Client, candidate: Candidate) -> None:
    """Reply with the map of one candidate."""
    out, protocol = client.out, client.protocol
    reply.map_header(out, protocol, 7)
    reply.bulk(out, b"type")
    reply.bulk(out, candidate.kind)
    reply.bulk(out, b"element")
    reply.bulk_or_null(out, protocol, candidate.element)
    reply.bulk(out, b"value")
    reply.bulk_or_null(out, protocol, candidate.value)
    reply.bulk(out, b"origin")
    reply.bulk(out, name_origin(origin_of(candidate.dot)).encode())
    reply.bulk(out, b"seq")
    reply.integer(out, seq_of(candidate.dot))
    reply.bulk(out, b"stamp")
    if candidate.stamp is None:
        reply.null(out, protocol)
    else:
        reply.integer(out, candidate.stamp)
    reply.bulk(out, b"shown")
    reply.boolean(out, protocol, candidate.is_shown)


# -- the test clock --------------------------------------------------------------------------


@CLOCK.declare(
    "set", "milliseconds", "admin loading stale fast", summary="Stops the clock at a time."
)
def clock_set(client: Client, args: list[bytes]) -> None:
    require_test_clock(client)
    ms = parse_integer(args[2])
    if ms is None or not 0 <= ms <= CLOCK_MAX:
        raise CommandError(NOT_A_CLOCK)
    client.instance.set_test_clock(ms)
    reply.ok(client.out)


@CLOCK.declare("real", "", "admin loading stale fast", summary="Returns to the real clock.")
def clock_real(client: Client, args: list[bytes]) -> None:
    require_test_clock(client)
    client.instance.set_test_clock(None)
    reply.ok(client.out)


def require_test_clock(client: Client) -> None:
    """Raise CommandError unless the test clock is enabled."""
    if not client.instance.allows_test_clock:
        raise CommandError(NO_TEST_CLOCK)
