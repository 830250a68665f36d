"""Insertions in the middle of a list do not interleave.

The properties are those of Weidner and Kleppmann, "The Art of the Fugue: Minimizing Interleaving in
Collaborative Text Editing" (2023). The left origin of an element is its neighbour on the left when
it was inserted, and the right origin the one on the right.

* Forward: the order is a walk over the tree of left origins, parents first. So between an element
  and its left origin there are only elements that descend from the left origin.
* Backward: between an element and its right origin, if both have the same left origin, there are
  only descendants of the element, and elements that were typed backwards from the right origin.

Pushes at the ends are another matter: there, only the elements of one region stay together.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crdt.types.components.list_elements import Position
from crdt.types.list import List
from tests.crdt.list_replicas import KEY, REGIONS, Replicas

NOTHING: Position = (0, 0, 0)

steps = st.lists(
    st.tuples(
        st.integers(0, REGIONS - 1),
        st.sampled_from(["insert", "insert", "type", "type backwards", "receive"]),
        st.floats(0, 1),
    ),
    max_size=25,
)


class Text:
    """A list between two brackets, and the origins of everything that was inserted."""

    def __init__(self) -> None:
        self.replicas = Replicas()
        brackets = self.replicas.insert(0, 0, [b"("])
        brackets += self.replicas.insert(0, 1, [b")"])
        for region in range(REGIONS):
            self.replicas.receive(region)
        self.left: dict[Position, Position] = {brackets[1]: brackets[0]}
        self.right: dict[Position, Position] = {}

    def insert(self, region: int, index: int) -> None:
        """Insert an element between two others."""
        before = self.replicas.positions(region)
        (added,) = self.replicas.insert(region, index, [b"x"])
        self.left[added], self.right[added] = before[index - 1], before[index]

    def act(self, region: int, action: str, where: float) -> None:
        """Insert an element, or three of them one after another, or receive what others did."""
        if action == "receive":
            self.replicas.receive(region)
            return
        index = 1 + int(where * (self.replicas.size(region) - 2))
        for step in range(1 if action == "insert" else 3):
            self.insert(region, index + (step if action == "type" else 0))

    def order(self) -> list[Position]:
        """Deliver everything, and return the order."""
        for region in (*range(REGIONS), *range(REGIONS)):
            self.replicas.receive(region)
        orders = [self.replicas.positions(region) for region in range(REGIONS)]
        assert orders[0] == orders[1] == orders[2]
        return orders[0]

    def descends(self, element: Position, ancestor: Position) -> bool:
        """Return whether `ancestor` is the element, its left origin, or that one's, and so on."""
        while element != ancestor:
            if element not in self.left:
                return False
            element = self.left[element]
        return True

    def is_typed_backwards(self, element: Position, last: Position) -> bool:
        """Return whether an element was typed backwards from `last`, or descends from such."""
        while self.left[element] != self.left[last]:
            element = self.left[element]
            if element not in self.left:
                return False
        while element != last:
            element = self.right.get(element, NOTHING)
            if self.left.get(element) != self.left[last]:
                return False
        return True


@settings(max_examples=150, deadline=None)
@given(steps)
@pytest.mark.rule("LST-2")
def test_insertions_do_not_interleave(history: list[tuple[int, str, float]]) -> None:
    text = Text()
    for region, action, where in history:
        text.act(region, action, where)
    order = text.order()
    places = {element: place for place, element in enumerate(order)}
    for element, left in text.left.items():
        between = order[places[left] + 1 : places[element]]
        assert all(text.descends(each, left) for each in between)
    for element, right in text.right.items():
        if text.left.get(right) == text.left[element]:
            for each in order[places[element] + 1 : places[right]]:
                assert text.descends(each, element) or text.is_typed_backwards(each, right)


@pytest.mark.parametrize("backwards", [False, True])
def test_text_of_several_authors_is_not_torn_apart(backwards: bool) -> None:
    """Two regions type in turn, while a third one types on its own at the same place."""
    text = Text()
    together: list[Position] = []
    for turn in range(6):
        region = turn % 2
        index = 1 if backwards else 1 + turn
        together += text.replicas.insert(region, index, [b"x"])
        text.replicas.receive(1 - region)
    alone = [text.replicas.insert(2, 1 if backwards else 1 + n, [b"y"])[0] for n in range(4)]
    if backwards:
        together.reverse()
        alone.reverse()
    order = text.order()[1:-1]
    assert order in (together + alone, alone + together)
    value = text.replicas.spaces[0].lookup(KEY)
    assert isinstance(value, List)
    value.items.check()
