"""The effect of each parameter of Redis in crdb.

Each parameter that Redis allows to be set while the server runs is in exactly one of three tables:

* A parameter in `EFFECTIVE` does the same as in Redis, or as in Redis Enterprise if its name begins
  with `crdt-`.
* A parameter in `UNOBSERVABLE` is accepted and has no effect. Clients cannot see the difference.
* CONFIG SET refuses to change a parameter in `REFUSED`.

Parameters that Redis does not allow to be set are refused with the error of Redis.
"""

from __future__ import annotations

from typing import Final

EFFECTIVE: Final[dict[str, str]] = {
    "acl-pubsub-default": "tests/crdb/commands/security/test_acl.py",
    "acllog-max-len": "tests/crdb/commands/security/test_acl.py",
    "busy-reply-threshold": "tests/crdb/commands/scripting/test_running.py",
    "client-output-buffer-limit": "tests/crdb/engine/execution/test_executor.py",
    "client-query-buffer-limit": "tests/crdb/engine/execution/test_executor.py",
    "crdt-replication-oom-threshold-percent": "tests/crdb/engine/metrics/test_reserve.py",
    "crdt-xadd-id-uniqueness-mode": "tests/crdb/commands/streams/test_entries.py",
    "hash-max-listpack-entries": "tests/crdb/engine/parameters/test_encodings.py",
    "hash-max-listpack-value": "tests/crdb/engine/parameters/test_encodings.py",
    "hll-sparse-max-bytes": "tests/crdb/commands/hyperloglog/test_hyperloglog.py",
    "latency-monitor-threshold": "tests/crdb/commands/server/test_latency.py",
    "latency-tracking": "tests/crdb/commands/server/test_latency.py",
    "latency-tracking-info-percentiles": "tests/crdb/commands/server/test_latency.py",
    "lfu-decay-time": "tests/crdb/engine/eviction/test_eviction.py",
    "lfu-log-factor": "tests/crdb/engine/eviction/test_eviction.py",
    "list-max-listpack-size": "tests/crdb/engine/parameters/test_encodings.py",
    "maxclients": "tests/crdb/net/test_acceptor.py",
    "maxmemory": "tests/crdb/engine/metrics/test_memory.py",
    "maxmemory-policy": "tests/crdb/engine/eviction/test_eviction.py",
    "maxmemory-samples": "tests/crdb/engine/eviction/test_eviction.py",
    "notify-keyspace-events": "tests/crdb/engine/pubsub/test_key_events.py",
    "proto-max-bulk-len": "tests/crdb/engine/execution/test_executor.py",
    "protected-mode": "tests/crdb/net/test_client_admission.py",
    "replica-serve-stale-data": "tests/crdb/region/core/test_staleness.py",
    "requirepass": "tests/crdb/commands/connection/test_connection.py",
    "set-max-intset-entries": "tests/crdb/engine/parameters/test_encodings.py",
    "set-max-listpack-entries": "tests/crdb/engine/parameters/test_encodings.py",
    "set-max-listpack-value": "tests/crdb/engine/parameters/test_encodings.py",
    "slowlog-log-slower-than": "tests/crdb/commands/server/test_slowlog.py",
    "slowlog-max-len": "tests/crdb/commands/server/test_slowlog.py",
    "stream-node-max-entries": "tests/crdb/commands/streams/test_trimming.py",
    "tcp-keepalive": "tests/crdb/net/test_connection.py",
    "timeout": "tests/crdb/engine/test_instance.py",
    "tracking-table-max-keys": "tests/crdb/engine/tracking/test_tracking.py",
    "zset-max-listpack-entries": "tests/crdb/engine/parameters/test_encodings.py",
    "zset-max-listpack-value": "tests/crdb/engine/parameters/test_encodings.py",
}
"""Parameters that have the same effect as in Redis, each with the file that tests it."""

LAZY: Final = "clients cannot see which thread frees memory"
NO_HASH_TABLES: Final = "it only concerns when Redis resizes its hash tables"

UNOBSERVABLE: Final[dict[str, str]] = {
    "activerehashing": NO_HASH_TABLES,
    "ignore-warnings": "it only concerns warnings that Redis prints when it starts",
    "lazyfree-lazy-eviction": LAZY,
    "lazyfree-lazy-expire": LAZY,
    "lazyfree-lazy-server-del": LAZY,
    "lazyfree-lazy-user-del": LAZY,
    "lazyfree-lazy-user-flush": LAZY,
    "list-compress-depth": "clients cannot see how lists are stored in memory",
    "replica-lazy-flush": LAZY,
    "stream-node-max-bytes": "clients cannot see how streams are stored in memory",
}
"""Parameters that are accepted without any effect, each with the reason. Clients cannot see the
difference."""

NO_FILES: Final = "data lives in memory only"
NO_CLUSTER: Final = "there is no cluster mode"
NO_DEFRAGMENTATION: Final = "there is no defragmentation"
NO_TLS: Final = "TLS is not built yet"
NO_CLIENT_EVICTION: Final = (
    "clients with large buffers are closed only when memory is full, as maxmemory says"
)
PACE: Final = "the pace of eviction follows from how much memory is used"
NO_OS: Final = "crdb does not change its process settings in the operating system"
LINKS: Final = (
    "regions are linked by crdb's own protocol; see the [link] table of the regions' file"
)
LOG: Final = "events go to standard output; see docs/events.md"
FILE: Final = "the regions' file sets it, and peers must know it"

_REFUSED_BY_REASON: Final[dict[str, str]] = {
    NO_FILES: "aof-disable-auto-gc aof-load-truncated aof-rewrite-incremental-fsync "
    "aof-timestamp-enabled aof-use-rdb-preamble appendfsync appendonly auto-aof-rewrite-min-size "
    "auto-aof-rewrite-percentage key-load-delay loading-process-events-interval-bytes "
    "no-appendfsync-on-rewrite rdb-del-sync-files rdb-key-save-delay rdb-save-incremental-fsync "
    "rdbcompression sanitize-dump-payload save stop-writes-on-bgsave-error",
    NO_CLUSTER: "cluster-allow-pubsubshard-when-down cluster-allow-reads-when-down "
    "cluster-allow-replica-migration cluster-announce-bus-port cluster-announce-hostname "
    "cluster-announce-human-nodename cluster-announce-ip cluster-announce-port "
    "cluster-announce-tls-port cluster-link-sendbuf-limit cluster-migration-barrier "
    "cluster-node-timeout cluster-ping-interval cluster-preferred-endpoint-type "
    "cluster-replica-no-failover cluster-replica-validity-factor cluster-require-full-coverage",
    NO_DEFRAGMENTATION: "active-defrag-cycle-max active-defrag-cycle-min "
    "active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower "
    "active-defrag-threshold-upper activedefrag jemalloc-bg-thread",
    NO_TLS: "tls-auth-clients tls-ca-cert-dir tls-ca-cert-file tls-cert-file tls-ciphers "
    "tls-ciphersuites tls-client-cert-file tls-client-key-file tls-client-key-file-pass "
    "tls-cluster tls-dh-params-file tls-key-file tls-key-file-pass tls-port "
    "tls-prefer-server-ciphers tls-protocols tls-replication tls-session-cache-size "
    "tls-session-cache-timeout tls-session-caching",
    NO_CLIENT_EVICTION: "maxmemory-clients",
    PACE: "maxmemory-eviction-tenacity",
    NO_OS: "crash-log-enabled crash-memcheck-enabled oom-score-adj oom-score-adj-values "
    "proc-title-template use-exit-on-panic watchdog-period",
    LINKS: "bind-source-addr min-replicas-max-lag min-replicas-to-write "
    "propagation-error-behavior repl-backlog-size repl-backlog-ttl repl-disable-tcp-nodelay "
    "repl-diskless-load repl-diskless-sync repl-diskless-sync-delay "
    "repl-diskless-sync-max-replicas repl-ping-replica-period repl-timeout replica-announce-ip "
    "replica-announce-port replica-announced replica-ignore-disk-write-errors "
    "replica-ignore-maxmemory replica-priority",
    "a follower authenticates with the secret of its file, not a password": "masterauth masteruser",
    LOG: "loglevel",
    FILE: "bind port",
    "a follower never accepts writes; REPLICAOF NO ONE ends following": "replica-read-only",
    "the frequency of a region's periodic tasks is fixed": "active-expire-effort dynamic-hz hz",
    "members are sorted by their bytes": "locale-collate",
    "a signal always stops a region cleanly and immediately": "shutdown-on-sigint "
    "shutdown-on-sigterm shutdown-timeout",
}

REFUSED: Final[dict[str, str]] = {
    name: reason for reason, names in _REFUSED_BY_REASON.items() for name in names.split()
}
"""Parameters that cannot be changed, each with the reason. Setting one to its present value is no
error."""
