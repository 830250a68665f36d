"""MEMORY: how much keys and the process take."""

from __future__ import annotations

from typing import Final

from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.command import Command, Handler
from crdb.engine.errors import SYNTAX, CommandError
from crdb.engine.help import send_help
from crdb.engine.info.memory_report import MemoryReport, memory_report
from crdb.engine.metrics.memory_usage import key_bytes
from crdb.resp import reply

SAMPLES_DEFAULT: Final = 5
FEW_BYTES: Final = 5 << 20
BUFFERS_BYTES_MAX: Final = 200 << 10
NO_ALLOCATOR: Final = "Stats not supported for the current allocator"
HELP: Final = (
    "DOCTOR",
    "    Describe what is remarkable about the memory of the process.",
    "MALLOC-STATS",
    "    Return what the allocator reports; Python's reports nothing.",
    "PURGE",
    "    Give unused memory back to the system.",
    "STATS",
    "    Return how the memory is used.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return the bytes that a key and its value take. Of nested values <count> elements",
    "    are looked at (default: 5, 0 means all).",
)


def usage(client: Client, args: list[bytes]) -> None:
    """MEMORY USAGE key [SAMPLES count]."""
    samples = SAMPLES_DEFAULT
    at = 3
    while at < len(args):
        if not arguments.is_word(args[at], b"SAMPLES") or at + 1 == len(args):
            raise CommandError(SYNTAX)
        samples = arguments.integer(args[at + 1])
        if samples < 0:
            raise CommandError(SYNTAX)
        at += 2
    size = key_bytes(client.db, args[2], samples)
    if size is None:
        reply.null(client.out, client.protocol)
    else:
        reply.integer(client.out, size)


def stats(client: Client, _args: list[bytes]) -> None:
    """MEMORY STATS: what is true here of the fields of Redis."""
    report = memory_report(client.instance)
    keys = client.db.size()
    numbers: list[tuple[bytes, int]] = [
        (b"peak.allocated", report.peak_bytes),
        (b"total.allocated", report.used_bytes),
        (b"replication.backlog", report.backlog_bytes),
        (b"clients.slaves", 0),
        (b"clients.normal", report.client_bytes),
        (b"aof.buffer", 0),
        (b"overhead.total", report.overhead_bytes),
        (b"keys.count", keys),
        (b"keys.bytes-per-key", report.dataset_bytes // keys if keys else 0),
        (b"dataset.bytes", report.dataset_bytes),
    ]
    ratios: list[tuple[bytes, float]] = [
        (b"dataset.percentage", report.dataset_percentage),
        (b"peak.percentage", report.peak_percentage),
        (b"fragmentation", report.fragmentation),
    ]
    out, protocol = client.out, client.protocol
    reply.map_header(out, protocol, len(numbers) + len(ratios) + 1)
    for name, number in numbers:
        reply.bulk(out, name)
        reply.integer(out, number)
    for name, ratio in ratios:
        reply.bulk(out, name)
        reply.double(out, protocol, ratio)
    reply.bulk(out, b"fragmentation.bytes")
    reply.integer(out, report.process_bytes - report.used_bytes)


def doctor(client: Client, _args: list[bytes]) -> None:
    """MEMORY DOCTOR: a report in words."""
    text = diagnosis(memory_report(client.instance), len(client.instance.clients))
    reply.verbatim(client.out, client.protocol, text.encode())


def diagnosis(report: MemoryReport, clients: int) -> str:
    """Return what is remarkable about the memory of an instance."""
    if report.dataset_bytes < FEW_BYTES:
        return "This instance holds very little data, so there is nothing to diagnose.\n"
    found: list[str] = []
    if report.peak_bytes > report.process_bytes * 3 // 2:
        found.append(
            "The process once used much more memory than now. Python may keep parts of it."
        )
    if clients and report.client_bytes // clients > BUFFERS_BYTES_MAX:
        found.append("Clients have large buffers. CLIENT LIST shows which (tot-mem).")
    if report.dataset_percentage < 50:
        found.append(
            "Less than half of the memory holds data. INFO crdt shows the backlog and what waits."
        )
    return "\n".join(found or ["Nothing remarkable was found."]) + "\n"


def purge(client: Client, _args: list[bytes]) -> None:
    """MEMORY PURGE."""
    client.instance.memory.release()
    reply.ok(client.out)


def malloc_stats(client: Client, _args: list[bytes]) -> None:
    """MEMORY MALLOC-STATS."""
    reply.verbatim(client.out, client.protocol, NO_ALLOCATOR.encode())


def memory_help(client: Client, _args: list[bytes]) -> None:
    """MEMORY HELP."""
    send_help(client, b"MEMORY", HELP)


def row(name: str, handler: Handler, summary: str) -> Command:
    """Return a subcommand of MEMORY without arguments."""
    flags = "loading stale" if name == "help" else ""
    return Command(name, handler, 2, flags, since="4.0.0", summary=summary, complexity="O(1)")


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "memory", None, -2, since="4.0.0", summary="A container for memory diagnostics.",
        subcommands=(
            row("doctor", doctor, "Returns a report about memory in words."),
            row("help", memory_help, "Returns helpful text about subcommands."),
            row("malloc-stats", malloc_stats, "Returns what the allocator reports: nothing."),
            row("purge", purge, "Gives unused memory back to the system."),
            row("stats", stats, "Returns how the memory is used."),
            Command(
                "usage", usage, -3, "readonly", keys=(2, 2, 1), since="4.0.0",
                summary="Estimates the bytes that a key and its value take.",
                complexity="O(N) where N is the number of samples.",
            ),
        ),
    ),
)  # fmt: skip
