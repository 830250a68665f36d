"""The incarnation of a region's start, so that no dot is ever issued twice. Pure.

A process that restarts has lost its data, and its earlier writes may still be on their way. So it
writes under an incarnation that it has not had before, and is read-only until it has recovered
(rules STL-1 to STL-3; `replication.mesh.recovery`).

The first incarnation is drawn at random, and later ones count up from it in a small file. A start
without a file may be the first, or the file was lost with its disk or container. It draws the
number of a given earlier incarnation with a probability of 1 in 16,384. If it always began with 0,
new writes would take the dots of lost ones, and peers would ignore them as known. A process without
a state directory, such as `crdb up`, draws at every start. Followers notice its restart by the new
number.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from crdt.causality.dots import INCARNATION_MAX


@attrs.frozen
class RegionStart:
    """A start of a region. `is_first` is True if no earlier one is known."""

    incarnation: int
    is_first: bool


def choose_incarnation(last: int | None, draw: Callable[[], int]) -> RegionStart:
    """Return the incarnation of a start: the one after `last`, which the state directory holds.

    If it holds none, `draw` returns a random number. After the last number comes 0.
    """
    if last is None:
        return RegionStart(draw(), is_first=True)
    return RegionStart(last + 1 & INCARNATION_MAX, is_first=False)


def parse_incarnation(text: str) -> int | None:
    """Return the number that a file holds; None if it holds something else."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()) or int(digits) > INCARNATION_MAX:
        return None
    return int(digits)
