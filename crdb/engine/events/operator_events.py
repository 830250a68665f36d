"""The events that operators see, a class each.

A class defines the name and the meaning of an event, its details with their types, the lines that
people read and the object that `--json` prints. A reporter passes an instance. `docs/events.md` is
made from the classes. A detail that is None is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from crdb.engine.events.event_bases import (
    DirectedEvent,
    OperatorEvent,
    PeerEvent,
    RegionEvent,
    count_noun,
    detail,
    operator_event,
)

Address = Mapping[str, object]
"""A region's `name`, `id`, `host` and `port`."""


# --- the process ---------------------------------------------------------------------------------


@operator_event("listening")
class ListeningEvent(OperatorEvent):
    """All ports are open: clients may connect. It is always the first event."""

    regions: Sequence[Address] = detail("a list of `name`, `id`, `host` and `port`")

    def lines(self) -> list[str]:
        address = "  {id} {name}: redis-cli -h {host} -p {port}"
        return ["listening", *(address.format_map(each) for each in self.regions)]


@operator_event("ready")
class ReadyEvent(OperatorEvent):
    """Clients get correct answers. It comes again when a region that was loading is ready."""

    regions: Sequence[Address] | None = detail("as above", default=None)
    region: str | None = detail("instead of `regions`, when one is ready again", default=None)

    def lines(self) -> list[str]:
        return ["ready" if self.region is None else f"{self.region}: ready"]


@operator_event("no link secret")
class NoLinkSecretEvent(OperatorEvent):
    """No `secret` is set, so links stay on this machine."""

    reach: str = detail("where links can come from")

    def lines(self) -> list[str]:
        return ["links stay on this machine: no secret is set"]


@operator_event("weak link secret")
class WeakLinkSecretEvent(OperatorEvent):
    """The `secret` can be guessed."""

    reason: str = detail("why, and how to draw a better one")


@operator_event("confirm")
class ConfirmEvent(OperatorEvent):
    """Ctrl-C at the last region that holds data must be confirmed."""

    how: str = detail("how to confirm")

    def lines(self) -> list[str]:
        return [f"stop all the same? {self.how}"]


@operator_event("not stopped")
class NotStoppedEvent(OperatorEvent):
    """Ctrl-C was not confirmed, so the process goes on."""


@operator_event("stopping")
class StoppingEvent(OperatorEvent):
    """SIGINT, SIGTERM or SIGHUP has come, or a client has sent SHUTDOWN."""

    signal: str = detail("the signal, or who sent SHUTDOWN")


@operator_event("events dropped")
class EventsDroppedEvent(OperatorEvent):
    """Events could not be shown, since nobody read them."""

    count: int = detail("the number of events")


# --- a region and its data -----------------------------------------------------------------------


@operator_event("loading")
class LoadingEvent(RegionEvent):
    """The region lacks data that it had. Clients get LOADING, or stale reads if these are
    allowed."""

    reason: str = detail("why")

    def lines(self) -> list[str]:
        return [f"{self.region}: loading: {self.reason}"]


@operator_event("waiting")
class WaitingEvent(RegionEvent):
    """The region is still loading."""

    peers: Mapping[str, str] = detail("a reason for each peer")
    reason: str | None = detail("if no peer is linked, or none of them has data", default=None)
    remedy: str | None = detail("what to do then", default=None)

    def lines(self) -> list[str]:
        reasons = "; ".join(f"{peer}: {reason}" for peer, reason in self.peers.items())
        line = f"{self.region}: waiting for its peers ({reasons})"
        return [line if self.reason is None else f"{line}. {self.reason}: {self.remedy}"]


@operator_event("data lost")
class DataLostEvent(RegionEvent):
    """Data of an earlier incarnation is lost: no peer has it."""

    everything: bool = detail("whether all of it is lost")
    writes: int | None = detail("the number of lost writes", default=None)
    peers: Sequence[str] | None = detail("the peers that were asked", default=None)
    keys: int | None = detail(
        "the number of keys that could not be kept when the origin was changed", default=None
    )

    def lines(self) -> list[str]:
        if self.keys is not None:
            kept = "could not be kept when its origin was changed"
            return [f"{self.region}: {count_noun(self.keys, 'key')} {kept}"]
        what = "what" if self.everything else "some of what"
        writes = "" if self.writes is None else f" ({count_noun(self.writes, 'write')})"
        return [f"{self.region}: {what} earlier incarnations held is lost: no peer has it{writes}"]


@operator_event("data at risk")
class DataAtRiskEvent(RegionEvent):
    """The process stops, and no other connected region holds all data of this one."""

    keys: int = detail("the number of keys")
    writes: int = detail("the writes that have reached no other region")
    is_last: bool = detail("whether no other connected region holds any data")

    def lines(self) -> list[str]:
        if self.is_last:
            held = "and no other connected region has that data"
            return [f"{self.region}: stopping loses {count_noun(self.keys, 'key')}, {held}"]
        verb = "has" if self.writes == 1 else "have"
        writes = count_noun(self.writes, "write")
        return [f"{self.region}: {writes} {verb} not reached another region yet"]


@operator_event("started empty")
class StartedEmptyEvent(RegionEvent):
    """`--start-empty` accepted the loss of data."""

    writes: int = detail("the number of lost writes")


@operator_event("kept")
class KeptEvent(RegionEvent):
    """The data that was put aside at `origin reused` is back."""

    moved: bool = detail("whether it is back under another number")

    def lines(self) -> list[str]:
        return [f"{self.region}: what was put aside is back"]


@operator_event("state not written")
class StateNotWrittenEvent(RegionEvent):
    """The state directory could not be written. This is tried again. The region does
    not serve until the number of its incarnation has been written."""

    reason: str = detail("the error")
    remedy: str = detail("what to do")


@operator_event("no incarnation left")
class NoIncarnationLeftEvent(RegionEvent):
    """All incarnations of this region are used. It does not serve."""

    reason: str = detail("the error")
    remedy: str = detail("what to do")


@operator_event("region runs twice")
class RegionRunsTwiceEvent(PeerEvent):
    """A peer refuses this process, since another process runs as the same region and is linked with
    the peer. Clients are refused until all peers accept this process, and then `ready` comes."""

    keys: int = detail("the number of keys here; peers may lack what was written here")
    remedy: str = detail("what to do")

    def lines(self) -> list[str]:
        reason = f"{self.peer} is linked with another process that runs as {self.region}"
        held = f"{count_noun(self.keys, 'key')} here"
        return [f"{self.region}: refuses clients: {reason} ({held}): {self.remedy}"]


@operator_event("journal failed")
class JournalFailedEvent(RegionEvent):
    """The journal could not be written. Writes get MISCONF until the region restarts. No setting
    makes a journal yet."""

    reason: str = detail("the error")


@operator_event("operations dropped")
class OperationsDroppedEvent(RegionEvent):
    """Writes of a region that has died were dropped: they depend on a write that no region has."""

    origin: str = detail("the region and its incarnation")
    waited_for: str = detail("the write that they depend on")
    effects: int = detail("the number of writes")


# --- links ---------------------------------------------------------------------------------------


@operator_event("link up")
class LinkUpEvent(DirectedEvent):
    """The handshake of a link is complete."""

    def lines(self) -> list[str]:
        return []


@operator_event("resynced")
class ResyncedEvent(RegionEvent):
    """The resync of a link is complete, so ops flow."""

    peer: str | None = detail("the region at the other end of a link", default=None)
    direction: Literal["in", "out"] | None = detail("of the link to a peer", default=None)
    source: str | None = detail("instead of `peer`: the source of a copy", default=None)
    full: bool = detail("whether a snapshot came first")

    def lines(self) -> list[str]:
        if self.peer is None:
            return super().lines()
        return [f"{self.peer} -> {self.region}: merged a snapshot"] if self.full else []


@operator_event("caught up")
class CaughtUpEvent(PeerEvent):
    """The region has everything that the peer had at the handshake. It comes once for each
    connection."""

    def lines(self) -> list[str]:
        return [f"{self.peer} -> {self.region}: up, all that {self.peer} has is here"]


@operator_event("link down")
class LinkDownEvent(DirectedEvent):
    """A link has ended. It is connected again unless it is cut."""

    reason: str = detail("why")

    def lines(self) -> list[str]:
        return [f"{self.path()}: down: {self.reason}"]


@operator_event("link cut")
class LinkCutEvent(OperatorEvent):
    """`CRDB.LINK CUT` stopped this direction."""

    source: str = detail("the sending region")
    sink: str = detail("the receiving region")

    def lines(self) -> list[str]:
        return [f"{self.source} -> {self.sink}: cut by command"]


@operator_event("link healed")
class LinkHealedEvent(OperatorEvent):
    """`CRDB.LINK HEAL` allowed this direction again."""

    source: str = detail("the sending region")
    sink: str = detail("the receiving region")

    def lines(self) -> list[str]:
        return [f"{self.source} -> {self.sink}: healed by command"]


@operator_event("link refused")
class LinkRefusedEvent(RegionEvent):
    """Somebody connected to the link port and did not prove the secret. It comes once for each
    of 64 addresses; `crdt_links_refused` in INFO counts all."""

    address: str = detail("where it came from")
    reason: str = detail("why")


@operator_event("not listed")
class NotListedEvent(PeerEvent):
    """The peer's file does not list this region. The peer takes no writes from here until it
    does."""

    def lines(self) -> list[str]:
        effect = "takes no writes from here until it is restarted with a file that does"
        reason = f"the file of {self.peer} does not list this region"
        return [f"{self.region}: {reason}: {self.peer} {effect}"]


@operator_event("not dialled")
class NotDialledEvent(PeerEvent):
    """The peer does not connect to this region, although this region is connected to the peer. The
    peer takes no writes from here."""

    def lines(self) -> list[str]:
        effect = f"{self.peer} takes no writes from here, since it does not connect to this region"
        remedy = f"check host and link_port of {self.region} in the file of {self.peer}"
        return [f"{self.region}: {effect}: {remedy}, and firewalls"]


@operator_event("lists of regions")
class RegionListsEvent(PeerEvent):
    """The list of regions in the peer's file differs from the one in the file of this region. The
    event comes again when the difference changes, and with three empty details when it is over."""

    only_there: Sequence[str] = detail("the regions that only the peer's file lists")
    only_here: Sequence[str] = detail("the regions that the peer's file does not list")
    from_others: Sequence[str] = detail("the regions that only files of the peer's peers list")

    def lines(self) -> list[str]:
        words: list[str] = []
        if self.only_there:
            words.append(
                f"lists {', '.join(self.only_there)}, and the file of this region does not"
            )
        if self.only_here:
            words.append(f"does not list {', '.join(self.only_here)}")
        if self.from_others:
            words.append(f"has peers whose files list {', '.join(self.from_others)}")
        text = "; it ".join(words) or "lists the same regions as the file of this region"
        return [f"{self.region}: the file of {self.peer} {text}"]


@operator_event("earlier incarnation")
class EarlierIncarnationEvent(PeerEvent):
    """A peer has writes that this region made before it restarted, and has lost."""


@operator_event("origin reused")
class OriginInUseEvent(PeerEvent):
    """A peer knows writes in the name of this region that it never made. The region takes a new
    incarnation."""


@operator_event("cannot accept links")
class LinksFullEvent(RegionEvent):
    """No more peers can be accepted, since too many files are open."""

    reason: str = detail("the error")


# --- read-only copies ----------------------------------------------------------------------------


@operator_event("following")
class FollowingEvent(RegionEvent):
    """The region has become a copy of other instances."""

    sources: Sequence[str] = detail("their addresses")


@operator_event("source up")
class SourceUpEvent(RegionEvent):
    """The handshake with a source that a copy follows is complete."""

    source: str = detail("its address")


@operator_event("source down")
class SourceDownEvent(RegionEvent):
    """The link to a source has ended. It is connected again."""

    source: str = detail("its address")
    reason: str = detail("why")


@operator_event("promoted")
class PromotedEvent(RegionEvent):
    """The region does not follow any more, and takes writes."""


# --- clocks --------------------------------------------------------------------------------------


@operator_event("peer behind")
class PeerBehindEvent(PeerEvent):
    """A connected peer takes writes more slowly than they come. The region keeps them for it. If it
    had to keep too many, it slows its clients' writes. The event comes again when that begins, when
    it ends, and when the peer keeps up."""

    bytes: int = detail("the size of what has not been sent yet")
    lag_ms: int = detail("the age of the oldest write that the peer has not acknowledged")
    slows_writes: bool = detail("whether writes of clients are slowed because of it")
    over: bool = detail("whether the peer keeps up again")

    def lines(self) -> list[str]:
        if self.over:
            return [f"{self.region}: {self.peer} keeps up again"]
        slows = ", so writes are slowed" if self.slows_writes else ""
        return [f"{self.region}: {self.peer} is {self.bytes >> 20} MB behind{slows}"]


@operator_event("clock skew")
class ClockSkewEvent(PeerEvent):
    """The peer's wall clock differs by more than 2 s. It comes again when that is over."""

    ms: int = detail("the difference, positive if the peer is ahead")


@operator_event("clock stepped")
class ClockSteppedEvent(RegionEvent):
    """The wall clock was set, or the machine has slept. Keys expire by it."""

    ms: int = detail("by how much")


# --- clients -------------------------------------------------------------------------------------


@operator_event("open port")
class OpenPortEvent(RegionEvent):
    """No password is set, and clients can connect from other machines."""

    bind: str = detail("the addresses")
    reach: str = detail("who is served")


@operator_event("maxclients lowered")
class ClientsLimitedEvent(OperatorEvent):
    """The limit of open files (`ulimit -n`) has no room for `maxclients` clients in each region of
    this process. A lower limit applies."""

    asked: int = detail("`maxclients` in the file, or its default")
    maxclients: int = detail("the limit that applies")

    def lines(self) -> list[str]:
        """Return the line that people read."""
        lack = "too few files may be open (ulimit -n)"
        return [f"maxclients is {self.maxclients}, not {self.asked}: {lack}"]


@operator_event("wrong password")
class WrongPasswordEvent(RegionEvent):
    """A client sent a wrong password. `acl_access_denied_auth` in INFO counts them."""

    address: str = detail("where it came from")


@operator_event("cross-protocol request")
class CrossProtocolEvent(RegionEvent):
    """A client spoke HTTP. Its connection was closed."""

    address: str = detail("where it came from")


@operator_event("cannot accept")
class ClientsFullEvent(RegionEvent):
    """No more clients can be accepted, since too many files are open."""

    reason: str = detail("the error")


@operator_event("out of memory")
class OutOfMemoryEvent(RegionEvent):
    """The process could not get memory. The command was refused, or the connection was closed."""

    where: str = detail("what the memory was for")


@operator_event("internal error")
class InternalErrorEvent(RegionEvent):
    """A bug of crdb ended the connection of one client."""

    client: int = detail("its id")
    command: str = detail("its latest command")
    traceback: str = detail("where it happened")

    def lines(self) -> list[str]:
        line = f"{self.region}: internal error client={self.client} command={self.command}"
        return [line, *self.traceback.splitlines()]
