"""Compare the replies of INFO section by section with those of a real redis-server."""

from __future__ import annotations

import re

from tests.crdb.redis_peer import Peer, decode


def titles(text: str) -> list[str]:
    """Return the sections of an INFO."""
    return re.findall(r"^# (\w+)", text, re.MULTILINE)


def fields(text: str) -> dict[str, str]:
    """Return the fields of an INFO."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def test_sections_come_as_asked_and_in_order_of_redis(peer: Peer) -> None:
    for request in ("", "server clients", "CLIENTS server clients", "nothing", "keyspace nothing"):
        theirs = decode(peer.server.run([b"INFO", *request.encode().split()])).decode()
        ours = decode(peer.ours.run([b"INFO", *request.encode().split()])).decode()
        assert titles(ours) == titles(theirs), request


def test_field_names_equal_redis(peer: Peer) -> None:
    peer.same("SET", "k", "v")
    names = fields(decode(peer.server.run([b"INFO", b"everything"])).decode()).keys()
    newer = {"total_blocking_keys", "total_blocking_keys_on_nokey", "watching_clients"}
    newer |= {"client_query_buffer_limit_disconnections", "total_watched_keys", "region"}
    newer |= {"crdb_version"} | {
        f"acl_access_denied_{of}" for of in ("auth", "cmd", "key", "channel")
    }
    newer |= {"client_output_buffer_limit_disconnections"}
    ours = fields(decode(peer.ours.run([b"INFO"])).decode()).keys()
    assert ours - names - newer == set()


def test_sections_are_parted_by_empty_line(peer: Peer) -> None:
    pattern = rb"# Modules\r\n\r\n# Errorstats\r\n"
    for side in (peer.server, peer.ours):
        assert re.search(pattern, side.run([b"INFO", b"modules", b"errorstats"]))
