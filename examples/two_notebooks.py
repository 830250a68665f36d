"""Two people edit the same things offline and meet later: replicas embedded in a program.

    python examples/two_notebooks.py

What passes between them is bytes; carry them by whatever there is (HTTP, a file, a USB stick). Each
sends what the other's vector lacks, so nothing is sent twice, and it would do no harm if it were.
"""

from __future__ import annotations

import time  # noqa: TID251 - a program has a clock

from crdt import Replica, Vector


def clock() -> int:
    """The wall clock in milliseconds: it decides who wrote last, and when things expire."""
    return time.time_ns() // 1_000_000


def letter(sender: Replica, request: bytes) -> bytes:
    """Answer a request: whatever its reader lacks, also if it has been away for long."""
    return sender.changes_for(Vector.from_bytes(request)).to_bytes()


def meet(one: Replica, other: Replica) -> None:
    """Exchange letters."""
    for sender, reader in ((one, other), (other, one)):
        reader.apply(letter(sender, reader.vector.to_bytes()))


ada, bob = Replica(clock=clock), Replica(clock=clock)
ada.set("cart").add("milk", "eggs")
ada.list("todo").extend(["shop", "cook"])
meet(ada, bob)

ada.set("cart").discard("milk")  # she has some at home
ada.counter("spent").increment(12)
ada.list("todo").insert(1, "pay")
ada.multi_value("dinner").set("soup")

bob = Replica.load(bob.close(), clock=clock)  # his program ends, and starts again

bob.set("cart").add("milk", "tea")  # he does not know
bob.counter("spent").increment(30)
bob.list("todo").append("wash up")
bob.multi_value("dinner").set("pasta")

meet(ada, bob)
assert ada.digest() == bob.digest()

print("cart  ", *sorted(bob.set("cart")))
print("spent ", bob.counter("spent").value)
print("todo  ", *bob.list("todo"))
print("dinner", *sorted(bob.multi_value("dinner").values()), "(both: somebody must decide)")
