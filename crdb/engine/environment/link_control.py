"""The interface to the links between regions: CRDB.LINKS, CRDB.LINK and CRDB.SETTLE.

A link carries ops one way, from its *source* to its *sink*. The runtime implements `LinkControl`
and puts it into `instance.links`. Regions that share a process share one control.
A region in its own process controls the ends of its own links only.

A cut is a deliberate fault: nothing passes over the link until it is healed, not even data in
transit. The other direction is another link. No method waits: a method only starts actions that
take time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

import attrs

from crdt.causality.dots import Vector, dominates

QueryNumbers: TypeAlias = Mapping[str, int]
"""For each region of this process that has asked others, the number of its convergence query."""


class LinkState(StrEnum):
    """The state of a link."""

    CONNECTING = "connecting"
    """The first attempt to connect, or to connect again, is under way."""
    SNAPSHOT = "snapshot"
    CATCHING_UP = "catching-up"
    STREAMING = "streaming"
    DOWN = "down"
    """The last attempt to connect has failed."""
    CUT = "cut"


NOT_LIVE: Final = frozenset({LinkState.CUT, LinkState.DOWN})
"""The states in which no ops arrive, nor will as soon as the link is connected."""


@attrs.frozen
class LinkInfo:
    """A link as it is now."""

    source: str
    sink: str
    state: LinkState
    lag_ops: int = 0
    """Effects that the source has and the sink has not acknowledged, as far as known."""
    lag_ms: float = 0.0
    """Age of the last acknowledgement, or of the oldest op without one."""
    delay_ms: float = 0.0
    """The delay that is added on purpose."""

    @property
    def is_live(self) -> bool:
        """True if ops of the source reach the sink, or will as soon as it is connected."""
        return self.state not in NOT_LIVE


class LinkError(Exception):
    """Base of the errors of cutting and healing a link."""


class NoSuchLink(LinkError):
    """The topology has no link from the one region to the other."""

    def __init__(self, source: str, sink: str) -> None:
        super().__init__(f"there is no link from {source} to {sink}")


class LinkOutOfReach(LinkError):
    """Both ends of the link are in other processes."""

    def __init__(self, source: str, sink: str) -> None:
        super().__init__(f"no end of the link from {source} to {sink} can be reached from here")


class LinkControl(Protocol):
    """The operations that the runtime offers. Regions are given by name."""

    def regions(self) -> Sequence[str]:
        """Return all regions of the CRDB, by their numbers 1 to n."""
        ...

    def links(self) -> Sequence[LinkInfo]:
        """Return all links that are known here."""
        ...

    def cut(self, source: str, sink: str) -> None:
        """Cut the link from `source` to `sink`. Raises LinkError."""
        ...

    def heal(self, source: str, sink: str) -> None:
        """Undo `cut`, and connect immediately. Raises LinkError."""
        ...

    def cut_all(self) -> None:
        """Cut every link."""
        ...

    def heal_all(self) -> None:
        """Heal every link."""
        ...

    def ask(self) -> QueryNumbers:
        """Ask whether everything written has arrived wherever live links lead; see
        `ConvergenceWait`."""
        ...

    def has_converged(self, query: QueryNumbers) -> bool | None:
        """Return the result of a query that `ask` has started; None until it is known."""
        ...


def have_arrived(links: Iterable[LinkInfo], vectors: Mapping[str, Vector]) -> bool:
    """Return whether the sink of every live link holds all that its source holds, by the vectors of
    all regions."""
    live = [link for link in links if link.is_live]
    return all(dominates(vectors[link.sink], vectors[link.source]) for link in live)


class ConvergenceWait:
    """Watches whether everything that was written has arrived wherever live links lead.

    It has arrived when no live link has a source that holds what its sink does not. Regions that
    live links connect both ways, or in a circle, then hold the same. A region that data only flows
    to holds what the others hold, and maybe more. One that data only flows from may lack what the
    others have. Links that are cut, or whose other end is away, are not looked at. A vector counts
    only if it was taken after the watch began, so nothing is missed that was written before.

    A process answers for all of its regions, and for all that live links connect with these,
    whichever way their data flows. With `crdb up` this is the whole CRDB, also where it has been
    cut into parts, by the vectors of one moment. With `crdb serve` it is the part that the one
    region is in, asked over the links (see `replication.mesh.convergence_query`), so whoever wants
    to know of the other parts asks there. Both say the same where all regions are connected; else
    `crdb up` says yes when every region of the same CRDB would, each in a process of its own.
    """

    __slots__ = ("control", "query")

    def __init__(self, control: LinkControl) -> None:
        self.control = control
        self.query = control.ask()

    def is_over(self) -> bool:
        """Return whether everything has arrived. If it has not, ask again."""
        has_converged = self.control.has_converged(self.query)
        if has_converged is False:
            self.query = self.control.ask()
        return has_converged is True
