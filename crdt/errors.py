"""Everything that can go wrong in this package.

    CRDTError
     +-- DecodeError        these bytes are not what they should be: damaged, hostile or newer
     |    +-- UnsupportedOrigin   they hold an identity that is too large for this program
     +-- HistoryTruncated   operations that old are gone: take a snapshot
     +-- WrongType          the key holds another type
     +-- NotANumber         an increment of something that is no number
     +-- CounterOverflow    a counter would leave its range
     +-- ReplicaClosed      the replica was saved for the last time
     +-- DotReused          our own operations were lost: take a new incarnation
          +-- IdentityReused    two replicas write under one identity

An error raised by a write means that the write happened nowhere.
"""

from __future__ import annotations


class CRDTError(Exception):
    """Base of all errors of this package."""


class DecodeError(CRDTError):
    """The bytes given are damaged, hostile, or of a newer version. Nothing was changed."""


class UnsupportedOrigin(DecodeError):
    """The bytes hold an identity beyond the 22 bits that this program supports.

    The formats have room for identities of 64 bits, which other programs may use.
    """


class HistoryTruncated(CRDTError):
    """The asker lacks operations that are no longer kept. A snapshot brings it up to date."""

    def __init__(self, origin: int, wanted: int, oldest: int) -> None:
        super().__init__(origin, wanted, oldest)  # as they are, so that it can be pickled

    def __str__(self) -> str:
        origin, wanted, oldest = self.args
        return (
            f"origin {origin}: wanted operation {wanted}, the oldest kept is {oldest}; "
            "send changes_for(vector) or a snapshot instead"
        )


class WrongType(CRDTError):
    """The key holds a value of another type (rule KEY-6)."""


class NotANumber(CRDTError):
    """An increment was asked of a value that is not a number (rule CTR-8)."""


class CounterOverflow(CRDTError):
    """The result would leave the range of counters, 59 bits of magnitude (rule CTR-2, D-05)."""


class DotReused(CRDTError):
    """A peer knows more of our own operations than we do: we lost memory and must not write
    under this origin again. Take a new incarnation."""


class IdentityReused(DotReused):
    """Two replicas have written different operations under the same identity. Nothing was changed.

    Either both were made with the same number, or one is an old copy that was restored and wrote
    on. `origin` is the identity. What to do: give every replica its own identity, as `Replica()`
    and `Replica.load` do, and merge the state of one of the two into a new replica.
    """

    def __init__(self, origin: int, where: str) -> None:
        super().__init__(origin, where)  # as they are, so that it can be pickled
        self.origin: int = origin

    def __str__(self) -> str:
        origin, where = self.args
        region, incarnation = origin >> 14, origin & 0x3FFF
        name = f"{region}.{incarnation}" if incarnation else f"{region}"
        return (
            f"two replicas write under the identity {name}: {where}. Nothing was changed. "
            "Give every replica its own identity: Replica() draws one, and Replica.load restores "
            "a saved replica"
        )


class ReplicaClosed(CRDTError):
    """A write to a replica after `close`: whoever loads its last save goes on under its name."""
