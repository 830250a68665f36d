"""Spans of list elements, and the search for what stands above an element."""

from __future__ import annotations

from crdt.causality.dots import make_dot, make_origin
from crdt.structures.runs import Key, Run
from crdt.types.components.list_elements import Element, differences, key_in, spans_of

A = make_dot(make_origin(1), 0)
TOP, OTHER = Run(None, 0, 2, A), Run(None, 0, 3, A)
CHILD = Run(TOP, 10, 1, A | 5)
GRANDCHILD = Run(CHILD, 20, -1, A | 6)


def named(*elements: tuple[Run, Key]) -> list[tuple[int, ...]]:
    """Return the spans of some elements."""
    return spans_of([run for run, _ in elements], [key for _, key in elements])


def test_elements_at_one_step_share_a_span() -> None:
    assert named() == []
    assert named((TOP, 1)) == [(2, A, 1)]
    assert named((TOP, 1), (TOP, 4), (TOP, 7)) == [(2, A, 1, 3, 3)]
    assert named((TOP, 1), (TOP, 2), (TOP, 4), (TOP, 6)) == [(2, A, 1, 1, 2), (2, A, 4, 2, 2)]
    assert named((CHILD, 1), (CHILD, 2), (OTHER, 3)) == [(0, A | 5, 1, 1, 2), (3, A, 3)]
    twin = Run(None, 0, 2, A)
    assert named((TOP, -2), (twin, -1)) == [(2, A, -2, 1, 2)]


def test_key_above_element_is_found_in_run() -> None:
    assert key_in(TOP, TOP, 7) == 7
    assert key_in(TOP, CHILD, 7) == key_in(TOP, GRANDCHILD, 7) == 10
    assert key_in(CHILD, GRANDCHILD, 7) == 20
    assert key_in(CHILD, TOP, 7) is None
    assert key_in(OTHER, CHILD, 7) is None


def test_differences_begin_with_first_key() -> None:
    assert differences([5]) == (5,)
    assert differences([-5, 1, 2]) == (-5, 6, 1)


def test_element_equals_bytes_that_it_shows() -> None:
    element, other = Element(), Element()
    element.value = other.value = b"a"
    assert element == b"a"
    assert element in [b"b", element]
    assert element not in (b"b", other, "a")
