"""Every machine of a connection fulfils the contract of the driver."""

from __future__ import annotations

from replication.machines.connections.connection import LinkConnection
from replication.machines.connections.contract import StreamMachine
from replication.machines.connections.multiplexer import GroupEvent
from tests.replication.secrets import channels


def test_link_connection_fulfils_the_contract() -> None:
    machine: StreamMachine[GroupEvent] = LinkConnection(channels()[0])
    members = {name for name in vars(StreamMachine) if not name.startswith("_")}
    assert members == {
        *("closed", "ready", "pending", "read_bytes_max", "deadline", "start"),
        *("receive", "end", "hang_up", "data_to_send", "tick"),
    }
    assert all(hasattr(machine, name) for name in members)
