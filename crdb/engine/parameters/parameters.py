"""The parameters of Redis 7.2, for CONFIG GET and SET.

Each parameter is one line: its name, its default, and its bounds or choices. These marks may follow
the name:

* `=` and the parameter's name in older versions
* `!` for a parameter that cannot be set while the server runs
* `!!` for a protected parameter
* `?` for a parameter that patterns do not match

`parameter_effects` gives the effect of each parameter.

Defaults differ from those of Redis where the default of Redis would not be true here. There is one
database. A client with 1 GiB of unread replies is disconnected. (Redis has no limit unless one is
set.) The limits of a string and of a request, 512 MiB and 1 GiB, can only be lowered, because links
carry no larger ops. By default Redis disables huge pages, writes a crash log, sets a process title,
starts a background thread of its allocator and adapts the frequency of its periodic tasks. crdb
does none of these.
"""

from __future__ import annotations

from typing import Final

BOUNDS: Final[dict[str, int]] = {
    "INT_MIN": -(1 << 31),
    "INT_MAX": (1 << 31) - 1,
    "UINT_MAX": (1 << 32) - 1,
    "LONG_MAX": (1 << 63) - 1,
    "ULONG_MAX": (1 << 64) - 1,
}
UNSIGNED: Final = """
maxclients unixsocketperm socket-mark-id maxmemory cluster-link-sendbuf-limit
hash-max-listpack-entries hash-max-listpack-value set-max-intset-entries set-max-listpack-entries
set-max-listpack-value zset-max-listpack-entries zset-max-listpack-value
active-defrag-ignore-bytes stream-node-max-bytes hll-sparse-max-bytes tracking-table-max-keys
client-query-buffer-limit
"""
"""Numbers that are unsigned in Redis, so a negative number becomes a very large one."""
SEVERAL: Final = frozenset({"shutdown-on-sigint", "shutdown-on-sigterm"})
"""Parameters with several choices at a time, as words in one argument."""

BOOL: Final = """
activedefrag no
activerehashing yes
always-show-logo! no
aof-disable-auto-gc? no
aof-load-truncated yes
aof-rewrite-incremental-fsync yes
aof-timestamp-enabled no
aof-use-rdb-preamble yes
appendonly no
cluster-allow-pubsubshard-when-down yes
cluster-allow-reads-when-down no
cluster-allow-replica-migration yes
cluster-enabled! no
cluster-replica-no-failover=cluster-slave-no-failover no
cluster-require-full-coverage yes
crash-log-enabled no
crash-memcheck-enabled no
daemonize! no
disable-thp! no
dynamic-hz no
io-threads-do-reads! no
jemalloc-bg-thread no
latency-tracking yes
lazyfree-lazy-eviction no
lazyfree-lazy-expire no
lazyfree-lazy-server-del no
lazyfree-lazy-user-del no
lazyfree-lazy-user-flush no
no-appendfsync-on-rewrite no
protected-mode yes
rdb-del-sync-files no
rdb-save-incremental-fsync yes
rdbchecksum! yes
rdbcompression yes
repl-disable-tcp-nodelay no
repl-diskless-sync yes
replica-announced yes
replica-ignore-disk-write-errors no
replica-ignore-maxmemory=slave-ignore-maxmemory yes
replica-lazy-flush=slave-lazy-flush no
replica-read-only=slave-read-only yes
replica-serve-stale-data=slave-serve-stale-data yes
set-proc-title! no
stop-writes-on-bgsave-error yes
syslog-enabled! no
tls-cluster no
tls-prefer-server-ciphers no
tls-replication no
tls-session-caching yes
use-exit-on-panic? no
"""
INTEGER: Final = """
acllog-max-len 128 0 LONG_MAX
active-defrag-cycle-max 25 1 99
active-defrag-cycle-min 1 1 99
active-defrag-max-scan-fields 1000 1 LONG_MAX
active-defrag-threshold-lower 10 0 1000
active-defrag-threshold-upper 100 0 1000
active-expire-effort 1 1 10
auto-aof-rewrite-percentage 100 0 INT_MAX
busy-reply-threshold=lua-time-limit 5000 0 LONG_MAX
cluster-announce-bus-port 0 0 65535
cluster-announce-port 0 0 65535
cluster-announce-tls-port 0 0 65535
cluster-migration-barrier 1 0 INT_MAX
cluster-node-timeout 15000 0 LONG_MAX
cluster-ping-interval? 0 0 LONG_MAX
cluster-port! 0 0 65535
cluster-replica-validity-factor=cluster-slave-validity-factor 10 0 INT_MAX
crdt-replication-oom-threshold-percent 5 0 20
databases! 1 1 INT_MAX
hash-max-listpack-entries=hash-max-ziplist-entries 512 0 LONG_MAX
hz 10 0 INT_MAX
io-threads! 1 1 128
key-load-delay? 0 INT_MIN INT_MAX
latency-monitor-threshold 0 0 LONG_MAX
lfu-decay-time 1 0 INT_MAX
lfu-log-factor 10 0 INT_MAX
list-compress-depth 0 0 INT_MAX
list-max-listpack-size=list-max-ziplist-size -2 INT_MIN INT_MAX
loading-process-events-interval-bytes? 2097152 1024 INT_MAX
maxclients 10000 1 UINT_MAX
maxmemory-eviction-tenacity 10 0 100
maxmemory-samples 5 1 INT_MAX
min-replicas-max-lag=min-slaves-max-lag 10 0 INT_MAX
min-replicas-to-write=min-slaves-to-write 0 0 INT_MAX
port 6379 0 65535
rdb-key-save-delay? 0 INT_MIN INT_MAX
repl-backlog-ttl 3600 0 LONG_MAX
repl-diskless-sync-delay 5 0 INT_MAX
repl-diskless-sync-max-replicas 0 0 INT_MAX
repl-ping-replica-period=repl-ping-slave-period 10 1 INT_MAX
repl-timeout 60 1 INT_MAX
replica-announce-port=slave-announce-port 0 0 65535
replica-priority=slave-priority 100 0 INT_MAX
set-max-intset-entries 512 0 LONG_MAX
set-max-listpack-entries 128 0 LONG_MAX
set-max-listpack-value 64 0 LONG_MAX
shutdown-timeout 10 0 INT_MAX
slowlog-log-slower-than 10000 -1 LONG_MAX
slowlog-max-len 128 0 LONG_MAX
socket-mark-id! 0 0 UINT_MAX
stream-node-max-entries 100 0 LONG_MAX
tcp-backlog! 511 0 INT_MAX
tcp-keepalive 300 0 INT_MAX
timeout 0 0 INT_MAX
tls-port 0 0 65535
tls-session-cache-size 20480 0 INT_MAX
tls-session-cache-timeout 300 0 INT_MAX
tracking-table-max-keys 1000000 0 LONG_MAX
watchdog-period? 0 0 INT_MAX
zset-max-listpack-entries=zset-max-ziplist-entries 128 0 LONG_MAX
"""
MEMORY: Final = """
active-defrag-ignore-bytes 104857600 1 LONG_MAX
auto-aof-rewrite-min-size 67108864 0 LONG_MAX
client-query-buffer-limit 1073741824 1048576 1073741824
cluster-link-sendbuf-limit 0 0 ULONG_MAX
hash-max-listpack-value=hash-max-ziplist-value 64 0 LONG_MAX
hll-sparse-max-bytes 3000 0 LONG_MAX
maxmemory 0 0 ULONG_MAX
proto-max-bulk-len 536870912 1048576 536870912
repl-backlog-size 1048576 1 LONG_MAX
stream-node-max-bytes 4096 0 LONG_MAX
zset-max-listpack-value=zset-max-ziplist-value 64 0 LONG_MAX
"""
PERCENT: Final = """
maxmemory-clients 0 -100 LONG_MAX
"""
OCTAL: Final = """
unixsocketperm! 0 0 511
"""
CHOICE: Final = """
acl-pubsub-default resetchannels allchannels resetchannels
appendfsync everysec everysec always no
crdt-xadd-id-uniqueness-mode strict strict semi-strict liberal
cluster-preferred-endpoint-type ip ip hostname unknown-endpoint
enable-debug-command! no no yes local
enable-module-command! no no yes local
enable-protected-configs! no no yes local
loglevel notice debug verbose notice warning nothing
maxmemory-policy noeviction volatile-lru volatile-lfu volatile-random volatile-ttl allkeys-lru \
  allkeys-lfu allkeys-random noeviction
oom-score-adj no no yes relative absolute
propagation-error-behavior ignore ignore panic panic-on-replicas
repl-diskless-load disabled disabled on-empty-db swapdb
sanitize-dump-payload no no yes clients
shutdown-on-sigint default default save nosave now force
shutdown-on-sigterm default default save nosave now force
supervised! no upstart systemd auto no
syslog-facility! local0 user local0 local1 local2 local3 local4 local5 local6 local7
tls-auth-clients yes no yes optional
"""
TEXT: Final = """
aclfile!
aof_rewrite_cpulist!
appenddirname! appendonlydir
appendfilename! appendonly.aof
bgsave_cpulist!
bind-source-addr
bio_cpulist!
cluster-announce-hostname
cluster-announce-human-nodename
cluster-announce-ip
cluster-config-file! nodes.conf
dbfilename!! dump.rdb
ignore-warnings
locale-collate
logfile!
masterauth
masteruser
pidfile!
proc-title-template {title} {listen-addr} {server-mode}
replica-announce-ip=slave-announce-ip
requirepass
server_cpulist!
syslog-ident! redis
tls-ca-cert-dir
tls-ca-cert-file
tls-cert-file
tls-ciphers
tls-ciphersuites
tls-client-cert-file
tls-client-key-file
tls-client-key-file-pass
tls-dh-params-file
tls-key-file
tls-key-file-pass
tls-protocols
unixsocket!
"""
SPECIAL: Final = """
bind * -::*
client-output-buffer-limit normal 1073741824 0 0 slave 268435456 67108864 60 \
  pubsub 33554432 8388608 60
dir!! .
latency-tracking-info-percentiles 50 99 99.9
notify-keyspace-events
oom-score-adj-values 0 200 800
replicaof=slaveof!
save
"""
