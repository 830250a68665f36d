"""The delivery contract that a type needs. It is found by trials with weaker contracts."""

from __future__ import annotations

from typing import Final

import attrs

from crdt.testing.running import LENGTH, attempt, draw_schedule
from crdt.testing.subject import Disagreement
from crdt.testing.user_types.options import CheckOptions
from crdt.testing.worlds.message_world import MessageSubject

WORDS: Final = {
    "causal": "causal order",
    "fifo": "the order of each sender",
    "any": "any order",
}
TRIES_MAX: Final = 200  # schedules for each weaker contract


def contracted(subject: MessageSubject, sends: str, options: CheckOptions) -> MessageSubject:
    """Return the subject with the declared contract or the default contract of its family.

    By default, states arrive in any order and repeatedly, deltas in causal order and repeatedly,
    and effects and updates in causal order and once.
    """
    is_state = sends == "state"
    return attrs.evolve(
        subject,
        delivery=options.get("delivery", "any" if is_state else "causal"),
        duplicates=options.get("duplicates", sends in ("state", "delta")),
    )


def weaker_contracts(subject: MessageSubject, options: CheckOptions, schedules: int) -> list[str]:
    """Try weaker contracts in each respect that was not declared. Return lines for the report."""
    tries = min(schedules, TRIES_MAX)
    lines: list[str] = []
    if "delivery" not in options:
        for delivery in ("fifo", "any")[subject.delivery != "causal" :]:
            tried = attrs.evolve(subject, delivery=delivery)
            if why := failing(tried, tries):
                lines.append(f"needs {WORDS[subject.delivery]}: under {WORDS[delivery]}, {why}")
                break
            subject = tried
        else:
            lines.append("needs no order")
    if not subject.duplicates and "duplicates" not in options:
        why = failing(attrs.evolve(subject, duplicates=True), tries)
        lines.append(f"needs each message once: {why}" if why else "duplicates are harmless")
    return lines


def failing(subject: MessageSubject, tries: int) -> str:
    """Return a description of the first failure in `tries` schedules; empty if there is none."""
    for seed in range(tries):
        error = attempt(subject, draw_schedule(subject, seed, LENGTH), {})
        if error is not None:
            law = error.law if isinstance(error, Disagreement) else type(error).__name__
            return f"{law!r} fails (seed {seed})"
    return ""
