"""PFADD, PFCOUNT and PFMERGE: estimates of the number of different elements.

Redis keeps a HyperLogLog in a string. Here it is a type of its own, which TYPE calls a string too.
GET returns the string that Redis would hold, and SET of such a string makes a HyperLogLog (rules
HLL-5 to HLL-7, D-13). Of the other commands on strings, none accepts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.commands.shared import slicing
from crdb.commands.strings.hyperloglog_strings import read_hyperloglog
from crdb.engine.client import Client
from crdb.engine.errors import WRONG_TYPE, CommandError, one_line, printable
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.structures import hyperloglog_text
from crdt.structures.register_array import REGISTERS, RegisterArray, code_of, greatest_ranks
from crdt.types.base import Value
from crdt.types.hyperloglog import HyperLogLog
from crdt.types.string import String
from crdt.writes import hyperloglog

COMMANDS: Final[CommandFamily] = CommandFamily("hyperloglog", since="2.8.9")

NOT_VALID: Final = b"WRONGTYPE Key is not a valid HyperLogLog string value."
NO_SUCH_KEY: Final = b"ERR The specified key does not exist"
NOT_SPARSE: Final = b"ERR HLL encoding is not sparse"
NO_CONVERSION: Final = (
    b"ERR the encoding follows from the registers; use CONFIG SET hll-sparse-max-bytes 0"
)
KEY_ITEMS: Final = 64  # what a key counts in slices: its registers take about 100 us


def checked(value: Value | None) -> HyperLogLog | None:
    """Return a value if it is a HyperLogLog or None. Raises CommandError for another one."""
    if value is None or isinstance(value, HyperLogLog):
        return value
    raise CommandError(NOT_VALID if isinstance(value, String) else WRONG_TYPE)


# -- adding ----------------------------------------------------------------------------------


@COMMANDS.declare(
    "pfadd",
    "key [element...]",
    "write denyoom fast sliced",
    keys="RW insert",
    summary="Adds elements to a HyperLogLog. Creates it if it is missing.",
    complexity="O(1) for each element.",
)
def pfadd(client: Client, args: list[bytes]) -> None:
    value = checked(client.db.lookup_for_write(args[1]))
    if len(args) > client.slice_items:
        client.hand_over(args, add_elements(client, args))
    else:
        is_changed = hyperloglog.add(client.db, args[1], value, args[2:])
        reply.integer(client.out, int(is_changed))


def add_elements(client: Client, args: list[bytes]) -> Iterator[None]:
    """Add elements, in slices if they are many. Reply whether the estimate may have changed."""
    db, key, items = client.db, args[1], client.slice_items
    is_changed = False
    for start in range(2, max(len(args), 3), items):
        value = checked(db.lookup_for_write(key))
        is_changed |= hyperloglog.add(db, key, value, args[start : start + items])
        if start + items < len(args):
            yield
    reply.integer(client.out, int(is_changed))


@COMMANDS.declare(
    "pfmerge",
    "destkey [sourcekey:key...]",
    "write denyoom sliced",
    keys="RW access insert; RO access",
    summary="Adds all elements of several HyperLogLogs to one.",
    complexity="O(N) for N HyperLogLogs, with high constant times.",
)
def pfmerge(client: Client, args: list[bytes]) -> None:
    """Unite into the destination, which keeps what it holds (rule HLL-2)."""
    values = find_all(client.db, args[1:])
    slicing.run(client, args, KEY_ITEMS * len(values), merge_all(client, args[1], values))


def merge_all(client: Client, key: bytes, values: list[HyperLogLog]) -> Iterator[None]:
    """Unite HyperLogLogs into the one under `key`."""
    united = RegisterArray()
    yield from unite(client, values, united)
    value = checked(client.db.lookup_for_write(key))
    hyperloglog.raise_registers(client.db, key, value, united.list_codes())
    reply.ok(client.out)


# -- counting --------------------------------------------------------------------------------


@COMMANDS.declare(
    "pfcount",
    "key...",
    "readonly sliced",
    keys="RW access: RW, as Redis stores the estimate with the key. Here nothing changes.",
    summary="Estimates the number of different elements in one or several HyperLogLogs.",
    complexity="O(1) for one key. O(N) for N keys, with much higher constant times.",
)
def pfcount(client: Client, args: list[bytes]) -> None:
    if len(args) == 2:
        value = checked(client.db.read(args[1]))
        reply.integer(client.out, 0 if value is None else value.estimate())
        return
    values = [checked(client.db.read(key)) for key in args[1:]]
    held = [value for value in values if value is not None]
    slicing.run(client, args, KEY_ITEMS * len(held), count_all(client, held))


def count_all(client: Client, values: list[HyperLogLog]) -> Iterator[None]:
    """Reply with the estimate for the union of HyperLogLogs."""
    united = RegisterArray()
    yield from unite(client, values, united)
    reply.integer(client.out, united.estimate())


def find_all(db: Keyspace, keys: list[bytes]) -> list[HyperLogLog]:
    """Return the HyperLogLogs under keys. Missing ones are left out."""
    values = [checked(db.lookup_for_write(keys[0])), *[checked(db.read(key)) for key in keys[1:]]]
    return [value for value in values if value is not None]


def unite(client: Client, values: list[HyperLogLog], united: RegisterArray) -> Iterator[None]:
    """Unite the registers of HyperLogLogs, some of them in each slice."""
    ranks = bytes(REGISTERS)
    size = max(1, client.slice_items // KEY_ITEMS)
    for index, value in enumerate(values):
        ranks = greatest_ranks(ranks, value.ranks.ranks())
        if index % size == size - 1:
            yield
    united.set_ranks(ranks)


# -- debugging -------------------------------------------------------------------------------


@COMMANDS.declare(
    "pfdebug",
    "subcommand key",
    "write denyoom admin",
    keys="RW access",
    summary="Shows the registers of a HyperLogLog and their encoding.",
    complexity="N/A",
    is_internal=True,
)
def pfdebug(client: Client, args: list[bytes]) -> None:
    word = args[1].upper()
    value = client.db.lookup(args[2])
    if value is None:
        raise CommandError(NO_SUCH_KEY)
    found = checked(value)
    assert found is not None, "the key exists"
    text = read_hyperloglog(client, found)
    is_dense = text[4] == hyperloglog_text.DENSE
    if word == b"GETREG":
        reply.array(client.out, REGISTERS)
        for rank in found.ranks.ranks():
            reply.integer(client.out, rank)
    elif word == b"ENCODING":
        reply.simple(client.out, b"dense" if is_dense else b"sparse")
    elif word == b"DECODE":
        if is_dense:
            raise CommandError(NOT_SPARSE)
        reply.bulk(client.out, hyperloglog_text.describe_runs(text))
    elif word == b"TODENSE":
        if not is_dense:
            raise CommandError(NO_CONVERSION)
        client.out.append(reply.ZERO)
    else:
        name = one_line(printable(args[1]))
        raise CommandError(b"ERR Unknown PFDEBUG subcommand '%b'" % name)


@COMMANDS.declare(
    "pfselftest",
    "",
    "admin",
    summary="Checks that registers survive both encodings.",
    complexity="N/A",
    is_internal=True,
)
def pfselftest(client: Client, args: list[bytes]) -> None:
    registers = RegisterArray()
    for number in range(100):
        registers.put(code_of(b"%d" % number))
    for limit in (0, hyperloglog_text.SPARSE_BYTES_MAX):
        found = hyperloglog_text.read_text(hyperloglog_text.to_text(registers, limit))
        if found is None or found.ranks() != registers.ranks():
            raise CommandError(b"TESTFAILED the registers are not those that were encoded")
    reply.ok(client.out)
