"""Run the examples of documents against a real `crdb up`, on free ports."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import redis

from tests.documents import redis_calls
from tests.e2e.processes import WAIT_SECONDS, ready_event, started
from tests.ports import free_base

Ports = Mapping[str, int]


@contextmanager
def served(arguments: Sequence[str], count: int) -> Generator[dict[str, int]]:
    """Serve these regions; yield our port for each of 7001, 7002 ... Assert a clean end."""
    base = free_base(count)
    with started([*arguments, "--json", "--port", str(base)]) as process:
        ready_event(process)
        yield {str(7000 + number): base + number for number in range(1, count + 1)}
        process.terminate()
        process.communicate(timeout=WAIT_SECONDS)
        assert process.returncode == 0


def replies_as_shown(text: str, ports: Ports) -> int:
    """Make every call of redis-cli. Return the number of replies that were shown and compared."""
    clients: dict[str, Any] = {
        shown: redis.Redis(port=ours, decode_responses=True) for shown, ours in ports.items()
    }
    compared = 0
    try:
        for port, words, shown in redis_calls(text):
            reply = clients[port].execute_command(*words)
            if shown.isdigit():
                assert str(reply) == shown, words
                compared += 1
    finally:
        for client in clients.values():
            client.close()
    return compared
