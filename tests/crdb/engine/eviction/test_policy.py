"""The names of policies."""

from __future__ import annotations

from crdb.engine.eviction.policy import EvictionOrder, EvictionPolicy
from crdb.engine.parameters.table import PARAMETERS


def test_every_policy_of_redis_is_known() -> None:
    policies = {name: EvictionPolicy.of(name) for name in PARAMETERS["maxmemory-policy"].choices}
    assert len(set(policies.values())) == 8
    assert policies["volatile-ttl"] == EvictionPolicy(EvictionOrder.SOONEST, is_volatile=True)
    assert policies["allkeys-lfu"] == EvictionPolicy(EvictionOrder.LEAST_FREQUENT)
    assert [name for name, policy in policies.items() if not policy.evicts] == ["noeviction"]
