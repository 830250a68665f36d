"""Random identities for replicas that are created without a number.

Only this module of the package asks the operating system for random numbers. All 22 bits of an
origin are random. Among 100 replicas, two have the same origin with a probability of about 0.1 %.
Their first exchange detects it (see `crdt.embed.identity`).
"""

from __future__ import annotations

import secrets  # noqa: TID251 - random identities must differ between processes
from collections.abc import Container

from crdt.causality.dots import INCARNATION_MAX, REGION_MAX, Origin, make_origin, region_of


def draw_origin() -> Origin:
    """Return a random origin: a random region and a random incarnation."""
    region = 1 + secrets.randbelow(REGION_MAX)
    return make_origin(region, secrets.randbelow(INCARNATION_MAX + 1))


def draw_incarnation(origin: Origin, known: Container[Origin]) -> Origin:
    """Return a random incarnation of the region of `origin`, other than `origin` and `known`."""
    while True:
        drawn = make_origin(region_of(origin), secrets.randbelow(INCARNATION_MAX + 1))
        if drawn != origin and drawn not in known:
            return drawn
