"""Receive an operation in parts.

The effects are read, checked and sorted by key as the parts come. When the last part is there, the
operation is accepted like any other one, in a step whose length does not depend on its size.
"""

from __future__ import annotations

from typing import Final

from crdt.causality.op import Op
from crdt.causality.op_reader import OpReader
from crdt.embed.exchange import Outcome, ReplicaExchange
from crdt.errors import DecodeError
from crdt.store.steps import count_items
from crdt.store.unsettled import ITEMS_MAX, STEPS_MAX, DroppedEffects, StagedEffects

HELP_STEPS: Final = STEPS_MAX // 2
"""The number of waiting steps from which each part does as much of the work that is left as it
brings. So operations do not come faster than they are carried out."""
NO_MEMORY: Final = "an op needs more memory than there is"


class ArrivingOp:
    """An operation of which some parts have come."""

    def __init__(self, replica: ReplicaExchange) -> None:
        self.replica = replica
        self.reader = OpReader()
        self.staged: StagedEffects | None = None
        self.checked: int = 0
        """The number of effects that were checked."""
        self.items: int = 0
        """The number of items in them. An effect may add a thousand members."""

    def feed(self, data: bytes) -> None:
        """Take the next part. Raises DecodeError if there is not enough memory."""
        try:
            self.read_part(data)
        except MemoryError as error:
            raise DecodeError(NO_MEMORY) from error

    def read_part(self, data: bytes) -> None:
        """Read, check and sort the effects that end in `data`."""
        reader, db = self.reader, self.replica.keyspace
        reader.feed(data)
        effects = reader.effects[self.checked :]
        if effects:
            try:
                db.types.check_effects(tuple(effects))
            except DecodeError:  # `accept` raises it
                reader.give_up()
                self.staged = None
            else:
                self.checked += len(effects)
                self.items += sum([count_items(effect) for effect in effects])
                self.stage(reader)
        self.help(len(effects))

    def help(self, count: int) -> None:
        """Carry out about `count` effects if many steps wait."""
        db = self.replica.keyspace
        while count > 0 and len(db.unsettled.steps) >= HELP_STEPS:
            self.replica.work()
            count -= max(1, db.slice_keys)

    def stage(self, reader: OpReader) -> None:
        """Sort the new effects by key, if the operation will be carried out in slices."""
        db = self.replica.keyspace
        is_short = reader.count <= db.slice_effects and self.items <= ITEMS_MAX
        if not db.slice_keys or is_short:
            return
        if self.staged is None:
            origin, first, _, base = reader.head[1:5]
            self.staged = StagedEffects(origin, first, base)
        self.staged.add(reader.effects[self.staged.count :])

    def finish(self) -> Outcome:
        """Accept the operation, all of which has come. Raises what `accept` raises."""
        op = self.read()
        outcome = self.replica.accept(op)
        if outcome in (Outcome.DUPLICATE, Outcome.REFUSED):
            self.drop()
        return outcome

    def drop(self) -> None:
        """Give the operation up. What has come is freed in slices."""
        dropped = DroppedEffects(self.reader.effects, self.staged)
        self.replica.keyspace.discard(dropped)

    def read(self) -> Op:
        """Return the operation. Raises DecodeError."""
        reader = self.reader
        try:
            op = reader.finish()
        except MemoryError as error:
            raise DecodeError(NO_MEMORY) from error
        if reader.is_readable:
            op.is_checked = True
            op.staged = self.staged
        return op
