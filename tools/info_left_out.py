"""The fields of Redis' INFO that crdb leaves out, each with the reason.

A field is left out if no value of it would be true. Tests check that each field of Redis is either
in the table of metrics or here.
"""

from __future__ import annotations

from typing import Final

ALLOCATOR: Final = (
    "Python has its own allocator, which reports no such figures; see `mem_fragmentation_ratio`"
)
NOT_BUILT: Final = "the program is not built like the C program that it describes"
LINKS: Final = (
    "the rates of links are not sampled; see `total_net_repl_input_bytes` and "
    "`total_net_repl_output_bytes`"
)
EXPIRY: Final = (
    "keys are found by their deadlines, not by samples, so there are no cycles with a time limit"
)
SYSTEM_CALLS: Final = (
    "calls of the operating system are not counted; see `total_net_input_bytes` and "
    "`total_net_output_bytes`"
)

_BY_REASON: Final[dict[str, str]] = {
    ALLOCATOR: "allocator_allocated allocator_active allocator_resident allocator_frag_ratio "
    "allocator_frag_bytes allocator_rss_ratio allocator_rss_bytes rss_overhead_ratio "
    "rss_overhead_bytes",
    NOT_BUILT: "atomicvar_api gcc_version redis_build_id",
    LINKS: "instantaneous_input_repl_kbps instantaneous_output_repl_kbps",
    "the backlog counts operations, not bytes; see `crdt_backlog0`": (
        "repl_backlog_first_byte_offset"
    ),
    EXPIRY: "expired_stale_perc expired_time_cap_reached_count expire_cycle_cpu_milliseconds",
    SYSTEM_CALLS: "total_reads_processed total_writes_processed",
    "the buffers of replies have no fixed size that would be adapted": (
        "reply_buffer_shrinks reply_buffer_expands"
    ),
}

LEFT_OUT: Final[dict[str, str]] = {
    name: reason for reason, names in _BY_REASON.items() for name in names.split()
}
"""The reason for each field that is left out. A reason may be part of a sentence."""
