"""The families of replicated types, behind one common interface.

The families differ in the messages between replicas. The methods of a class, or the argument
`sends`, determine its family:

* "effect": `apply(effect)` applies a change at every replica, including the origin. The origin
  creates the effect with `prepare(*command)`, or with a method that has the name of the command.
  Without either, the effect is the command itself. Creating an effect must not change the replica.
* "update": a method with the name of the command changes the replica at the origin. It returns the
  message that the other replicas `apply`. Documents of other libraries work in this way
  (`crdt.testing.Foreign`).
* "state": methods change the replica, and `merge(other)` merges the state of another replica.
* "delta": methods return a part of the state. `merge` merges this part like a whole state.

Methods may change a replica in place or return the new replica. `__init__` may have a parameter for
the number of the replica, and a parameter `clock`, a function that returns milliseconds.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import attrs

from crdt.testing.readings import VALUE, Reading, difference, kept, query_name, worded
from crdt.testing.subject import Disagreement, Mistake
from crdt.testing.user_types.foreign import Foreign
from crdt.testing.user_types.options import (
    CheckOptions,
    Command,
    Refused,
    has_parameter,
    required_count,
)

NOTHING: Final = object()  # the message of a command that sends none

Clock = Callable[[], int]


@attrs.frozen
class Performed:
    """The outcome of a command at its origin: the replica, its result and the message to send."""

    replica: Any
    result: Any = None
    message: Any = NOTHING
    refused: bool = False


class Family(Protocol):
    """The common interface to a type under test."""

    name: str
    exports: bool
    """True if another replica can absorb a whole state."""
    merges: bool
    """True if states can be merged, so that the laws of merging apply."""

    def new(self, region: int, clock: Clock) -> Any:
        """Return a new replica."""
        ...

    def perform(self, replica: Any, command: Command) -> Performed:
        """Execute a command at its origin."""
        ...

    def receive(self, replica: Any, message: Any) -> Any:
        """Apply a message from another replica. Return the replica."""
        ...

    def group(self, first: Any, second: Any) -> Any:
        """Join two messages into one. Return NOTHING if they cannot be joined."""
        ...

    def export(self, replica: Any) -> Any:
        """Return the whole state in the form in which it is sent."""
        ...

    def absorb(self, replica: Any, state: Any) -> Any:
        """Merge or load a whole state. Return the replica."""
        ...

    def read(self, replica: Any) -> Reading:
        """Return the answers to all queries."""
        ...


def copied(thing: Any, what: str) -> Any:
    """Return a deep copy, like a message after transmission. Raises ValueError if it fails."""
    try:
        return copy.deepcopy(thing)
    except (TypeError, RecursionError) as error:
        advice = "Keep plain data in it, or give the class `state()` and `load(state)`."
        raise Mistake(f"{what} cannot be copied ({error}). {advice}") from error


def make_replica(make: Callable[..., Any], region: int, clock: Clock) -> Any:
    """Call a class with the arguments that it accepts: a number, a clock, both or none."""
    given: dict[str, Any] = {"clock": clock} if has_parameter(make, "clock") else {}
    is_numbered = required_count(make, "clock") > 0 or has_parameter(make, "replica")
    return make(region, **given) if is_numbered else make(**given)


class ClassFamily:
    """The family of a class, whose methods may be replaced by functions in the options."""

    def __init__(
        self,
        make: Callable[..., Any],
        sends: str,
        queries: Sequence[Command],
        options: CheckOptions,
    ) -> None:
        self.make: Callable[..., Any] = make
        self.sends: str = sends
        self.queries: Sequence[Command] = queries
        self.name: str = getattr(make, "__name__", "value")
        self.mutators: Mapping[str, Callable[..., Any]] = options.get("mutators", {})
        self.merge_states: Callable[[Any, Any], Any] | None = options.get("merge")
        self.read_value: Callable[[Any], Any] | None = options.get("value")
        self.refuses: tuple[type[Exception], ...] = (Refused, *options.get("refuses", ()))
        trial = self.new(1, lambda: 0)
        self.loads: bool = hasattr(trial, "state") and hasattr(trial, "load")
        self.merges: bool = self.merge_states is not None or hasattr(trial, "merge")
        self.exports: bool = self.merges or self.loads

    def new(self, region: int, clock: Clock) -> Any:
        """Return a new replica."""
        return make_replica(self.make, region, clock)

    def perform(self, replica: Any, command: Command) -> Performed:
        """Execute a command at its origin."""
        try:
            return PERFORM[self.sends](self, replica, command)
        except self.refuses as error:
            return Performed(replica, error, refused=True)

    def mutator(self, replica: Any, name: Any) -> Callable[..., Any] | None:
        """Return the function that executes commands of this name, or None."""
        if name in self.mutators:
            return lambda *given: self.mutators[name](replica, *given)
        return getattr(replica, name, None) if isinstance(name, str) else None

    def mutate(self, replica: Any, command: Command) -> Any:
        """Call the mutator of a command. Return its result."""
        mutator = self.mutator(replica, command[0])
        assert mutator is not None
        return mutator(*command[1:])

    def perform_effect(self, replica: Any, command: Command) -> Performed:
        """Prepare an effect and apply a copy of it, like every other replica."""
        effect = self.prepare(replica, command)
        if effect is None:
            return Performed(replica, refused=True)
        replica, result = following(replica, replica.apply(copied(effect, "An effect")))
        return Performed(replica, result, copied(effect, "An effect"))

    def prepare(self, replica: Any, command: Command) -> Any:
        """Return the effect of a command. Raises Disagreement if this changes the replica."""
        maker, given = getattr(replica, "prepare", None), command
        if maker is None:
            maker, given = self.mutator(replica, command[0]), command[1:]
        if maker is None:
            return command
        before = self.read(replica)
        effect = maker(*given)
        after = self.read(replica)
        if (name := difference(before, after)) is not None:
            change = f"{worded(name, before[name])} into {worded(name, after[name])}"
            message = (
                f"making the effect of {command} turned {change}. "
                f"Only return the effect there, or pass sends='update'."
            )
            raise Disagreement("only `apply` changes a replica", message)
        return effect

    def perform_update(self, replica: Any, command: Command) -> Performed:
        """Change the replica. The message is the result of the mutator."""
        update = self.mutate(replica, command)
        if update is None:
            return Performed(replica, refused=True)
        return Performed(replica, None, copied(update, "What travels"))

    def perform_state(self, replica: Any, command: Command) -> Performed:
        """Change the replica. The message is its state."""
        before = self.read(replica)
        replica, result = following(replica, self.mutate(replica, command))
        if result is False and difference(before, self.read(replica)) is None:
            return Performed(replica, result, refused=True)
        return Performed(replica, result, self.export(replica))

    def perform_delta(self, replica: Any, command: Command) -> Performed:
        """Create a delta and merge it. The message is the delta.

        If the mutator also changes the replica, the delta must have the same effect. Otherwise
        Disagreement is raised.
        """
        before, past = self.restored(self.export(replica)), self.read(replica)
        delta = self.mutate(replica, command)
        if delta is None or delta is False:
            return Performed(replica, delta, refused=True)
        now = self.read(replica)
        if difference(past, now) is not None:
            whole = self.read(self.merge(before, copied(delta, "A delta")))
            if (name := difference(whole, now)) is not None:
                change = (
                    f"{command} turned {worded(name, past[name])} into {worded(name, now[name])}"
                )
                message = f"{change}, its delta into {worded(name, whole[name])}"
                raise Disagreement("a delta equals the whole", message)
        message = copied(delta, "A delta")
        return Performed(self.merge(replica, delta), None, message)

    def receive(self, replica: Any, message: Any) -> Any:
        """Apply a message from another replica. Return the replica."""
        if self.sends == "state":
            return self.absorb(replica, message)
        message = copied(message, "What travels")
        if self.sends == "delta":
            return self.merge(replica, message)
        return following(replica, replica.apply(message))[0]

    def group(self, first: Any, second: Any) -> Any:
        """Join two deltas into one message. Return NOTHING if they cannot be merged."""
        if self.sends != "delta" or not (self.merge_states or hasattr(first, "merge")):
            return NOTHING
        return self.merge(copied(first, "A delta"), copied(second, "A delta"))

    def merge(self, replica: Any, other: Any) -> Any:
        """Merge a state or a delta into a replica. Return the replica."""
        if self.merge_states is not None:
            merged = self.merge_states(replica, other)
            return replica if merged is None else merged
        return following(replica, replica.merge(other))[0]

    def export(self, replica: Any) -> Any:
        """Return the whole state in the form in which it is sent."""
        if self.loads:
            return copied(replica.state(), "`state()`")
        return copied(replica, f"A {self.name}")

    def restored(self, state: Any) -> Any:
        """Return a replica with the content of an exported state."""
        if not self.loads:
            return copied(state, f"A {self.name}")
        replica = self.new(0, lambda: 0)
        return following(replica, replica.load(copied(state, "`state()`")))[0]

    def absorb(self, replica: Any, state: Any) -> Any:
        """Merge a whole state into a replica, or load it. Return the replica."""
        if self.merges:
            return self.merge(replica, self.restored(state))
        return following(replica, replica.load(copied(state, "`state()`")))[0]

    def read(self, replica: Any) -> Reading:
        """Return the answers to all queries."""
        return kept({query_name(query): self.ask(replica, query) for query in self.queries})

    def ask(self, replica: Any, query: Command) -> Any:
        """Return the answer to one query: the result of a method, or an attribute."""
        if query == (VALUE,) and self.read_value is not None:
            return self.read_value(replica)
        attribute = getattr(replica, query[0])
        return attribute(*query[1:]) if callable(attribute) else attribute


def following(replica: Any, returned: Any) -> tuple[Any, Any]:
    """Return the replica after a method call, and the result of the call.

    If the method returned an object of the replica's own type, this is the new replica.
    """
    return (returned, None) if type(returned) is type(replica) else (replica, returned)


PERFORM: Final[dict[str, Callable[[ClassFamily, Any, Command], Performed]]] = {
    "effect": ClassFamily.perform_effect,
    "update": ClassFamily.perform_update,
    "state": ClassFamily.perform_state,
    "delta": ClassFamily.perform_delta,
}


class ForeignFamily:
    """The family of documents of other libraries."""

    def __init__(self, foreign: Foreign, options: CheckOptions) -> None:
        self.foreign: Foreign = foreign
        self.name: str = foreign.name
        self.exports: bool = foreign.export is not None
        self.merges: bool = self.exports
        self.refuses: tuple[type[Exception], ...] = (Refused, *options.get("refuses", ()))

    def new(self, region: int, clock: Clock) -> Any:
        """Return a new document."""
        return make_replica(self.foreign.make, region, clock)

    def perform(self, replica: Any, command: Command) -> Performed:
        """Execute a command on the document at its origin."""
        foreign = self.foreign
        version = None if foreign.version is None else foreign.version(replica)
        try:
            result = foreign.mutate(replica, *command)
        except self.refuses as error:
            return Performed(replica, error, refused=True)
        if foreign.changes is None:
            return (
                Performed(replica, refused=True)
                if result is None
                else Performed(replica, None, result)
            )
        return Performed(replica, result, foreign.changes(replica, version))

    def receive(self, replica: Any, message: Any) -> Any:
        """Apply a message from another document. Return the document."""
        self.foreign.apply(replica, message)
        return replica

    def group(self, first: Any, second: Any) -> Any:
        """Return NOTHING, because messages of foreign documents are never joined."""
        return NOTHING

    def export(self, replica: Any) -> Any:
        """Return the whole document in the form in which it is sent."""
        assert self.foreign.export is not None
        return self.foreign.export(replica)

    def absorb(self, replica: Any, state: Any) -> Any:
        """Apply a whole document. Return the document."""
        return self.receive(replica, state)

    def read(self, replica: Any) -> Reading:
        """Return the value of the document."""
        return kept({VALUE: self.foreign.value(replica)})


class ComposedFamily:
    """Several types together, each with a name: `{"cart": Cart, "total": Counter}`.

    A command begins with the name: `("cart", "add", "milk")`. The value is a dict by name.
    """

    def __init__(self, parts: Mapping[str, Family]) -> None:
        self.parts: Mapping[str, Family] = parts
        self.name: str = " and ".join(f"{name}: {part.name}" for name, part in parts.items())
        self.exports: bool = all(part.exports for part in parts.values())
        self.merges: bool = all(part.merges for part in parts.values())

    def new(self, region: int, clock: Clock) -> Any:
        """Return a dict with a new replica of each part."""
        return {name: part.new(region, clock) for name, part in self.parts.items()}

    def perform(self, replica: Any, command: Command) -> Performed:
        """Execute a command on the part that it names."""
        name = command[0]
        outcome = self.parts[name].perform(replica[name], command[1:])
        message = NOTHING if outcome.message is NOTHING else (name, outcome.message)
        whole = {**replica, name: outcome.replica}
        return Performed(whole, outcome.result, message, outcome.refused)

    def receive(self, replica: Any, message: Any) -> Any:
        """Apply a message to the part that it names. Return the replica."""
        name, inner = message
        return {**replica, name: self.parts[name].receive(replica[name], inner)}

    def group(self, first: Any, second: Any) -> Any:
        """Join two messages for the same part. Return NOTHING if they cannot be joined."""
        if first[0] != second[0]:
            return NOTHING
        joined = self.parts[first[0]].group(first[1], second[1])
        return NOTHING if joined is NOTHING else (first[0], joined)

    def export(self, replica: Any) -> Any:
        """Return the state of every part."""
        return {name: part.export(replica[name]) for name, part in self.parts.items()}

    def absorb(self, replica: Any, state: Any) -> Any:
        """Merge or load the state of every part. Return the replica."""
        return {name: part.absorb(replica[name], state[name]) for name, part in self.parts.items()}

    def read(self, replica: Any) -> Reading:
        """Return a dict of the parts' values, and the answers to other queries by name."""
        readings = {name: part.read(replica[name]) for name, part in self.parts.items()}
        values = {name: reading[VALUE] for name, reading in readings.items() if VALUE in reading}
        others = {
            f"{name}.{query}": answer
            for name, reading in readings.items()
            for query, answer in reading.items()
            if query != VALUE
        }
        return {VALUE: values, **others}
