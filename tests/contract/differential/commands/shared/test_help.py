"""Compare the replies of HELP with those of a real redis-server."""

from __future__ import annotations

import pytest

from crdb.commands.table import COMMANDS
from crdb.resp.decoder import Status
from tests.crdb.redis_peer import Peer, decode, encode

CONTAINERS = [c.name.decode() for c in COMMANDS if b"help" in c.subcommands]


@pytest.mark.parametrize("name", CONTAINERS)
def test_help_has_shape_of_redis_and_names_every_subcommand(peer: Peer, name: str) -> None:
    found = decode(peer.ours.run(encode([name, "HELP"])))
    assert all(isinstance(line, Status) for line in found)
    texts = [line.text.decode() for line in found]
    assert texts[0].startswith(f"{name.upper()} <subcommand>")
    assert texts[0].endswith("Subcommands are:")
    assert texts[-2] == "HELP"
    topics = {word for line in texts if not line.startswith(" ") for word in line.split()}
    command = next(c for c in COMMANDS if c.name.decode() == name)
    assert {child.decode().upper() for child in command.subcommands} <= topics


def test_frame_is_that_of_redis(peer: Peer) -> None:
    theirs = decode(peer.server.run([b"CONFIG", b"HELP"]))
    ours = decode(peer.ours.run([b"CONFIG", b"HELP"]))
    assert (ours[0], ours[-2]) == (theirs[0], theirs[-2])
