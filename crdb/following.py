"""Driver: what an instance follows (Replica Of), and what that means for its clients.

An instance that follows is a read-only copy: it starts with nothing, takes a snapshot of each
source and then their operations, over links like those between regions. Clients get READONLY for
writes. Promotion ends the links and keeps the data (sections 20.1 to 20.4).
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import trio

from crdb.follow_control import Address, CannotBeFollower
from crdb.instance import Instance
from crdb.source_lines import Lines, source_lines
from replication.errors import CannotFollow
from replication.events import Closed, Connected, Event, Resynced
from replication.link import Driver, clock
from replication.links import Links
from replication.replica_of import Follower, SourceStatus, check_sources
from replication.secret import NO_SECRET, is_loopback

READONLY: Final = b"READONLY You can't write against a read only replica."
WITHOUT_SECRET: Final = (
    "this instance has no secret, so it can follow only what runs on this machine; set the "
    "source's `secret` (or `secret_file`, or CRDB_SECRET) here too, and restart"
)
ASK_PORT: Final = b"*1\r\n$9\r\nCRDB.PORT\r\n"
ANSWER_BYTES_MAX: Final = 256
STATES: Final = {
    SourceStatus.OUT_OF_SYNC: "connect",
    SourceStatus.SYNCING: "sync",
    SourceStatus.IN_SYNC: "connected",
}
Report = Callable[[str, Mapping[str, object]], None]


class Following:
    """The sources of one instance. `links` are those over which it serves others."""

    def __init__(
        self, instance: Instance, links: Links, link_port: int, *, rng: random.Random, tell: Report
    ) -> None:
        self.instance = instance
        self.links = links
        self.link_port = link_port
        self.rng = rng
        self.tell = tell
        self.secret = NO_SECRET
        """What is proved to sources; they must know the same."""
        self.follower: Follower | None = None
        self.addresses: tuple[Address, ...] = ()
        self.changed = trio.Event()
        instance.following = self
        instance.info_sections.setdefault("replication", []).append(self.lines)

    # -- what clients ask for --------------------------------------------------------------

    def sources(self) -> Sequence[Address]:
        """Who is followed now."""
        return self.addresses

    def follow(self, sources: Sequence[Address]) -> None:
        """Begin anew as a copy of `sources`. Raises CannotBeFollower."""
        if self.links.peers:
            raise CannotBeFollower(
                "this region is linked with others that take writes; "
                "only an instance without peers can follow"
            )
        names = [join_address(address) for address in sources]
        try:
            check_sources(names)
        except CannotFollow as fault:
            raise CannotBeFollower(str(fault)) from None
        if not self.secret.is_set and not all(is_loopback(host) for host, _ in sources):
            raise CannotBeFollower(WITHOUT_SECRET)
        self.stop()
        self.follower = Follower(self.links.replica, self.links.member, names, serving=self.links)
        self.addresses = tuple(sources)
        self.instance.role = b"replica"
        self.instance.refuse_writes = READONLY
        self.tell("following", {"sources": names})
        self.notice()

    def promote(self) -> None:
        """Follow nobody any more; the data stays and may be written."""
        if self.follower is not None:
            self.stop()
            self.instance.role = b"master"
            self.instance.refuse_writes = None
            self.tell("promoted", {})
            self.notice()

    def stop(self) -> None:
        """End the links to the sources."""
        if self.follower is not None:
            self.follower.promote(clock())
        self.follower = None
        self.addresses = ()

    def notice(self) -> None:
        """Let `run` look again."""
        self.changed.set()
        self.changed = trio.Event()

    # -- running ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep links to whatever is followed, until cancelled."""
        while True:
            changed, follower = self.changed, self.follower
            async with trio.open_nursery() as nursery:
                if follower is not None:
                    nursery.start_soon(self.drive, follower, self.addresses)
                await changed.wait()
                nursery.cancel_scope.cancel()

    async def drive(self, follower: Follower, sources: Sequence[Address]) -> None:
        """Keep a link to each source. The instance may follow others before this has begun."""
        driver = Driver(follower, self.rng, self.observe, secret=self.secret)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(driver.keep_time)
            for address in sources:
                nursery.start_soon(driver.keep_dialling, join_address(address), dialler(address))

    def observe(self, events: list[Event]) -> None:
        """Something has come from a source."""
        for event in events:
            match event:
                case Connected(peer=peer):
                    self.tell("source up", {"source": peer})
                case Resynced(peer=peer, full=full):
                    self.tell("resynced", {"source": peer, "full": full})
                case Closed(peer=peer, reason=reason) if peer:
                    self.tell("source down", {"source": peer, "reason": reason})
                case _:
                    pass
        if events:
            self.instance.serve_touched()
            self.links.wake()

    # -- looking ---------------------------------------------------------------------------

    def role(self) -> str:
        """For the live view; of a copy also how it stands with the source where it stands worst."""
        if self.follower is None:
            return "active"
        found = {report.status for report in self.follower.reports(clock())}
        worst = next(status for status in SourceStatus if status in found)  # the worst come first
        return f"read-only copy, {worst.value}"

    def state(self) -> str:
        """Where the link to the first source stands, in the words of ROLE."""
        assert self.follower is not None
        return STATES[self.follower.reports(clock())[0].status]

    def lines(self) -> Lines:
        """What INFO replication says of the sources."""
        lines: Lines = [("crdb_link_port", self.link_port)]
        if self.follower is None:
            return lines
        offset = sum(self.links.replica.keyspace.vector.values())
        return lines + source_lines(self.addresses[0], self.follower.reports(clock()), offset)


def join_address(address: Address) -> str:
    """`host:port`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def dialler(address: Address) -> Callable[[], Awaitable[trio.abc.Stream]]:
    """What connects us to a source: ask where clients are served, then dial the port of links."""
    host, port = address

    async def connect() -> trio.abc.Stream:
        return await trio.open_tcp_stream(host, await ask_link_port(host, port))

    return connect


async def ask_link_port(host: str, port: int) -> int:
    """The port at which a source serves links. Raises OSError if it does not say."""
    async with await trio.open_tcp_stream(host, port) as stream:
        await stream.send_all(ASK_PORT)
        answer = b""
        while not answer.endswith(b"\r\n") and len(answer) < ANSWER_BYTES_MAX:
            data = await stream.receive_some()
            if not data:
                break
            answer += data
    digits, is_whole = answer[1:-2], answer[:1] == b":" and answer.endswith(b"\r\n")
    if not is_whole or not digits.isdigit() or not 0 < int(digits) < 65_536:
        shown = answer[:80].decode("latin-1").strip()
        raise OSError(f"{host}:{port} is no instance that can be followed: {shown}")
    return int(digits)
