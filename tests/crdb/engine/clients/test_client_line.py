"""Test the line that describes a connection."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.clients.client_line import client_line, encoded_bytes
from crdb.engine.session import MONITORING
from tests.crdb.raw import instance
from tests.crdb.redis_peer import request


def test_line_names_user_and_command() -> None:
    client = Client(instance(), b"10.0.0.1:5000", b"10.0.0.2:7001")
    client.user, client.last_command = b"alice", b"config|get"
    client.flags |= MONITORING
    line = client_line(client, client.instance.now + 2500)
    assert line.startswith(b"id=1 addr=10.0.0.1:5000 laddr=10.0.0.2:7001 fd=-1 name= age=2 idle=2")
    assert b" flags=O db=0 " in line
    assert b" cmd=config|get user=alice " in line


def test_request_counts_as_received() -> None:
    client = Client(instance())
    args = [b"CLIENT", b"INFO"]
    assert encoded_bytes(args) == len(request(args))
    assert b" qbuf=%d " % len(request(args)) in client_line(client, 0, args)
    assert b" argv-mem=10 " in client_line(client, 0, args)
