"""Two people edit the same things offline and meet later: replicas embedded in a program.

    python examples/two_notebooks.py

What passes between them is bytes; carry them by whatever there is (HTTP, a file, a USB stick). Each
sends what the other's vector lacks, so nothing is sent twice, and it would do no harm if it were.
"""

from __future__ import annotations

from crdt import Op, Replica


def letter(sender: Replica, reader: Replica) -> list[bytes]:
    """What the reader lacks, ready to be sent."""
    return [op.to_bytes() for op in sender.since(reader.vector)]


def meet(one: Replica, other: Replica) -> None:
    """Exchange letters."""
    for sender, reader in ((one, other), (other, one)):
        for data in letter(sender, reader):
            reader.accept(Op.from_bytes(data))


ada, bob = Replica(1), Replica(2)
ada.set("cart").add("milk", "eggs")
ada.list("todo").extend(["shop", "cook"])
meet(ada, bob)

ada.set("cart").discard("milk")  # she has some at home
ada.counter("spent").increment(12)
ada.list("todo").insert(1, "pay")
ada.multi_value("dinner").set("soup")

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
