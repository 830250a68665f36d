"""Stop the last region that holds a key."""

from __future__ import annotations

import json
import signal

import pytest

from tests.e2e.processes import WAIT_SECONDS, ask, ready_event, started
from tests.ports import free_base


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_elsewhere_it_warns_and_stops(number: signal.Signals) -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        ready_event(process)
        assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
        process.send_signal(number)
        out, _ = process.communicate(timeout=WAIT_SECONDS)
    events = [json.loads(line) for line in out.splitlines()]
    (risk, *_) = [event for event in events if event["event"] == "data at risk"]
    assert risk["region"] == "us"
    assert risk["is_last"] is True
    assert risk["keys"] == 1
    assert process.returncode == 0
