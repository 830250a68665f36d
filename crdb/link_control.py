"""How a server sees and steers the links between regions: CRDB.LINKS, CRDB.LINK, CRDB.SETTLE.

A link carries ops one way, from its *source* to its *sink*. The runtime implements `LinkControl`
and puts it into `instance.links`. Where all regions live in one process they share one control;
where each has its own, it steers the ends of the links that are its own; for the others, ask there.

A cut is a fault made on purpose: nothing passes on the link, not even what is on its way, until it
is healed. The other direction is another link. No method waits: what takes time has been begun when
it returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import attrs

from crdt.dots import Vector, dominates


class LinkState(StrEnum):
    """Where a link stands."""

    CONNECTING = "connecting"
    """Not there yet, or not again: the first attempt since it was lost or healed is under way."""
    SNAPSHOT = "snapshot"
    CATCHING_UP = "catching-up"
    STREAMING = "streaming"
    DOWN = "down"
    """The last attempt to connect has failed: the other region is away."""
    CUT = "cut"


@attrs.frozen
class LinkInfo:
    """One link as it is now."""

    source: str
    sink: str
    state: LinkState
    lag_ops: int = 0
    """Effects that the source has and the sink has not acknowledged, as far as known."""
    lag_ms: float = 0.0
    """Age of the last acknowledgement, or of the oldest op without one."""
    delay_ms: float = 0.0
    """What the link is delayed by on purpose."""

    @property
    def is_live(self) -> bool:
        """Whether what the source has will come to the sink before long."""
        return self.state not in {LinkState.CUT, LinkState.DOWN}


class LinkError(Exception):
    """Base of what can be wrong with a link that somebody wants cut or healed."""


class NoSuchLink(LinkError):
    """The topology has no link from the one region to the other."""

    def __init__(self, source: str, sink: str) -> None:
        super().__init__(f"there is no link from {source} to {sink}")


class LinkOutOfReach(LinkError):
    """Both ends of the link are in other processes."""

    def __init__(self, source: str, sink: str) -> None:
        super().__init__(f"no end of the link from {source} to {sink} can be reached from here")


class LinkControl(Protocol):
    """What the runtime offers. Regions are given by name."""

    def regions(self) -> Sequence[str]:
        """All regions of the CRDB, in the order of their numbers 1 to n."""
        ...

    def links(self) -> Sequence[LinkInfo]:
        """All links that are known here."""
        ...

    def cut(self, source: str, sink: str) -> None:
        """Let nothing pass from `source` to `sink`. Raises LinkError."""
        ...

    def heal(self, source: str, sink: str) -> None:
        """Undo `cut`, and connect at once. Raises LinkError."""
        ...

    def cut_all(self) -> None:
        """Cut every link."""
        ...

    def heal_all(self) -> None:
        """Heal every link."""
        ...

    def ask(self) -> int:
        """Ask all regions that live links lead to for their vectors; the number of the question."""
        ...

    def answers(self, question: int) -> Mapping[str, Vector]:
        """The newest vectors of the regions that have answered that question or a later one.

        Regions of this process always have, with their vectors of this moment.
        """
        ...


class Settling:
    """Watches whether all that has been written has come to wherever live links lead.

    That is so when no live link has a source that holds what its sink does not: regions that are
    linked both ways then hold the same. A vector counts only if it was asked for after the watch
    began, so nothing is missed that was written before.

    The links are those that are known here. Where every region has a process of its own (`crdb
    serve`) these are the region's own: in a full mesh they lead everywhere, but what lies behind a
    peer, in a star or beyond a cut, is not asked for. Ask there too.
    """

    __slots__ = ("control", "question")

    def __init__(self, control: LinkControl) -> None:
        self.control = control
        self.question = control.ask()

    def is_over(self) -> bool:
        """Whether all is where it should be. If it is not, the question is put again."""
        vectors = self.control.answers(self.question)
        live = [link for link in self.control.links() if link.is_live]
        if any(link.source not in vectors or link.sink not in vectors for link in live):
            return False
        if all(dominates(vectors[link.sink], vectors[link.source]) for link in live):
            return True
        self.question = self.control.ask()
        return False
