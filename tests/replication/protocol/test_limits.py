"""Limits: consistency between them."""

from __future__ import annotations

import attrs

from crdt.causality.causal_buffer import WAITING_BYTES_MAX
from replication.protocol.codec import FRAME_BYTES_MAX
from replication.protocol.limits import Limits


def test_defaults_fit_together() -> None:
    limits = Limits()
    assert 2 * limits.batch_bytes_max <= FRAME_BYTES_MAX, "a batch and its framing fit one frame"
    assert 4 * limits.ack_bytes <= limits.window_bytes_max, "the window opens before it is shut"
    assert limits.window_bytes_max < WAITING_BYTES_MAX, "one link does not fill the gate"
    assert 5 * limits.heartbeat_ns <= limits.silence_ns_max, "a few may be late"
    assert limits.ack_ns < limits.heartbeat_ns
    assert limits.no_link_delay_ns <= limits.repair_delay_ns


def test_each_can_be_set() -> None:
    for field in attrs.fields(Limits):
        assert getattr(attrs.evolve(Limits(), **{field.name: 1}), field.name) == 1
