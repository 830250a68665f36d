"""MEMORY: the memory that keys and the process use."""

from __future__ import annotations

from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine import arguments
from crdb.engine.client import Client
from crdb.engine.errors import SYNTAX, CommandError
from crdb.engine.info.memory_report import MemoryReport, memory_report
from crdb.engine.metrics.memory_usage import key_bytes
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("server")
MEMORY: Final = COMMANDS.container(
    "memory", since="4.0.0", summary="A container for memory diagnostics."
)
MEMORY.declare_help()


SAMPLES_DEFAULT: Final = 5
FEW_BYTES: Final = 5 << 20
BUFFERS_BYTES_MAX: Final = 200 << 10
NO_ALLOCATOR: Final = "Stats not supported for the current allocator"


@MEMORY.declare(
    "usage",
    "key [SAMPLES count]",
    "readonly",
    keys="RO",
    summary="Estimates the bytes that a key and its value take.",
    complexity="O(N) where N is the number of samples.",
)
def memory_usage(client: Client, args: list[bytes]) -> None:
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


@MEMORY.declare(
    "stats",
    summary="Returns the use of memory by purpose.",
    tips="nondeterministic_output request_policy:all_shards response_policy:special",
)
def memory_stats(client: Client, _args: list[bytes]) -> None:
    """Reply with the fields of Redis that have a meaning here."""
    report = memory_report(client.instance)
    keys = client.db.estimate_size()
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


@MEMORY.declare(
    "doctor",
    summary="Returns a report about memory.",
    tips="nondeterministic_output request_policy:all_shards response_policy:special",
)
def memory_doctor(client: Client, _args: list[bytes]) -> None:
    text = diagnose(memory_report(client.instance), len(client.instance.clients))
    reply.verbatim(client.out, client.protocol, text.encode())


def diagnose(report: MemoryReport, clients: int) -> str:
    """Describe what is remarkable about the memory of an instance."""
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


@MEMORY.declare(
    "purge",
    summary="Returns unused memory to the system.",
    tips="request_policy:all_shards response_policy:all_succeeded",
)
def memory_purge(client: Client, _args: list[bytes]) -> None:
    client.instance.memory.release()
    reply.ok(client.out)


@MEMORY.declare(
    "malloc-stats",
    summary="Returns the statistics of the allocator, which are empty.",
    tips="nondeterministic_output request_policy:all_shards response_policy:special",
)
def memory_malloc_stats(client: Client, _args: list[bytes]) -> None:
    reply.verbatim(client.out, client.protocol, NO_ALLOCATOR.encode())
