"""Clients of streams."""

from __future__ import annotations

from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.schedule.streams import LEDGER, PERIOD_NS, StreamClients, change_stream


def test_working_session_sends_one_command_at_a_time_on_streams_in_use() -> None:
    clients = StreamClients(SeededRandom(1, "ledger"), "eu", 1, 20)
    steps = list(clients.draw_steps(2 * PERIOD_NS))
    assert len({step.commands[0][0] for step in steps}) == 9
    assert {step.value for step in steps} == {7001}
    for step in steps:
        (words,) = step.commands
        assert any(word.startswith(f"{LEDGER}{step.at // PERIOD_NS}.") for word in words)
    assert len(steps) > PERIOD_NS // SECOND * 20


def test_random_commands_cover_streams() -> None:
    rng = SeededRandom(1, "streams")
    drawn = [change_stream(rng, "stream:0.0", f"u{number}") for number in range(300)]
    assert {words[0] for words in drawn} >= {"XADD", "XTRIM", "XDEL", "XGROUP", "XREADGROUP"}
    assert all("stream:0.0" in words for words in drawn)
