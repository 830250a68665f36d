"""A client of an instance, as a command's handler sees it.

A handler is a plain function. It reads and writes through `client.db`, appends its reply to
`client.out`, and raises CommandError to refuse:

    def incr(client: Client, args: list[bytes]) -> None:
        db = client.db
        value = db.lookup_for_write(args[1])
        if value is not None and not isinstance(value, String):
            raise CommandError(WRONG_TYPE)
        reply.integer(client.out, string.increment(db, args[1], 1))

* `args` are the request's strings, `args[0]` the name as the client spelled it. The executor has
  checked the arity. Do not change the list or keep it.
* `client.db.now` is the wall clock in ms; it stands still during a batch of requests. Blocking
  uses `client.instance.now`, a monotonic clock.
* `client.protocol` is 2 or 3; pass it to those functions of `reply` that ask for it.
* Check types with `lookup` (reads) or `lookup_for_write` (writes) before the first write.
* Use `crdb.engine.arguments` to read numbers and options.
* Randomness comes from `client.instance.random`.

A blocking command tries first. If it cannot be served, it passes a function that tries again:

    def blpop(client: Client, args: list[bytes]) -> None:
        deadline = arguments.timeout(args[-1], client.instance.now)
        keys = args[1:-1]
        if not pop_first(client, keys):
            client.block(keys, deadline, lambda: pop_first(client, keys), List)

`pop_first` appends the reply and returns True, or does nothing and returns False.

A command that may take long has the flag `sliced`, and passes a generator where it would:

    def smembers(client: Client, args: list[bytes]) -> None:
        value = read_typed(client.db, args[1], Set)
        if value is not None and value.size() > client.slice_items:
            client.hand_over(args, send_members(client, value))
            return
        ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from crdb.engine.clients.blocking import Waiter
from crdb.engine.instance import Instance
from crdb.engine.session import Session
from crdb.resp import reply
from crdt.types.base import Value


class Client(Session):
    """A session bound to an instance. It is registered there until `leave` is called."""

    __slots__ = ("db", "instance")

    def __init__(
        self, instance: Instance, address: bytes = b"", local_address: bytes = b""
    ) -> None:
        super().__init__(instance.next_client_id(), address, local_address, instance.now)
        self.instance = instance
        self.db = instance.keyspace
        instance.join(self)

    @property
    def can_block(self) -> bool:
        """False inside EXEC, where a blocking command that cannot be served replies null."""
        return not self.in_exec

    def block(
        self,
        keys: list[bytes],
        deadline: int | None,
        retry: Callable[[], bool],
        kind: type[Value] = Value,
        *,
        needs_value: bool = True,
    ) -> None:
        """Wait until one of `keys` changes, here or by replication, and `retry` returns True.

        `retry` then has appended the reply. It is called when a key holds a value of type `kind`.
        It tries all keys, and skips those of other types without an error. Unless it `needs_value`,
        it is also called when a key is deleted, and may raise CommandError. At `deadline` (ms; None
        is never) the reply is a null array. Inside EXEC nothing blocks, and the reply is a null
        array immediately.
        """
        if self.in_exec:
            reply.null_array(self.out, self.protocol)
            return
        time_out = partial(reply.null_array, self.out, self.protocol)
        waiter = Waiter(self, deadline, retry, time_out, keys)
        waiter.kind = kind
        waiter.needs_value = needs_value
        self.instance.blocked.add(waiter)

    def hand_over(self, args: list[bytes], steps: Iterator[None]) -> None:
        """Carry out a command in slices. `steps` does the work and appends the reply. It yields
        after about `slice_items` items, each time that it has more to do.

        The handler must not have written or appended anything. It is called again if the command
        must wait. The command must have the flag `sliced`.
        """
        if self.in_exec or self.instance.slices.is_running:
            self.nested = steps
        else:
            self.instance.slices.begin(self, args, steps)

    def wait_for(self, args: list[bytes], steps: Iterator[None]) -> None:
        """Call the handler again when `steps`, which prepares what it needs, has ended. The handler
        must not have written or appended anything."""
        if self.in_exec or self.instance.slices.is_running:
            self.nested = self._prepare_and_run(args, steps)
        else:
            self.instance.slices.prepare(self, args, steps)

    def _prepare_and_run(self, args: list[bytes], steps: Iterator[None]) -> Iterator[None]:
        """Prepare what a command needs, and run it."""
        for _ in steps:
            yield
        self.instance.commands.require(args).handler(self, args)
        nested, self.nested = self.nested, None
        if nested is not None:
            for _ in nested:
                yield

    @property
    def slice_items(self) -> int:
        """The number of items that a command may visit before it yields."""
        return self.instance.slice_items

    def leave(self) -> None:
        """Remove this client from the instance: its connection is closed."""
        self.instance.forget(self)
