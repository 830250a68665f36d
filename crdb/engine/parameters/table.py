"""CONFIG GET and SET: every parameter of Redis 7.2, with its effect here.

A new value takes effect immediately (that of `tcp-keepalive` for new connections). CONFIG SET
refuses to change a parameter that has an effect in Redis and none here, and reports the reason.
`parameter_effects` lists the effects and the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from crdb.engine.errors import CommandError, one_line, printable
from crdb.engine.eviction.policy import EvictionOptions, EvictionPolicy
from crdb.engine.glob import compile_glob
from crdb.engine.parameters.encodings import DEFAULT_LIMITS
from crdb.engine.parameters.parameter_effects import REFUSED
from crdb.engine.parameters.settings import (
    InvalidValue,
    Parameter,
    canonical,
    load_parameters,
    parse_output_limits,
)
from crdb.engine.session import OUTPUT_UNLIMITED
from crdt.writes.stream import IdMode

PARAMETERS: Final[dict[str, Parameter]] = load_parameters()
ALIASES: Final[dict[str, str]] = {p.alias: p.name for p in PARAMETERS.values() if p.alias}
NAMES: Final[dict[str, Parameter]] = {
    name: PARAMETERS[ALIASES.get(name, name)] for name in (*PARAMETERS, *ALIASES)
}
FEW_FILES: Final = (
    "The operating system is not able to handle the specified number of clients, try with %d"
)


@attrs.define
class OutputLimit:
    """A limit of the output buffers of a class of clients: a client above the hard limit is closed
    immediately, one that is above the soft limit for too long is closed as well."""

    hard_bytes: int
    soft_bytes: int
    soft_ms: int

    @staticmethod
    def of(hard: int, soft: int, seconds: int) -> OutputLimit:
        """Return a limit from the numbers of CONFIG, where 0 bytes stand for no limit."""
        return OutputLimit(hard or OUTPUT_UNLIMITED, soft or OUTPUT_UNLIMITED, seconds * 1000)


class ParameterTable:
    """The parameters of one instance.

    Values are stored as clients see them. Each character represents one byte. Text from the
    configuration is encoded as UTF-8.
    """

    def __init__(self, overrides: dict[str, str] | None = None) -> None:
        """Start from the defaults. Raises InvalidValue for an override that Redis would refuse."""
        self.values: dict[str, str] = {name: p.default for name, p in PARAMETERS.items()}
        self.on_change: list[Callable[[], None]] = []
        self.events = ""
        """The classes of keyspace events, as letters."""
        self.clients_possible: int | None = None
        """The number of clients that the process can serve. None means any number."""
        for name, value in (overrides or {}).items():
            self.put(name, value)
        self._refresh()

    def put(self, name: str, value: str) -> None:
        """Set a parameter on behalf of the server. It may be immutable. Raises InvalidValue."""
        kept = value.encode("utf-8", "surrogateescape").decode("latin-1")
        self.values[name] = canonical(PARAMETERS[name], kept, self.values[name])
        self._keep_events({name: kept})
        self._refresh()

    def get(self, patterns: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Return names and values that match `patterns`.

        Each name occurs once, in the spelling of the first pattern that matches it. A pattern
        without `*`, `?` or `[` matches one name exactly, except for its case.
        """
        found: dict[str, tuple[str, str]] = {}
        for raw in patterns:
            pattern = raw.decode("latin-1")
            if not re.search(r"[\[*?]", pattern):
                parameter = NAMES.get(pattern.lower())
                if parameter is not None:
                    found.setdefault(pattern.lower(), (pattern, self.values[parameter.name]))
                continue
            glob = compile_glob(raw, ignore_case=True)
            for name, parameter in NAMES.items():
                if not parameter.hidden and glob.fullmatch(name.encode()):
                    found.setdefault(name, (name, self.values[parameter.name]))
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in found.values()]

    def set(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        """Set all `pairs`. If one of them is refused, set none and raise CommandError."""
        chosen: dict[str, str] = {}
        for raw, value in pairs:
            given = raw.decode("latin-1").lower()
            parameter = NAMES.get(given)
            if parameter is None:
                name = one_line(printable(raw, len(raw)))
                raise CommandError(
                    b"ERR Unknown option or number of arguments for CONFIG SET - '%b'" % name
                )
            if parameter.immutable:
                raise _failed(raw, "can't set immutable config")
            if parameter.protected:
                raise _failed(raw, "can't set protected config")
            if given in chosen:
                raise _failed(raw, "duplicate parameter")
            chosen[given] = value.decode("latin-1")
        accepted: dict[str, str] = {}
        for given, value in chosen.items():
            name = NAMES[given].name
            try:
                accepted[name] = canonical(PARAMETERS[name], value, self.values[name])
            except InvalidValue as reason:
                raise _failed(given.encode(), str(reason)) from None
            if name in REFUSED and accepted[name] != self.values[name]:
                refusal = f"'{given}' is not supported by crdb: {REFUSED[name]}"
                raise _failed(given.encode(), refusal)
            if name == "maxclients" and self._lacks_files(int(accepted[name])):
                raise _failed(given.encode(), FEW_FILES % self.clients_possible)
        self.values.update(accepted)
        self._keep_events({NAMES[given].name: value for given, value in chosen.items()})
        self._refresh()
        for notify in self.on_change:
            notify()

    def _keep_events(self, given: dict[str, str]) -> None:
        """Keep the classes of keyspace events as they were given. As in Redis, CONFIG GET shows no
        `n` next to `A`, but it has its effect."""
        self.events = given.get("notify-keyspace-events", self.events)

    def _lacks_files(self, clients: int) -> bool:
        """Return whether the process cannot open enough files for this number of clients."""
        return self.clients_possible is not None and clients > self.clients_possible

    def _refresh(self) -> None:
        """Parse the values that have an effect."""
        values = self.values
        self.password = values["requirepass"].encode("latin-1")
        self.opens_channels = values["acl-pubsub-default"] == "allchannels"
        self.acl_log_length_max = int(values["acllog-max-len"])
        self.clients_max = int(values["maxclients"])
        self.busy_reply_ms = int(values["busy-reply-threshold"])
        self.idle_seconds_max = int(values["timeout"])
        self.is_protected = values["protected-mode"] == "yes"
        self.memory_bytes_max = int(values["maxmemory"])
        self.reserve_percent = int(values["crdt-replication-oom-threshold-percent"])
        self.bulk_bytes_max = int(values["proto-max-bulk-len"])
        self.request_bytes_max = int(values["client-query-buffer-limit"])
        self.slower_than_us = int(values["slowlog-log-slower-than"])
        self.slow_log_length_max = int(values["slowlog-max-len"])
        self.latency_threshold_ms = int(values["latency-monitor-threshold"])
        self.percentiles = [
            (text, float(text)) for text in values["latency-tracking-info-percentiles"].split()
        ]
        self.tracks_latency = values["latency-tracking"] == "yes"
        self.encoding_limits = {name: int(values[name]) for name in DEFAULT_LIMITS}
        self.tracked_keys_max = int(values["tracking-table-max-keys"])
        self.eviction_options = EvictionOptions(
            EvictionPolicy.of(values["maxmemory-policy"]),
            int(values["maxmemory-samples"]),
            int(values["lfu-log-factor"]),
            int(values["lfu-decay-time"]),
        )
        self.stream_ids = IdMode(values["crdt-xadd-id-uniqueness-mode"])
        self.stream_node_entries = int(values["stream-node-max-entries"])
        self.keepalive_seconds = int(values["tcp-keepalive"])
        self.serves_stale = values["replica-serve-stale-data"] == "yes"
        limits = parse_output_limits(values["client-output-buffer-limit"])
        self.output_limit = OutputLimit.of(*limits["normal"])
        self.subscriber_limit = OutputLimit.of(*limits["pubsub"])


def _failed(name: bytes, reason: str) -> CommandError:
    """Return the error with which CONFIG SET refuses a value."""
    return CommandError(
        b"ERR CONFIG SET failed (possibly related to argument '%b') - %b"
        % (one_line(printable(name, len(name))), reason.encode())
    )
