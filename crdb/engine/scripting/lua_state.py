"""A Lua interpreter with the environment of scripts.

The interpreter is Lua 5.1, which is what Redis has, through lupa. All strings are bytes. Scripts
reach nothing of Python: no function of lupa is left in the interpreter, and the few functions of
the host that they can call take and return strings, numbers and booleans. The environment itself is
written in Lua (`lua/sandbox.lua`).

**Memory** is limited. Lua handles a failed allocation by a jump out of the C code that has asked
for it. That must not be the code of lupa, whose locks and references would be lost. So a script is
ended when it has left less than a reserve (`on_count` in the sandbox), and large strings are passed
to Lua only if there is room for them (`has_room`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol, cast

from lupa.lua51 import LuaError, LuaMemoryError, LuaRuntime

from crdb.engine.errors import CommandError
from crdb.engine.scripting import numbers_for_lua, structs
from crdb.engine.scripting.lua_sources import LIBRARIES, PARTS, source_of
from crdb.resp.numbers import format_double

Results = Any
"""The result of a function of Lua: a value, or a tuple of values."""

MEMORY_BYTES_MAX: Final = 256 << 20
"""The bytes that all scripts of an instance may use together. The largest strings that Redis takes
would need more, but a script that builds such values would stall the region for a second."""
RESERVE_BYTES: Final = 4 << 20
"""The memory that is left when a script is ended."""
GARBAGE_SHARE: Final = 4
"""Scripts begin without a collection of garbage if less than this part of it is in use."""
LARGE_BYTES: Final = 64 << 10
"""A smaller string fits into the reserve, so nobody asks for room."""
HOOK_INSTRUCTIONS: Final = 10_000
"""The instructions of Lua between two looks at the clock: about 0.1 ms."""
MATCHED_STEPS_MAX: Final = 10_000_000
"""The steps that the matcher of Lua may take for a pattern: some ten milliseconds. If it may take
more, a slower matcher does it, which can be paused."""
PACKED_MIN: Final = 100
"""So many arguments of a script are passed as one string, as the stack of Lua is limited."""
DEPTH_MAX: Final = 7995
"""The deepest nesting of a reply of Redis, whose stack of Lua has 8,000 places."""
FIXED: Final[dict[bytes, object]] = {
    b"struct_size": structs.size,
    b"hook_instructions": HOOK_INSTRUCTIONS,
    b"matched_steps_max": MATCHED_STEPS_MAX,
    b"depth_max": DEPTH_MAX,
}
"""The part of the host that is the same for all instances."""
NO_MEMORY: Final = b"not enough memory"
COMPILE_FAILED: Final = b"ERR Error compiling script (new function): %b"
BITS: Final[dict[str, Callable[..., object]]] = {
    "tobit": numbers_for_lua.tobit,
    "bnot": numbers_for_lua.bnot,
    "bswap": numbers_for_lua.bswap,
    "lshift": numbers_for_lua.lshift,
    "rshift": numbers_for_lua.rshift,
    "arshift": numbers_for_lua.arshift,
    "rol": numbers_for_lua.rol,
    "ror": numbers_for_lua.ror,
    "band": numbers_for_lua.band,
    "bor": numbers_for_lua.bor,
    "bxor": numbers_for_lua.bxor,
    "tohex": numbers_for_lua.tohex,
}


class HostError(Exception):
    """Raised into Lua. The error itself waits there (`LuaState.refuse`). It is one object, so that
    it keeps no traceback."""


HOST_ERROR: Final = HostError("a command was refused")


class Host(Protocol):
    """The functions that scripts call."""

    def call(self, *args: object) -> object:
        """Run a command; raise `LuaState.refuse` for an error."""
        ...

    def call_protected(self, *args: object) -> object:
        """Run a command; return errors."""
        ...

    def check_command(self, *args: object) -> object:
        """Return whether the client may run a command, and the text of an error."""
        ...

    def tick(self, part: float = 1.0) -> bytes | bool:
        """Pause if it is time. Return the text of an error if the script must end, or else whether
        much time has passed since the last look at the clock."""
        ...

    def sha1_hex(self, text: bytes) -> bytes:
        """Return the SHA-1 digest of a text in hexadecimal digits."""
        ...

    def log(self, level: int, text: bytes) -> None:
        """Report a line."""
        ...

    def clock(self) -> float:
        """Return the processor time in seconds."""
        ...

    def protocols(self) -> tuple[int, int]:
        """Return the protocol of the client, and that of the script."""
        ...

    def set_protocol(self, version: int) -> None:
        """Set the protocol of the script, 2 or 3."""
        ...


class LuaState:
    """The interpreter of one instance. `version` is that of Redis. Scripts may use `memory_bytes`
    together."""

    def __init__(self, host: Host, version: str, memory_bytes: int = MEMORY_BYTES_MAX) -> None:
        self.memory_bytes = memory_bytes
        self.runtime = LuaRuntime(
            encoding=None,
            attribute_filter=refuse_attribute,
            register_eval=False,
            register_builtins=False,
            unpack_returned_tuples=True,
            max_memory=memory_bytes,
        )
        table = self.runtime.table_from
        functions: dict[bytes, object] = {
            b"call": host.call,
            b"call_protected": host.call_protected,
            b"check_command": host.check_command,
            b"tick": host.tick,
            b"log": host.log,
            b"clock": host.clock,
            b"protocols": host.protocols,
            b"set_protocol": host.set_protocol,
            b"sha1hex": host.sha1_hex,
            b"find_text": find_text,
            b"format_double": encode_double,
            b"pack_float": numbers_for_lua.pack_float,
            b"unpack_float": numbers_for_lua.unpack_float,
            b"pack_int64": numbers_for_lua.pack_int64,
            b"unpack_int64": numbers_for_lua.unpack_int64,
            b"struct_pack": self.pack_struct,
            b"struct_unpack": self.unpack_struct,
            b"version": version.encode(),
            b"version_number": version_number(version),
            b"memory_kb": (memory_bytes - RESERVE_BYTES) >> 10,
            **FIXED,
        }
        functions.update((b"bit_" + name.encode(), call) for name, call in BITS.items())
        exports = self._part("sandbox")(table(functions), table(self._libraries()))
        self._compile: Callable[[bytes], Results] = exports[b"compile"]
        self._load: Callable[..., Results] = exports[b"load"]
        self._collect: Callable[[], None] = exports[b"collect"]
        self._make_error: Callable[[bytes, bool], Any] = exports[b"make_error"]
        self._set_pending: Callable[[Any], None] = exports[b"set_pending"]
        self._parse: Callable[[bytes], Any] = exports[b"parse"]
        self._run_eval: Callable[..., Results] = exports[b"eval"]
        self._run_eval_packed: Callable[..., Results] = exports[b"eval_packed"]
        self._run_fcall: Callable[..., Results] = exports[b"fcall"]
        self._run_fcall_packed: Callable[..., Results] = exports[b"fcall_packed"]
        self._hurry: Callable[[], None] = exports[b"hurry"]
        self._end_now: Callable[[bytes], None] = exports[b"end_now"]
        self.is_stretched = False
        """True if a script that ends has got more memory."""

    def _libraries(self) -> dict[bytes, object]:
        """Return the parts that the sandbox gets."""
        return {name.encode(): self._part(name) for name in PARTS}

    def _part(self, name: str) -> Callable[..., Any]:
        """Return a part of the environment as a function."""
        place = b"=crdb_library" if name in LIBRARIES else b"=crdb"
        return self.runtime.compile(source_of(name), place)

    # -- memory ----------------------------------------------------------------------------

    def used_bytes(self) -> int:
        """Return the memory that the interpreter uses."""
        return self.runtime.get_memory_used(total=True)

    def has_room(self, size: int) -> bool:
        """Return whether a string of this size can be passed to Lua."""
        return self.runtime.get_memory_used() + size < self.memory_bytes - RESERVE_BYTES // 2

    def make_room(self, size: int) -> bool:
        """Return whether there is room for strings of this size. Collect the garbage of earlier
        scripts if it may be much. No script may run."""
        if self.runtime.get_memory_used() + size < self.memory_bytes // GARBAGE_SHARE:
            return True
        self.runtime.set_max_memory(0)
        self._collect()
        self.runtime.set_max_memory(self.memory_bytes)
        return self.has_room(size)

    # -- code ------------------------------------------------------------------------------

    def compile(self, code: bytes) -> Any:
        """Return a script as a function. Raises CommandError if it is not valid."""
        compiled = self._guarded(self._compile, len(code), code)
        if isinstance(compiled, tuple):
            _, message = cast("tuple[None, bytes]", compiled)
            raise CommandError(COMPILE_FAILED % message)
        return compiled

    def load_library(self, code: bytes, register: Callable[..., bytes | None]) -> bytes | None:
        """Run the code of a library, which calls `register` for each function. Return an error."""
        error: bytes | None = self._guarded(self._load, len(code), code, register)
        return error

    def _guarded(self, function: Callable[..., Results], size: int, *args: object) -> Results:
        """Call a function of the environment. Raises CommandError if there is no memory for it."""
        if not self.make_room(4 * size):
            raise CommandError(b"ERR " + NO_MEMORY)
        try:
            return function(*args)
        except LuaMemoryError:
            raise CommandError(b"ERR " + NO_MEMORY) from None

    # -- run -------------------------------------------------------------------------------

    def run(self, function: Any, count: int, args: list[bytes], is_eval: bool) -> Results:
        """Run a script or a function with `count` keys and other arguments. Return a string, a
        number, a boolean or None; or a tuple: None and the encoded reply, or False, the text of an
        error, whether it was counted, and its place if it was raised."""
        if len(args) < PACKED_MIN:
            run = self._run_eval if is_eval else self._run_fcall
            is_packed = False
        else:
            run = self._run_eval_packed if is_eval else self._run_fcall_packed
            is_packed = True
        size = 0
        for each in args:
            size += len(each)
        if not self.make_room(2 * size):
            return False, NO_MEMORY
        if size > LARGE_BYTES:
            self._hurry()
        try:
            if is_packed:
                sizes = b" ".join(b"%d" % len(each) for each in args)
                return run(function, count, sizes, b"".join(args))
            return run(function, count, *args)
        except LuaMemoryError:
            return False, NO_MEMORY
        except LuaError as fault:
            return False, str(fault).encode("latin-1")
        finally:
            if self.is_stretched:
                self.is_stretched = False
                self.runtime.set_max_memory(self.memory_bytes)

    def parse(self, encoded: bytes) -> Any:
        """Return an encoded reply as a value of Lua. A script has called the host."""
        try:
            return self._parse(encoded)
        except LuaError:
            self.end_now(NO_MEMORY)

    def pack_struct(self, *args: Any) -> structs.Result:
        """Return what the library `struct` packs, if there is room for it."""
        return self._if_room(structs.pack(*args))

    def unpack_struct(self, *args: Any) -> structs.Result:
        """Return what the library `struct` unpacks, if there is room for it."""
        return self._if_room(structs.unpack(*args))

    def _if_room(self, results: structs.Result) -> structs.Result:
        """Return results for Lua, or an error if there is no room for them."""
        size = sum(len(each) for each in results if isinstance(each, bytes))
        if size > LARGE_BYTES and not self.has_room(size):
            return (NO_MEMORY,)
        return results

    def error_table(self, text: bytes, is_counted: bool) -> Any:
        """Return the table of an error that a command has replied."""
        return self._make_error(text, is_counted)

    def is_full(self) -> bool:
        """Return whether hardly any memory is left."""
        return self.runtime.get_memory_used() > self.memory_bytes - RESERVE_BYTES

    def end_now(self, text: bytes) -> NoReturn:
        """End the script that has called the host at its next instruction. It gets a little more
        memory for that."""
        self.is_stretched = True
        self.runtime.set_max_memory(self.memory_bytes + RESERVE_BYTES)
        self._end_now(text)
        self.refuse(text, False)

    def refuse(self, text: bytes, is_counted: bool) -> NoReturn:
        """Raise an error into the script that has called the host."""
        self._set_pending(self._make_error(text, is_counted))
        raise HOST_ERROR.with_traceback(None)


def refuse_attribute(_thing: object, _name: object, _is_set: bool) -> object:
    """Let no script see an attribute of an object of Python."""
    raise AttributeError("not accessible")


def version_number(version: str) -> int:
    """Return a version as REDIS_VERSION_NUM has it: a byte for each of its parts."""
    major, minor, patch = (int(part) for part in version.split("."))
    return (major << 16) | (minor << 8) | patch


def find_text(text: bytes, wanted: bytes) -> int | None:
    """Return the index at which a text contains another one, from 1 on; None if it does not. Takes
    linear time, also for texts that repeat themselves."""
    return text.find(wanted) + 1 or None


def sha1_hex(text: bytes) -> bytes:
    """Return the SHA-1 digest in hexadecimal digits, the name of a script."""
    return hashlib.sha1(text, usedforsecurity=False).hexdigest().encode()


def encode_double(value: float | bytes, protocol: int) -> bytes:
    """Return the reply of a double. It may be given as text."""
    text = format_double(float(value))
    return b"$%d\r\n%b\r\n" % (len(text), text) if protocol == 2 else b",%b\r\n" % text
