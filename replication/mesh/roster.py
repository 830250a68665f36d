"""The regions of a CRDB, as our file and the files of our peers list them.

To add a region, the regions are restarted one after another with a longer file, so for a while the
lists differ. A peer is accepted if one list contains the other and both give the same numbers to
the same names. A region that only a peer's file lists counts as a member here while any peer lists
it, since it may still need our tombstones.

Each region sends two lists to its peers: the one of its file, and the regions that it knows from
its peers' files alone. The second is not passed on. Otherwise peers would keep a region that was
removed from all files alive in each other's lists. docs/design/006 has the argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crdt.embed.replica import Replica
from replication.protocol.events import ListsCompared
from replication.protocol.frames import Hello, Members
from replication.protocol.limits import SECOND
from replication.protocol.membership_view import MembershipView

REMEDY: Final = (
    "give each region the same number in all files, with id = ..., and never rename a region"
)
GONE_NS: Final = 60 * SECOND
"""A region that only its own file lists is gone if it has not been linked with us for so long."""


class Roster:
    """The members of one CRDB. `own` are those of our file."""

    def __init__(self, replica: Replica, membership: MembershipView, own: Members) -> None:
        self.replica = replica
        self.membership = membership
        self.own = own
        listed = replica.stability.members
        self.base = None if listed is None else frozenset(listed)
        """The members that are configured here."""
        self.listed: dict[str, Members] = {}
        """The lists of peers' files."""
        self.announced: set[tuple[int, str]] = set()
        """The regions of those lists that we have sent to peers."""
        self.gone_since: dict[tuple[int, str], int] = {}
        """The announced regions that no list contains any more, with the time (ns) since when."""
        self.reported_members: dict[str, Members] = {}
        """The regions that peers know from the files of their own peers."""
        self.differences: dict[str, ListsCompared] = {}
        """The difference between each peer's list and ours, where there is one."""

    @property
    def others(self) -> Members:
        """The regions that only peers' files list."""
        return tuple(sorted({m for members in self.listed.values() for m in members} - {*self.own}))

    def record_lists(self, hello: Hello) -> bool:
        """Record the lists of a peer. Return whether our peers need a new list from us."""
        before = {*self.others}
        self.listed[hello.name] = hello.members
        self.reported_members[hello.name] = hello.others
        self.count_members()
        now = {*self.others}
        if before <= now <= self.announced:
            return False
        self.announced = now
        return True

    def forget_peer(self, peer: str) -> None:
        """Forget the lists of a guest that has left. Peers learn of it when they next connect, or
        from `drop_gone`."""
        self.listed.pop(peer, None)
        self.reported_members.pop(peer, None)
        self.differences.pop(peer, None)
        self.count_members()

    def drop_gone(self, now: int) -> Members:
        """Stop announcing the regions that no list has contained for `GONE_NS`. Return them.

        Our peers count them as members until we connect again, so nothing is forgotten there
        meanwhile. A guest that comes back earlier makes no link connect again.
        """
        if not self.announced and not self.gone_since:
            return ()
        missing = self.announced - {*self.others}
        self.gone_since = {member: self.gone_since.get(member, now) for member in missing}
        gone = [member for member, since in self.gone_since.items() if now - since >= GONE_NS]
        self.announced.difference_update(gone)
        return tuple(sorted(gone))

    def compare_with(self, peer: str) -> ListsCompared | None:
        """Compare the recorded list of a peer with ours. Return the difference if it has changed,
        None otherwise."""
        theirs = self.listed[peer]
        found = ListsCompared(peer)
        if self.own and theirs:
            known = {*self.own, *theirs, *self.others}
            reported = {*self.reported_members[peer]} - known
            here = {member for member in self.own if member[0] != self.replica.region}
            found = ListsCompared(
                peer,
                only_there=names_of({*theirs} - {*self.own}),
                only_here=names_of(here - {*theirs}),
                from_others=names_of(reported),
            )
        before = self.differences.pop(peer, ListsCompared(peer))
        if found != ListsCompared(peer):
            self.differences[peer] = found
        elif not self.lists_us(peer):
            return None  # only we are missing in the peer's list, which `Unlisted` has reported
        return None if found == before else found

    def find_contradiction(self, hello: Hello, linked: Iterable[str]) -> str:
        """Return why the list of a peer cannot belong to one CRDB with the lists of other peers, or
        "". `linked` are the peers that we are linked with now. Lists of others may be out of date.

        Two regions that are being added could have the same number in their files, and our file
        lists neither.
        """
        for name in sorted({*linked} - {hello.name}):
            reason = compare_numbers(name, self.listed.get(name, ()), hello)
            if reason:
                return reason
        return ""

    def lists_us(self, peer: str) -> bool:
        """Return whether the latest list of a peer contains us. True if it has not sent any."""
        return lists_region(self.listed.get(peer, ()), self.replica.region)

    def name_of(self, region: int) -> str:
        """Return the name of a member, as the lists give it, or ""."""
        reported = (member for members in self.reported_members.values() for member in members)
        names = {**dict(reported), **dict(self.others), **dict(self.own)}
        return names.get(region, "")

    def count_members(self) -> None:
        """Make the regions of all lists the members whose reports count for stability."""
        stability = self.replica.stability
        if self.base is None or stability.members is None or 0 in stability.members:
            return  # members are not known, or we follow a source, which decides on it
        heard = [*self.others, *(m for members in self.reported_members.values() for m in members)]
        members = set(self.base) | {number for number, _ in heard} - {self.replica.region}
        if members != stability.members:
            stability.list_members(members)
            stability.void()
            self.membership.drop_strangers()


def lists_region(members: Members, region: int) -> bool:
    """Return whether a list contains a region. True for an empty list, which says nothing."""
    return not members or any(number == region for number, _ in members)


def names_of(members: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """Return the names of regions, by their numbers."""
    return tuple(name for _, name in sorted(members))


def describe_change(peer: str, before: Members, after: Members) -> str:
    """Return why other links connect again after the list of `peer` has changed ours. `before` and
    `after` are the regions that only peers' files list."""
    new, gone = names_of({*after} - {*before}), names_of({*before} - {*after})
    changes = [f"the file of {peer} adds {', '.join(new)}"] if new else []
    changes += [f"the file of {peer} no longer lists {', '.join(gone)}"] if gone else []
    return f"the list of regions has changed: {', and '.join(changes)}"


def compare_lists(name: str, mine: Members, hello: Hello) -> str:
    """Return why the lists of two regions cannot belong to one CRDB, or "". `name` is our region.
    An empty list agrees with every list."""
    theirs = hello.members
    if not mine or not theirs:
        return ""
    if reason := compare_numbers(name, mine, hello):
        return reason
    names, their_names = dict(mine), dict(theirs)
    ours = [region for number, region in mine if number not in their_names]
    extra = [region for number, region in theirs if number not in names]
    if ours and extra:
        return (
            f"the file of {hello.name} lacks {', '.join(ours)}, and the file of {name} lacks "
            f"{', '.join(extra)}: add or remove regions in one file after the other, not both"
        )
    return ""


def compare_numbers(name: str, known: Members, hello: Hello) -> str:
    """Return which number or name of a region has another meaning in the list `known`, which is
    that of region `name`; "" if none has."""
    names = dict(known)
    numbers = {region: number for number, region in known}
    for number, region in hello.members:
        if names.get(number, region) != region:
            return (
                f"region {number} is {region!r} in the file of {hello.name} and "
                f"{names[number]!r} in the file of {name}: {REMEDY}"
            )
        if numbers.get(region, number) != number:
            return (
                f"{region!r} is region {number} in the file of {hello.name} and region "
                f"{numbers[region]} in the file of {name}: {REMEDY}"
            )
    return ""
