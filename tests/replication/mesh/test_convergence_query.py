"""A convergence query reaches all regions that it should, always ends, and is positive only if they
have converged."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from crdt.causality.dots import ORIGIN_MAX, Vector, dominates, make_origin
from replication.mesh.convergence_query import (
    HOPS_MAX,
    QUERIES_MAX,
    ConvergenceQueries,
    ConvergenceQuery,
)
from replication.protocol.codec import INTEGER_MAX
from replication.protocol.frames import ConvergenceReply, ConvergenceRequest
from tests.replication.asking import AskingWorld, Link, Place

US = make_origin(1)


def both(*pairs: Link) -> list[Link]:
    """Return links both ways."""
    return [link for a, b in pairs for link in ((a, b), (b, a))]


def line(count: int) -> list[Link]:
    return both(*((n, n + 1) for n in range(1, count)))


def ring(count: int) -> list[Link]:
    return [*line(count), *both((1, count))]


def mesh(count: int) -> list[Link]:
    return [(a, b) for a in range(1, count + 1) for b in range(1, count + 1) if a != b]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[Link]]:
    """Draw regions, and links that connect them all in at least one direction."""
    count = draw(st.integers(2, 6))
    links = {
        draw(st.sampled_from([(n, other), (other, n)]))
        for n in range(2, count + 1)
        for other in [draw(st.integers(1, n - 1))]
    }
    links |= set(draw(st.lists(st.sampled_from(mesh(count)), max_size=8)))
    return count, sorted(links)


# -- which regions are asked ---------------------------------------------------------------


def test_lone_region_has_converged_without_query() -> None:
    assert AskingWorld(1, []).ask(1) is True


@pytest.mark.parametrize("links", [line(5), ring(5), mesh(5), both((1, 3), (2, 3), (3, 4), (3, 5))])
@pytest.mark.parametrize("asker", range(1, 6))
@pytest.mark.parametrize("writer", range(1, 6))
def test_in_any_graph_every_region_is_asked(links: list[Link], asker: int, writer: int) -> None:
    world = AskingWorld(5, links)
    assert world.ask(asker) is True
    world[writer].write()
    assert world.ask(asker) is False
    world.quiet()
    assert world.ask(asker) is True


@pytest.mark.parametrize("links", [line(6), ring(6), mesh(6)])
def test_query_costs_two_messages_per_link(links: list[Link]) -> None:
    world = AskingWorld(6, links)
    world.ask(3)
    assert world.messages == 2 * len(links)


def test_one_way_link_needs_data_in_its_direction_only() -> None:
    world = AskingWorld(3, [(1, 2), (2, 3)])
    world[3].write()
    assert [world.ask(n) for n in (1, 2, 3)] == [True] * 3, "3 may have more than who feeds it"
    world[1].write()
    assert [world.ask(n) for n in (1, 2, 3)] == [False] * 3, "asked against the data's way too"
    world.carry((1, 2))
    assert [world.ask(n) for n in (1, 2, 3)] == [False] * 3, "2 has what 3 has not"
    world.carry((2, 3))
    assert [world.ask(n) for n in (1, 2, 3)] == [True] * 3


@pytest.mark.parametrize("asker", [1, 2])
@pytest.mark.parametrize("writer", [1, 2])
def test_link_without_reverse_needs_equal_vectors(asker: int, writer: int) -> None:
    """The file of one region does not list the other, so its data takes another way, or none."""
    world = AskingWorld(2, [(1, 2)])
    for place in world.places:
        queries = place.site.convergence_queries
        queries.remove_link(place)
        queries.add_link(place, inward=place.site.number == 2, is_one_way=True)
    assert world.ask(asker) is True
    world[writer].write()
    assert world.ask(asker) is False
    world[3 - writer].vector.update(world[writer].vector)
    assert world.ask(asker) is True
    world.lose((1, 2))
    world.pump()
    assert not any(site.convergence_queries.one_way_edges for site in world.sites.values())


def test_unconnected_regions_are_not_asked() -> None:
    world = AskingWorld(4, [*both((1, 2)), *both((3, 4))])
    world[4].write()
    assert [world.ask(n) for n in (1, 2, 3, 4)] == [True, True, False, False]


def test_link_that_ought_to_be_there_is_waited_for() -> None:
    world = AskingWorld(3, line(3))
    world.lose((2, 3))
    assert world.ask(1) is False
    world.cut((2, 3))
    assert world.ask(1) is True, "nobody counts on it any more"


def test_vector_at_arrival_of_query_counts() -> None:
    """Writes made after the query has passed may be missing without a negative reply."""
    world = AskingWorld(3, line(3))
    questions = world[2].convergence_queries
    turn = questions.start_query()
    world[2].write()
    world.pump()
    assert questions.find_result(turn) is True


# -- one question at a time ----------------------------------------------------------------


def test_second_query_waits_for_next_round() -> None:
    world = AskingWorld(2, line(2))
    questions = world[1].convergence_queries
    first = questions.start_query()
    world[1].write()
    second = questions.start_query()
    assert questions.start_query() == second != first
    assert questions.find_result(first) is questions.find_result(second) is None
    world.pump()
    assert questions.find_result(second) is False
    assert questions.asked == second, "nobody asked for a third"
    assert questions.find_result(first) is False, "the later answer serves as well"


def test_numbers_follow_clock() -> None:
    """A neighbour may remember the queries of an incarnation with the same origin."""
    world = AskingWorld(2, line(2))
    world[1].convergence_queries.start_query()
    world.pump()
    again = ConvergenceQueries(world[1].replica)
    world[1].replica.keyspace.expiry_clock = 5_000
    for number in (5_000, 5_001):
        again.start_query()
        assert again.own.number == number


# -- what goes wrong -----------------------------------------------------------------------


def end_of(world: AskingWorld, link: Link, number: int) -> Place:
    """Return the end of a link that is in a region."""
    return next(place for place in world.places_of(link) if place.site.number == number)


@pytest.mark.parametrize("number", [1, 2])
def test_lost_link_ends_query_with_no(number: int) -> None:
    world = AskingWorld(2, [(1, 2)])
    turn = world[1].convergence_queries.start_query()
    if number == 2:
        end_of(world, (1, 2), 2).take()
    world.cut((1, 2))
    assert world[1].convergence_queries.find_result(turn) is None
    world.pump()
    assert world[1].convergence_queries.find_result(turn) is False
    assert world.ask(1) is True


def test_new_link_ends_query_with_no() -> None:
    world = AskingWorld(3, line(2))
    questions = world[1].convergence_queries
    turn = questions.start_query()
    world.wanted |= {(2, 3)}
    world.connect((2, 3))
    world.pump()
    assert questions.find_result(turn) is True, "the question came to 2 when the link was there"
    turn = questions.start_query()
    world.connect((1, 3))
    world.pump()
    assert questions.find_result(turn) is False
    assert world.ask(1) is True


def test_peer_that_reads_nothing_makes_reply_no() -> None:
    world = AskingWorld(2, [(1, 2)])
    far = end_of(world, (1, 2), 2)
    near = far.other
    near.is_swamped = True
    assert world.ask(1) is False
    assert world.messages == 0
    assert world.ask(2) is None, "nor is it answered"
    near.is_swamped = False
    far.is_lost = near.is_lost = True
    world.pump()
    assert world[2].convergence_queries.find_result(1) is False


def test_old_or_unknown_query_gets_no() -> None:
    world = AskingWorld(2, [(1, 2)])
    far = end_of(world, (1, 2), 2)
    near = far.other
    ap = make_origin(3)
    near.send(ConvergenceRequest(ap, 5, 1, {}))
    world.pump()
    assert world[2].convergence_queries.known[ap].number == 5
    far.queue.clear()
    for number in (5, 4):
        world[2].convergence_queries.receive(far, ConvergenceRequest(ap, number, 1, {}))
        assert near.queue.pop() == ConvergenceReply(ap, number, False)
    for asker, number in ((ap, 5), (ap, 6), (US, 1)):
        world[2].convergence_queries.receive(far, ConvergenceReply(asker, number, True))
    assert not near.queue
    world[2].convergence_queries.receive(
        far, ConvergenceRequest(make_origin(2), INTEGER_MAX, 1, {})
    )
    assert near.queue.pop() == ConvergenceReply(make_origin(2), INTEGER_MAX, False)
    assert world.ask(2) is True, "nobody else uses up our numbers"


def test_newer_query_replaces_older_one() -> None:
    world = AskingWorld(3, line(3))
    other = end_of(world, (1, 2), 2)
    ap = make_origin(9)
    two = world[2].convergence_queries
    two.receive(other, ConvergenceRequest(ap, 1, 1, {}))
    two.receive(other, ConvergenceRequest(ap, 2, 1, {}))
    assert list(other.other.queue).count(ConvergenceReply(ap, 1, False)) == 1
    assert two.known[ap].number == 2


def test_query_of_non_member_gets_negative_reply() -> None:
    """A follower, or a source that we follow."""
    world = AskingWorld(2, [(1, 2)])
    stranger = Place(world[1], (7, 1))
    world[1].convergence_queries.receive(stranger, ConvergenceRequest(US + 1, 1, 1, {}))
    assert list(stranger.queue) == [ConvergenceReply(US + 1, 1, False)]
    world[1].convergence_queries.remove_link(stranger)
    assert not world[1].convergence_queries.known


def test_query_beyond_hop_limit_is_not_relayed() -> None:
    world = AskingWorld(3, line(3))
    far = end_of(world, (1, 2), 2)
    world[2].convergence_queries.receive(far, ConvergenceRequest(make_origin(9), 1, HOPS_MAX, {}))
    assert list(far.other.queue) == [ConvergenceReply(make_origin(9), 1, False)]
    assert world.messages == 1


def test_of_many_askers_oldest_are_forgotten_and_get_no() -> None:
    world = AskingWorld(3, [(1, 2), (2, 3)])
    far = end_of(world, (1, 2), 2)
    for asker in range(1, QUERIES_MAX + 3):
        world[2].convergence_queries.receive(far, ConvergenceRequest(asker, 1, 1, {}))
    known = world[2].convergence_queries.known
    assert list(known) == list(range(3, QUERIES_MAX + 3))
    assert list(far.other.queue) == [ConvergenceReply(1, 1, False), ConvergenceReply(2, 1, False)]
    world.pump()
    assert all(is_closed(question) for question in known.values())


def is_closed(question: ConvergenceQuery) -> bool:
    """Return whether only the query's number is kept."""
    return question.parent is None and not question.waiting and not question.vector


# -- whatever happens ----------------------------------------------------------------------


class Watched:
    """A query in progress, and the condition for a positive reply: it concerns the links that are
    up from the query's beginning to its end."""

    def __init__(self, world: AskingWorld, asker: int) -> None:
        self.world = world
        self.convergence_queries = world[asker].convergence_queries
        self.turn = self.convergence_queries.start_query()
        self.asker = asker
        self.up = {link for link in world.wanted if world.is_up(link)}
        self.held = {number: dict(site.vector) for number, site in world.sites.items()}
        self.is_over = False

    def check(self, *, is_still: bool) -> None:
        """Check the reply if there is one. `is_still` is true if nothing was written meanwhile and
        no cut healed."""
        self.up = {link for link in self.up if self.world.is_up(link)}
        verdict = self.convergence_queries.find_result(self.turn)
        if verdict is None or self.is_over:
            return
        self.is_over = True
        event(f"answered with {verdict}")
        if not verdict:
            return
        for source, sink in reached(self.asker, self.up):
            held = self.world[sink].vector
            assert dominates(held, self.held[source]), "what was there when it was asked"
            if is_still:
                assert dominates(held, self.world[source].vector), "what is there now"


def reached(start: int, links: set[Link]) -> set[Link]:
    """Return the regions that are connected with `start`, in either direction."""
    near = {start}
    while True:
        found = {link for link in links if not near.isdisjoint(link)}
        if all(near.issuperset(link) for link in found):
            return found
        near |= {number for link in found for number in link}


@given(graphs(), st.booleans(), st.data())
def test_positive_reply_is_true_despite_link_changes(
    graph: tuple[int, list[Link]], is_still: bool, data: st.DataObject
) -> None:
    """A positive reply is true, and every query has a reply.

    Messages arrive in any order, data at any moment, and links are lost and found again. When all
    that is over, every query has a reply, and the reply to the next one is positive.
    """
    count, links = graph
    world = AskingWorld(count, links)
    for number in data.draw(st.lists(st.integers(1, count), max_size=3), label="writers"):
        world[number].write()
    asked: list[Watched] = []
    acts = ["take"] * 8 + ["carry"] * 4 + ["ask", "ask", "lose", "cut", "notice", "redial"]
    if not is_still:
        acts += ["write", "heal"]
    for act in data.draw(st.lists(st.sampled_from(acts), min_size=30, max_size=90), label="acts"):
        link = data.draw(st.sampled_from(links))
        match act:
            case "ask":
                asked.append(Watched(world, link[0]))
            case "take" if busy := list(world.busy()):
                data.draw(st.sampled_from(busy)).take()
            case "notice" if lost := [place for place in world.places if place.is_lost]:
                data.draw(st.sampled_from(lost)).notice()
            case "carry":
                world.carry(link)
            case "lose":
                world.lose(link)
            case "cut":
                world.cut(link)
            case "redial" if link in world.wanted:
                world.heal(link)
            case "heal":
                world.heal(link)
            case "write":
                world[link[0]].write()
            case _:
                pass
        for question in asked:
            question.check(is_still=is_still)
    check_rest(world, asked)


def check_rest(world: AskingWorld, asked: list[Watched]) -> None:
    """Check that in a quiet world every query has a reply, and nothing else is kept."""
    world.pump()
    for question in asked:
        question.check(is_still=False)
        assert question.is_over
    world.quiet()
    assert all(world.ask(number) is True for number in world.sites)
    for site in world.sites.values():
        assert all(is_closed(question) for question in site.convergence_queries.known.values())


@given(graphs(), st.data())
def test_reply_in_quiet_world_follows_rule(
    graph: tuple[int, list[Link]], data: st.DataObject
) -> None:
    """If nothing else happens, the reply says exactly whether all regions have converged."""
    count, links = graph
    world = AskingWorld(count, links)
    for number in range(1, count + 1):
        seqs = data.draw(st.lists(st.integers(0, 1), min_size=2, max_size=2))
        world[number].vector.update({US: seqs[0], US + 1: seqs[1]})
    arrived = all(dominates(world[b].vector, world[a].vector) for a, b in links)
    event(f"{arrived}")
    assert {world.ask(number) for number in world.sites} == {arrived}


hostile = st.one_of(
    st.builds(
        ConvergenceRequest,
        st.integers(1, 4).map(make_origin) | st.integers(0, ORIGIN_MAX),
        st.integers(0, 9) | st.integers(0, INTEGER_MAX),
        st.integers(0, HOPS_MAX),
        st.dictionaries(st.integers(1, 4).map(make_origin), st.integers(0, 9)),
    ),
    st.builds(
        ConvergenceReply, st.integers(1, 4).map(make_origin), st.integers(0, 9), st.booleans()
    ),
)


@given(st.sampled_from([ring(4), mesh(4), line(4)]), st.lists(hostile, max_size=30), st.data())
def test_queries_of_peers_are_bounded(
    links: list[Link], output: list[ConvergenceRequest | ConvergenceReply], data: st.DataObject
) -> None:
    world = AskingWorld(4, links)
    for frame in output:
        data.draw(st.sampled_from(world.places)).send(frame)
        if data.draw(st.booleans()):
            next(world.busy()).take()
    world.pump()
    for site in world.sites.values():
        assert len(site.convergence_queries.known) <= QUERIES_MAX
    vectors: list[Vector] = [site.vector for site in world.sites.values()]
    assert vectors == [{}] * 4
