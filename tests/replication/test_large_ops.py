"""Operations larger than a frame, a window or the causal buffer arrive."""

from __future__ import annotations

from crdt.causality.op import OP_BYTES
from replication.protocol.codec import FRAME_BYTES_MAX
from replication.protocol.events import Closed, Merged, Stalled
from replication.protocol.limits import SECOND, Limits
from tests.replication.wire import WireWorld, mesh

MB = 1 << 20


def test_operation_larger_than_frame_and_window_arrives() -> None:
    limits = Limits(window_bytes_max=MB)
    world = WireWorld(mesh("a", "b"), limits=limits, history_bytes=8 * MB)
    world.run(200)
    size = FRAME_BYTES_MAX + MB
    world["a"].write(lambda r: r.string("k").set(bytes(size)))
    world["a"].write(lambda r: r.string("l").set("v"))
    world.run(1000)
    assert world.agrees()
    assert len(world["b"].replica.string("k").get() or "") == size
    assert not any(isinstance(event, (Closed, Merged)) for event in world["b"].events)


def test_large_transaction_arrives_in_bounded_operations() -> None:
    """An operation that exceeds the limit of a sink once ended the link, again and again."""
    world = WireWorld(mesh("a", "b"), history_bytes=4 * OP_BYTES)
    world.run(200)

    def transact() -> None:
        for number in range(40):
            world["a"].replica.string(f"{number}").set(bytes(MB))

    world["a"].write(lambda _: transact())
    history = world["a"].replica.history
    sizes = [len(data) for _, _, _, data in history.read(history.start, 99)]
    assert len(sizes) == 3
    assert max(sizes) <= OP_BYTES + 1024
    world.run(2000)
    assert world.agrees()
    assert world["b"].replica.keyspace.size() == 40


def test_operation_larger_than_causal_buffer_arrives() -> None:
    world = WireWorld(mesh("a", "b", "c"), gate_bytes=MB, limits=Limits(no_link_delay_ns=SECOND))
    world.run(200)
    world.cut_pair("a", "b")
    world["a"].write(lambda r: r.string("x").set("v"))
    world.run(50)
    world["c"].write(lambda r: r.string("y").set(bytes(2 * MB)))
    world.run(5000)
    assert world.agrees()
    assert any(isinstance(event, Stalled) for event in world["b"].events)
    assert not any(isinstance(event, Closed) and event.peer == "c" for event in world["b"].events)


def test_database_of_large_values_is_taken_over() -> None:
    """A piece of a snapshot once contained 2,000 keys of any size, which can exceed the limit of a
    sink."""
    world = WireWorld(mesh("a", "b"), history_bytes=1)
    world.run(200)
    world.cut_pair("a", "b")
    for number in range(6):
        world["a"].write(lambda r, n=number: r.hash(f"{n}").update({"f": bytes(MB)}))
    world.run(100)
    world.heal_pair("a", "b")
    world.run(3000)
    assert world.agrees()
    assert any(isinstance(event, Merged) for event in world["b"].events)
