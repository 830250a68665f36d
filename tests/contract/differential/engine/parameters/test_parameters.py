"""Compare the replies of CONFIG GET with those of a real redis-server."""

from __future__ import annotations

from typing import cast

from crdb.engine.parameters.table import NAMES, ParameterTable
from tests.crdb.redis_peer import Peer, decode

# What a test server is started with, what describes its process, and what we set differently.
OWN = """
port bind dir save databases client-output-buffer-limit loglevel logfile pidfile daemonize
locale-collate crash-log-enabled crash-memcheck-enabled disable-thp dynamic-hz jemalloc-bg-thread
set-proc-title
"""


def test_every_parameter_of_server_is_there_with_its_default(peer: Peer) -> None:
    flat = cast("list[bytes]", decode(peer.server.run([b"CONFIG", b"GET", b"*"])))
    theirs = {n.decode(): v.decode() for n, v in zip(flat[::2], flat[1::2], strict=True)}
    theirs.pop("gopher-enabled", None)
    values = ParameterTable().values
    ours = {name: values[NAMES[name].name] for name in theirs if name in NAMES}
    assert theirs.keys() == ours.keys()
    different = {name for name in theirs if ours[name] != theirs[name] and name not in OWN.split()}
    assert different == set()
