"""The meanings of the fields of INFO, for `docs/info.md`. A test asserts that no field lacks one.

A name may end with a star for fields that come once for each command, peer or error. Fields with
the same meaning share a line.
"""

from __future__ import annotations

from typing import Final

_TEXT: str = """
# server
redis_version: the version of Redis whose behaviour clients meet here
crdb_version: the version of crdb, for reports about bugs
redis_git_sha1 redis_git_dirty: always 0; see `crdb_version`
redis_mode: always `standalone`
os arch_bits multiplexing_api executable process_id: the system and the process
process_supervised: always `no`
io_threads_active: always 0; one thread serves all clients
run_id: a random name of this run
tcp_port: the port for clients
server_time_usec: the wall clock in microseconds since 1970
uptime_in_seconds uptime_in_days: how long the region has run
hz configured_hz: how often a region looks after idle and slow clients, a second; fixed
config_file: empty; parameters of CONFIG SET are in no file
region: the name of the region
# clients
connected_clients: open connections of clients
cluster_connections: always 0
maxclients: how many there may be
client_recent_max_input_buffer client_recent_max_output_buffer: the largest buffers now, in bytes
blocked_clients: clients that wait in a blocking command
tracking_clients: always 0; there is no client-side caching
clients_in_timeout_table: blocked clients with a timeout
total_blocking_keys: keys that clients wait for
total_blocking_keys_on_nokey: always 0
# memory
used_memory used_memory_human: what this region uses. A region that has its process to itself uses \
what the process holds (that is what `maxmemory` limits). Regions that share a process each use \
their own data, backlog and clients, and an equal part of the rest
used_memory_rss used_memory_rss_human: what the process holds, measured
used_memory_peak used_memory_peak_human used_memory_peak_perc: the most that the process has held, \
and how much of that it holds now
used_memory_dataset used_memory_dataset_perc: the keys with their values, estimated from the \
sixteen oldest and the sixteen newest of them
used_memory_overhead: `used_memory` without `used_memory_dataset`
used_memory_startup: what the process held before there were data; regions that share a process \
have an equal part of it each
total_system_memory total_system_memory_human: the memory of the machine
maxmemory maxmemory_human maxmemory_policy: the limit of the process; there is no eviction
mem_fragmentation_ratio mem_fragmentation_bytes: `used_memory_rss` compared with \
`used_memory_startup` and the data, backlogs and clients of all regions of the process; Python \
keeps the difference for later
mem_replication_backlog mem_total_replication_buffers: ops that are kept for peers that were away
mem_clients_normal: connections with their buffers
mem_clients_slaves mem_aof_buffer mem_cluster_links mem_not_counted_for_evict: always 0
used_memory_vm_eval used_memory_scripts_eval used_memory_vm_functions used_memory_vm_total \
used_memory_functions used_memory_lua used_memory_scripts number_of_cached_scripts \
number_of_functions number_of_libraries: always 0; there are no scripts
mem_allocator: always `python`
active_defrag_running lazyfree_pending_objects lazyfreed_objects: always 0
# persistence
loading async_loading: 1 while the region refuses reads since it has not caught up after a restart
rdb_changes_since_last_save: effects made by this region since it began; nothing is ever saved
rdb_last_save_time rdb_saves rdb_bgsave_in_progress rdb_last_cow_size aof_enabled \
aof_rewrite_in_progress aof_rewrite_scheduled aof_last_cow_size current_cow_peak current_cow_size \
current_cow_size_age current_save_keys_processed current_save_keys_total \
rdb_last_load_keys_expired rdb_last_load_keys_loaded aof_rewrites \
aof_rewrites_consecutive_failures module_fork_in_progress \
module_fork_last_cow_size: always 0: data live in memory only
rdb_last_bgsave_status aof_last_bgrewrite_status aof_last_write_status: always `ok`; nothing failed
rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec aof_last_rewrite_time_sec \
aof_current_rewrite_time_sec: always -1
# stats
total_connections_received rejected_connections: connections taken, and refused for `maxclients`
total_commands_processed instantaneous_ops_per_sec: requests, and how many a second
total_net_input_bytes total_net_output_bytes instantaneous_input_kbps instantaneous_output_kbps: \
bytes from and to clients, and rates
keyspace_hits keyspace_misses: keys that commands which read looked for and found, or did not
expired_keys: keys that this region deleted since their time was over
evicted_keys: always 0; there is no eviction of keys
evicted_clients: clients that were closed to free the memory of their buffers
sync_full sync_partial_ok sync_partial_err: as `crdt_sync_full` and so on
total_error_replies unexpected_error_replies: error replies; the second is always 0
client_query_buffer_limit_disconnections client_output_buffer_limit_disconnections: clients that \
were closed since they sent too long a request, or did not read their replies
acl_access_denied_auth: logins with a wrong password
watching_clients total_watched_keys: clients with WATCH, and their keys
pubsub_channels pubsub_patterns pubsubshard_channels latest_fork_usec total_forks \
migrate_cached_sockets slave_expires_tracked_keys tracking_total_keys tracking_total_items \
tracking_total_prefixes total_eviction_exceeded_time current_eviction_exceeded_time \
active_defrag_hits active_defrag_misses active_defrag_key_hits active_defrag_key_misses \
total_active_defrag_time current_active_defrag_time acl_access_denied_cmd acl_access_denied_key \
acl_access_denied_channel dump_payload_sanitizations io_threaded_reads_processed \
io_threaded_writes_processed: always 0: there is nothing of the kind
# replication
role: `master`, or `slave` while the instance follows another
connected_slaves slave*: instances that follow this one (Replica Of)
master_failover_state: always `no-failover`
master_replid master_replid2 second_repl_offset: the region and its incarnation as 40 digits; \
there is no second one
master_repl_offset: effects that this region has applied
repl_backlog_active repl_backlog_size repl_backlog_histlen: the backlog in bytes
# cpu
used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children: seconds of the process
# commandstats
cmdstat_*: calls of a command, their time in microseconds, refused and failed calls. Short \
commands of one pipeline share its time equally
# errorstats
errorstat_*: error replies by their first word
# latencystats
latency_percentiles_usec_*: percentiles of the time of a command, exact to one eighth
# cluster
cluster_enabled: always 0
# keyspace
db0: keys, keys that end some day, and the mean time that some of these have left
# crdt
crdt_replid: the region and its incarnation; dots carry this name
crdt_clock: effects that this region has made, in all of its lives
crdt_ovc: effects that this region has applied, by region
crdt_merge_reqs crdt_effect_reqs: snapshots merged, and effects of others applied
crdt_ovc_filtered_effect_reqs: effects of others that came again
crdt_backlog_bytes crdt_backlog0: ops that are kept for peers that were away
crdt_waiting_bytes: ops that wait for what they depend on
crdt_waiting_* crdt_dropped_effects: what waits, how long and for what; effects that were given up \
since nobody has what they depend on
crdt_gc_pending crdt_gc_attempted crdt_gc_collected: keys with something to forget, looks at them, \
and what was forgotten
crdt_gc_gvc_min: effects that all regions have applied, by region
crdt_stale crdt_stale_released_with_merge: 1 while writes are refused after a restart; whether a \
full sync ended that
crdt_clock_steps crdt_clock_step_ms: how often the wall clock went back, and how far the latest time
crdt_peer_*: a peer that is connected: state of both directions, lag, round trip, ops behind
crdt_links_refused: connections whose other end did not prove the secret of our links
crdt_sync_full crdt_sync_partial_ok crdt_sync_partial_err: links that began with a snapshot, that \
resumed from the backlog, and that could not since it had run out
crdt_replica_*: another region: whether it is known to be there, and how many of our effects it \
lacks
"""


def _parsed() -> dict[str, list[tuple[list[str], str]]]:
    """Return for each section the names of fields and their meaning, line by line."""
    sections: dict[str, list[tuple[list[str], str]]] = {}
    section = ""
    for line in _TEXT.strip().splitlines():
        if line.startswith("# "):
            section = line[2:]
            sections[section] = []
        else:
            names, _, meaning = line.partition(": ")
            sections[section].append((names.split(), meaning))
    return sections


INFO_FIELDS: Final = _parsed()
"""For each section the names of fields and what they mean."""


def meaning_of(section: str, field: str) -> str | None:
    """Return what a field means, or None if nothing is known of it."""
    for names, meaning in INFO_FIELDS.get(section, []):
        for name in names:
            if field == name or (name.endswith("*") and field.startswith(name[:-1])):
                return meaning
    return None
