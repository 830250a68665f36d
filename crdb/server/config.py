"""CONFIG GET and SET: every parameter of Redis 7.2, and the few that do something here.

These take effect immediately: client-output-buffer-limit, client-query-buffer-limit, maxclients,
maxmemory, proto-max-bulk-len, requirepass, tcp-keepalive (new connections), timeout. `port` and
`bind` show what the runtime has set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from crdb.server.errors import CommandError, one_line, printable
from crdb.server.glob import compile_glob
from crdb.server.session import OUTPUT_UNLIMITED
from crdb.server.settings import (
    InvalidValue,
    Parameter,
    canonical,
    load_parameters,
    parse_output_limits,
)

PARAMETERS: Final[dict[str, Parameter]] = load_parameters()
ALIASES: Final[dict[str, str]] = {p.alias: p.name for p in PARAMETERS.values() if p.alias}
NAMES: Final[dict[str, Parameter]] = {
    name: PARAMETERS[ALIASES.get(name, name)] for name in (*PARAMETERS, *ALIASES)
}
SET_AT_RUNTIME_ONLY: Final = frozenset({"port", "bind"})
"""Redis can move to another port while it runs; here the runtime owns the listeners."""


class Config:
    """The parameters of one instance. Values are text, as clients see them."""

    def __init__(self, overrides: dict[str, str] | None = None) -> None:
        """Start from the defaults. Raises InvalidValue for an override that Redis would refuse."""
        self.values: dict[str, str] = {name: p.default for name, p in PARAMETERS.items()}
        self.on_change: list[Callable[[], None]] = []
        for name, value in (overrides or {}).items():
            self.put(name, value)
        self._refresh()

    def put(self, name: str, value: str) -> None:
        """Set one parameter from inside, immutable ones too. Raises InvalidValue."""
        self.values[name] = canonical(PARAMETERS[name], value, self.values[name])
        self._refresh()

    def get(self, patterns: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Names and values that match, each once and as it was first asked for. A name without a
        star or such matches exactly."""
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
        """All of `pairs` or, with CommandError, none."""
        chosen: dict[str, str] = {}
        for raw, value in pairs:
            given = raw.decode("latin-1").lower()
            parameter = NAMES.get(given)
            if parameter is None:
                name = one_line(printable(raw, len(raw)))
                raise CommandError(
                    b"ERR Unknown option or number of arguments for CONFIG SET - '%b'" % name
                )
            if parameter.immutable or parameter.name in SET_AT_RUNTIME_ONLY:
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
        self.values.update(accepted)
        self._refresh()
        for notify in self.on_change:
            notify()

    def _refresh(self) -> None:
        """Read what takes effect out of the texts."""
        values = self.values
        self.password = values["requirepass"].encode("latin-1")
        self.clients_max = int(values["maxclients"])
        self.idle_seconds_max = int(values["timeout"])
        self.memory_bytes_max = int(values["maxmemory"])
        self.bulk_bytes_max = int(values["proto-max-bulk-len"])
        self.request_bytes_max = int(values["client-query-buffer-limit"])
        self.keepalive_seconds = int(values["tcp-keepalive"])
        hard, soft, seconds = parse_output_limits(values["client-output-buffer-limit"])["normal"]
        self.output_hard_bytes = hard or OUTPUT_UNLIMITED
        self.output_soft_bytes = soft or OUTPUT_UNLIMITED
        self.output_soft_ms = seconds * 1000


def _failed(name: bytes, reason: str) -> CommandError:
    """The refusal of CONFIG SET."""
    return CommandError(
        b"ERR CONFIG SET failed (possibly related to argument '%b') - %b"
        % (one_line(printable(name, len(name))), reason.encode())
    )
