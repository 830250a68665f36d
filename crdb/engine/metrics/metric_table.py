"""All metrics in one table, from which INFO and other reports read names and meanings.

A row describes one field of INFO. The order is that of INFO. A name may end with a star, for fields
that come once for each command, peer or error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import attrs

Kind = Literal["counter", "gauge", "text", "record", "constant"]
"""A counter only grows while the process runs. A gauge is any other number. A record holds several
values. A constant describes something that does not exist here, for monitoring tools that read it.
"""


@attrs.frozen
class Metric:
    """A metric: a field of INFO, or all fields whose names begin alike."""

    name: str
    kind: Kind
    help: str
    unit: str = ""
    value: object = None
    """The value of a constant."""

    def is_name_of(self, field: str) -> bool:
        """Return whether this row describes a field of INFO."""
        if self.name.endswith("*"):
            return field.startswith(self.name[:-1])
        return field == self.name


def counter(name: str, unit: str, meaning: str) -> Metric:
    """Return a metric that only grows."""
    return Metric(name, "counter", meaning, unit)


def gauge(name: str, unit: str, meaning: str) -> Metric:
    """Return a metric that is any other number."""
    return Metric(name, "gauge", meaning, unit)


def text(name: str, meaning: str) -> Metric:
    """Return a metric that is not a number."""
    return Metric(name, "text", meaning)


def record(name: str, meaning: str) -> Metric:
    """Return a metric with several values."""
    return Metric(name, "record", meaning)


def constant(name: str, value: object, meaning: str) -> Metric:
    """Return a metric that always has the same value."""
    return Metric(name, "constant", meaning, value=value)


def constants(value: object, meaning: str, *names: str) -> Sequence[Metric]:
    """Return metrics that all always have the same value."""
    return [constant(name, value, meaning) for name in names]


METRICS: Final[Mapping[str, Sequence[Metric]]] = {
    "server": (
        text("redis_version", "the version of Redis whose behaviour clients meet here"),
        text("crdb_version", "the version of crdb, for reports about bugs"),
        constant("redis_git_sha1", "00000000", "see `crdb_version`"),
        constant("redis_git_dirty", 0, "see `crdb_version`"),
        constant("redis_mode", "standalone", "there is no cluster mode"),
        constant("arch_bits", 64, "the width of an address"),
        text("run_id", "a random name of this run"),
        gauge("tcp_port", "", "the port for clients"),
        constant("process_supervised", "no", "systemd and upstart are not notified"),
        constant("io_threads_active", 0, "one thread serves all clients"),
        gauge("server_time_usec", "microseconds", "the wall clock, since 1970"),
        counter("uptime_in_seconds", "seconds", "how long the region has run"),
        counter("uptime_in_days", "days", "as `uptime_in_seconds`"),
        gauge("hz", "per second", "how often a region looks for idle and slow clients; fixed"),
        gauge("configured_hz", "per second", "as `hz`"),
        gauge("lru_clock", "seconds", "the wall clock, since 1970, modulo 2^24"),
        constant("config_file", "", "parameters of CONFIG SET are in no file"),
        text("region", "the name of the region"),
        text("executable", "the Python that runs the process"),
        text("os", "the operating system"),
        text("multiplexing_api", "always `epoll`"),
        constant("monotonic_clock", "POSIX clock_gettime", "what durations are measured with"),
        gauge("process_id", "", "the number of the process"),
    ),
    "clients": (
        gauge("connected_clients", "", "open connections of clients"),
        constant("cluster_connections", 0, "there is no cluster mode"),
        gauge("maxclients", "", "the limit of `connected_clients`"),
        gauge(
            "client_recent_max_input_buffer",
            "bytes",
            "the largest input buffer of a client now",
        ),
        gauge(
            "client_recent_max_output_buffer",
            "bytes",
            "the largest output buffer of a client now",
        ),
        gauge(
            "blocked_clients",
            "",
            "clients that wait in a blocking command, or for the end of CLIENT PAUSE",
        ),
        gauge("tracking_clients", "", "clients that track keys (CLIENT TRACKING)"),
        gauge("clients_in_timeout_table", "", "blocked clients with a timeout"),
        gauge("total_blocking_keys", "", "keys that clients wait for"),
        constant("total_blocking_keys_on_nokey", 0, "nothing of the kind exists"),
    ),
    "memory": (
        gauge(
            "used_memory",
            "bytes",
            "the memory that this region uses. A region that has its process to itself uses "
            "what the process holds (that is what `maxmemory` limits). Regions that share a "
            "process each use their own data, backlog and clients, and an equal part of the "
            "rest",
        ),
        text("used_memory_human", "`used_memory` with a unit"),
        gauge("used_memory_rss", "bytes", "the memory that the process holds, measured"),
        text("used_memory_rss_human", "`used_memory_rss` with a unit"),
        gauge("used_memory_peak", "bytes", "the most memory that the process has held"),
        text("used_memory_peak_human", "`used_memory_peak` with a unit"),
        gauge(
            "used_memory_peak_perc",
            "percent",
            "the part of `used_memory_peak` that the process holds now",
        ),
        gauge("used_memory_overhead", "bytes", "`used_memory` without `used_memory_dataset`"),
        gauge(
            "used_memory_startup",
            "bytes",
            "the memory that the process held before there were data; regions that share a "
            "process have an equal part of it each",
        ),
        gauge(
            "used_memory_dataset",
            "bytes",
            "the keys with their values, estimated from the sixteen oldest and the sixteen "
            "newest of them",
        ),
        gauge(
            "used_memory_dataset_perc",
            "percent",
            "the part of `used_memory` beyond `used_memory_startup` that is `used_memory_dataset`",
        ),
        text("maxmemory_human", "`maxmemory` with a unit"),
        gauge(
            "mem_fragmentation_ratio",
            "ratio",
            "`used_memory_rss` in relation to `used_memory_startup` and the data, backlogs "
            "and clients of all regions of the process; Python keeps the difference for later",
        ),
        gauge("mem_fragmentation_bytes", "bytes", "the difference between the two"),
        gauge("mem_replication_backlog", "bytes", "ops that are kept for peers that were away"),
        gauge("mem_total_replication_buffers", "bytes", "as `mem_replication_backlog`"),
        constant("mem_clients_slaves", 0, "replicas of Redis cannot connect"),
        gauge("mem_clients_normal", "bytes", "connections with their buffers"),
        gauge(
            "mem_not_counted_for_evict",
            "bytes",
            "the part of the backlog above its limit, if keys are evicted",
        ),
        constant("mem_aof_buffer", 0, "data live in memory only"),
        constant("mem_allocator", "python", "memory is that of Python objects"),
        constant("mem_cluster_links", 0, "nothing of the kind exists"),
        gauge("used_memory_vm_eval", "bytes", "the Lua interpreter, which functions use too"),
        gauge("used_memory_lua", "bytes", "the same"),
        text("used_memory_lua_human", "`used_memory_lua` with a unit"),
        gauge("used_memory_scripts_eval", "bytes", "the scripts that EVALSHA finds"),
        constant("used_memory_vm_functions", 0, "functions use the interpreter of scripts"),
        gauge("used_memory_vm_total", "bytes", "the Lua interpreter"),
        text("used_memory_vm_total_human", "`used_memory_vm_total` with a unit"),
        gauge("used_memory_functions", "bytes", "the libraries of functions"),
        gauge("used_memory_scripts", "bytes", "scripts and libraries"),
        text("used_memory_scripts_human", "`used_memory_scripts` with a unit"),
        gauge("number_of_cached_scripts", "scripts", "those that EVALSHA finds"),
        gauge("number_of_functions", "functions", "those of all libraries"),
        gauge("number_of_libraries", "libraries", "those of FUNCTION LOAD"),
        *constants(
            0,
            "nothing of the kind exists",
            "active_defrag_running",
            "lazyfree_pending_objects",
            "lazyfreed_objects",
        ),
        gauge("maxmemory", "bytes", "the limit of the process"),
        text("maxmemory_policy", "what is evicted when memory is full"),
        gauge("total_system_memory", "bytes", "the memory of the machine"),
        text("total_system_memory_human", "`total_system_memory` with a unit"),
    ),
    "persistence": (
        gauge(
            "loading",
            "",
            "1 while the region refuses reads because it has not caught up after a restart",
        ),
        gauge("async_loading", "", "1 while it serves reads in this state"),
        counter(
            "rdb_changes_since_last_save",
            "",
            "effects that this region has made since it began; nothing is ever saved",
        ),
        *constants(
            0,
            "data live in memory only",
            "rdb_bgsave_in_progress",
            "rdb_last_save_time",
        ),
        constant("rdb_last_bgsave_status", "ok", "nothing is saved, so nothing failed"),
        constant("current_fork_perc", "0.00", "nothing is ever saved by a child process"),
        *constants(
            -1,
            "nothing of the kind exists",
            "rdb_last_bgsave_time_sec",
            "rdb_current_bgsave_time_sec",
        ),
        *constants(
            0,
            "data live in memory only",
            "rdb_saves",
            "rdb_last_cow_size",
            "aof_enabled",
            "aof_rewrite_in_progress",
            "aof_rewrite_scheduled",
        ),
        *constants(
            -1,
            "nothing of the kind exists",
            "aof_last_rewrite_time_sec",
            "aof_current_rewrite_time_sec",
        ),
        *constants(
            "ok",
            "nothing is saved, so nothing failed",
            "aof_last_bgrewrite_status",
            "aof_last_write_status",
        ),
        *constants(
            0,
            "data live in memory only",
            "aof_last_cow_size",
            "current_cow_peak",
            "current_cow_size",
            "current_cow_size_age",
            "current_save_keys_processed",
            "current_save_keys_total",
            "rdb_last_load_keys_expired",
            "rdb_last_load_keys_loaded",
            "aof_rewrites",
            "aof_rewrites_consecutive_failures",
            "module_fork_in_progress",
            "module_fork_last_cow_size",
        ),
    ),
    "stats": (
        counter("total_connections_received", "", "accepted connections"),
        counter("total_commands_processed", "", "executed commands"),
        gauge("instantaneous_ops_per_sec", "per second", "executed commands"),
        counter("total_net_input_bytes", "bytes", "data received from clients"),
        counter("total_net_output_bytes", "bytes", "data sent to clients"),
        gauge("instantaneous_input_kbps", "KiB per second", "data received from clients"),
        gauge("instantaneous_output_kbps", "KiB per second", "data sent to clients"),
        counter(
            "rejected_connections",
            "",
            "connections that were refused because of `maxclients`",
        ),
        counter("acl_access_denied_auth", "", "logins with a wrong user or password"),
        counter("acl_access_denied_cmd", "", "requests whose command the user may not run"),
        counter("acl_access_denied_key", "", "requests with a key that the user may not use"),
        counter(
            "acl_access_denied_channel",
            "",
            "requests with a channel that the user may not use",
        ),
        counter("sync_full", "", "as `crdt_sync_full`"),
        counter("sync_partial_ok", "", "as `crdt_sync_partial_ok`"),
        counter("sync_partial_err", "", "as `crdt_sync_partial_err`"),
        counter("total_net_repl_input_bytes", "bytes", "operations and snapshots from peers"),
        counter("total_net_repl_output_bytes", "bytes", "operations and snapshots for peers"),
        counter("expired_keys", "", "keys that this region deleted because their time was over"),
        counter("evicted_keys", "", "keys that this region has evicted (`maxmemory-policy`)"),
        counter(
            "evicted_clients",
            "",
            "clients that were closed to free the memory of their buffers",
        ),
        counter("keyspace_hits", "", "keys that reading commands looked for and found"),
        counter("keyspace_misses", "", "keys that reading commands looked for and did not find"),
        counter("total_eviction_exceeded_time", "milliseconds", "the time above `maxmemory`"),
        gauge("current_eviction_exceeded_time", "milliseconds", "the same, since it was below"),
        gauge("pubsub_channels", "", "channels that somebody subscribes to"),
        gauge("pubsub_patterns", "", "patterns that somebody subscribes to"),
        gauge("pubsubshard_channels", "", "shard channels that somebody subscribes to"),
        *constants(
            0,
            "there is nothing of the kind",
            "latest_fork_usec",
            "total_forks",
            "migrate_cached_sockets",
            "slave_expires_tracked_keys",
            "active_defrag_hits",
            "active_defrag_misses",
            "active_defrag_key_hits",
            "active_defrag_key_misses",
            "total_active_defrag_time",
            "current_active_defrag_time",
        ),
        gauge("tracking_total_keys", "", "keys that clients may have cached"),
        gauge("tracking_total_items", "", "pairs of such a key and a client"),
        gauge("tracking_total_prefixes", "", "prefixes of clients in the mode BCAST"),
        *constants(
            0,
            "there is nothing of the kind",
            "dump_payload_sanitizations",
            "io_threaded_reads_processed",
            "io_threaded_writes_processed",
        ),
        constant("unexpected_error_replies", 0, "`total_error_replies` counts all"),
        counter("total_error_replies", "", "error replies"),
        counter("client_query_buffer_limit_disconnections", "", "closed for too long a request"),
        counter(
            "client_output_buffer_limit_disconnections",
            "",
            "clients that were closed because they did not read their replies",
        ),
        gauge("watching_clients", "", "clients with WATCH"),
        gauge("total_watched_keys", "", "keys that clients watch"),
    ),
    "replication": (
        text("role", "`master`, or `slave` while the instance follows another"),
        gauge("connected_slaves", "", "instances that follow this one (Replica Of)"),
        constant("master_failover_state", "no-failover", "FAILOVER is refused"),
        text("master_replid", "the region and its incarnation as 40 digits"),
        constant(
            "master_replid2",
            "0" * 40,
            "there is no second name",
        ),
        constant(
            "second_repl_offset",
            -1,
            "as `master_replid2`",
        ),
        record("slave*", "an instance that follows this one: its name, state, offset and lag"),
        counter("master_repl_offset", "", "effects that this region has applied"),
        gauge("repl_backlog_active", "", "always 1"),
        gauge("repl_backlog_size", "bytes", "the limit of the backlog"),
        gauge("repl_backlog_histlen", "bytes", "the size of the backlog"),
        text("master_host", "the address of the first source"),
        gauge("master_port", "", "its port"),
        text("master_link_status", "`up`, or `down` if the data of a source are out of date"),
        gauge(
            "master_last_io_seconds_ago",
            "seconds",
            "the longest time since the last message of a source; -1 if there is none",
        ),
        gauge("master_sync_in_progress", "", "1 while a snapshot comes from a source"),
        gauge(
            "master_link_down_since_seconds",
            "seconds",
            "how long a source has been out of sync",
        ),
        counter("slave_repl_offset", "", "effects that have been received"),
        gauge("slave_priority", "", "always 100"),
        gauge("slave_read_only", "", "always 1"),
        record(
            "source*",
            "a source: its status, lag, received ops and bytes, resyncs and last error",
        ),
    ),
    "cpu": (
        counter("used_cpu_sys", "seconds", "time of the process in the kernel"),
        counter("used_cpu_user", "seconds", "time of the process outside the kernel"),
        counter("used_cpu_sys_children", "seconds", "that of ended children, in the kernel"),
        counter("used_cpu_user_children", "seconds", "that of ended children, outside of it"),
        counter("used_cpu_sys_main_thread", "seconds", "that of the main thread, in the kernel"),
        counter("used_cpu_user_main_thread", "seconds", "that of the main thread, outside of it"),
    ),
    "commandstats": (
        record(
            "cmdstat_*",
            "calls of a command, their time in microseconds, and its refused and failed "
            "calls. Short commands of one pipeline share its time equally",
        ),
    ),
    "errorstats": (record("errorstat_*", "error replies by their first word"),),
    "latencystats": (
        record(
            "latency_percentiles_usec_*",
            "percentiles of the time of a command, exact to one eighth",
        ),
    ),
    "cluster": (constant("cluster_enabled", 0, "there is no cluster mode"),),
    "keyspace": (
        record(
            "db0",
            "the number of keys, of keys with a time to live, and the mean time to live of a "
            "sample of these",
        ),
    ),
    "crdt": (
        text("crdt_replid", "the region and its incarnation; dots carry this name"),
        counter("crdt_clock", "", "effects that this region has made, in all of its incarnations"),
        text("crdt_ovc", "effects that this region has applied, by region"),
        counter("crdt_clock_steps", "", "how often the wall clock went back"),
        gauge(
            "crdt_clock_step_ms",
            "milliseconds",
            "how far the wall clock went back the latest time",
        ),
        counter("crdt_merge_reqs", "", "merged snapshots"),
        counter("crdt_effect_reqs", "", "applied effects of other regions"),
        counter("crdt_ovc_filtered_effect_reqs", "", "effects of others that came again"),
        gauge("crdt_backlog_bytes", "bytes", "ops that are kept for peers that were away"),
        gauge("crdt_waiting_bytes", "bytes", "ops that wait for what they depend on"),
        gauge("crdt_gc_pending", "", "keys with metadata that may be forgotten"),
        counter("crdt_gc_attempted", "", "checks of such keys"),
        counter("crdt_gc_collected", "", "forgotten pieces of metadata"),
        text("crdt_gc_gvc_min", "effects that all regions have applied, by region"),
        gauge("crdt_stale", "", "1 while writes are refused after a restart"),
        gauge("crdt_stale_released_with_merge", "", "1 if a full resync ended the refusal"),
        record(
            "crdt_backlog0",
            "the backlog: its limit, its size, its first op and the number of ops",
        ),
        gauge("crdt_peers_behind", "", "connected peers that have much to be sent yet"),
        counter(
            "crdt_writes_slowed_ms",
            "milliseconds",
            "the time for which writes of clients had to wait for such peers",
        ),
        record(
            "crdt_waiting_*",
            "an origin with ops that wait: their number, the time in milliseconds, and the "
            "effects that they wait for",
        ),
        counter(
            "crdt_dropped_effects",
            "",
            "effects that were dropped because no region has what they depend on",
        ),
        record(
            "crdt_peer_*",
            "a connected peer: the state of both directions, lag, round trip, ops behind, "
            "bytes not sent yet, clock skew",
        ),
        counter(
            "crdt_links_refused",
            "",
            "connections whose other end did not prove the secret of the links",
        ),
        gauge(
            "crdt_rivals",
            "",
            "peers that refuse this process since another one runs as the same region; unless it "
            "is 0, clients are refused",
        ),
        counter("crdt_sync_full", "", "links that began with a snapshot"),
        counter("crdt_sync_partial_ok", "", "links that resumed from the backlog"),
        counter(
            "crdt_sync_partial_err",
            "",
            "links that could not resume because the backlog had run out",
        ),
        record(
            "crdt_replica_*",
            "another region: its name, whether it is known, and how many of our effects it lacks",
        ),
        record(
            "crdt_lists_*",
            "a peer whose file lists other regions: those that only its file lists, those that it "
            "does not list, and those that only files of its peers list",
        ),
        gauge(
            "crdt_clock_skew_ms",
            "milliseconds",
            "the greatest difference between the wall clocks of a connected peer and of this "
            "region",
        ),
        counter(
            "crdt_clock_skews",
            "",
            "how often a peer's clock was found to differ by more than 2 s",
        ),
    ),
}
"""The metrics of each section of INFO."""
