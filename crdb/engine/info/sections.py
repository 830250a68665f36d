"""INFO: the figures of an instance, in the sections and the format of Redis.

A field that has no meaning here is left out rather than made up. The replication section and the
`crdt` section (specification section 14) get their lines about peers from those who own the links,
through `instance.info_sections`; so does everything about the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crdb.engine.info.memory_report import human, memory_report
from crdb.engine.instance import REDIS_VERSION, Instance
from crdb.engine.metrics.metric_table import METRICS
from crdb.engine.session import POSTPONED
from crdb.security.verdict import Reason
from crdb.version import __version__
from crdt.causality.dots import name_origin, region_of

Lines = list[tuple[str, object]]

DEFAULT: Final = (
    "server",
    "clients",
    "memory",
    "persistence",
    "stats",
    "replication",
    "cpu",
    "modules",
    "errorstats",
    "cluster",
    "keyspace",
)
EVERYTHING: Final = (*DEFAULT[:8], "commandstats", *DEFAULT[8:], "latencystats", "crdt")
TIMES_SAMPLED: Final = 1000
LRU_CLOCK_PERIOD: Final = 1 << 24
"""Redis keeps the seconds of its LRU clock in 24 bits."""
"""Keys whose times to live are averaged (rule KEY-12: figures about keys are approximations)."""
TITLES: Final = {"cpu": "CPU", "crdt": "CRDT"}


def information(instance: Instance, wanted: list[str]) -> str:
    """Return the requested sections, each once, in Redis' order. Unknown ones are ignored."""
    names: set[str] = set() if wanted else set(DEFAULT)
    for name in wanted:
        if name == "default":
            names |= set(DEFAULT)
        elif name in {"all", "everything"}:
            names |= set(EVERYTHING)
        else:
            names.add(name)
    known = [*EVERYTHING, *sorted(set(instance.info_sections) - set(EVERYTHING))]
    sections: list[str] = []
    for name in known:
        if name in names:
            title = TITLES.get(name, name.capitalize())
            fields = "".join(f"{field}:{value}\r\n" for field, value in section(instance, name))
            sections.append(f"# {title}\r\n{fields}")
    return "\r\n".join(sections)


def section(instance: Instance, name: str) -> Lines:
    """Return the lines of one section, in the order of the table of metrics.

    Lines that other modules add replace lines of the same name. Lines that the table does not know
    come last.
    """
    make = SECTIONS.get(name)
    values = {} if make is None else dict(make(instance))
    for more in instance.info_sections.get(name, ()):
        values.update(more())
    lines: dict[str, object] = {}
    for metric in METRICS.get(name, ()):
        if metric.kind == "constant":
            lines[metric.name] = metric.value
        elif metric.name in values:
            lines[metric.name] = values[metric.name]
        else:
            lines.update({key: values[key] for key in values if metric.is_name_of(key)})
    return list((lines | values).items())


def _server(instance: Instance) -> Lines:
    uptime = (instance.now - instance.started_at) // 1000
    return [
        ("redis_version", REDIS_VERSION),
        ("crdb_version", __version__),
        ("run_id", instance.run_id),
        ("tcp_port", instance.config.values["port"]),
        ("server_time_usec", instance.wall * 1000),
        ("uptime_in_seconds", uptime),
        ("uptime_in_days", uptime // 86400),
        ("hz", instance.config.values["hz"]),
        ("configured_hz", instance.config.values["hz"]),
        ("lru_clock", instance.wall // 1000 % LRU_CLOCK_PERIOD),
        ("region", instance.name),
    ]


def _clients(instance: Instance) -> Lines:
    sessions = instance.clients.values()
    blocked = instance.blocked
    postponed = sum(bool(each.flags & POSTPONED) for each in sessions)
    return [
        ("connected_clients", len(instance.clients)),
        ("maxclients", instance.config.clients_max),
        ("client_recent_max_input_buffer", max((s.parser.pending for s in sessions), default=0)),
        ("client_recent_max_output_buffer", max((s.output_bytes for s in sessions), default=0)),
        ("blocked_clients", len(blocked.by_client) + postponed),
        ("tracking_clients", len(instance.tracking.sessions)),
        (
            "clients_in_timeout_table",
            sum(waiter.deadline is not None for waiter in blocked.by_client.values()),
        ),
        ("total_blocking_keys", len(blocked.by_key)),
    ]


def _memory(instance: Instance) -> Lines:
    report = memory_report(instance)
    maxmemory = int(instance.config.values["maxmemory"])
    return [
        ("used_memory", report.used_bytes),
        ("used_memory_human", human(report.used_bytes)),
        ("used_memory_rss", report.process_bytes),
        ("used_memory_rss_human", human(report.process_bytes)),
        ("used_memory_peak", report.peak_bytes),
        ("used_memory_peak_human", human(report.peak_bytes)),
        ("used_memory_peak_perc", f"{report.peak_percentage:.2f}%"),
        ("used_memory_overhead", report.overhead_bytes),
        ("used_memory_startup", report.startup_bytes),
        ("used_memory_dataset", report.dataset_bytes),
        ("used_memory_dataset_perc", f"{report.dataset_percentage:.2f}%"),
        ("maxmemory_human", human(maxmemory)),
        ("mem_fragmentation_ratio", f"{report.fragmentation:.2f}"),
        ("mem_fragmentation_bytes", report.process_bytes - report.needed_bytes),
        ("mem_replication_backlog", report.backlog_bytes),
        ("mem_total_replication_buffers", report.backlog_bytes),
        ("mem_clients_normal", report.client_bytes),
        ("mem_not_counted_for_evict", instance.memory.uncounted_bytes),
        *_scripts(instance),
        ("maxmemory", instance.config.values["maxmemory"]),
        ("maxmemory_policy", instance.config.values["maxmemory-policy"]),
    ]


def _scripts(instance: Instance) -> Lines:
    scripting = instance.scripting
    interpreter = scripting.interpreter_bytes()
    scripts, libraries = scripting.cache.used_bytes, scripting.libraries.used_bytes
    return [
        ("used_memory_vm_eval", interpreter),
        ("used_memory_lua", interpreter),
        ("used_memory_lua_human", human(interpreter)),
        ("used_memory_scripts_eval", scripts),
        ("used_memory_vm_total", interpreter),
        ("used_memory_vm_total_human", human(interpreter)),
        ("used_memory_functions", libraries),
        ("used_memory_scripts", scripts + libraries),
        ("used_memory_scripts_human", human(scripts + libraries)),
        ("number_of_cached_scripts", len(scripting.cache.by_name)),
        ("number_of_functions", len(scripting.libraries.functions)),
        ("number_of_libraries", len(scripting.libraries.by_name)),
    ]


def _persistence(instance: Instance) -> Lines:
    """Nothing is ever saved: all effects made here are changes since the last time."""
    return [
        ("loading", 0),
        ("async_loading", 0),
        ("rdb_changes_since_last_save", instance.keyspace.seq),
    ]


def _stats(instance: Instance) -> Lines:
    statistics = instance.statistics
    exceeded, exceeded_now = instance.eviction.exceeded(instance.now)
    return [
        ("total_connections_received", statistics.connections),
        ("total_commands_processed", statistics.commands),
        ("instantaneous_ops_per_sec", round(statistics.command_rate.per_second)),
        ("total_net_input_bytes", statistics.input_bytes),
        ("total_net_output_bytes", statistics.output_bytes),
        ("instantaneous_input_kbps", f"{statistics.input_rate.per_second / 1024:.2f}"),
        ("instantaneous_output_kbps", f"{statistics.output_rate.per_second / 1024:.2f}"),
        ("rejected_connections", statistics.rejected_connections),
        ("acl_access_denied_auth", statistics.denials[Reason.AUTH]),
        ("acl_access_denied_cmd", statistics.denials[Reason.COMMAND]),
        ("acl_access_denied_key", statistics.denials[Reason.KEY]),
        ("acl_access_denied_channel", statistics.denials[Reason.CHANNEL]),
        ("sync_full", 0),
        ("sync_partial_ok", 0),
        ("sync_partial_err", 0),
        ("total_net_repl_input_bytes", 0),
        ("total_net_repl_output_bytes", 0),
        ("expired_keys", instance.keyspace.expired),
        ("evicted_keys", instance.eviction.evicted),
        ("pubsub_channels", instance.hub.subscribers.channels()),
        ("pubsub_patterns", instance.hub.subscribers.patterns()),
        ("pubsubshard_channels", instance.hub.subscribers.shard_channels()),
        ("evicted_clients", statistics.dropped_memory),
        ("keyspace_hits", instance.keyspace.hits),
        ("keyspace_misses", instance.keyspace.misses),
        ("total_eviction_exceeded_time", exceeded),
        ("current_eviction_exceeded_time", exceeded_now),
        ("tracking_total_keys", len(instance.tracking.tracked)),
        ("tracking_total_items", instance.tracking.tracked.items),
        ("tracking_total_prefixes", len(instance.tracking.prefixes)),
        ("total_error_replies", statistics.error_replies),
        ("client_query_buffer_limit_disconnections", statistics.dropped_query),
        ("client_output_buffer_limit_disconnections", statistics.dropped_output),
        ("watching_clients", sum(bool(s.watched) for s in instance.clients.values())),
        ("total_watched_keys", len(instance.watching.by_key)),
    ]


def _replication(instance: Instance) -> Lines:
    role = instance.role.decode()
    return [
        ("role", "slave" if role == "replica" else role),
        ("connected_slaves", 0),
        ("master_replid", replication_id(instance)),
    ]


def replication_id(instance: Instance) -> str:
    """Return what stands for this region's history: its name and incarnation, as 40 digits."""
    return f"{instance.replica.origin:040x}"


def _commandstats(instance: Instance) -> Lines:
    statistics = instance.statistics
    lines: Lines = []
    for command in instance.commands.everything():
        calls = statistics.calls[command.number]
        rejected = statistics.rejected[command.number]
        failed = statistics.failed[command.number]
        if calls or rejected or failed:
            usec = statistics.spent[command.number] * 1e6
            per_call = usec / max(1, calls)
            counts = f"calls={calls},usec={usec:.0f},usec_per_call={per_call:.2f}"
            name = f"cmdstat_{command.full_name.decode()}"
            lines.append((name, f"{counts},rejected_calls={rejected},failed_calls={failed}"))
    return lines


def _latencystats(instance: Instance) -> Lines:
    percentiles = instance.config.percentiles
    lines: Lines = []
    for command in instance.commands.everything():
        histogram = instance.statistics.histograms[command.number]
        if histogram is not None:
            figures = ",".join(
                f"p{text}={histogram.percentile(number) / 1000:.3f}" for text, number in percentiles
            )
            lines.append((f"latency_percentiles_usec_{command.full_name.decode()}", figures))
    return lines


def _errorstats(instance: Instance) -> Lines:
    errors = instance.statistics.errors
    return [(f"errorstat_{code.decode('latin-1')}", f"count={errors[code]}") for code in errors]


def _keyspace(instance: Instance) -> Lines:
    keyspace = instance.keyspace
    count = keyspace.estimate_size()
    if not count:
        return []
    left = keyspace.time_left(TIMES_SAMPLED)
    ends = keyspace.deadline_count()
    return [("db0", f"keys={count},expires={ends},avg_ttl={left}")]


def _crdt(instance: Instance) -> Lines:
    """Section 14; the clock and vectors as D-19 proposes."""
    statistics = instance.replica.statistics()
    return [
        ("crdt_replid", name_origin(instance.replica.origin)),
        ("crdt_clock", by_region(statistics.vector).get(instance.replica.region, 0)),
        ("crdt_ovc", _vector(statistics.vector)),
        ("crdt_clock_steps", instance.clock_steps.count),
        ("crdt_clock_step_ms", instance.clock_steps.last_ms),
        ("crdt_merge_reqs", statistics.merges),
        ("crdt_effect_reqs", statistics.effects_applied),
        ("crdt_ovc_filtered_effect_reqs", statistics.effects_duplicate),
        ("crdt_backlog_bytes", statistics.history_bytes),
        ("crdt_waiting_bytes", statistics.waiting_bytes),
        ("crdt_gc_pending", statistics.garbage_pending),
        ("crdt_gc_attempted", statistics.garbage_attempted),
        ("crdt_gc_collected", statistics.garbage_collected),
        ("crdt_gc_gvc_min", _vector(statistics.stable)),
        ("crdt_stale", int(instance.is_stale)),
        ("crdt_stale_released_with_merge", int(instance.stale_released_with_merge)),
    ]


def _vector(vector: Mapping[int, int]) -> str:
    """Counters by instance id, `{1=17,2=4}`."""
    counters = (f"{region}={count}" for region, count in sorted(by_region(vector).items()))
    return "{" + ",".join(counters) + "}"


def by_region(vector: Mapping[int, int]) -> dict[int, int]:
    """Return the number of effects of each region in a vector, over all its incarnations."""
    counts: dict[int, int] = {}
    for origin, seq in vector.items():
        region = region_of(origin)
        counts[region] = counts.get(region, 0) + seq
    return counts


SECTIONS: Final = {
    "server": _server,
    "clients": _clients,
    "memory": _memory,
    "persistence": _persistence,
    "stats": _stats,
    "replication": _replication,
    "commandstats": _commandstats,
    "errorstats": _errorstats,
    "latencystats": _latencystats,
    "keyspace": _keyspace,
    "crdt": _crdt,
}
