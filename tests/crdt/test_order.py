"""The order of keys: a walk misses nothing that stays, whatever happens meanwhile."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from crdt.order import SLACK, Order

KEYS = [b"%d" % n for n in range(12)]

# What happens between two steps of a walk: a key comes, goes, or comes and goes often enough for
# the list to be compacted; or somebody compacts it.
EVENTS = st.lists(
    st.tuples(st.sampled_from(("add", "drop", "churn", "compact")), st.sampled_from(KEYS))
)


Events = list[tuple[str, bytes]]


class Keys:
    """A dictionary with its order."""

    def __init__(self, keys: list[bytes]) -> None:
        self.alive = dict.fromkeys(keys)
        self.left = set[bytes]()  # which went, if only for a moment
        self.order = Order(list(keys))

    def add(self, key: bytes) -> None:
        if key not in self.alive:
            self.alive[key] = None
            self.order.add(key, self.alive)

    def happen(self, event: str, key: bytes) -> None:
        if event == "add":
            self.add(key)
        elif event == "compact":
            self.order.compact(self.alive)
        else:
            self.alive.pop(key, None)
            self.left.add(key)
            for _ in range(2 * SLACK if event == "churn" else 0):
                self.add(key)
                del self.alive[key]


@given(
    st.lists(st.sampled_from(KEYS), unique=True),
    st.lists(EVENTS, max_size=8),
    st.integers(1, 5),
    st.lists(EVENTS, max_size=8),
)
def test_a_walk_visits_every_key_that_is_present_throughout(
    first: list[bytes], before: list[Events], count: int, meanwhile: list[Events]
) -> None:
    keys = Keys(first)
    for event, key in (each for events in before for each in events):
        keys.happen(event, key)
    present, visited = set(keys.alive), set[bytes]()
    keys.left.clear()
    script = iter(meanwhile)
    cursor, found = keys.order.walk(0, count, keys.alive)
    visited.update(found)
    while cursor:
        for event, key in next(script, ()):
            keys.happen(event, key)
        cursor, found = keys.order.walk(cursor, count, keys.alive)
        assert set(found) <= keys.alive.keys()
        visited.update(found)
    assert present - keys.left <= visited


def test_an_undisturbed_walk_goes_from_the_newest_to_the_oldest() -> None:
    keys = Keys(KEYS)
    cursor, found = keys.order.walk(0, 5, keys.alive)
    assert (cursor, found) == (7, KEYS[:6:-1])
    assert keys.order.walk(cursor, 100, keys.alive) == (0, KEYS[6::-1])


def test_a_cursor_from_elsewhere_starts_a_walk() -> None:
    keys = Keys(KEYS)
    whole = (0, KEYS[::-1])
    assert keys.order.walk(1 << 60, 100, keys.alive) == whole
    assert keys.order.walk(-3, 100, keys.alive) == whole


def test_the_list_stays_within_twice_the_keys() -> None:
    keys = Keys(KEYS)
    for _ in range(20):
        keys.happen("churn", b"comes and goes")
        assert len(keys.order.keys) <= 2 * len(KEYS) + SLACK + 1
    keys.order.compact(keys.alive)
    assert keys.order.keys == KEYS


def test_a_key_that_came_twice_has_the_place_of_its_newest_coming() -> None:
    keys = Keys([b"a", b"b"])
    keys.happen("drop", b"a")
    keys.add(b"a")
    keys.order.compact(keys.alive)
    assert keys.order.keys == [b"b", b"a"]


def test_picks_find_each_living_key_and_no_other() -> None:
    rng, keys = Random(7), Keys(KEYS)
    for key in KEYS[3:]:
        keys.happen("drop", key)
    picked = Counter(keys.order.pick(rng, keys.alive) for _ in range(600))
    assert picked.keys() == set(KEYS[:3])
    assert min(picked.values()) > 100


def test_a_pick_from_a_list_of_the_dead_compacts_it_first() -> None:
    keys = Keys([b"%d" % n for n in range(SLACK + 10)])
    for key in list(keys.alive)[1:]:
        keys.happen("drop", key)
    assert keys.order.pick(Random(0), keys.alive) == b"0"
    assert keys.order.keys == [b"0"]
