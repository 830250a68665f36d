"""The functions that scripts call: `redis.call`, `redis.pcall` and the rest of the host.

A command in a script passes the checks of Redis' `scriptCall`, in its order. Then it runs as any
other command does. A short reply is passed to Lua as it is. Any other is passed encoded, and Lua
makes tables of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from crdb.commands.connection.transaction import run_nested
from crdb.commands.scripting.script_client import ScriptClient
from crdb.engine.clients.crash_guard import contain_crash
from crdb.engine.command import DENY_STALE, MAY_REPLICATE, NO_SCRIPT, WRITE, Command
from crdb.engine.events.script_events import ScriptLogEvent
from crdb.engine.execution.dispatch import handle
from crdb.engine.instance import REDIS_VERSION, Instance
from crdb.engine.metrics.memory import DENY_OOM
from crdb.engine.scripting.lua_state import LARGE_BYTES, NO_MEMORY, LuaState, sha1_hex
from crdb.engine.scripting.scripting import ScriptRun
from crdb.engine.session import RESTRICTED
from crdb.resp.numbers import format_double

NO_ARGUMENTS: Final = b"Please specify at least one argument for this redis lib call"
WRONG_ARGUMENTS: Final = b"Lua redis lib command arguments must be strings or integers"
UNKNOWN: Final = b"-ERR Unknown Redis command called from script"
WRONG_ARITY: Final = b"-ERR Wrong number of args calling Redis command from script"
NOT_ALLOWED: Final = b"-ERR This Redis command is not allowed from script"
STALE: Final = b"-ERR Can not execute the command on a stale replica"
READ_ONLY: Final = b"-ERR Write commands are not allowed from read-only scripts."
TOO_LARGE: Final = b"-ERR not enough memory"
INVALID: Final = b"Invalid command passed to redis.acl_check_cmd()"
LEVELS: Final = ("debug", "verbose", "notice", "warning")
NOTICE: Final = 2
HASHED_BYTES: Final = 1 << 18
"""The part of a text that is hashed at a time."""
DOLLAR: Final = 36
COLON: Final = 58
DASH: Final = 45
NULLS: Final = frozenset({b"$-1\r\n", b"*-1\r\n"})


class Calls:
    """The host of the scripts of one instance."""

    __slots__ = ("_args", "_command", "_ended", "client", "instance", "state")

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.client = ScriptClient(instance)
        self._args: list[bytes] = []
        self._command: Command | None = None
        self._ended = 0.0
        """The time at which the latest command ended, by the clock that times commands."""
        self.state = LuaState(self, REDIS_VERSION, instance.scripting.memory_bytes)

    # -- redis.call ------------------------------------------------------------------------

    def call(self, *args: object) -> object:
        """Run a command. Raises an error into the script if it is refused, or if it fails."""
        self.check_end()
        request = self.request_of(args)
        if request is None:
            self.state.refuse(WRONG_ARGUMENTS if args else NO_ARGUMENTS, False)
        error = self.execute(request)
        if error is not None:
            self.state.refuse(error, True)
        out = self.client.out
        if out[0][0] == DASH:
            text = b"".join(out)[:-2]
            out.clear()
            self.state.refuse(text, True)
        return self.take_reply()

    def call_protected(self, *args: object) -> object:
        """Run a command. Return a table for an error."""
        self.check_end()
        request = self.request_of(args)
        if request is None:
            return self.state.error_table(WRONG_ARGUMENTS if args else NO_ARGUMENTS, False)
        error = self.execute(request)
        if error is not None:
            return self.state.error_table(error, True)
        return self.take_reply()

    def check_end(self) -> None:
        """End the script if it must end, or if there is hardly any memory to pass a reply."""
        run = self.instance.scripting.run
        if run is not None and run.end_text is not None:
            self.state.end_now(run.end_text)
        if self.state.is_full():
            self.state.end_now(NO_MEMORY)

    def request_of(self, args: tuple[object, ...]) -> list[bytes] | None:
        """Return the arguments of a command as bytes; None if there is none, or another type."""
        request: list[bytes] = []
        for each in args:
            if isinstance(each, bytes):
                request.append(each)
            elif isinstance(each, bool):
                return None
            elif isinstance(each, int):
                request.append(b"%d" % each)
            elif isinstance(each, float):
                request.append(format_double(each))
            else:
                return None
        return request or None

    def execute(self, request: list[bytes]) -> bytes | None:
        """Run a command whose reply goes to `client.out`. Return the error if it is refused."""
        instance = self.instance
        command = instance.commands.by_name.get(request[0])
        if command is None or command.subcommands:
            command = instance.commands.find(request)
        error = self.refusal(command, request)
        if error is not None:
            instance.statistics.count_error(error[1:])
            if command is not None:
                instance.statistics.rejected[command.number] += 1
            return error
        assert command is not None
        self._command = command
        self._args = request
        contain_crash(self.client, instance.report, self._run)
        instance.scripting.pause_if_late(self._ended)
        return None

    def refusal(self, command: Command | None, request: list[bytes]) -> bytes | None:
        """Return the error of a command that may not run, or None. Note that the script writes."""
        if command is None:
            return UNKNOWN
        if not command.takes(len(request)):
            return WRONG_ARITY
        run = self.instance.scripting.run
        assert run is not None, "only a script calls commands"
        bits = command.bits
        if bits & NO_SCRIPT:
            return NOT_ALLOWED
        refused = self.instance.refused_bits
        if refused and refused & bits & DENY_STALE:
            return STALE
        if run.session.flags & RESTRICTED:
            denied = self.instance.access.refuse_in_script(run.session, command, request)
            if denied is not None:
                return b"-" + denied
        if run.is_read_only and bits & (WRITE | MAY_REPLICATE):
            return READ_ONLY
        if not bits & WRITE or run.has_written:
            return None
        error = self.write_refusal(run, bits)
        run.has_written = error is None
        return error

    def write_refusal(self, run: ScriptRun, bits: int) -> bytes | None:
        """Return the error of the first command that writes, or None. Later ones are not refused,
        since the script would end in the middle (rule LUA-4)."""
        instance = self.instance
        error = instance.refuse_writes or instance.journal_error
        if error is None and bits & DENY_OOM and not run.allows_oom:
            error = run.oom_error
        return None if error is None else b"-" + error

    def _run(self) -> bool:
        """Run the command, and count it. Return True, for `contain_crash`."""
        instance, client = self.instance, self.client
        command, args = self._command, self._args
        assert command is not None
        clock = instance.timing.clock
        began = clock()
        handle(client, command, args)
        self._ended = clock()
        took = self._ended - began
        steps = client.nested
        if steps is not None:
            client.nested = None
            self.run_steps(command, steps)
        instance.statistics.count_calls(command.number, 1, took)
        run = instance.scripting.run
        if run is not None and run.session.tracking is not None:
            instance.tracking.remember(run.session, command, args)
        if instance.monitors.sessions:
            instance.monitors.feed(client, command.flags, args)
        return True

    def run_steps(self, command: Command, steps: Iterator[None]) -> None:
        """Run a command that has more to do. The script is paused after each slice."""
        for _ in run_nested(self.client, command, steps):
            self.instance.scripting.pause()

    def take_reply(self) -> object:
        """Return the reply of the command to Lua."""
        out = self.client.out
        first = out[0]
        if len(out) == 3 and first[0] == DOLLAR:
            text = out[1]
            out.clear()
            if len(text) > LARGE_BYTES and not self.state.has_room(len(text)):
                self.state.refuse(TOO_LARGE, False)
            return text
        if len(out) == 1:
            out.clear()
            if first[0] == COLON:
                return int(first[1:-2])
            return False if first in NULLS else self.state.parse(first)
        text = b"".join(out)
        out.clear()
        if len(text) > LARGE_BYTES and not self.state.has_room(len(text)):
            self.state.refuse(TOO_LARGE, False)
        return self.state.parse(text)

    # -- the rest of the host --------------------------------------------------------------

    def check_command(self, *args: object) -> object:
        """Return whether the client of the script may run a command, and the text of an error."""
        request = self.request_of(args)
        if request is None:
            return False, WRONG_ARGUMENTS if args else NO_ARGUMENTS
        command = self.instance.commands.find(request)
        if command is None:
            return False, INVALID
        run = self.instance.scripting.run
        assert run is not None
        return self.instance.access.deny(run.session, command, request) is None

    def tick(self, part: float = 1.0) -> bytes | bool:
        """Pause the script if it is time. Return the error with which it must end, or else whether
        much time has passed since the last look at the clock."""
        return self.instance.scripting.tick(part)

    def sha1_hex(self, text: bytes) -> bytes:
        """Return the SHA-1 digest of a text in hexadecimal digits. Pause the script if it is time
        after each part of a long one."""
        if len(text) <= HASHED_BYTES:
            return sha1_hex(text)
        digest = hashlib.sha1(usedforsecurity=False)
        for start in range(0, len(text), HASHED_BYTES):
            digest.update(memoryview(text)[start : start + HASHED_BYTES])
            self.instance.scripting.tick()
            self.check_end()
        return digest.hexdigest().encode()

    def log(self, level: int, text: bytes) -> None:
        """Report a line of a script, unless it is too detailed."""
        if level >= NOTICE:
            shown = text.decode("utf-8", "replace")
            self.instance.report(ScriptLogEvent(level=LEVELS[int(level)], text=shown))

    def clock(self) -> float:
        """Return the processor time in seconds."""
        return self.instance.timing.cpu_clock()

    def protocols(self) -> tuple[int, int]:
        """Return the protocol of the client, and the one that the script has chosen."""
        run = self.instance.scripting.run
        assert run is not None
        return run.session.protocol, self.client.protocol

    def set_protocol(self, version: int) -> None:
        """Choose the protocol of the replies that the script gets."""
        self.client.protocol = int(version)
