"""Parameters of CONFIG with values that Redis accepts and values that it refuses.

Each accepted value stands with the form in which CONFIG GET shows it.
"""

from __future__ import annotations

from typing import Final

ACCEPTED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "client-query-buffer-limit": (("1gb", "1073741824"), ("64MB", "67108864")),
    "hash-max-listpack-entries": (("7", "7"), ("512", "512")),
    "hash-max-listpack-value": (("64", "64"), ("1k", "1000"), ("1kb", "1024")),
    "latency-monitor-threshold": (("0", "0"), ("250", "250")),
    "latency-tracking": (("yes", "yes"), ("NO", "no")),
    "latency-tracking-info-percentiles": (("50 99 99.9", "50 99 99.9"), ("1.50", "1.5"), ("", "")),
    "lazyfree-lazy-expire": (("YES", "yes"), ("no", "no")),
    "list-max-listpack-size": (("-2", "-2"), ("128", "128")),
    "maxclients": (("500", "500"), ("10000", "10000")),
    "maxmemory": (("0", "0"), ("1gb", "1073741824"), ("2g", "2000000000")),
    "proto-max-bulk-len": (("512mb", "536870912"), ("2mb", "2097152")),
    "set-max-intset-entries": (("512", "512"), ("8", "8")),
    "set-max-listpack-value": (("64", "64"), ("32", "32")),
    "slowlog-log-slower-than": (("10000", "10000"), ("-1", "-1")),
    "slowlog-max-len": (("128", "128"), ("5", "5")),
    "tcp-keepalive": (("300", "300"), ("60", "60")),
    "timeout": (("0", "0"), ("900", "900")),
    "zset-max-listpack-entries": (("128", "128"), ("16", "16")),
    "zset-max-listpack-value": (("64", "64"), ("32b", "32")),
}
REFUSED: Final[tuple[tuple[str, str], ...]] = (
    *(("maxclients", "0"), ("maxclients", "many"), ("timeout", "-1"), ("timeout", "1.5")),
    *(("maxmemory", "1tb"), ("latency-tracking", "maybe"), ("slowlog-log-slower-than", "-2")),
    *(("slowlog-max-len", ""), ("latency-tracking-info-percentiles", "101")),
    *(("client-query-buffer-limit", "10"), ("proto-max-bulk-len", "1k"), ("no-such", "1")),
    *(("databases", "4"), ("hash-max-listpack-entries", "x"), ("appendonly", "yes")),
    ("client-output-buffer-limit", "normal 0 0"),
)
"""Parameters that do not exist or cannot be set, and values that are not valid."""
SHOWN_BY_INFO: Final = {"maxclients": "clients", "maxmemory": "memory"}
"""The parameters that INFO shows as they are in force, with the section of each."""
