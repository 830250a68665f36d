"""The policies of `maxmemory-policy` (rule EVI-2)."""

from __future__ import annotations

from enum import Enum

import attrs


class EvictionOrder(Enum):
    """The property of keys that decides which one is evicted first."""

    NONE = "noeviction"
    LEAST_RECENT = "lru"
    LEAST_FREQUENT = "lfu"
    RANDOM = "random"
    SOONEST = "ttl"


@attrs.frozen
class EvictionPolicy:
    """An order, and whether only keys that expire are evicted."""

    order: EvictionOrder
    is_volatile: bool = False

    @property
    def evicts(self) -> bool:
        """True unless this is `noeviction`."""
        return self.order is not EvictionOrder.NONE

    @staticmethod
    def of(name: str) -> EvictionPolicy:
        """Return the policy with a name of `maxmemory-policy`."""
        scope, _, order = name.partition("-")
        return EvictionPolicy(EvictionOrder(order or scope), scope == "volatile")


@attrs.frozen
class EvictionOptions:
    """The parameters of eviction: `maxmemory-policy`, `maxmemory-samples`, `lfu-log-factor` and
    `lfu-decay-time`."""

    policy: EvictionPolicy
    samples: int
    log_factor: int
    decay_minutes: int
