"""GET and SET of HyperLogLogs, which clients see as strings (rules HLL-5, HLL-6)."""

from __future__ import annotations

from typing import Final

from crdb.engine.client import Client
from crdb.engine.errors import WRONG_TYPE, CommandError
from crdt.store.keyspace import Keyspace
from crdt.structures import hyperloglog_text
from crdt.structures.hyperloglog_text import HEADER_BYTES
from crdt.types.base import Value
from crdt.types.hyperloglog import HyperLogLog
from crdt.writes import hyperloglog

SHORT: Final = HEADER_BYTES
"""A string up to this size is not that of a HyperLogLog."""
FIRST_BYTE: Final = hyperloglog_text.MAGIC[0]


def read_hyperloglog(client: Client, value: Value) -> bytes:
    """Return the string of a HyperLogLog. Raises CommandError for another type."""
    text = find_hyperloglog(client, value)
    if text is None:
        raise CommandError(WRONG_TYPE)
    return text


def find_hyperloglog(client: Client, value: Value) -> bytes | None:
    """Return the string of a HyperLogLog, or None for another type."""
    if not isinstance(value, HyperLogLog):
        return None
    limit = client.instance.config.encoding_limits["hll-sparse-max-bytes"]
    return value.redis_text(limit)


def assign_hyperloglog(db: Keyspace, key: bytes, text: bytes, *, keep_ttl: bool) -> bool:
    """Let a key hold the HyperLogLog whose string `text` is. Return False, with nothing changed, if
    it is none."""
    if not hyperloglog_text.is_text(text):
        return False
    registers = hyperloglog_text.read_text(text)
    if registers is None:
        return False
    db.lookup_for_write(key)
    deadline = db.deadline(key) if keep_ttl else None
    hyperloglog.assign(db, key, registers)
    if deadline is not None or not keep_ttl:
        db.expire(key, deadline)
    return True
